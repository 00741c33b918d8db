"""`renderbell endpoint ...`: the URLs that receive events."""

import json as json_module
import math
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from renderbell.egress import UnsafeUrl, resolve, vet
from renderbell.endpoints import CHATS, FORMATS, STANDARD, Endpoint, Private, check_filters, check_headers, shown_url
from renderbell.errors import BadInputError
from renderbell.events import EVENT_TYPES, trial_event
from renderbell.providers import PROVIDERS
from renderbell.queues import DeliveryMessage
from renderbell.signing import Secrets, new_secret
from renderbell.store.deliveries import Standing
from renderbell.values import iso
from renderbell.video import AccountName
from renderbell_cli.show import ago, console, hints, json_lines, plain, table
from renderbell_cli.stack import LocalFlag, Stack, StackName

TRIAL_SECONDS: Final = 30.0
"""How long `test` waits: an attempt takes 15 s at most, its message a moment."""
LOOK_EVERY: Final = 0.5

app = typer.Typer(help="The URLs that receive events.", no_args_is_help=True)

EndpointId = Annotated[str, typer.Argument(metavar="ID", help="As `renderbell endpoint list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to; https.")],
    events: Annotated[
        list[str] | None,
        typer.Option(help=f"Only these events; repeatable or with commas. Known: {', '.join(EVENT_TYPES)}."),
    ] = None,
    provider: Annotated[list[str] | None, typer.Option(help="Only this provider's videos; repeatable.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only this account's videos; repeatable.")] = None,
    description: Annotated[str | None, typer.Option(help="A word to recognise it by.")] = None,
    format_: Annotated[
        str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}: signed events, or messages to a chat's webhook.")
    ] = STANDARD,
    header: Annotated[list[str] | None, typer.Option(metavar="NAME:VALUE", help="A header of your own; repeatable.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="The most events a second it wants.")] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Permit http:// (in a local stack).")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print id and secret as JSON.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Add an endpoint. Its secret is shown this once: the receiver verifies signatures with it."""
    if format_ not in FORMATS:
        raise BadInputError(f"there is no format {format_!r}: {', '.join(FORMATS)}")
    if rate is not None and not math.isfinite(rate):
        raise BadInputError("--rate is a number of events a second, 5 or 0.5 for instance")
    endpoint = Endpoint(
        endpoint_id=f"ep_{secrets.token_hex(8)}",
        url=shown_url(url, format_),
        events=_split(events),
        providers=_split(provider),
        accounts=frozenset(str(AccountName.parse(name)) for name in _split(account)),
        allow_http=allow_http,
        description=description,
        format=format_,
        rate=rate,
        created_at=datetime.now(UTC),
    )
    check_filters(endpoint.events, endpoint.providers, endpoint.accounts, frozenset(PROVIDERS))
    headers = _headers(header)
    opened = Stack.open(context, local=local, name=stack)
    _check_url(url, is_local=opened.is_local, allow_http=allow_http)
    secret, is_chat = new_secret(), format_ in CHATS
    private = Private(secrets=Secrets(current=secret), headers=headers, url=url if is_chat else None)
    # What is private first: an endpoint without it could not be called.
    opened.parameters.put_endpoint_private(endpoint.endpoint_id, private)
    opened.endpoints.put(endpoint)
    shown = {"id": endpoint.endpoint_id, "url": endpoint.url} | ({} if is_chat else {"secret": secret})
    if json:
        sys.stdout.write(json_module.dumps(shown) + "\n")
        return
    console.print("\n".join(f"{name:<8}{value}" for name, value in shown.items()), markup=False, soft_wrap=True)
    hints.print(f"Try it: renderbell endpoint test {endpoint.endpoint_id}")
    if not is_chat:
        hints.print("Keep the secret: it is not shown again.")


@app.command("list")
def list_(context: typer.Context, json: AsJson = False, local: LocalFlag = False, stack: StackName = None) -> None:
    """List the endpoints and how they fare."""
    found = Stack.open(context, local=local, name=stack).endpoints.all()
    if json:
        json_lines(map(_fields, found))
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
    endpoint, private = _found(opened, endpoint_id), opened.parameters.endpoint_private(endpoint_id)
    counts = Counter(one.status.value for one in opened.deliveries.of_endpoint(endpoint_id))
    retiring = private.secrets.retiring if private else ()
    facts = {
        **_fields(endpoint),
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
    opened = Stack.open(context, local=local, name=stack)
    endpoint = _found(opened, endpoint_id)
    opened.endpoints.note(endpoint, replace(endpoint, paused_at=endpoint.paused_at or datetime.now(UTC)))
    hints.print(f"{endpoint_id} is paused. Its events are held until `renderbell endpoint resume {endpoint_id}`.")


@app.command()
def resume(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Open a paused or disabled endpoint again. What was held follows within a minute, oldest first, a few a second."""
    opened = Stack.open(context, local=local, name=stack)
    endpoint = _found(opened, endpoint_id)
    opened.endpoints.note(endpoint, endpoint.opened())
    hints.print(f"{endpoint_id} is open. Held events follow within a minute, the oldest first.")


@app.command()
def remove(context: typer.Context, endpoint_id: EndpointId, local: LocalFlag = False, stack: StackName = None) -> None:
    """Remove an endpoint. Deliveries still on their way to it are skipped, with that reason."""
    opened = Stack.open(context, local=local, name=stack)
    _found(opened, endpoint_id)
    opened.endpoints.remove(endpoint_id)
    opened.parameters.remove_endpoint_private(endpoint_id)
    hints.print(f"{endpoint_id} is removed.")


@app.command()
def rotate(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Make a new secret. The old one signs beside it for 24 hours, so that the receiver can change in peace."""
    opened = Stack.open(context, local=local, name=stack)
    endpoint = _found(opened, endpoint_id)
    if endpoint.format in CHATS:
        raise BadInputError(f"messages to {endpoint.format} are not signed: there is no secret to rotate")
    private = opened.parameters.endpoint_private(endpoint_id)
    secret, now = new_secret(), datetime.now(UTC)
    secrets_ = private.secrets.rotated(secret, now) if private else Secrets(current=secret)
    after = replace(private, secrets=secrets_) if private else Private(secrets=secrets_)
    opened.parameters.put_endpoint_private(endpoint_id, after)
    if json:
        json_lines([{"id": endpoint_id, "secret": secret}])
        return
    console.print(f"secret  {secret}", markup=False, soft_wrap=True)
    hints.print("Keep it: it is not shown again. It signs within a minute; the old one signs beside it for 24 hours.")


@app.command("test")
def try_(
    context: typer.Context, endpoint_id: EndpointId, json: AsJson = False, local: LocalFlag = False, stack: StackName = None
) -> None:
    """Send a `renderbell.test` event at once and show the answer. It is sent to a resting endpoint, too."""
    opened = Stack.open(context, local=local, name=stack)
    _found(opened, endpoint_id)
    message = replace(DeliveryMessage.of(endpoint_id, trial_event(endpoint_id, datetime.now(UTC))), probe=True)
    opened.delivery_queue.send([message])
    standing = _await_end(opened, message)
    last: Mapping[str, Any] = standing.attempts[-1] if standing and standing.attempts else {}
    delivered = standing is not None and standing.status.value == "delivered"
    if json:
        numbers = {name: _whole(last.get(name)) for name in ("http_status", "milliseconds")}
        words = {name: last.get(name) for name in ("answer", "error")}
        json_lines([{"delivered": delivered, "event_id": message.event_id, **numbers, **words}])
    elif not last:
        hints.print(f"No attempt was on record within {TRIAL_SECONDS:.0f} s: the delivery queue may be busy.")
        hints.print(f"See later: renderbell deliveries {message.event_id}")
    else:
        _show_answer(last, delivered=delivered)
    if not delivered:
        raise typer.Exit(1)


def _show_answer(attempt: Mapping[str, Any], *, delivered: bool) -> None:
    said = attempt.get("error") or f"answered {_whole(attempt['http_status'])}"
    verdict = "It gets through" if delivered else "It does not get through"
    console.print(plain(f"{verdict}: {said}, in {_whole(attempt['milliseconds'])} ms"), soft_wrap=True)
    if attempt.get("answer"):
        console.print(plain(attempt["answer"]), soft_wrap=True)


def _whole(number: Any) -> int | None:
    """DynamoDB's numbers come back as floats."""
    return None if number is None else int(number)


def _await_end(stack: Stack, message: DeliveryMessage) -> Standing | None:
    """Return how the delivery stands when it is over, or when the time is."""
    key, until = (message.endpoint_id, message.event_id), time.monotonic() + TRIAL_SECONDS
    while True:
        standing = stack.deliveries.standing([key]).get(key)
        is_over = standing is not None and standing.finished_at is not None
        if is_over or time.monotonic() >= until:
            return standing
        time.sleep(LOOK_EVERY)


def _found(stack: Stack, endpoint_id: str) -> Endpoint:
    endpoint = stack.endpoints.get(endpoint_id)
    if endpoint is None:
        raise BadInputError(f"there is no endpoint {endpoint_id!r}: `renderbell endpoint list` shows them")
    return endpoint


def _split(given: Sequence[str] | None) -> frozenset[str]:
    return frozenset(word.strip() for item in given or () for word in item.split(",") if word.strip())


def _headers(given: Sequence[str] | None) -> Mapping[str, str]:
    pairs = [item.partition(":") for item in given or ()]
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    check_headers(headers)
    if len({name.lower() for name in headers}) < len(pairs):
        raise BadInputError("a header is given twice: each name once, its values with commas")
    return headers


def _check_url(url: str, *, is_local: bool, allow_http: bool) -> None:
    """Say at once what delivery would refuse anyway."""
    if url.lower().startswith("http:") and not allow_http:
        raise BadInputError("an endpoint's URL begins with https:// (--allow-http permits http:// in a local stack)")
    try:
        vet(url, resolve, allow_local=is_local)
    except UnsafeUrl as error:
        raise BadInputError(f"events cannot be posted to that URL: {error}") from None


def _wants(endpoint: Endpoint) -> str:
    filters = sorted(endpoint.events) + sorted(endpoint.providers) + sorted(endpoint.accounts)
    return ", ".join(filters) or "everything"


def _spoken(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _fields(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "format": endpoint.format,
        "events": sorted(endpoint.events),
        "providers": sorted(endpoint.providers),
        "accounts": sorted(endpoint.accounts),
        "allow_http": endpoint.allow_http,
        "description": endpoint.description,
        "rate": endpoint.rate,
        "state": endpoint.state_in_words,
        "paused_at": iso(endpoint.paused_at),
        "disabled_at": iso(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": iso(endpoint.failing_since),
        "last_failure": endpoint.last_failure,
        "holds_events": endpoint.held_at is not None,
        "seconds_between": endpoint.seconds_between,
        "created_at": iso(endpoint.created_at),
    }
