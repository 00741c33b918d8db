"""`renderbell videos`, `video` and `stats` against a stack: what is chosen, shown, fetched anew and rung again."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from renderbell import browse
from renderbell.errors import BadInputError
from renderbell.video import AccountName
from renderbell_cli.main import app
from renderbell_cli.simulator import http_error
from tests.integration.world import World, video

type Command = Callable[..., Result]
HOSTILE = "[/red] spring :bomb:\x1b[2J"


@pytest.fixture
def command(local_stack: None) -> Command:
    del local_stack
    return lambda *words: CliRunner().invoke(app, ["--local", *words], env={"COLUMNS": "150"})


def rows(result: Result) -> Sequence[dict[str, Any]]:
    assert result.exit_code == 0, result.output + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()]


def ids(result: Result) -> list[str]:
    return [row["video_id"] for row in rows(result)]


def refusal(result: Result) -> str:
    assert isinstance(result.exception, BadInputError), result.output
    return str(result.exception)


def account_with(world: World, *outcomes: str, name: str = "heygen/main", hours: float = 1) -> AccountName:
    """Return an account of which each video ended, in the way that names it, or is in flight for `flying`."""
    born = time.time()
    seconds = {"flying": 99 * 3600.0}
    given = (
        video(one, born=born, generating=seconds.get(one, 3600.0), outcome="completed" if one == "flying" else one, error="no")
        for one in outcomes
    )
    account = world.add_account(name, *given, first_look_done=True)
    world.poll(account)
    world.clock.ahead += hours * 3600 + 100
    world.poll(account)
    return account


def test_videos_are_chosen_by_account_status_time_and_number(world: World, command: Command) -> None:
    account_with(world, "completed", "failed", "flying")
    account_with(world, "completed", name="tavus/other")
    assert ids(command("videos", "--json"))[0] == "flying", "what is in flight stands first"
    assert len(ids(command("videos", "--json"))) == 4
    assert sorted(ids(command("videos", "--account", "heygen/main", "--json"))) == ["completed", "failed", "flying"]
    assert ids(command("videos", "--account", "heygen/main", "--status", "failed", "--json")) == ["failed"]
    assert ids(command("videos", "--account", "heygen/main", "--provider", "tavus", "--json")) == []
    assert ids(command("videos", "--provider", "tavus", "--json")) == ["completed"]
    assert len(ids(command("videos", "--limit", "2", "--json"))) == 2
    assert len(ids(command("videos", "--since", "1h", "--json"))) == 4
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert ids(command("videos", "--since", tomorrow, "--json")) == []
    assert "is no time" in refusal(command("videos", "--since", "soon"))
    assert "'sora'" in refusal(command("videos", "--account", "sora/main"))
    assert "not an account" in refusal(command("videos", "--account", "a b"))


def test_what_takes_several_pages_is_listed_whole(world: World, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    account = world.add_account("tavus/main", *(video(f"v{number}") for number in range(7)))
    world.poll(account)
    monkeypatch.setattr(browse, "MOST_READ", 2)
    assert len(set(ids(command("videos", "--json")))) == 7
    assert len(set(ids(command("videos", "--limit", "5", "--json")))) == 5


def test_a_video_is_shown_with_how_each_change_was_seen_and_whether_it_rang(world: World, command: Command) -> None:
    account_with(world, "completed")
    world.flow()
    (told,) = rows(command("video", "show", "heygen/main", "completed", "--json"))
    assert [(line["status"], line["seen"], line["rang"], line["sequence"]) for line in told["history"]] == [
        ("generating", "listing", False, 1),
        ("completed", "listing", True, 2),
    ]
    assert [line["provider_status"] for line in told["history"]] == ["processing", "completed"]
    shown = command("video", "show", "heygen/main", "completed").stdout
    assert "seconds in flight" in shown
    assert "in the listing  rang" in shown
    (event,) = {row["event_id"] for row in rows(command("deliveries", "--json"))}
    assert [line["event_id"] for line in told["history"]] == [None, event]
    assert event in shown


def test_titles_of_strangers_are_shown_and_obeyed_by_no_terminal(world: World, command: Command) -> None:
    account = world.add_account("tavus/main")
    world.library(account).add(replace(video("v"), title=HOSTILE))
    world.poll(account)
    for words in (("videos",), ("video", "show", "tavus/main", "v")):
        shown = command(*words).stdout
        assert "[/red] spring :bomb: [2J" in shown
        assert "\x1b" not in shown


def test_a_video_that_nobody_knows_is_said_to_be_unknown(world: World, command: Command) -> None:
    world.add_account("tavus/main", first_look_done=True)
    assert "`renderbell videos --account tavus/main`" in refusal(command("video", "show", "tavus/main", "none"))
    assert "no video 'none'" in refusal(command("video", "ring", "tavus/main", "none"))
    assert "'sora'" in refusal(command("video", "show", "sora/main", "v"))
    assert "'sora'" in refusal(command("video", "ring", "sora/main", "v"))
    for words in (("video", "link"), ("video", "show"), ("video", "ring")):
        assert "`renderbell account list`" in refusal(command(*words, "tavus/nobody", "v"))
    assert "tavus/nobody is not watched" in refusal(command("videos", "--account", "tavus/nobody"))
    assert command("videos", "--account", "tavus/main").exit_code == 0, "it is watched, and empty"


def test_a_link_is_the_url_that_the_provider_gives_now_and_nothing_else(world: World, command: Command) -> None:
    account = account_with(world, "completed")
    before = world.row(account, "completed").url
    world.clock.ahead += 3600
    done = command("video", "link", "heygen/main", "completed")
    assert done.exit_code == 0
    (url,) = done.stdout.splitlines()
    assert url.startswith("https://")
    assert url != before
    assert done.stderr == ""
    (told,) = rows(command("video", "link", "heygen/main", "completed", "--json"))
    assert (told["status"], told["error"]) == ("completed", None)


def test_where_there_is_no_link_it_says_why_and_exits_with_1(world: World, command: Command) -> None:
    account_with(world, "failed", "flying")
    for which, words, error in (
        ("flying", "is generating: there is a link once it is completed", None),
        ("failed", "failed at its provider", None),
        ("none", "(not_found)", "not_found"),
    ):
        done = command("video", "link", "heygen/main", which)
        assert (done.exit_code, done.stdout) == (1, "")
        assert words in done.stderr
        as_json = command("video", "link", "heygen/main", which, "--json")
        assert as_json.exit_code == 1
        assert json.loads(as_json.stdout)["error"] == error


def test_a_provider_in_trouble_has_no_link_and_no_key_is_shown(world: World, command: Command) -> None:
    account = account_with(world, "completed")
    world.simulator.faults.add(http_error(500, body={"error": "down"}), provider="heygen")
    done = command("video", "link", "heygen/main", "completed")
    stored = world.parameters.account(account)
    assert stored is not None
    assert done.exit_code == 1
    assert "(provider_error)" in done.stderr
    assert stored.key not in done.output


def test_a_video_rings_again_under_its_own_id_and_not_while_it_is_on_its_way(world: World, command: Command) -> None:
    world.add_endpoint()
    account_with(world, "completed", "flying")
    world.flow()
    (first,) = world.receiver.events()
    (told,) = rows(command("video", "ring", "heygen/main", "completed", "--json"))
    assert told == {"event_id": first.webhook_id, "sent": 2, "on_their_way": 0}
    again = command("video", "ring", "heygen/main", "completed")
    assert f"{first.webhook_id}: 0 sent, 2 on their way already." in again.stdout
    world.drain("DeliveryQueue", "deliver")
    assert [one.webhook_id for one in world.receiver.events()] == [first.webhook_id] * 2
    assert "until it has ended" in refusal(command("video", "ring", "heygen/main", "flying"))


def test_statistics_count_what_is_in_flight_and_what_ended(world: World, command: Command) -> None:
    account_with(world, "completed", "failed", "flying")
    world.add_account("tavus/main")
    heygen, tavus = rows(command("stats", "--json"))
    assert heygen["by_status"] == {"completed": 1, "failed": 1, "generating": 1}
    assert heygen["failure_rate"] == 0.5
    assert heygen["completed_median_seconds"] == heygen["completed_p95_seconds"]
    assert (tavus["provider"], tavus["by_status"], tavus["failure_rate"]) == ("tavus", {}, None)
    shown = command("stats", "--since", "2026-01-01").stdout
    assert "50.0 %" in shown
    assert "In flight now, or ended since 2026-01-01T00:00:00Z." in shown
    assert "from creation to the end" in shown
    narrow = CliRunner().invoke(app, ["--local", "stats", "--since", "2026-01-01"], env={"COLUMNS": "40"}).stdout.splitlines()
    assert max(map(len, narrow[: narrow.index("")])) <= 40
    assert "PROVIDER" in narrow[0], "no word is in pieces"
    assert [row["provider"] for row in rows(command("stats", "--provider", "tavus", "--json"))] == ["tavus"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert rows(command("stats", "--since", tomorrow, "--json"))[0]["by_status"] == {"generating": 1}
    assert "'sora'" in refusal(command("stats", "--provider", "sora"))
    assert "is no time" in refusal(command("stats", "--since", "soon"))


def test_statistics_of_nothing_are_words(world: World, command: Command) -> None:
    assert "renderbell --local account set" in command("stats").stderr
    world.add_account("tavus/main")
    assert "No account at heygen is watched" in command("stats", "--provider", "heygen").stderr
    done = command("stats")
    assert "Nothing is in flight, and nothing ended since" in done.stderr
    assert done.stdout == ""


def test_statistics_say_when_there_was_more_to_count(world: World, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    account_with(world, "completed", "failed")
    monkeypatch.setattr(browse, "MOST_COUNTED", 1)
    assert "only the latest" in command("stats").stderr
    assert rows(command("stats", "--json"))[0]["truncated"] is True
