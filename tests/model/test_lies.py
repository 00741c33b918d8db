"""Every way a listing is known to lie, one by one. The state machine beside this mixes some of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from renderbell.video import Status
from renderbell_cli.simulator import SimulatedVideo, http_error, repeated_page
from renderbell_cli.simulator.api import Api
from renderbell_cli.simulator.serving import Answer, Call
from tests.model.machine import KINDS, Interruptions, World

EVERY: Final = pytest.mark.parametrize("kind", KINDS)
EMPTY: Final[Mapping[str, Mapping[str, Any]]] = {
    "tavus": {"data": [], "total_count": 0},
    "heygen": {"data": [], "has_more": False},
    "heygen-v1": {"code": 100, "data": {"videos": [], "token": None, "total": 0}, "message": "Success"},
    "memories": {"code": "0000", "data": {"videos": [], "total_count": "0"}, "success": True, "failed": False},
    "videogen": {"files": [], "hasMore": False, "nextCursor": None},
    "pixverse": {"data": [], "next_offset": 40, "total": 0},
}


def opened(kind: str, videos: int = 0, **options: str) -> World:
    """Return a world whose first look is done and has seen so many finished videos."""
    world = World(kind, newest_first=True, options={"page_size": "3", "pages_per_poll": "3", **options})
    for n in range(videos):
        world.library.add(made(f"old{n:02}", world.now - 5000 - n))
    looks(world, 12)
    assert world.accounts.now.first_look_over
    world.now += 60
    return world


def made(video_id: str, born: float, seconds: float = 0.0) -> SimulatedVideo:
    return SimulatedVideo(id=video_id, title=video_id, born_at=born, generating_seconds=seconds)


def looks(world: World, count: int = 1, seconds: float = 15) -> None:
    for _ in range(count):
        world.look()
        world.now += seconds


def told(world: World) -> list[tuple[str, str]]:
    return [(one.video_id, one.status.value) for one in world.videos.told]


@EVERY
def test_pages_that_shift_while_they_are_read_lose_nothing_and_tell_nothing_twice(kind: str) -> None:
    world = opened(kind, videos=14)
    born: list[str] = []

    def bear() -> None:
        born.append(f"new{len(born):02}")
        world.library.add(made(born[-1], world.now - 0.5 + len(born) / 1000))

    for step in range(3, 40, 3):
        world.interruptions = Interruptions(step, bear)
        bear()
        looks(world)
    world.interruptions = Interruptions()
    looks(world, 6)
    world.now += 3700
    looks(world, 12)
    assert sorted(told(world)) == sorted((video_id, "completed") for video_id in born)


@EVERY
def test_a_stale_page_after_a_fresh_one_undoes_nothing(kind: str) -> None:
    world = opened(kind)
    world.library.add(made("v", world.now, 30))
    looks(world)
    world.now += 40
    looks(world, 3)
    world.behind = 30.0
    looks(world, 3)
    world.behind = 0.0
    looks(world, 3)
    assert told(world) == [("v", "completed")]
    assert world.videos.rows["v"].known.status is Status.COMPLETED


@EVERY
def test_an_empty_answer_concludes_nothing(kind: str) -> None:
    world = opened(kind, videos=4)
    world.library.add(made("v", world.now, 500))
    looks(world)
    for _ in range(3):
        world.simulator.faults.add(http_error(200, body=EMPTY[kind]), path=listing_of(kind))
        looks(world)
    assert "v" in world.videos.in_flight(world.provider.account.name)
    world.now += 600
    looks(world, 4)
    assert told(world) == [("v", "completed")]


def listing_of(kind: str) -> str:
    return {"heygen": "/v3/videos", "heygen-v1": "/v1/video.list", "videogen": "/v1/files"}.get(kind, "/")


@EVERY
def test_a_page_that_repeats_itself_ends_the_look_and_what_good_pages_showed_is_kept(kind: str) -> None:
    world = opened(kind, videos=2)
    for n in range(8):
        world.library.add(made(f"new{n}", world.now - 1 + n / 100))
    world.simulator.faults.add(repeated_page(), after=1, times=2)
    looks(world, 2)
    assert {video_id for video_id, _ in told(world)} <= {f"new{n}" for n in range(8)}
    if kind != "tavus":  # whose first page may honestly come twice
        assert str(world.accounts.now.health).startswith(("bad_response", "ok"))
    looks(world, 10)
    assert sorted(told(world)) == [(f"new{n}", "completed") for n in range(8)]


def total_of(change: Callable[[int], int]) -> Any:
    """Answer well, but with another total."""

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del api
        good = answer(call)
        body = json.loads(good.body)
        for place in (body, body.get("data")):
            for name in ("total", "total_count"):
                if isinstance(place, dict) and name in place:
                    place[name] = type(place[name])(change(int(place[name])))
        return replace(good, body=json.dumps(body).encode())

    return fault


@pytest.mark.parametrize("more", [1, 100])
@pytest.mark.parametrize("kind", ["tavus", "heygen-v1", "memories", "pixverse"])
def test_a_total_that_is_too_large_keeps_no_first_look_open_and_hides_no_video(kind: str, more: int) -> None:
    world = World(kind, newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    world.simulator.faults.add(total_of(lambda total: total + more), times=None)
    for n in range(7):
        world.library.add(made(f"old{n}", world.now - 5000 - n))
    looks(world, 40)
    assert world.accounts.now.first_look_over
    world.library.add(made("new", world.now))
    looks(world, 4)
    assert told(world) == [("new", "completed")]


@EVERY
def test_a_video_that_vanishes_and_comes_back_is_not_deleted(kind: str) -> None:
    world = opened(kind, videos=4)
    video = made("v", world.now, 9000)
    world.library.add(video)
    looks(world)
    world.library.remove("v")
    looks(world, 5)
    world.now += 3700  # and misses one full sweep
    looks(world, 5)
    world.library.add(video)
    looks(world, 5)
    world.library.remove("v")
    looks(world, 5)
    world.library.add(video)
    world.now += 9000
    looks(world, 8)
    assert told(world) == [("v", "completed")]


@pytest.mark.parametrize("behind", [3600.0, -3600.0])
@EVERY
def test_a_clock_that_is_wrong_by_an_hour_loses_no_completion_and_makes_none_up(kind: str, behind: float) -> None:
    world = World(kind, newest_first=True, options={"page_size": "3", "pages_per_poll": "2"}, clock_behind=behind)
    for n in range(9):
        world.library.add(made(f"old{n}", world.now - behind - 300 - n))
    looks(world, 2)
    world.library.add(made("during", world.now - behind - 1))
    looks(world, 12)
    assert world.accounts.now.first_look_over
    world.library.add(made("after", world.now - behind - 1))
    looks(world, 3)
    # VideoGen gives no time of creation: what is born during the first look is new only where it stands above known ones.
    assert told(world)[-1] == ("after", "completed")
    assert {video_id for video_id, _ in told(world)} <= {"during", "after"}
    if kind != "videogen":
        assert ("during", "completed") in told(world)


@EVERY
def test_ids_that_differ_only_in_case_are_two_videos(kind: str) -> None:
    world = opened(kind)
    world.library.add(made("Video", world.now, 20), made("vIDEO", world.now + 0.1, 50))
    looks(world, 2, seconds=12)
    assert [video_id for video_id, _ in told(world)] in ([], ["Video"])
    world.now += 60
    looks(world, 4)
    assert sorted(told(world)) == [("Video", "completed"), ("vIDEO", "completed")]


def test_a_namespace_that_is_wrong_reads_as_no_videos_and_the_right_one_is_then_looked_at_in_silence() -> None:
    world = World("memories", newest_first=True, options={"unique_id": "wrong"})
    world.library.add(made("theirs", world.now - 500))
    looks(world, 6)
    assert world.accounts.now.first_look_over
    assert world.accounts.now.health == "ok"
    assert world.videos.rows == {}
    right = World("memories", newest_first=True, options={})
    world.provider = right.provider
    looks(world, 3)
    assert set(world.videos.rows) == {"theirs"}
    assert told(world) == []


def test_memories_is_asked_for_no_more_than_five_pages_a_second() -> None:
    world = opened("memories", videos=14)
    assert world.waits
    assert all(seconds >= 0.2 for seconds in world.waits)
    assert opened("tavus", videos=14).waits == []
