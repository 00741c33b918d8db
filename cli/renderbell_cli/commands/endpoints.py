"""`renderbell endpoint ...`: the URLs that receive events."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from renderbell.deliveries import DeliveryStatus
from renderbell.endpoints import FORMATS, STANDARD, Endpoint
from renderbell.errors import BadInputError
from renderbell.events import EVENT_TYPES
from renderbell.values import iso
from renderbell_cli import completing
from renderbell_cli.advice import ENDPOINTS_LISTED, advising
from renderbell_cli.arguments import AsJson, JsonLines
from renderbell_cli.helping import App
from renderbell_cli.show import Listing, ago, console, hints, json_lines, plain, roughly, status_text
from renderbell_cli.stack import LocalFlag, Stack, StackName

if TYPE_CHECKING:
    from renderbell.endpoints import Private
    from renderbell.subscribe import Trial

app = App(help="The URLs that receive events.")

EndpointId = Annotated[
    str,
    typer.Argument(metavar="ID", help="As `renderbell endpoint list` shows it.", autocompletion=completing.endpoints),
]


@app.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to; https.")],
    events: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVENTS",
            help=f"Only these events; repeatable or with commas. Known: {', '.join(EVENT_TYPES)}.",
            autocompletion=completing.event_types,
        ),
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(help="Only this provider's videos; repeatable.", autocompletion=completing.providers),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(metavar="PROVIDER/NAME", help="Only this account's; repeatable.", autocompletion=completing.accounts),
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="A word to recognise it by.")] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"One of {', '.join(FORMATS)}: signed events, or messages to a chat's webhook.",
            autocompletion=completing.formats,
        ),
    ] = STANDARD,
    header: Annotated[list[str] | None, typer.Option(metavar="NAME:VALUE", help="A header of your own; repeatable.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, metavar="NUMBER", help="The most events a second it wants.")] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Permit http:// (in a local stack).")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print id and secret as JSON.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Add an endpoint. Its secret is shown this once: the receiver verifies signatures with it."""
    from renderbell.subscribe import NewEndpoint

    if url.lower().startswith("http:") and not allow_http:
        raise BadInputError("an endpoint's URL begins with https:// (--allow-http permits http:// in a local stack)")
    new = NewEndpoint(
        url=url,
        events=_split(events),
        providers=_split(provider),
        accounts=_split(account),
        description=description,
        format=format_,
        headers=_headers(header),
        rate=rate,
        allow_http=allow_http,
    )
    endpoint, secret = Stack.open(context, local=local, name=stack).subscribe.add(new, datetime.now(UTC))
    shown = {"id": endpoint.endpoint_id, "url": endpoint.url} | ({} if secret is None else {"secret": secret})
    if json:
        json_lines([shown])
        return
    for name, value in shown.items():
        console.print(plain(f"{name:<8}{value}"), soft_wrap=True)
    hints.print(f"Try it: renderbell endpoint test {endpoint.endpoint_id}")
    if secret is not None:
        hints.print("Keep the secret: it is not shown again.")


@app.command("list")
def list_(context: typer.Context, json: JsonLines = False, local: LocalFlag = False, stack: StackName = None) -> None:
    """List the endpoints and how they fare."""
    from renderbell.subscribe import endpoint_fields

    found = Stack.open(context, local=local, name=stack).endpoints.all()
    if json:
        json_lines(endpoint_fields(one) for one in found)
        return
    if not found:
        hints.print("No endpoint yet. Add one: renderbell endpoint add https://example.com/renderbell")
        return
    columns = ("ID", "STATE", "ADDED", "WANTS", "DESCRIPTION", "URL")
    shown = Listing(*columns, give_way=("URL", "WANTS", "DESCRIPTION"))
    for one in found:
        words = (ago(one.created_at), _wants(one), one.description, one.url)
        shown.add_row(one.endpoint_id, status_text(one.state), *map(plain, words), below=_trouble(one))
    shown.print()


