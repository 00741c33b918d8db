"""`renderbell account ...`: the API keys that are watched."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from renderbell.account import Account
from renderbell.account_state import HEALTHY, AccountState
from renderbell.errors import NotOnRecordError
from renderbell.hints import Doorbell
from renderbell.spending import Spending
from renderbell.video import AccountName
from renderbell_cli import completing
from renderbell_cli.advice import ACCOUNTS_LISTED, NO_ACCOUNT, advising
from renderbell_cli.arguments import AsJson, JsonLines, OfAccount
from renderbell_cli.helping import App
from renderbell_cli.keys import options_of, read_key
from renderbell_cli.show import Listing, console, hints, json_lines, plain, roughly, short, status_text, within
from renderbell_cli.stack import LocalFlag, Stack, StackName

if TYPE_CHECKING:
    from renderbell.overview import Watched
    from renderbell.providers import Provider

app = App(help="The API keys that are watched.")

IN_A_WORD: Final = {
    None: "new",
    HEALTHY: HEALTHY,
    "auth": "refused",
    "rate_limited": "throttled",
    "not_found": "gone",
    "provider_error": "trouble",
    "bad_response": "unreadable",
    "settings": "unusable",
}
"""How an account fares, by the kind of the error."""

NewName = Annotated[
    str,
    typer.Argument(
        metavar="PROVIDER/NAME",
        help="For example heygen/marketing; heygen is heygen/default.",
        autocompletion=completing.accounts_to_set,
    ),
]


@app.command("set")
def set_(
    context: typer.Context,
    account: NewName,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Another address of the provider's API.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="NAME=VALUE",
            help="An account option; repeatable. They are explained below.",
            autocompletion=completing.options,
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Forget the first look: the next one is silent again.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Store a key; it is read from stdin or a prompt, never from the command line. Watching begins at the next tick."""
    from renderbell.providers import provider_for

    name = AccountName.parse(account)
    options = options_of(option) | ({"base_url": base_url} if base_url else {})
    provider_for(Account.of(name, "checked-before-the-key-is-asked-for", options))
    opened = Stack.open(context, local=local, name=stack)
    key = read_key(f"API key for {name}")
    is_new = name not in opened.parameters.account_names(name.provider)
    if is_new:  # looks at an account that was removed may have ended after it was forgotten
        opened.accounts.forget(name)
    opened.parameters.put_account(Account.of(name, key, options))
    if fresh:
        opened.accounts.forget(name)
    silent = "Its first look is silent about videos that are done already." if is_new or fresh else ""
    hints.print(f"{name} is watched from the next tick on. {silent}".rstrip())


@app.command("list")
def list_(context: typer.Context, json: JsonLines = False, local: LocalFlag = False, stack: StackName = None) -> None:
    """List the accounts: how they fare, when they are looked at, and what that cost in the last day.

    What polls cost is noted every five minutes only: LAST NOTED is not the last poll.
    """
    from renderbell.overview import account_fields

    now = datetime.now(UTC)
    found = Stack.open(context, local=local, name=stack).overview.all(now)
    if json:
        json_lines(account_fields(one, now) for one in found)
        return
    if not found:
        hints.print(NO_ACCOUNT)
        return
    columns = ("ACCOUNT", "HEALTH", "FOR", "LAST CHANGE", "NEXT POLL", "LAST NOTED", "LAST DAY")
    shown = Listing(*columns, give_way=("LAST DAY",))
    for one in found:
        following = "off" if one.next_poll_by is None else within(one.next_poll_by, now)
        times = (_ago(one.state.changed_at, now), following, _ago(one.spending.polled_at, now))
        shown.add_row(str(one.name), *_health(one, now), *times, _cost(one.spending, now), below=_why(one.state, now))
    shown.print()


@app.command()
def poll(context: typer.Context, account: OfAccount, local: LocalFlag = False, stack: StackName = None) -> None:
    """Look at an account now, instead of at the next tick."""
    name = AccountName.parse(account)
    with advising(ACCOUNTS_LISTED):
        Stack.open(context, local=local, name=stack).overview.poll(name)
    hints.print(f"{name} is looked at now. How it went: renderbell account list")


