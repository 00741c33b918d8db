"""`renderbell endpoint ...`: the URLs that receive signed webhooks."""

import json as json_module
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Any

import typer

from renderbell.addresses import check_dialled, check_url
from renderbell.endpoints import Endpoint, check_filters
from renderbell.errors import BadInputError, UnsafeAddressError
from renderbell.events import EVENT_TYPES
from renderbell.providers import PROVIDERS
from renderbell.signing import new_secret
from renderbell.values import iso
from renderbell.video import AccountName
from renderbell_cli.show import ago, console, hints, json_lines, table
from renderbell_cli.stack import LocalFlag, Stack, StackName

app = typer.Typer(help="The URLs that receive signed webhooks.", no_args_is_help=True)


@app.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where events are posted to; https.")],
    events: Annotated[
        list[str] | None,
        typer.Option(help=f"Only these events; repeatable or with commas. Known: {', '.join(EVENT_TYPES)}."),
    ] = None,
    provider: Annotated[list[str] | None, typer.Option(help="Only this provider's videos; repeatable.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only this account's videos; repeatable.")] = None,
    description: Annotated[str | None, typer.Option(help="A word to recognise it by.")] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Permit http:// (for local use).")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print id and secret as JSON.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Add an endpoint. Its secret is shown this once: the receiver verifies signatures with it."""
    endpoint = Endpoint(
        endpoint_id=f"ep_{secrets.token_hex(8)}",
        url=url,
        events=_split(events),
        providers=_split(provider),
        accounts=frozenset(str(AccountName.parse(name)) for name in _split(account)),
        allow_http=allow_http,
        description=description,
        created_at=datetime.now(UTC),
    )
    check_filters(endpoint.events, endpoint.providers, endpoint.accounts, frozenset(PROVIDERS))
    parts = check_url(url, allow_http=allow_http)
    opened = Stack.open(context, local=local, name=stack)
    _check_host(parts.hostname or "", is_local=opened.is_local)
    secret = new_secret()
    # The secret first: an endpoint without one could not be called.
    opened.parameters.put_endpoint_secrets(endpoint.endpoint_id, [secret])
    opened.endpoints.put(endpoint)
    if json:
        sys.stdout.write(json_module.dumps({"id": endpoint.endpoint_id, "secret": secret, "url": url}) + "\n")
        return
    console.print(f"id      {endpoint.endpoint_id}\nsecret  {secret}", markup=False, soft_wrap=True)
    hints.print("Keep the secret: it is not shown again.")


@app.command("list")
def list_(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List the endpoints."""
    found = Stack.open(context, local=local, name=stack).endpoints.all()
    if json:
        json_lines(map(_fields, found))
        return
    if not found:
        hints.print("No endpoint yet. Add one: renderbell endpoint add https://example.com/renderbell")
        return
    shown = table("ID", "URL", "WANTS", "STATE", "ADDED")
    for endpoint in found:
        shown.add_row(endpoint.endpoint_id, endpoint.url, _wants(endpoint), _state(endpoint), ago(endpoint.created_at))
    console.print(shown)


@app.command()
def remove(
    context: typer.Context,
    endpoint_id: Annotated[str, typer.Argument(metavar="ID")],
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Remove an endpoint. Deliveries still on their way to it are skipped, with that reason."""
    opened = Stack.open(context, local=local, name=stack)
    if opened.endpoints.get(endpoint_id) is None:
        raise BadInputError(f"there is no endpoint {endpoint_id!r}: `renderbell endpoint list` shows them")
    opened.endpoints.remove(endpoint_id)
    opened.parameters.remove_endpoint_secrets(endpoint_id)
    hints.print(f"{endpoint_id} is removed.")


def _split(given: Sequence[str] | None) -> frozenset[str]:
    return frozenset(word.strip() for item in given or () for word in item.split(",") if word.strip())


def _check_host(host: str, *, is_local: bool) -> None:
    """Say at once what delivery would refuse anyway: an address in the URL that is not public."""
    with suppress(ValueError):
        ip_address(host)
        try:
            check_dialled(host, allow_local=is_local)
        except UnsafeAddressError as error:
            raise BadInputError(f"an endpoint must be reachable from the internet: {error}") from None


def _wants(endpoint: Endpoint) -> str:
    filters = sorted(endpoint.events) + sorted(endpoint.providers) + sorted(endpoint.accounts)
    return ", ".join(filters) or "everything"


def _state(endpoint: Endpoint) -> str:
    return f"disabled: {endpoint.disabled_reason}" if endpoint.disabled_reason else "active"


def _fields(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": sorted(endpoint.events),
        "providers": sorted(endpoint.providers),
        "accounts": sorted(endpoint.accounts),
        "allow_http": endpoint.allow_http,
        "description": endpoint.description,
        "disabled_reason": endpoint.disabled_reason,
        "created_at": iso(endpoint.created_at),
    }