@app.command()
def show(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Show all there is to know of an endpoint, except its secrets, and how its deliveries stand."""
    from renderbell.subscribe import endpoint_fields

    opened, now = Stack.open(context, local=local, name=stack), datetime.now(UTC)
    with advising(ENDPOINTS_LISTED):
        endpoint = opened.subscribe.get(endpoint_id)
    private = opened.parameters.endpoint_private(endpoint_id)
    counts = Counter(one.status.value for one in opened.deliveries.of_endpoint(endpoint_id))
    if json:
        more = {"old_secrets_sign_until": [iso(until) for until in _retiring(private, now)], "deliveries": dict(counts)}
        headers = sorted(private.headers) if private else []
        json_lines([{**endpoint_fields(endpoint), "headers": headers, **more}])
        return
    for name, value in _facts(endpoint, private, counts, now).items():
        if value:
            console.print(plain(f"{name:<14}{value}"), soft_wrap=True)


@app.command()
def pause(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Send nothing for now: events are held, up to 30 days."""
    with advising(ENDPOINTS_LISTED):
        Stack.open(context, local=local, name=stack).subscribe.pause(endpoint_id, datetime.now(UTC))
    hints.print(f"{endpoint_id} is paused. Its events are held until `renderbell endpoint resume {endpoint_id}`.")


@app.command()
def resume(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Open a paused or disabled endpoint again. What was held follows within a minute, oldest first, a few a second."""
    subscribe = Stack.open(context, local=local, name=stack).subscribe
    with advising(ENDPOINTS_LISTED):
        before = subscribe.get(endpoint_id)
        subscribe.resume(endpoint_id)
    if before.rests is None:
        hints.print(f"{endpoint_id} was open already: it was neither paused nor disabled.")
    else:
        hints.print(f"{endpoint_id} is open. Held events follow within a minute, the oldest first.")


@app.command()
def remove(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Remove an endpoint. What is held for it or on its way to it is skipped, with that reason; its record stays 35 days."""
    opened = Stack.open(context, local=local, name=stack)
    with advising(ENDPOINTS_LISTED):
        opened.subscribe.remove(endpoint_id, datetime.now(UTC))
    counts = Counter(one.status for one in opened.deliveries.of_endpoint(endpoint_id))
    hints.print(f"{endpoint_id} is removed.")
    if waiting := counts[DeliveryStatus.PENDING]:
        hints.print(f"{_deliveries(waiting)} on the way to it: skipped when due.")
    if held := counts[DeliveryStatus.HELD]:
        hints.print(f"{_deliveries(held)} held for it: skipped within minutes.")


@app.command()
def rotate(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Make a new secret. The old one signs beside it for 24 hours, so that the receiver can change in peace."""
    with advising(ENDPOINTS_LISTED):
        secret = Stack.open(context, local=local, name=stack).subscribe.rotate(endpoint_id, datetime.now(UTC))
    if json:
        json_lines([{"id": endpoint_id, "secret": secret}])
        return
    console.print(plain(f"secret  {secret}"), soft_wrap=True)
    hints.print("Keep it: it is not shown again. It signs within a minute; the old one signs beside it for 24 hours.")


@app.command("test")
def try_(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Send a `renderbell.test` event at once and show the answer. It is sent to a resting endpoint, too."""
    from renderbell.subscribe import TRIAL_SECONDS

    with advising(ENDPOINTS_LISTED):
        trial = Stack.open(context, local=local, name=stack).subscribe.test(endpoint_id, datetime.now(UTC))
    if json:
        json_lines([asdict(trial)])
    elif trial.answered:
        _show_answer(trial)
    else:
        hints.print(f"No attempt was on record within {TRIAL_SECONDS:.0f} s: the delivery queue may be busy.")
        hints.print(f"See later: renderbell deliveries {trial.event_id}")
    if not trial.delivered:
        raise typer.Exit(1)


def _show_answer(trial: "Trial") -> None:
    said = trial.error or f"answered {trial.http_status}"
    verdict = "It gets through" if trial.delivered else "It does not get through"
    console.print(plain(f"{verdict}: {said}, in {trial.milliseconds} ms"), soft_wrap=True)
    if trial.answer:
        console.print(plain(trial.answer), soft_wrap=True)


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"


def _split(given: Sequence[str] | None) -> frozenset[str]:
    return frozenset(word.strip() for item in given or () for word in item.split(",") if word.strip())


def _headers(given: Sequence[str] | None) -> Mapping[str, str]:
    pairs = [item.partition(":") for item in given or ()]
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    if len({name.lower() for name in headers}) < len(pairs):
        raise BadInputError("a header is given twice: each name once, its values with commas")
    return headers


def _wants(endpoint: Endpoint) -> str:
    filters = sorted(endpoint.events) + sorted(endpoint.providers) + sorted(endpoint.accounts)
    return ", ".join(filters) or "everything"


def _trouble(endpoint: Endpoint) -> Mapping[str, Text]:
    """Return what is wrong with an endpoint, by its name. It is no reason for a pause: that was somebody's wish."""
    words = endpoint.disabled_reason if endpoint.disabled_at is not None else endpoint.last_failure
    return {"why" if endpoint.paused_at is None else "last failure": plain(words)}


def _facts(endpoint: Endpoint, private: "Private | None", counts: Mapping[str, int], now: datetime) -> Mapping[str, str | None]:
    since = endpoint.paused_at or endpoint.disabled_at or endpoint.failing_since
    gap = endpoint.seconds_between
    old = [f"signs for {roughly((until - now).total_seconds())} more" for until in _retiring(private, now)]
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "format": endpoint.format,
        "wants": _wants(endpoint),
        "headers": ", ".join(sorted(private.headers)) if private else None,
        "state": endpoint.state + ("" if since is None else f" for {roughly((now - since).total_seconds())}"),
        **{name: words.plain for name, words in _trouble(endpoint).items()},
        "pace": f"one attempt every {gap:.3g} s" if gap else None,
        "old secret": ", ".join(old),
        "deliveries": ", ".join(f"{count} {status}" for status, count in counts.items()),
        "added": ago(endpoint.created_at, now),
    }


def _retiring(private: "Private | None", now: datetime) -> Sequence[datetime]:
    """Return until when the old secrets sign."""
    return [until for _, until in private.secrets.retiring if until > now] if private else []
