"""`renderbell account ...`: the API keys that are watched."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer

from renderbell import http
from renderbell.account import OPTIONS, Account
from renderbell.account_state import AccountState
from renderbell.errors import BadInputError
from renderbell.hints import Doorbell
from renderbell.providers import Provider, provider_for
from renderbell.values import iso
from renderbell.video import AccountName
from renderbell_cli.keys import options_of, read_key
from renderbell_cli.show import ago, console, hints, json_lines, status_text, table
from renderbell_cli.stack import LocalFlag, Stack, StackName

app = typer.Typer(help="The API keys that are watched.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="PROVIDER/NAME", help="For example heygen/marketing; heygen is heygen/default.")]


@app.command("set")
def set_(
    context: typer.Context,
    account: Name,
    base_url: Annotated[str | None, typer.Option(help="Another address of the provider's API.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help=f"Repeatable. Known: {', '.join(OPTIONS)}."),
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Forget the first look: the next one is silent again.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Store a key; it is read from stdin or a prompt, never from the command line. Watching begins at the next tick."""
    name = AccountName.parse(account)
    options = options_of(option) | ({"base_url": base_url} if base_url else {})
    provider_for(Account.of(name, "checked-before-the-key-is-asked-for", options))
    opened = Stack.open(context, local=local, name=stack)
    opened.parameters.put_account(Account.of(name, read_key(f"API key for {name}"), options))
    if fresh:
        opened.accounts.forget(name)
    hints.print(f"{name} is watched from the next tick on. Its first look is silent about videos that are done already.")


@app.command("list")
def list_(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List the accounts and how they fare."""
    opened = Stack.open(context, local=local, name=stack)
    names = opened.parameters.account_names()
    states = opened.accounts.states(names)
    rows = [(name, states.get(name, AccountState())) for name in names]
    if json:
        json_lines(_fields(name, state) for name, state in rows)
        return
    if not rows:
        hints.print("No account yet. Add one: renderbell account set heygen/marketing")
        return
    now = datetime.now(UTC)
    shown = table("ACCOUNT", "HEALTH", "SINCE", "FIRST LOOK", "LAST CHANGE")
    for name, state in rows:
        health = status_text(state.in_words(now))
        shown.add_row(str(name), health, ago(state.health_since), _first_look(state), ago(state.changed_at))
    console.print(shown)


@app.command("remove")
def remove(
    context: typer.Context,
    account: Name,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Delete a key and stop watching. The videos on record stay."""
    name = AccountName.parse(account)
    opened = Stack.open(context, local=local, name=stack)
    removed = opened.parameters.remove_account(name)
    opened.parameters.remove_doorbell(name)
    opened.accounts.forget(name)
    hints.print(f"{name} is no longer watched." if removed else f"There was no account {name}.")
    if not removed:
        raise typer.Exit(1)


@app.command("hint-url")
def hint_url(
    context: typer.Context,
    account: Name,
    rotate: Annotated[bool, typer.Option("--rotate", help="Make another URL; the old one ends within a minute.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Print the URL at which the account's provider may call, and what to do with it there. It is a password: keep it so.

    A call makes Renderbell look at once instead of at the next tick. What the call says is not believed.
    """
    opened, provider = _opened(context, account, local=local, stack=stack)
    doorbell = None if rotate else opened.parameters.doorbell(provider.account.name)
    if doorbell is None:
        doorbell = Doorbell(token=opened.parameters.made_tokens().new_hint(provider.account.name))
        opened.parameters.put_doorbell(provider.account.name, doorbell)
    url = _hint_url(opened, provider.account.name, doorbell)
    if json:
        json_lines([{"account": str(provider.account.name), "url": url, "help": provider.hint_help}])
        return
    console.print(url, markup=False, soft_wrap=True)
    hints.print(provider.hint_help, markup=False)


@app.command()
def hook(context: typer.Context, account: Name, local: LocalFlag = False, stack: StackName = None) -> None:
    """Register the hint URL at the provider, for all videos of the account: HeyGen and VideoGen can. Again is no harm."""
    opened, provider = _opened(context, account, local=local, stack=stack)
    name, before = provider.account.name, opened.parameters.doorbell(provider.account.name)
    doorbell = before or Doorbell(token=opened.parameters.made_tokens().new_hint(name))
    if before is None:  # kept first: a provider may check the URL while it is being registered
        opened.parameters.put_doorbell(name, doorbell)
    with http.client() as client:
        with suppress(httpx.TransportError):  # wakes it: HeyGen v1 asks by OPTIONS, and waits a second for the answer
            client.options(_hint_url(opened, name, doorbell))
        made = provider.hook(client, _hint_url(opened, name, doorbell))
        signed = made.secret if provider.signs_hints else None
        opened.parameters.put_doorbell(name, replace(doorbell, secret=signed, hook_id=made.hook_id))
        if doorbell.hook_id is not None:
            provider.unhook(client, doorbell.hook_id)
    hints.print(f"{name} is hooked: its provider calls when a video ends. Undo it: renderbell account unhook {name}")


@app.command()
def unhook(context: typer.Context, account: Name, local: LocalFlag = False, stack: StackName = None) -> None:
    """Take the hint URL back from the provider. Looking goes on as scheduled."""
    opened, provider = _opened(context, account, local=local, stack=stack)
    name, doorbell = provider.account.name, opened.parameters.doorbell(provider.account.name)
    if doorbell is None or doorbell.hook_id is None:
        hints.print(f"{name} is not hooked.")
        raise typer.Exit(1)
    with http.client() as client:
        provider.unhook(client, doorbell.hook_id)
    opened.parameters.put_doorbell(name, replace(doorbell, secret=None, hook_id=None))
    hints.print(f"{name} is no longer hooked.")


def _opened(context: typer.Context, account: str, *, local: bool, stack: str | None) -> tuple[Stack, Provider]:
    """Return the stack and the account at its provider. Raises BadInputError where no such account is watched."""
    name, opened = AccountName.parse(account), Stack.open(context, local=local, name=stack)
    found = opened.parameters.account(name)
    if found is None:
        raise BadInputError(f"there is no account {name}: `renderbell account list` shows them")
    return opened, provider_for(found)


def _hint_url(stack: Stack, name: AccountName, doorbell: Doorbell) -> str:
    return f"{stack.output('HintUrl')}{name}/{doorbell.token}"


def _first_look(state: AccountState) -> str:
    if state.first_look_ended_at is not None:
        return f"done {ago(state.first_look_ended_at)}"
    if state.first_look_began_at is None:
        return ""
    return f"under way, page {state.full_sweep.place.pages}" if state.full_sweep else "under way"


def _fields(name: AccountName, state: AccountState) -> dict[str, str | None]:
    return {
        "account": str(name),
        "health": state.health,
        "health_in_words": state.in_words(datetime.now(UTC)),
        "health_since": iso(state.health_since),
        "first_look_began_at": iso(state.first_look_began_at),
        "first_look_ended_at": iso(state.first_look_ended_at),
        "paused_until": iso(state.paused_until),
        "changed_at": iso(state.changed_at),
        "full_sweep_ended_at": iso(state.full_sweep_ended_at),
        "licence": state.licence.value if state.licence else None,
        "alerts": ", ".join(kind for kind, count in state.alerts.items() if count % 2) or None,
    }