@app.command("remove")
def remove(
    context: typer.Context,
    account: OfAccount,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Delete a key and stop watching. The videos on record stay."""
    name = AccountName.parse(account)
    opened = Stack.open(context, local=local, name=stack)
    removed = opened.parameters.remove_account(name)
    opened.parameters.remove_doorbell(name)
    opened.accounts.forget(name)
    opened.spending.forget(name)
    if not removed:
        raise NotOnRecordError(f"there is no account {name}: {ACCOUNTS_LISTED}")
    hints.print(f"{name} is no longer watched.")


@app.command("hint-url")
def hint_url(
    context: typer.Context,
    account: OfAccount,
    rotate: Annotated[bool, typer.Option("--rotate", help="Make another URL; the old one ends within a minute.")] = False,
    json: AsJson = False,
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
    name = provider.account.name
    url, what_to_do = _hint_url(opened, name, doorbell), provider.hint_help.replace(f"{name.provider}/NAME", str(name))
    if json:
        json_lines([{"account": str(name), "url": url, "help": what_to_do}])
        return
    console.print(url, markup=False, soft_wrap=True)
    hints.print(what_to_do, markup=False)


@app.command()
def hook(context: typer.Context, account: OfAccount, local: LocalFlag = False, stack: StackName = None) -> None:
    """Register the hint URL at the provider, for all videos of the account: HeyGen and VideoGen can. Again is no harm."""
    import httpx

    from renderbell import http

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
def unhook(context: typer.Context, account: OfAccount, local: LocalFlag = False, stack: StackName = None) -> None:
    """Take the hint URL back from the provider. Looking goes on as scheduled."""
    from renderbell import http

    opened, provider = _opened(context, account, local=local, stack=stack)
    name, doorbell = provider.account.name, opened.parameters.doorbell(provider.account.name)
    if doorbell is None or doorbell.hook_id is None:
        hints.print(f"{name} is not hooked: there is nothing to take back.")
        return
    with http.client() as client:
        provider.unhook(client, doorbell.hook_id)
    opened.parameters.put_doorbell(name, replace(doorbell, secret=None, hook_id=None))
    hints.print(f"{name} is no longer hooked.")


def _opened(context: typer.Context, account: str, *, local: bool, stack: str | None) -> "tuple[Stack, Provider]":
    """Return the stack and the account at its provider. Raises NotOnRecordError where no such account is watched."""
    from renderbell.providers import provider_for

    name, opened = AccountName.parse(account), Stack.open(context, local=local, name=stack)
    found = opened.parameters.account(name)
    if found is None:
        raise NotOnRecordError(f"there is no account {name}: {ACCOUNTS_LISTED}")
    return opened, provider_for(found)


def _hint_url(stack: Stack, name: AccountName, doorbell: Doorbell) -> str:
    return f"{stack.output('HintUrl')}{name}/{doorbell.token}"


def _health(one: "Watched", now: datetime) -> tuple[Text, str]:
    """Return how an account fares, in a word, and for how long."""
    kind, since = one.state.health and one.state.health.partition(": ")[0], one.state.health_since
    return status_text(IN_A_WORD.get(kind, kind or "")), "" if since is None else roughly(_age(since, now))


def _why(state: AccountState, now: datetime) -> dict[str, Text | str]:
    """Return what is wrong with an account, and whether its first look is under way."""
    told: dict[str, Text | str] = {}
    if state.health not in {None, HEALTHY}:
        told["why"] = plain(state.in_words(now))
    if state.first_look_began_at is not None and not state.first_look_over:
        told["first look"] = f"at page {state.full_sweep.place.pages}" if state.full_sweep else "under way"
    return told


def _cost(spending: Spending, now: datetime) -> str:
    """Return what a day's polls cost. Requests are told where a poll took more than one."""
    spent = spending.last_day(now)
    if not spent.polls:
        return ""
    requests = f" {short(spent.requests)} requests," if spent.requests > spent.polls else ""
    polls = "1 poll" if spent.polls == 1 else f"{spent.polls:,} polls"
    return f"{polls},{requests} {short(spent.read_units)} read units, {short(spent.write_units)} write units"


def _ago(moment: datetime | None, now: datetime) -> str:
    return "" if moment is None else f"{roughly(_age(moment, now))} ago"


def _age(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())
