"""`renderbell watch` and `renderbell wait` against a stack."""

import io
import json
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions as aws
import pytest
from typer.testing import CliRunner, Result

from renderbell.errors import BadInputError
from renderbell.store.videos import Videos
from renderbell.video import AccountName
from renderbell_cli.commands import wait, watch
from renderbell_cli.main import app
from tests.integration.world import World, video

type Command = Callable[..., Result]
type Step = Callable[[], object]

HOSTILE = "[/red] spring\x1b[2J\r"
ENDED = {"completed": 0, "failed": 1, "deleted": 2}


@pytest.fixture
def command(local_stack: None) -> Command:
    del local_stack
    return lambda *words: CliRunner().invoke(app, ["--local", *words])


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let steps happen between looks, one in each pause; then comes Ctrl-C."""

    def schedule(*steps: Step) -> None:
        coming = iter(steps)

        def pause(seconds: float) -> None:
            assert seconds > 0
            step = next(coming, None)
            if step is None:
                raise KeyboardInterrupt
            with redirect_stdout(io.StringIO()):  # the product's own metrics are not the command's
                step()

        monkeypatch.setattr(wait, "sleep", pause)
        monkeypatch.setattr(watch, "sleep", pause)

    return schedule


def lines(result: Result) -> Sequence[dict[str, Any]]:
    return [json.loads(text) for text in result.stdout.splitlines()]


def refusal(result: Result) -> str:
    assert isinstance(result.exception, BadInputError), result.output
    return str(result.exception)


def account_with(world: World, *outcomes: str) -> AccountName:
    """Return an account with a video for each way to end, all on record in flight; their end is an hour away."""
    born = time.time()
    videos = (video(one, born=born, generating=3600, outcome=one, error="no [credits] left") for one in outcomes)
    account = world.add_account("tavus/main", *videos, first_look_done=True)
    world.poll(account)
    return account


def an_hour_later(world: World, account: AccountName) -> Step:
    def step() -> None:
        world.clock.ahead += 3700
        world.poll(account)

    return step


@pytest.mark.parametrize("how", ENDED)
def test_waiting_ends_with_the_video_and_the_exit_code_says_how(
    world: World, command: Command, meanwhile: Callable[..., None], how: str
) -> None:
    account = account_with(world, how)
    meanwhile(lambda: None, an_hour_later(world, account))
    done = command("wait", "tavus/main", how)
    assert done.exit_code == ENDED[how], done.output
    url = world.row(account, how).url
    assert done.stdout == (f"{url}\n" if how == "completed" else "")
    assert "generating, in flight for" in done.stderr
    assert ("no [credits] left" in done.stderr) is (how == "failed")
    meanwhile()
    again = command("wait", "tavus/main", how, "--json")
    assert again.exit_code == ENDED[how], "what has ended is answered at once"
    (told,) = lines(again)
    assert (told["video_id"], told["status"], told["url"]) == (how, how, url)


def test_waiting_begins_before_the_video_is_on_record(world: World, command: Command, meanwhile: Callable[..., None]) -> None:
    account = world.add_account("tavus/main", first_look_done=True)

    def appear() -> None:
        world.library(account).add(video("new", born=time.time() - 5))
        world.poll(account)

    meanwhile(lambda: None, appear)
    done = command("wait", "tavus/main", "new")
    assert (done.exit_code, done.stdout) == (0, f"{world.row(account, 'new').url}\n")
    assert done.stderr.count("not on record yet") == 1


def test_a_timeout_of_nothing_looks_once_and_exits_with_3(
    world: World, command: Command, meanwhile: Callable[..., None]
) -> None:
    account_with(world, "completed")
    meanwhile()
    done = command("wait", "tavus/main", "completed", "--timeout", "0")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "has not ended in time: it is generating" in done.stderr
    assert lines(command("wait", "tavus/main", "completed", "--timeout", "0", "--json"))[0]["status"] == "generating"
    unknown = command("wait", "tavus/main", "mistyped", "--timeout", "0", "--json")
    assert (unknown.exit_code, unknown.stdout) == (3, "")
    assert "is this its id?" in unknown.stderr


def test_ctrl_c_exits_with_130(world: World, command: Command, meanwhile: Callable[..., None]) -> None:
    account_with(world, "completed")
    meanwhile()
    assert command("wait", "tavus/main", "completed").exit_code == 130
    assert command("watch").exit_code == 130


def test_nobody_waits_for_an_account_that_is_not_watched(world: World, command: Command) -> None:
    account = account_with(world, "completed")
    world.library(account).add(video("slow", born=time.time(), generating=7200))
    an_hour_later(world, account)()
    world.parameters.remove_account(account)
    assert command("wait", "tavus/main", "completed").exit_code == 0, "it ended while the account was watched"
    assert "is not watched" in refusal(command("wait", "tavus/main", "slow"))
    assert "`renderbell account set tavus/none`" in refusal(command("wait", "tavus/none", "v"))
    assert "'sora'" in refusal(command("wait", "sora/main", "v"))
    assert "VIDEO is empty" in refusal(command("wait", "tavus/main", ""))
    assert "30m, 2h" in refusal(command("wait", "tavus/main", "v", "--timeout", "soon"))


def test_watching_tells_each_change_once(world: World, command: Command, meanwhile: Callable[..., None]) -> None:
    account = account_with(world, *ENDED)
    later = time.time()

    def appear() -> None:
        world.library(account).add(replace(video("late", born=later, queued=7200), title=HOSTILE))
        world.poll(account)

    meanwhile(lambda: None, appear, an_hour_later(world, account), an_hour_later(world, account), lambda: None)
    done = command("watch", "--json")
    changes = [(one["change"], one["video_id"], one["status"]) for one in lines(done)]
    assert sorted(changes[:3]) == [("appeared", one, "generating") for one in sorted(ENDED)]
    assert changes[3] == ("appeared", "late", "queued")
    assert sorted(changes[4:7]) == [("ended", one, one) for one in sorted(ENDED)]
    assert changes[7:] == [("ended", "late", "completed")]
    assert all(one["at"] for one in lines(done))
    assert done.stderr == ""


def test_watching_without_a_terminal_prints_lines_that_no_terminal_obeys(
    world: World, command: Command, meanwhile: Callable[..., None]
) -> None:
    account = world.add_account("tavus/main", replace(video("v", born=time.time(), generating=3600), title=HOSTILE))
    world.poll(account)
    meanwhile(an_hour_later(world, account), lambda: None)
    first, second = command("watch").stdout.splitlines()
    assert "tavus/main" in first
    assert "generating" in first
    assert "completed (ready)" in second
    assert second.endswith(f"[/red] spring [2J  {world.row(account, 'v').url}"), second
    assert "\x1b" not in first + second


def test_what_a_first_look_finds_done_already_is_no_end(world: World, command: Command, meanwhile: Callable[..., None]) -> None:
    def first_look() -> None:
        world.poll(world.add_account("tavus/main", video("old"), video("older")))

    world.add_account("tavus/quiet")
    meanwhile(lambda: None, first_look, lambda: None)
    done = command("watch", "--json", "--every", "0.5")
    assert done.stdout == ""
    assert "Nothing is in flight" in done.stderr


def test_watching_without_accounts_says_how_to_begin(world: World, command: Command, meanwhile: Callable[..., None]) -> None:
    assert list(world.parameters.account_names()) == []
    meanwhile()
    done = command("watch")
    assert done.stdout == ""
    assert "renderbell --local account set" in done.stderr


def test_only_the_chosen_are_watched(world: World, command: Command, meanwhile: Callable[..., None]) -> None:
    for name in ("tavus/main", "tavus/other", "heygen/main"):
        world.poll(world.add_account(name, video("v", born=time.time(), generating=3600)))
    meanwhile()
    seen = [f"{one['provider']}/{one['account']}" for one in lines(command("watch", "--json", "--provider", "tavus"))]
    assert sorted(seen) == ["tavus/main", "tavus/other"]
    (only,) = lines(command("watch", "--json", "--account", "tavus/other"))
    assert only["account"] == "other"
    assert lines(command("watch", "--json", "--account", "tavus/other", "--provider", "heygen")) == []
    assert "is not watched" in refusal(command("watch", "--account", "tavus/none"))
    assert "'sora'" in refusal(command("watch", "--provider", "sora"))
    assert "0.5 seconds or more" in refusal(command("watch", "--every", "0"))


def test_a_dropped_connection_does_not_end_the_watch_and_access_denied_does(
    world: World, command: Command, meanwhile: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_with(world, "completed")
    denied = aws.ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")

    def fail_with(error: Exception) -> Step:
        def fail(*_: object) -> None:
            raise error

        return lambda: monkeypatch.setattr(Videos, "ended_since", fail)

    works = Videos.ended_since

    def mend() -> None:
        monkeypatch.setattr(Videos, "ended_since", works)
        an_hour_later(world, account)()

    meanwhile(fail_with(aws.ReadTimeoutError(endpoint_url="https://dynamodb")), lambda: None, mend, fail_with(denied))
    done = command("watch", "--json")
    assert [one["change"] for one in lines(done)] == ["appeared", "ended"]
    assert done.stderr.count("trying again") == 1
    assert done.exception is denied


def test_the_table_gives_one_video_and_those_that_ended_since(world: World) -> None:
    account = account_with(world, *ENDED)
    before = datetime.now(UTC)
    assert world.videos.get(account, "nobody") is None
    assert list(world.videos.ended_since(account, before)) == []
    an_hour_later(world, account)()
    found = list(world.videos.ended_since(account, before))
    assert sorted(one.video_id for one in found) == sorted(ENDED)
    assert world.videos.get(account, found[0].video_id) == found[0]
    assert list(world.videos.ended_since(account, before + timedelta(hours=1))) == []


@pytest.mark.parametrize("name", ["wait", "watch"])
def test_the_help_fits_a_terminal_of_80_columns(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert name != "wait" or "0 completed, 1 failed, 2 deleted, 3 not ended in time" in done.stdout
