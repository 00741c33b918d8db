"""Trouble that was thought of or found, one by one: cursors that are forgotten, look-ups that fail, listings that lie."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from renderbell_cli.simulator import html, http_error
from renderbell_cli.simulator.api import Api
from renderbell_cli.simulator.serving import Answer, Call
from tests.model.machine import KINDS, World
from tests.model.test_lies import EMPTY, EVERY, looks, made, opened, told, total_of


def test_one_id_for_which_a_bulk_is_refused_keeps_no_other_waiting() -> None:
    world = World("heygen", newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    for n in range(20):
        world.library.add(made(f"old{n:02}", world.now - 500 - n))
    for n in range(9):
        world.library.add(made(f"far{n}", world.now - 5010 - n, 5010 + 3000))
    begun = world.now
    looks(world, 30)
    for n in range(9):
        world.library.add(made(f"new{n}", world.now - 1 + n / 100))
    looks(world, 30)

    def refuse_one(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        refuses = "statuses" in call.target and "far0" in call.target
        return http_error(400)(api, call, answer) if refuses else answer(call)

    world.simulator.faults.add(refuse_one, times=None)
    swept = world.accounts.now.full_sweep_ended_at
    assert swept is not None
    world.now = begun + 3020  # all are done by now
    assert world.now < swept.timestamp() + 3600, "the next full sweep is not due"
    asked = world.requests
    looks(world, 1)
    assert sorted(one for one, _ in told(world) if one.startswith("far")) == [f"far{n}" for n in range(1, 9)]
    assert world.requests - asked < 20


def unestablished(world: World) -> list[str]:
    return [video_id for video_id, row in world.videos.rows.items() if row.known.sequence == 0]


def test_files_that_vanish_before_the_first_look_could_judge_them_are_asked_for_no_longer_and_told_to_nobody() -> None:
    world = World("videogen", newest_first=True, options={"page_size": "9", "pages_per_poll": "10", "lookups_per_poll": "5"})
    for n in range(90):
        world.library.add(made(f"old{n:03}", world.now - 500 - n))
    looks(world, 3)
    for video_id in unestablished(world)[-20:]:
        world.library.remove(video_id)
    looks(world, 40)
    idle = world.requests
    looks(world, 10)
    assert world.requests - idle == 10, "one page a look"
    for _ in range(4):
        world.now += 3700
        looks(world, 10)
    assert unestablished(world) == []
    assert told(world) == []


def test_a_file_that_was_not_to_be_found_for_a_moment_and_is_listed_again_is_still_judged() -> None:
    world = World("videogen", newest_first=True, options={"page_size": "9", "pages_per_poll": "3"})
    world.library.add(made("v", world.now - 50, 8000))
    world.simulator.faults.add(http_error(404, body={"error": {"message": "File not found"}}), path="/v1/files/v", times=1)
    looks(world, 4)
    for _ in range(4):
        world.now += 3700
        looks(world, 10)
    assert told(world) == [("v", "completed")]


def test_files_that_cannot_be_asked_about_keep_no_others_from_being_judged() -> None:
    world = World("videogen", newest_first=True, options={"page_size": "9", "pages_per_poll": "10", "lookups_per_poll": "5"})
    for n in range(90):
        world.library.add(made(f"old{n:03}", world.now - 500 - n))
    for n in (86, 87, 88, 89):
        world.simulator.faults.add(http_error(500), path=f"/v1/files/old{n:03}", times=None)
    looks(world, 150)
    assert sorted(unestablished(world)) == ["old086", "old087", "old088", "old089"]


@EVERY
def test_a_first_answer_that_is_empty_by_mistake_makes_no_news_of_a_whole_library(kind: str) -> None:
    world = World(kind, newest_first=True, options={"page_size": "9", "pages_per_poll": "3"})
    for n in range(7):
        world.library.add(made(f"old{n}", world.now - 500 - n))
    world.simulator.faults.add(http_error(200, body=EMPTY[kind]))
    looks(world, 12)
    assert told(world) == []
    assert len(world.videos.rows) == 7


@pytest.mark.parametrize("fault", [http_error(200, body={"code": "0001", "msg": "no", "failed": True}), http_error(500)])
def test_a_cursor_that_is_refused_for_ever_keeps_no_first_look_open(fault: Any) -> None:
    def broken(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        return fault(api, call, answer) if broken_pages and json.loads(call.body)["page"] in broken_pages else answer(call)

    broken_pages: set[int] = set()
    world = World("memories", newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    for n in range(30):
        world.library.add(made(f"old{n:02}", world.now - 500 - n))
    world.simulator.faults.add(broken, times=None)
    looks(world, 2)
    broken_pages.add(world.accounts.now.full_sweep.place.pages + 1 if world.accounts.now.full_sweep else 0)
    looks(world, 6)
    assert world.accounts.now.unfinished
    broken_pages.clear()
    looks(world, 8)
    assert world.accounts.now.first_look_over
    assert len(world.videos.rows) == 30


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("kind", ["tavus", "heygen-v1", "memories", "pixverse"])
def test_a_total_that_is_too_small_cuts_no_listing_short(kind: str, newest_first: bool) -> None:  # noqa: FBT001
    world = World(kind, newest_first=newest_first, options={"page_size": "3", "pages_per_poll": "3"})
    world.simulator.faults.add(total_of(lambda total: min(total, 3)), times=None)
    for n in range(20):
        world.library.add(made(f"old{n:02}", world.now - 500 - n))
    looks(world, 40)
    assert world.accounts.now.first_look_over
    assert len(world.videos.rows) == 20
    world.library.add(made("new", world.now - 1))
    looks(world, 10)
    assert told(world) == [("new", "completed")]


def test_one_garbled_page_is_asked_for_again_and_makes_no_burst_of_requests() -> None:
    world = World("heygen", newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    for n in range(90):
        world.library.add(made(f"old{n:02}", world.now - 500 - n))
    looks(world, 4)
    world.simulator.faults.add(html(), after=1)
    most = 0
    while not world.accounts.now.first_look_over:
        before = world.requests
        looks(world)
        most = max(most, world.requests - before)
    assert most <= 4
    assert len(world.videos.rows) == 90


@pytest.mark.parametrize("kind", ["heygen", "heygen-v1", "tavus", "videogen"])
def test_a_detail_that_names_another_id_is_taken_for_what_was_asked_for(kind: str) -> None:
    def renamed(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del api
        good = answer(call)
        renaming = good.body.replace(b'"v"', b'"V"') if b"/v" in call.target.encode()[4:] else good.body
        return replace(good, body=renaming)

    world = opened(kind)
    world.library.add(made("v", world.now, 20))
    looks(world)
    detail = {"heygen": "/v3/videos/v", "tavus": "/v2/videos/v", "videogen": "/v1/files/v", "heygen-v1": "/v1/video_status"}
    world.simulator.faults.add(renamed, path=detail[kind], times=None)
    world.now += 30
    before = world.requests
    looks(world, 3)
    assert world.requests - before < 20
    assert told(world) == [("v", "completed")]
    assert set(world.videos.rows) == {"v"}


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_look_up_that_fails_is_one_videos_trouble_and_not_the_accounts(status: int) -> None:
    world = opened("tavus", videos=12)
    video = made("far", world.now - 9000, 20_000)
    world.library.add(video)
    world.now += 3700
    looks(world, 8)
    assert "far" in world.videos.in_flight(world.provider.account.name)
    world.simulator.faults.add(http_error(status), path="/v2/videos/far", times=None)
    world.alerts.clear()
    looks(world, 3)
    assert world.accounts.now.health == "ok"
    assert world.accounts.now.paused_until is None
    assert world.alerts == []


def test_a_video_that_was_listed_before_an_error_is_not_called_missing() -> None:
    world = opened("heygen", videos=20)
    world.library.add(made("v", world.now - 5010, 90_000))
    world.now += 3700
    looks(world, 8)
    world.now += 3700
    world.simulator.faults.add(http_error(502), after=4)
    looks(world, 10)
    assert world.accounts.now.missed == {}


def test_tavus_pages_from_one_are_counted_once_when_the_second_request_fails() -> None:
    world = World("tavus", newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    for n in range(12):
        world.library.add(made(f"old{n:02}", world.now - 500 - n))
    world.simulator.faults.add(http_error(500), after=1)
    looks(world, 12)
    assert world.accounts.now.first_look_over
    assert len(world.videos.rows) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_account_is_looked_at_in_one_request_and_no_write(kind: str) -> None:
    world = opened(kind)
    looks(world, 3)
    writes, requests = world.accounts.writes, world.requests
    looks(world, 5)
    assert (world.accounts.writes - writes, world.requests - requests) == (0, 5)


def test_what_was_in_flight_for_ever_at_the_first_look_is_no_news_and_is_asked_for_rarely() -> None:
    world = World("tavus", newest_first=True, options={"page_size": "3", "pages_per_poll": "3"})
    for n in range(12):
        world.library.add(made(f"zombie{n:02}", world.now - 2 * 86400 - n, 9e9))
    looks(world, 12)
    world.now += 2 * 86400
    looks(world, 6)
    before = world.requests
    looks(world, 3)
    assert world.requests - before <= 6
    assert world.videos.stalled == []


def test_what_is_overdue_is_in_flight_still_but_is_awaited_no_more() -> None:
    world = opened("tavus")
    world.library.add(made("slow", world.now, 9e9))
    world.look()
    world.now += 86400 + 60
    world.library.add(made("new", world.now, 300))
    report = world.look()
    assert (report.in_flight, report.awaited) == (2, 1)


def test_a_provider_that_puts_its_progress_into_the_status_word_fills_no_mailbox() -> None:
    world = opened("heygen")
    for n in range(60):
        body = {"data": [{"id": "v", "status": f"rendering {n} %"}], "has_more": False}
        world.simulator.faults.add(http_error(200, body=body))
        looks(world)
    assert len(world.alerts) == 20
    assert len(world.accounts.now.unknown_words) == 20


def test_a_rate_limit_in_a_detail_call_ends_the_detail_calls_and_pauses_the_account() -> None:
    world = opened("heygen-v1")
    for n in range(3):
        world.library.add(made(f"v{n}", world.now - 5 + n))
    world.simulator.faults.add(http_error(429, retry_after="90"), path="/v1/video_status.get", times=None)
    before = world.requests
    looks(world)
    assert world.requests - before == 2
    assert len(told(world)) == 3, "they ring all the same"
    paused = world.accounts.now.paused_until
    assert paused is not None
    assert paused - datetime.fromtimestamp(world.now, UTC) > timedelta(seconds=60)


@EVERY
def test_more_births_than_a_poll_reads_pages_while_a_first_look_is_under_way_are_all_told(kind: str) -> None:
    world = World(kind, newest_first=True, options={"page_size": "2", "pages_per_poll": "2"})
    for n in range(12):
        world.library.add(made(f"old{n:02}", world.now - 500 - n))
    looks(world, 2)
    assert world.accounts.now.unfinished
    for n in range(9):
        world.library.add(made(f"new{n}", world.now - 0.5 + n / 100, 300))
    looks(world, 12)
    world.now += 400
    looks(world, 14)
    new = {f"new{n}" for n in range(9)}
    assert set(world.videos.rows) == new | {f"old{n:02}" for n in range(12)}
    assert {video_id for video_id, _ in told(world)} <= new
    if kind != "videogen":  # whose files have no time of creation: what the first look comes across may be old
        assert sorted(told(world)) == [(f"new{n}", "completed") for n in range(9)]
