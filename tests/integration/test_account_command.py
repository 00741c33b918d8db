"""`renderbell account list`, `poll` and `remove` against a stack, and what a shell completes from it."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner, Result

from renderbell.account_state import AccountState
from renderbell.errors import NotOnRecordError
from renderbell.spending import Spent
from renderbell.store.spending import SpendingStore
from renderbell.video import AccountName
from renderbell_cli.main import app
from renderbell_cli.simulator import http_error
from tests.integration.world import World, video

type Command = Callable[..., Result]


@pytest.fixture
def command(local_stack: None) -> Command:
    del local_stack
    return lambda *words: CliRunner().invoke(app, ["--local", *words], env={"COLUMNS": "100"})


def spend(world: World, name: str, spent: Spent) -> SpendingStore:
    store = SpendingStore(world.names["AccountsTable"])
    store.count(AccountName.parse(name), spent, datetime.now(UTC), well=True)
    return store


def test_the_list_tells_health_and_times_in_one_line_of_80_columns_and_the_cost_below_it(
    world: World, local_stack: None
) -> None:
    del local_stack
    account = world.add_account("heygen/marketing", video("v", born=time.time(), generating=3600), first_look_done=True)
    world.poll(account)
    spend(world, "heygen/marketing", Spent(polls=1439, requests=1439, read_units=2100.0, write_units=4.0))
    world.add_account("tavus/new")
    listed = CliRunner().invoke(app, ["--local", "account", "list"], env={"COLUMNS": "80"}).stdout.splitlines()
    head, first, cost, second = listed
    assert max(map(len, listed)) <= 80
    assert head.split("  ")[0] == "ACCOUNT"
    assert first.split()[:2] == ["heygen/marketing", "ok"]
    assert "within 15 s" in first, "something is in flight"
    assert cost.startswith("    last day: 1,440 polls, 2.1k read units, ")
    assert second.split()[:2] == ["tavus/new", "new"]
    assert "within 60 s" in second


def test_requests_are_told_where_a_poll_takes_more_than_one(world: World, command: Command) -> None:
    world.add_account("tavus/main")
    spend(world, "tavus/main", Spent(polls=10, requests=1250, read_units=15.0, write_units=0.5))
    shown = " ".join(command("account", "list").stdout.split())
    assert "10 polls, 1.2k requests, 15 read units, 0.5 write units" in shown


def test_trouble_is_told_in_words_that_no_terminal_obeys(world: World, command: Command) -> None:
    account = world.add_account("tavus/main")
    world.simulator.faults.add(http_error(500, body={"message": "out [/red] of order\x1b[2J"}), provider="tavus")
    world.poll(account)
    _, row, why, *_ = command("account", "list").stdout.splitlines()
    assert row.split()[:2] == ["tavus/main", "trouble"]
    assert why.startswith("    why: the provider is in trouble: ")
    assert "\x1b" not in why


def test_a_first_look_that_is_under_way_is_told(world: World, command: Command) -> None:
    account, now = world.add_account("tavus/main"), datetime.now(UTC)
    looking = AccountState(first_look_began_at=now, health="ok", health_since=now - timedelta(minutes=5))
    assert world.accounts.save(account, AccountState(), looking)
    _, row, more = command("account", "list").stdout.splitlines()
    assert row.split()[1:4] == ["ok", "5", "min"]
    assert more == "    first look: under way"


def test_an_account_is_looked_at_now(world: World, command: Command) -> None:
    account = world.add_account("tavus/main", video("v"))
    done = command("account", "poll", "tavus/main")
    assert done.exit_code == 0
    assert "is looked at now" in done.stderr
    world.drain("PollQueue", "poll")
    assert world.statuses(account) == {"v": "completed"}
    for verb in ("poll", "remove"):
        unknown = command("account", verb, "tavus/nobody").exception
        assert isinstance(unknown, NotOnRecordError)
        assert "`renderbell account list`" in str(unknown)


def test_an_account_that_is_removed_leaves_no_spending(world: World, command: Command) -> None:
    name = world.add_account("tavus/main")
    store = spend(world, "tavus/main", Spent(polls=1, requests=1))
    assert list(store.of([name])) == [name]
    assert command("account", "remove", "tavus/main").exit_code == 0
    assert store.of([name]) == {}


def test_the_hint_of_an_account_names_it(world: World, command: Command) -> None:
    world.add_account("heygen/marketing")
    assert "`renderbell --local account hook heygen/marketing`" in command("account", "hint-url", "heygen/marketing").stderr
    assert "account hook heygen/marketing" in command("account", "hint-url", "heygen/marketing", "--json").stdout
    assert "is not hooked" in command("account", "unhook", "heygen/marketing").stderr


def test_times_of_polls_are_told_to_programs(world: World, command: Command) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    world.poll(account)
    row = json.loads(command("account", "list", "--json").stdout)
    polled, following = datetime.fromisoformat(row["polled_at"]), datetime.fromisoformat(row["next_poll_by"])
    assert timedelta() < following - polled <= timedelta(seconds=70)
    assert row["last_day"]["polls"] == 1


@pytest.mark.usefixtures("local_stack")
def test_accounts_and_endpoints_of_the_stack_are_completed(world: World) -> None:
    for name in ("tavus/main", "heygen/main"):
        world.add_account(name)
    endpoint = world.add_endpoint()
    wanted = {
        "renderbell --local account poll ": ["heygen/main", "tavus/main"],
        "renderbell account poll --local h": ["heygen/main"],
        "renderbell --local videos --account t": ["tavus/main"],
        "renderbell --local video show h": ["heygen/main"],
        "renderbell --local account set tavus": ["tavus/main", "tavus/"],
        "renderbell --local endpoint show ": [endpoint],
        "renderbell --local deliveries --endpoint ": ["topic", "operators", endpoint],
    }
    assert {words: completed(words) for words in wanted} == wanted


def completed(words: str) -> list[str]:
    place = str(len(words.split(" ")) - 1)
    environment = {"_RENDERBELL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
    return CliRunner().invoke(app, [], prog_name="renderbell", env=environment).stdout.split()
