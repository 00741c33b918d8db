"""Looks between two ticks: queued at once, ending with the tick, never reaching into the next."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from renderbell.chain import HINT_GAP, LONGEST_DELAY, look_for_hint, looks

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS = st.integers(5, 900).map(lambda seconds: timedelta(seconds=seconds))


def test_within_a_minute_there_are_three_looks_fifteen_seconds_apart() -> None:
    delays, until = looks(NOW, NOW + timedelta(minutes=1), timedelta(seconds=15))
    assert [delay.total_seconds() for delay in delays] == [15, 30, 45]
    assert until == NOW + timedelta(minutes=1)


def test_a_look_that_no_schedule_began_is_followed_for_a_minute() -> None:
    assert looks(NOW, None, timedelta(seconds=15)) == looks(NOW, NOW + timedelta(minutes=1), timedelta(seconds=15))


def test_a_tick_that_is_over_already_is_followed_by_none() -> None:
    assert looks(NOW, NOW - timedelta(seconds=3), timedelta(seconds=15))[0] == []


@given(interval=SECONDS, ahead=st.integers(-60, 7200))
def test_looks_keep_their_distance_stay_within_what_a_message_can_be_delayed_and_end_before_the_tick(
    interval: timedelta, ahead: int
) -> None:
    ends = NOW + timedelta(seconds=ahead)
    delays, until = looks(NOW, ends, interval)
    assert delays == [interval * (place + 1) for place in range(len(delays))]
    assert all(delay <= LONGEST_DELAY and NOW + delay < ends for delay in delays)
    assert until <= ends
    if delays:
        assert until - (NOW + delays[-1]) <= interval * 1.5, "no gap is longer than an interval and a half"


def test_the_first_hint_causes_a_look_at_once() -> None:
    assert look_for_hint(NOW, None) == (0, NOW + HINT_GAP)


def test_of_a_burst_the_second_causes_one_look_after_it_and_the_rest_none() -> None:
    delays, free_from = [], None
    for milliseconds in range(0, 4000, 100):
        now = NOW + timedelta(milliseconds=milliseconds)
        found = look_for_hint(now, free_from)
        if found is not None:
            delay, free_from = found
            delays.append(delay)
    assert delays == [0, 5]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=200))
def test_hints_of_any_rhythm_cause_looks_that_keep_their_distance_and_each_hint_is_followed_by_one(gaps: list[int]) -> None:
    now, free_from = NOW, None
    looks_at: list[datetime] = []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        found = look_for_hint(now, free_from)
        if found is not None:
            delay, free_from = found
            looks_at.append(now + timedelta(seconds=delay))
        assert now <= looks_at[-1] <= now + HINT_GAP + timedelta(seconds=1), "a look begins after the hint, and soon"
    assert all(later - sooner >= HINT_GAP - timedelta(seconds=1) for sooner, later in pairwise(looks_at))
