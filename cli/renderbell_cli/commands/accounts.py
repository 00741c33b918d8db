"""`renderbell account ...`: the API keys that are watched."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from renderbell.account import OPTIONS, Account
from renderbell.account_state import AccountState
from renderbell.providers import provider_for
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
    opened.accounts.forget(name)
    hints.print(f"{name} is no longer watched." if removed else f"There was no account {name}.")
    if not removed:
        raise typer.Exit(1)


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
