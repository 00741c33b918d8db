"""`renderbell endpoint ...`: the URLs that receive events."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from renderbell.endpoints import FORMATS, STANDARD, Endpoint
from renderbell.errors import BadInputError
from renderbell.events import EVENT_TYPES
from renderbell.subscribe import TRIAL_SECONDS, NewEndpoint, Trial, endpoint_fields
from renderbell.values import iso
from renderbell_cli import completing
from renderbell_cli.arguments import AsJson, JsonLines
from renderbell_cli.show import ago, console, hints, json_lines, plain, table
from renderbell_cli.stack import LocalFlag, Stack, StackName

app = typer.Typer(help="The URLs that receive events.", no_args_is_help=True)

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
        typer.Option(help="Only this account's videos; repeatable.", autocompletion=completing.accounts),
    ] = None,
    description: Annotated[str | None, typer.Option(help="A word to recognise it by.")] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"One of {', '.join(FORMATS)}: signed events, or messages to a chat's webhook.",
            autocompletion=completing.formats,
        ),
    ] = STANDARD,
    header: Annotated[list[str] | None, typer.Option(metavar="NAME:VALUE", help="A header of your own; repeatable.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="The most events a second it wants.")] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Permit http:// (in a local stack).")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print id and secret as JSON.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Add an endpoint. Its secret is shown this once: the receiver verifies signatures with it."""
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
    found = Stack.open(context, local=local, name=stack).endpoints.all()
    if json:
        json_lines(map(endpoint_fields, found))
        return
    if not found:
        hints.print("No endpoint yet. Add one: renderbell endpoint add https://example.com/renderbell")
        return
    shown = table("ID", "URL", "WANTS", "STATE", "ADDED")
    for endpoint in found:
        words = (endpoint.endpoint_id, endpoint.url, _wants(endpoint), endpoint.state_in_words, ago(endpoint.created_at))
        shown.add_row(*map(plain, words))
    console.print(shown)


@app.command()
def show(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Show all there is to know of an endpoint, except its secrets, and how its deliveries stand."""
    opened = Stack.open(context, local=local, name=stack)
    endpoint, private = opened.subscribe.get(endpoint_id), opened.parameters.endpoint_private(endpoint_id)
    counts = Counter(one.status.value for one in opened.deliveries.of_endpoint(endpoint_id))
    retiring = private.secrets.retiring if private else ()
    facts = {
        **endpoint_fields(endpoint),
        "headers": sorted(private.headers) if private else [],
        "old_secrets_sign_until": [iso(until) for _, until in retiring if until > datetime.now(UTC)],
        "deliveries": dict(counts),
    }
    if json:
        json_lines([facts])
        return
    for name, value in facts.items():
        if value not in (None, [], {}, False):
            console.print(plain(f"{name.replace('_', ' '):<24}{_spoken(value)}"), soft_wrap=True)


@app.command()
def pause(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Send nothing for now: events are held, up to 30 days."""
    Stack.open(context, local=local, name=stack).subscribe.pause(endpoint_id, datetime.now(UTC))
    hints.print(f"{endpoint_id} is paused. Its events are held until `renderbell endpoint resume {endpoint_id}`.")


@app.command()
def resume(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Open a paused or disabled endpoint again. What was held follows within a minute, oldest first, a few a second."""
    Stack.open(context, local=local, name=stack).subscribe.resume(endpoint_id)
    hints.print(f"{endpoint_id} is open. Held events follow within a minute, the oldest first.")


@app.command()
def remove(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Remove an endpoint. Deliveries still on their way to it are skipped, with that reason."""
    Stack.open(context, local=local, name=stack).subscribe.remove(endpoint_id)
    hints.print(f"{endpoint_id} is removed.")


@app.command()
def rotate(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Make a new secret. The old one signs beside it for 24 hours, so that the receiver can change in peace."""
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


def _show_answer(trial: Trial) -> None:
    said = trial.error or f"answered {trial.http_status}"
    verdict = "It gets through" if trial.delivered else "It does not get through"
    console.print(plain(f"{verdict}: {said}, in {trial.milliseconds} ms"), soft_wrap=True)
    if trial.answer:
        console.print(plain(trial.answer), soft_wrap=True)


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


def _spoken(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
