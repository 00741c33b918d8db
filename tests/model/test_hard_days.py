"""Providers that are slow, that refuse, that use other words: over the world of the state machine, one story each."""

import json
from typing import Any

import httpx
import pytest

from renderbell.account import Account
from renderbell.errors import ProviderError
from renderbell.fetch import Fetch
from renderbell.providers import provider_for
from renderbell.video import AccountName
from renderbell_cli.simulator import Fault, http_error
from tests.model.machine import KINDS, World
from tests.model.test_lies import EVERY, looks, made, opened, told


def spied(world: World, seconds: float = 0.0) -> list[tuple[str, int]]:
    """Let each answer take so long; return the list of what is asked and answered."""
    asked: list[tuple[str, int]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        answered = world._answer(request)
        world.now += seconds
        asked.append((request.url.path, answered.status_code))
        return answered

    world.client = httpx.Client(transport=httpx.MockTransport(answer))
    return asked


@EVERY
def test_a_provider_that_is_slow_is_not_one_whose_clock_is(kind: str) -> None:
    """What was done before the first look began stays silent, however long its pages took."""
    world = World(kind, newest_first=True, options={"page_size": "3", "pages_per_poll": "5"})
    for number in range(15):
        world.library.add(made(f"old{number:02}", world.now - 30 - number))
    spied(world, seconds=20)
    looks(world, 12)
    assert told(world) == []


def test_after_a_detail_was_refused_for_being_asked_too_often_nothing_more_is_asked() -> None:
    world = opened("heygen-v1", videos=60, pages_per_poll="10")
    world.library.add(made("slow", world.now - 6000, 9e9))  # in flight, far below the head
    looks(world, 3, 3700)
    world.library.add(made("v", world.now - 5))
    world.now += 3700
    world.simulator.faults.add(http_error(429, retry_after="90"), path="/v1/video_status.get", times=None)
    asked = spied(world)
    looks(world, 1)
    assert [status for _, status in asked].index(429) == len(asked) - 1
    assert world.accounts.now.paused_until is not None


def test_another_error_does_not_take_back_that_the_provider_wants_to_be_left_alone() -> None:
    world = opened("heygen-v1", videos=20)
    world.now += 3700
    world.library.add(made("v", world.now - 5))
    world.simulator.faults.add(http_error(429, retry_after="90"), path="/v1/video_status.get", times=None)
    world.simulator.faults.add(http_error(500), path="/v1/video.list", after=1, times=None)
    world.look()
    assert world.accounts.now.paused_until is not None
    assert (world.accounts.now.paused_until.timestamp() - world.now) == pytest.approx(90, abs=2)


def refused(status: int, number: int) -> dict[str, object]:
    return {"error": {"code": "refused", "message": f"no, request 7f3a{number:04x}-{status} of today"}}


def test_an_account_is_ill_since_the_first_trouble_whatever_its_words_are_later() -> None:
    """So what was made meanwhile rings, though another folder has to be looked at anew."""
    world = World("heygen", newest_first=True, options={"page_size": "3", "pages_per_poll": "3", "folder_id": "empty"})
    looks(world, 12)
    world.well_until = world.now
    for number in range(24):
        world.now += 3600
        if number == 3:
            world.library.add(made("v", world.now, 10))
        status = 401 if number % 2 else 500
        world.simulator.faults.add(http_error(status, body=refused(status, number)))
        world.look()
    world.simulator.faults.clear()
    world.now += 600
    account = world.provider.account
    world.provider = provider_for(Account.of(account.name, "key", {**account.options, "folder_id": ""}))
    looks(world, 12)
    assert told(world) == [("v", "completed")]


def test_a_provider_that_numbers_its_errors_is_not_written_down_at_every_look() -> None:
    world = opened("heygen", videos=4)
    before = world.accounts.writes
    for number in range(60):
        world.simulator.faults.add(http_error(500, body=refused(500, number)))
        looks(world, 1, 60)
    assert world.accounts.writes - before <= 8


def test_a_word_that_is_unknown_is_reported_also_when_it_comes_by_id() -> None:
    world = opened("heygen", videos=12)
    world.library.add(made("v", world.now - 5000.5, 9e9))
    looks(world, 8)
    body = {"data": [{"video_id": "v", "status": "cancelled"}]}
    world.simulator.faults.add(http_error(200, body=body), path="/v3/videos/statuses", times=None)
    for number in range(6):
        world.library.add(made(f"new{number}", world.now))
        looks(world, 1)
    assert world.accounts.now.unknown_words == {"cancelled"}


def test_a_new_state_of_a_files_source_and_a_new_word_of_its_tool_are_reported() -> None:
    world = opened("videogen", videos=3)
    source = {"status": "quarantined"}
    file = {"fileId": "v", "type": "VIDEO", "scope": "GLOBAL", "downloadSource": source, "sourceToolExecutionId": "run"}
    bodies: dict[str, dict[str, Any]] = {"/v1/tools/executions/run": {"status": "dreaming"}, "/v1/files/v": {"file": file}}
    for path, body in bodies.items():
        world.simulator.faults.add(http_error(200, body=body), path=path, times=None)
    listing = {"files": [file], "hasMore": False, "nextCursor": None}
    world.simulator.faults.add(http_error(200, body=listing), path="/v1/files", times=None)
    looks(world, 3, 60)
    assert world.accounts.now.unknown_words == {"quarantined", "dreaming"}
    assert world.videos.rows["v"].known.status == "generating", "and it decides nothing"


@pytest.mark.parametrize("video_id", ["v\ud83d", "v" * 1025], ids=["half an emoji", "too long"])
def test_an_id_that_nothing_can_hold_is_a_bad_response_and_no_fault_of_ours(video_id: str) -> None:
    world = opened("heygen")
    body = json.dumps({"data": [{"id": video_id, "status": "completed"}], "has_more": False})
    world.client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    world.look()
    assert str(world.accounts.now.health).startswith("bad_response: a row's id is no id")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "videogen"])  # which says of no file when it was made
