"""Promises 1 to 6 of the tracker, over the real handlers and the real engine."""

import time
from typing import Any

import pytest

from renderbell.poll import Poll
from renderbell.providers import PROVIDERS
from renderbell.queues import PollMessage
from renderbell.values import iso
from renderbell_cli.simulator import Fault, html, http_error, truncated
from tests.integration.world import Context, World, video

ACCOUNTS = [*PROVIDERS, "heygen-v1"]


def options(provider: str) -> dict[str, Any]:
    return {"api_version": "v1"} if provider == "heygen-v1" else {}


def account_of(provider: str) -> str:
    return provider.removesuffix("-v1") + "/main"


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_video_goes_from_queued_to_completed_and_rings_once(world: World, provider: str) -> None:
    account = world.add_account(account_of(provider), first_look_done=True, **options(provider))
    now = time.time()
    world.library(account).add(video("v1", born=now, queued=10, generating=10, outcome="completed"))
    seen = []
    for seconds in (1, 11, 21, 22):
        world.clock.ahead = seconds
        world.poll(account)
        seen.append(world.statuses(account).get("v1"))
    world.flow()
    # Memories.ai has no word for "queued", and a VideoGen file has no type until VideoGen knows it.
    first = {"videogen": None, "memories": "generating"}.get(provider, "queued")
    assert seen == [first, "generating", "completed", "completed"]
    (ring,) = world.rings()
    assert ring["type"] == "video.completed"
    data = ring["data"]
    assert (data["provider"], data["account"], data["video_id"]) == (account.provider, "main", "v1")
    assert data["title"] == "Title of v1"
    assert data["previous_status"] == "generating"
    assert data["url"] or provider == "memories", "a completed video carries its URL where the provider has one"


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_failure_rings_with_its_reason(world: World, provider: str) -> None:
    account = world.add_account(account_of(provider), first_look_done=True, **options(provider))
    born = video("v1", born=time.time(), generating=5, outcome="failed", error="Script rejected")
    world.library(account).add(born)
    for seconds in (1, 6):
        world.clock.ahead = seconds
        world.poll(account)
    world.flow()
    (ring,) = world.rings()
    assert ring["type"] == "video.failed"
    if provider not in {"heygen-v1", "videogen", "pixverse"}:  # their listings have no reason
        assert ring["data"]["error"] == "Script rejected"


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_the_first_look_is_silent_about_what_was_done_before(world: World, provider: str) -> None:
    old = [video(f"old{n}") for n in range(7)]
    account = world.add_account(account_of(provider), *old, page_size="3", **options(provider))
    world.tick(account.provider)
    world.flow()
    assert len(world.statuses(account)) == 7
    assert set(world.statuses(account).values()) == {"completed"}
    assert world.rings() == []


def test_the_first_look_rings_for_old_videos_when_the_account_wants_it(world: World) -> None:
    account = world.add_account("tavus/main", video("old"), announce_existing="true")
    world.poll(account)
    world.flow()
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["old"]


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_video_made_and_finished_between_two_polls_rings(world: World, provider: str) -> None:
    account = world.add_account(account_of(provider), video("old"), **options(provider))
    world.poll(account)
    world.library(account).add(video("quick", born=time.time() + 1, generating=1))
    world.clock.ahead = 10
    world.poll(account)
    world.flow()
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["quick"]


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_video_born_while_the_first_look_is_under_way_rings(world: World, provider: str) -> None:
    old = [video(f"old{n}") for n in range(6)]
    account = world.add_account(account_of(provider), *old, page_size="2", **options(provider))
    world.simulator.faults.add(http_error(500), provider=account.provider, times=1, after=2)
    world.poll(account)  # breaks off
    assert world.accounts.state(account).first_look_ended_at is None
    world.library(account).add(video("born", born=time.time() + 1, generating=1))
    world.clock.ahead = 10
    for _ in range(3):
        world.poll(account)
    world.flow()
    assert world.accounts.state(account).first_look_ended_at is not None
    assert len(world.statuses(account)) == 7
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["born"]


def test_more_old_files_than_a_poll_may_hydrate_stay_silent_when_their_turn_comes(world: World) -> None:
    account = world.add_account("videogen/main", *[video(f"old{n}") for n in range(9)], lookups_per_poll="4")
    for _ in range(4):
        world.poll(account)
    world.flow()
    assert set(world.statuses(account).values()) == {"completed"}
    assert world.rings() == []


@pytest.mark.parametrize(
    "fault", [http_error(500), http_error(429, retry_after="0"), html(), truncated()], ids=["500", "429", "HTML", "half a body"]
)
def test_an_error_is_not_an_empty_list(world: World, fault: Fault) -> None:
    account = world.add_account("heygen/main", video("old"), first_look_done=True, page_size="1")
    world.library(account).add(video("new", born=time.time() - 5, generating=60))
    world.simulator.faults.add(fault, provider="heygen", times=1, after=1)
    world.poll(account)
    assert world.statuses(account) == {"new": "generating"}, "what the good page showed is kept"
    health = world.accounts.state(account).health
    assert health is not None
    assert health.split(":")[0] in {"provider_error", "rate_limited", "bad_response"}
    world.poll(account)
    assert world.statuses(account) == {"new": "generating", "old": "completed"}
    assert world.accounts.state(account).health == "ok"


