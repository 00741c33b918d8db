"""What a poll costs and when it stops, over the real handlers and the real engine (DESIGN §4)."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from renderbell.account import Account
from renderbell.dispatch import Dispatch
from renderbell.poll import Poll
from renderbell.providers import PROVIDERS
from renderbell.queues import PollMessage, QueueError
from renderbell.video import AccountName
from renderbell_cli.simulator import http_error
from tests.integration.delivering import NotingQueue
from tests.integration.world import KEY, World, video

ACCOUNTS = [*PROVIDERS, "heygen-v1"]
N = 120
PAGE = 40
"""Three pages, so that stragglers stand below the head."""


def options(provider: str) -> dict[str, Any]:
    return {"api_version": "v1"} if provider == "heygen-v1" else {}


def look(world: World, account: AccountName, *, after: timedelta = timedelta(), **more: Any) -> Mapping[str, Any]:
    """Look as if `after` had passed; return the log line."""
    made: Poll = world.apps["poll"].poll
    later = replace(made, now=lambda: datetime.now(UTC) + after)
    return later.look(PollMessage(account=account, **more), lambda: 300.0).fields()


def watched(world: World, provider: str, flying: int, **more: Any) -> AccountName:
    """Return an account whose N old videos are known, of which three far down and `flying` near the head are in flight."""
    born = time.time() - 50_000
    name = provider.removesuffix("-v1") + "/main"
    stragglers = {N // 2, N // 4, N // 20} if flying else set()
    videos = [
        video(f"v{n:04}", born=born + n, generating=80_000 if n in stragglers or n >= N - flying else 0) for n in range(N)
    ]
    account = world.add_account(name, *videos, page_size=str(PAGE), **options(provider), **more)
    for _ in range(20):
        accounted_for = look(world, account)["stopped"] in {"accounted for", "end of list"}
        if accounted_for and world.accounts.state(account).first_look_over:
            break
    if provider == "videogen":  # whose old files are hydrated first, some at each poll
        for _ in range(15):
            look(world, account)
    look(world, account)
    for _ in world.batches("PollQueue"):
        pass
    return account


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_an_idle_poll_is_one_request_and_writes_nothing(world: World, provider: str) -> None:
    account = watched(world, provider, flying=0)
    told = look(world, account)
    assert (told["requests"], told["write_units"]) == (1, 0), told
    assert told["read_units"] <= 1.5, told
    assert told["stopped"] in {"accounted for", "end of list"}


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_steady_poll_finds_every_change_in_four_requests(world: World, provider: str) -> None:
    account = watched(world, provider, flying=17)
    now = time.time()
    library = world.library(account)
    for n in (N - 1, N - 5, N - 17):  # three end, in their places
        library.add(video(f"v{n:04}", born=now - 50_000 + n, generating=50_000 - n - 1))
    library.add(video("new1", born=now - 2, generating=900), video("new2", born=now - 1, generating=900))
    told = look(world, account)
    details = 3 if provider in {"heygen-v1", "videogen"} else 0  # their listings have no URL
    assert told["requests"] - details <= 4, told
    assert (told["transitions"], told["rings"]) == (5, 3), told


def test_a_chain_of_looks_is_queued_once_whoever_comes_at_once(world: World) -> None:
    account = watched(world, "tavus", flying=3)
    ends = datetime.now(UTC) + timedelta(minutes=1)
    sent = []
    world.apps["poll"].poll.poll_queue.send_later = lambda messages: sent.append(list(messages))
    made: Poll = world.apps["poll"].poll
    assert not world.accounts.claim_looks(account, None, ends), "the looks before this one have their chain"
    later = timedelta(minutes=2)
    for tick_ends in (ends + later, ends + later):  # the tick's message comes twice
        look(world, account, after=later, tick_ends=tick_ends)
    look(world, account, after=later, in_between=True)
    [chain] = sent
    assert [delay for _, delay in chain] == [15, 30, 45]
    assert all(message.in_between for message, _ in chain)
    assert made.poll_queue is not None


def test_a_chain_ends_with_its_tick_and_the_next_tick_begins_another(world: World) -> None:
    account = watched(world, "tavus", flying=1, hot_interval="20")
    sent: list[list[Any]] = []
    world.apps["poll"].poll.poll_queue.send_later = lambda messages: sent.append(list(messages))
    for minute in (2, 3, 4):
        passed = timedelta(minutes=minute)
        look(world, account, after=passed, tick_ends=datetime.now(UTC) + passed + timedelta(minutes=1))
    assert [[delay for _, delay in chain] for chain in sent] == [[20, 40]] * 3


def test_a_look_in_between_does_nothing_once_nothing_is_in_flight(world: World) -> None:
    account = watched(world, "tavus", flying=0)
    told = look(world, account, in_between=True)
    assert (told["requests"], told["stopped"], told["write_units"]) == (0, "nothing in flight", 0)


def test_a_far_tick_is_reached_by_a_chain_that_continues_itself(world: World) -> None:
    account = watched(world, "tavus", flying=1, hot_interval="300")
    passed = timedelta(minutes=5)
    ends = datetime.now(UTC) + passed + timedelta(hours=1)
    chain = queued_by(world, account, passed, tick_ends=ends)
    assert [(delay, message.in_between) for message, delay in chain] == [(900, False), (300, True), (600, True)]
    assert chain[0][0].tick_ends == ends


def queued_by(world: World, account: AccountName, after: timedelta, **more: Any) -> list[tuple[PollMessage, int]]:
    """Look as if `after` had passed; return what was queued, and with which delays."""
    queue: Any = NotingQueue()
    made: Poll = world.apps["poll"].poll
    later = replace(made, now=lambda: datetime.now(UTC) + after, poll_queue=queue)
    later.look(PollMessage(account=account, **more), lambda: 300.0)
    return list(queue.sent)


def hot_until(chain: list[tuple[PollMessage, int]], after: float) -> float:
    """Return until how many seconds from the beginning the looks go on without a gap of more than two of their intervals."""
    at = after
    for delay in sorted(delay for message, delay in chain if not message.hinted):
        if after + delay - at > 30:
            break
        at = after + delay
    return at


def test_a_hint_just_before_a_tick_does_not_take_the_ticks_chain_away(world: World) -> None:
    account, began = watched(world, "tavus", flying=2), datetime.now(UTC)
    second = timedelta(seconds=1)
    queued_by(world, account, 600 * second, tick_ends=began + 900 * second)
    hint = queued_by(world, account, 886 * second, hinted=1)
    tick = queued_by(world, account, 900 * second, tick_ends=began + 1200 * second)
    assert hot_until([*[(message, delay - 14) for message, delay in hint], *tick], 900) >= 1170


def test_a_hint_just_before_a_chain_begins_itself_anew_does_not_end_it(world: World) -> None:
    account, second = watched(world, "tavus", flying=2), timedelta(seconds=1)
    ends = datetime.now(UTC) + 4200 * second
    assert (900, False) in [
        (delay, message.in_between) for message, delay in queued_by(world, account, 600 * second, tick_ends=ends)
    ]
    queued_by(world, account, 1490 * second, hinted=1)
    again = queued_by(world, account, 1500 * second, tick_ends=ends)
    assert (900, False) in [(delay, message.in_between) for message, delay in again]


def test_a_look_that_fails_is_no_reason_not_to_look_again(world: World) -> None:
    account, second = watched(world, "tavus", flying=2), timedelta(seconds=1)
    ends = datetime.now(UTC) + 4200 * second
    queued_by(world, account, 600 * second, tick_ends=ends)
    world.simulator.faults.add(http_error(500), provider="tavus")
    assert (900, False) in [
        (delay, message.in_between) for message, delay in queued_by(world, account, 1500 * second, tick_ends=ends)
    ]


class OneMore(NotingQueue):
    """A queue whose function ends after the first message."""

    def send_later(self, messages: Iterable[tuple[Any, int]]) -> int:
        if self.sent:
            raise QueueError("SQS takes nothing more")
        return super().send_later(messages)


def test_a_chain_that_is_killed_after_its_claim_begins_anew_by_itself(world: World) -> None:
    account, second = watched(world, "tavus", flying=2), timedelta(seconds=1)
    ends = datetime.now(UTC) + 4200 * second
    made: Poll = world.apps["poll"].poll
    queue: Any = OneMore()
    later = replace(made, now=lambda: datetime.now(UTC) + 600 * second, poll_queue=queue)
    with pytest.raises(QueueError):
        later.look(PollMessage(account=account, tick_ends=ends), lambda: 300.0)
    [(last, delay)] = queue.sent
    assert (delay, last.in_between, last.tick_ends) == (900, False, ends)
    assert len(queued_by(world, account, 1500 * second, tick_ends=ends)) > 10, "which it does"


def test_a_rate_limit_wins_over_every_reason_to_look(world: World) -> None:
    account = watched(world, "tavus", flying=2)
    world.simulator.faults.add(http_error(429, retry_after="120"), provider="tavus")
    assert look(world, account)["stopped"] == "rate_limited"
    for in_between in (False, True):
        told = look(world, account, in_between=in_between)
        assert (told["stopped"], told["requests"]) == ("paused", 0)
    assert look(world, account, after=timedelta(seconds=125))["stopped"] in {"accounted for", "end of list"}


def test_a_video_that_two_full_sweeps_missed_and_its_provider_does_not_find_is_deleted(world: World) -> None:
    account = watched(world, "heygen", flying=17)
    world.library(account).remove(f"v{N // 2:04}")
    for hours in (0, 1.1):
        for _ in range(3):
            look(world, account, after=timedelta(hours=hours))
    assert world.statuses(account)[f"v{N // 2:04}"] != "deleted", "one full sweep is not enough"
    for hours in (2.2, 3.3):
        for _ in range(3):
            look(world, account, after=timedelta(hours=hours))
    world.flow()
    (ring,) = world.rings()
    assert (ring["type"], ring["data"]["video_id"]) == ("video.deleted", f"v{N // 2:04}")


def test_a_video_in_flight_for_too_long_is_told_once_and_its_end_still_rings(world: World) -> None:
    account = world.add_account("tavus/main", first_look_done=True, stalled_hours="2")
    now = time.time()
    world.library(account).add(video("slow", born=now, generating=9 * 3600))
    look(world, account)
    for hours in (1.9, 2.1, 3, 4):
        look(world, account, after=timedelta(hours=hours))
    world.flow()
    (stalled,) = world.rings()
    assert (stalled["type"], stalled["data"]["status"]) == ("video.stalled", "generating")
    assert stalled["data"]["seconds_in_flight"] == pytest.approx(2.1 * 3600, abs=60)
    world.clock.ahead = 9.1 * 3600
    look(world, account, after=timedelta(hours=9.1))
    world.flow()
    (done,) = world.rings()
    assert (done["type"], done["data"]["previous_status"]) == ("video.completed", "generating")
    assert done["id"] != stalled["id"]


def test_operators_hear_once_of_a_refused_key_and_once_that_it_works_again(world: World) -> None:
    account = world.add_account("heygen/main", first_look_done=True)
    world.simulator.faults.add(http_error(401), provider="heygen", times=3)
    for minutes in (0, 6, 12, 18, 24):
        look(world, account, after=timedelta(minutes=minutes))
    world.flow(after=timedelta(hours=1))
    refused, again = world.alerts()
    assert (refused["type"], again["type"]) == ("account.key_refused", "account.key_refused.cleared")
    assert "renderbell account set" in refused["data"]["remedy"]
    assert refused["data"]["account"] == "main"
    assert world.rings() == []


def test_operators_hear_of_a_listing_that_is_gone_and_of_one_that_fails_again_and_again(world: World) -> None:
    gone = world.add_account("heygen/gone", first_look_done=True)
    world.simulator.faults.add(http_error(404), provider="heygen", times=2)
    look(world, gone)
    look(world, gone)
    failing = world.add_account("tavus/failing", first_look_done=True)
    world.simulator.faults.add(http_error(503), provider="tavus", times=7)
    for _ in range(8):
        look(world, failing)
    world.flow()
    assert [alert["type"] for alert in world.alerts()] == [
        "account.listing_retired",
        "account.polls_failing",
        "account.polls_failing.cleared",
    ]


def test_an_unknown_word_keeps_polling_keeps_its_text_and_is_reported_once(world: World) -> None:
    account = world.add_account("heygen/main", first_look_done=True)
    body = {"data": [{"id": "odd", "status": "dreaming"}], "has_more": False}
    world.simulator.faults.add(http_error(200, body=body), provider="heygen", times=3)
    for _ in range(3):
        look(world, account)
    assert world.statuses(account) == {"odd": "unknown"}
    world.flow()
    (alert,) = world.alerts()
    assert (alert["type"], alert["data"]["detail"]) == ("account.unknown_status", "dreaming")


def test_a_surprise_below_the_head_rings_like_any_other_and_takes_the_licence_back_until_it_is_earned_again(
    world: World,
) -> None:
    account = watched(world, "heygen", flying=1)
    assert world.accounts.state(account).licence == "observed"
    now = time.time()
    for n in range(100):
        world.library(account).add(video(f"w{n:03}", born=now + 20 + n / 1000, generating=80_000))
    world.clock.ahead = 60
    for _ in range(4):
        look(world, account)
    world.library(account).add(video("hidden", born=now + 10))
    look(world, account)
    assert world.statuses(account).get("hidden") is None, "it stands where nothing new is to be expected"
    told = [look(world, account, after=timedelta(hours=1.1)) for _ in range(2)]
    assert sum(one["surprises"] for one in told) == 1
    for _ in range(3):
        look(world, account, after=timedelta(hours=1.2))
    world.flow(after=timedelta(hours=2))
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["hidden"]
    assert [alert["type"] for alert in world.alerts()] == ["account.order_lost", "account.order_lost.cleared"]


def test_another_scope_is_looked_at_in_silence_and_another_key_of_the_same_account_is_not(world: World) -> None:
    account = world.add_account("memories/main", video("a"), first_look_done=True)
    look(world, account)
    rotated = f"{KEY}-rotated"
    library = world.library(account)
    world.libraries["memories", rotated] = library
    put(world, account, rotated)
    began = world.accounts.state(account).first_look_began_at
    library.add(video("b", born=time.time() - 5))
    look(world, account)
    assert world.accounts.state(account).first_look_began_at == began, "the same videos: the same account"
    put(world, account, rotated, unique_id="other")
    library.add(*(video(f"old{n}", namespace="other") for n in range(5)))
    look(world, account)
    look(world, account)
    world.flow()
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["b"]


def test_a_key_to_other_videos_is_looked_at_in_silence_first(world: World) -> None:
    account = world.add_account("tavus/main", video("a"), first_look_done=True)
    look(world, account)
    other = world.library(world.add_account("tavus/other", *(video(f"theirs{n}") for n in range(4))))
    world.libraries["tavus", "their-key"] = other
    put(world, account, "their-key")
    look(world, account)
    other.add(video("new", born=time.time()))
    look(world, account)
    world.flow()
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["new"]


def put(world: World, account: AccountName, key: str, **more: str) -> None:
    """Store another key or other options, and let `poll` read them at once."""
    world.parameters.put_account(Account.of(account, key, {"base_url": world.simulator.base_url, **more}))
    world.parameters.__init__(world.prefix, boto3.client("ssm"))  # type: ignore[misc]
    world.apps["poll"].poll.parameters.__init__(world.prefix, boto3.client("ssm"))


def test_a_first_look_is_cut_anywhere_goes_on_where_it_was_and_is_silent(world: World) -> None:
    born = time.time() - 90_000
    account = world.add_account("tavus/main", *(video(f"v{n:04}", born=born + n) for n in range(400)), pages_per_poll="3")
    looks = 0
    while not world.accounts.state(account).first_look_over:
        looks += 1
        world.poll(account, seconds=300 if looks % 3 else 31)
        assert looks < 20
    assert len(world.statuses(account)) == 400
    world.flow()
    assert world.rings() == []
    assert len(world.simulator.requests) < 400 / 50 + 2 * looks + 3


def test_quiet_accounts_are_looked_at_less_often_where_the_stack_says_so(world: World) -> None:
    account = watched(world, "tavus", flying=0)
    made: Dispatch = replace(world.apps["dispatch"].dispatch, quiet_every=timedelta(minutes=10))
    now = datetime.now(UTC)
    early = sum(made.polls("tavus", now + timedelta(minutes=minute), "rate(1 minute)") for minute in range(20))
    late = sum(made.polls("tavus", now + timedelta(days=2, minutes=minute), "rate(1 minute)") for minute in range(20))
    assert (early, late) == (20, 2)
    bodies = [json.loads(body) for batch in world.batches("PollQueue") for body in batch]
    assert {body["account"] for body in bodies} == {str(account)}