def test_a_video_that_was_new_at_the_first_look_is_noticed_when_it_stalls(kind: str) -> None:
    """Somebody who sets Renderbell up has one in flight: just that is watched."""
    world = World(kind, newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    for number in range(30):
        world.library.add(made(f"old{number:02}", world.now - 5000 - number))
    world.library.add(made("new", world.now - 60, 9e9))
    looks(world, 2)
    world.library.add(made("born", world.now - 1, 9e9))  # while the first look is under way
    looks(world, 30)
    for _ in range(30):
        world.now += 3600
        looks(world, 1)
    assert sorted(world.videos.stalled) == ["born", "new"]


def files_in_flight(number: int) -> World:
    """Return a world in which files are made one after the other, to end in the opposite order: each moves at its end."""
    world = opened("videogen", page_size="100")
    for place in range(number):
        world.library.add(made(f"v{place:02}", world.now + place * 0.01, 300 + number - place))
    for seconds in (2, 100):
        world.now += seconds
        looks(world, 3, 15)
    world.now += 300
    assert told(world) == []
    return world


@pytest.mark.parametrize(
    ("fault", "number", "most"),
    [
        (None, 30, 3),
        (http_error(500), 30, 5),  # three in a row end the asking
        (http_error(429, retry_after="30"), 30, 8),
        (None, 80, 5),  # more than one look asks for
    ],
    ids=["none", "500", "429", "many"],
)
def test_files_that_moved_and_were_not_asked_for_are_asked_for_at_the_next_look(
    fault: Fault | None, number: int, most: int
) -> None:
    world = files_in_flight(number)
    if fault is not None:
        world.simulator.faults.add(fault, path="/v1/files/v", times=3)
    count = 0
    while len(told(world)) < number and count < 100:
        looks(world, 1, 15)
        count += 1
    assert count <= most


class OneAccount:
    """Parameters with one account in them."""

    def account(self, name: AccountName) -> Account:
        return Account.of(name, "a-key", {})


@pytest.mark.parametrize(("status", "headers", "seconds"), [(429, {"retry-after": "120"}, 120), (429, {}, 60), (500, {}, 10)])
def test_who_opens_links_again_and_again_hears_the_same_error_for_a_while(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    asked, at = [], [0.0]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(status, headers=headers, json={"error": {"message": "no"}})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    fetch = Fetch(parameters=OneAccount(), client=client, clock=lambda: at[0])  # type: ignore[arg-type]
    depths = []
    for at[0] in (0, 1, seconds - 0.1, seconds + 0.1):
        with pytest.raises(ProviderError, match=str(status)) as raised:
            fetch.video(AccountName("heygen", "main"), "v")
        depths.append(len(raised.traceback))
    assert len(asked) == 2
    assert len(set(depths)) == 1, "what an error carries does not grow"