def test_a_rate_limit_is_obeyed_for_as_long_as_the_provider_asks(world: World) -> None:
    account = world.add_account("tavus/main", video("v"))
    world.simulator.faults.add(http_error(429, retry_after="3600"), provider="tavus", times=1)
    world.tick("tavus")
    world.simulator.forget_requests()
    world.tick("tavus")
    assert [*world.simulator.requests] == []
    assert world.statuses(account) == {}


def test_one_bad_key_one_bad_page_and_bad_settings_hold_nobody_else_up(world: World) -> None:
    bad = world.add_account("tavus/bad")
    world.libraries.clear()
    good = world.add_account("tavus/good", video("v"))
    broken = world.add_account("tavus/broken")
    world.parameters._put(f"{world.prefix}/accounts/tavus/broken", '{"key": "k", "colour": "red"}', "")
    world.tick("tavus")
    assert world.statuses(good) == {"v": "completed"}
    assert str(world.accounts.state(bad).health).startswith("auth: ")
    assert str(world.accounts.state(broken).health).startswith("settings: ")
    assert "colour" in str(world.accounts.state(broken).health)


def test_a_removed_account_is_left_in_peace(world: World) -> None:
    account = world.add_account("tavus/main", video("v"))
    world.apps["dispatch"].handler({"provider": "tavus"}, Context())
    world.parameters.remove_account(account)
    world.drain("PollQueue", "poll")
    assert world.statuses(account) == {}
    assert [*world.simulator.requests] == []


def test_a_stale_page_cannot_unfinish_a_video(world: World) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    world.library(account).add(video("v", born=time.time(), generating=10))
    world.clock.ahead = 20
    world.poll(account)
    world.clock.ahead = 5
    world.poll(account)
    world.clock.ahead = 30
    world.poll(account)
    world.flow()
    assert world.statuses(account) == {"v": "completed"}
    assert len(world.rings()) == 1


def test_an_idle_poll_writes_nothing(world: World) -> None:
    account = world.add_account("heygen/main", *[video(f"v{n}") for n in range(5)])
    world.poll(account)
    world.stream_records()
    before = world.accounts.state(account)
    world.poll(account)
    assert world.stream_records() == []
    assert world.accounts.state(account) == before


def test_everything_sent_twice_rings_once(world: World) -> None:
    world.twice = True
    world.add_endpoint()
    accounts = [world.add_account(f"{provider}/main", first_look_done=True) for provider in PROVIDERS]
    for account in accounts:
        world.library(account).add(*[video(f"v{n}", born=time.time(), generating=5) for n in range(4)])
    for seconds in (1, 6, 7):
        world.clock.ahead = seconds
        for provider in PROVIDERS:
            world.tick(provider)
    world.flow()
    world.flow()
    rings = world.rings()
    assert len(rings) == len({ring["id"] for ring in rings}) == 4 * len(PROVIDERS)
    received = world.receiver.events()
    assert len(received) == len({one.webhook_id for one in received}) == 4 * len(PROVIDERS)
    assert {ring["id"] for ring in rings} == {one.webhook_id for one in received}
    assert world.receiver.refused == 0


def test_one_file_that_cannot_be_asked_about_keeps_no_other_waiting(world: World) -> None:
    account = world.add_account("videogen/main", video("broken"), video("fine"))
    world.simulator.faults.add(http_error(500), provider="videogen", path="/v1/files/broken", times=None)
    poll: Poll = world.apps["poll"].poll
    told = poll.look(PollMessage(account=account), lambda: 300.0).fields()
    assert world.statuses(account) == {"broken": "generating", "fine": "completed"}
    assert told["lookup_error"].startswith("HTTP 500"), "the log says so"
    assert world.accounts.state(account).health == "ok", "the listing was good: it is this file's trouble"


def test_a_rate_limited_listing_is_not_followed_by_look_ups(world: World) -> None:
    account = world.add_account("videogen/main", *[video(f"v{n}") for n in range(4)], page_size="2")
    world.simulator.faults.add(http_error(429, retry_after="60"), provider="videogen", times=1, after=1)
    world.poll(account)
    assert [request.path.split("?")[0] for request in world.simulator.requests] == ["/v1/files", "/v1/files"]


def test_a_finished_video_that_is_deleted_keeps_its_end_and_loses_its_link(world: World) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    born = time.time() - 5
    world.library(account).add(video("v", born=born))
    world.poll(account)
    completed = world.row(account, "v")
    world.library(account).add(video("v", born=born, outcome="deleted"))
    world.poll(account)
    world.flow()
    done, deleted = (ring["data"] for ring in world.rings())
    assert (done["url"] is not None, deleted["url"]) == (True, None)
    assert (deleted["status"], deleted["previous_status"]) == ("deleted", "completed")
    assert done["finished_at"] == deleted["finished_at"] == iso(completed.finished_at)


@pytest.mark.parametrize("duration", [1e200, 1e-200, "1e999"])
def test_a_number_that_no_table_holds_is_left_out_and_keeps_nobody_from_being_recorded(world: World, duration: object) -> None:
    account = world.add_account("heygen/main", first_look_done=True)
    odd = {"id": "odd", "status": "completed", "duration": duration, "video_url": "https://x/y"}
    body = {"data": [{"id": "good", "status": "completed", "video_url": "https://x/y"}, odd], "has_more": False}
    world.simulator.faults.add(http_error(200, body=body), provider="heygen")
    world.poll(account)
    assert world.statuses(account) == {"good": "completed", "odd": "completed"}
    assert world.row(account, "odd").duration_seconds is None
