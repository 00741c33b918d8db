"""What polls cost is counted by the hour, kept for a day, and added up without losing what others counted."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from renderbell.spending import Spending, Spent, Tally, hour_of

NOON = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
ONE = Spent(polls=1, requests=2, read_units=1.5, write_units=3.0)


def tally(*ats: datetime, well: bool = True) -> Tally:
    made = Tally(began=ats[0], polled_at=ats[0])
    for at in ats:
        made.add(ONE, at, well=well)
    return made


def test_polls_of_one_hour_are_one_sum() -> None:
    spending = Spending().with_(tally(NOON, NOON + timedelta(minutes=1)))
    assert dict(spending.hours) == {"2026-11-25T12": Spent(polls=2, requests=4, read_units=3.0, write_units=6.0)}


def test_the_last_day_is_this_hour_and_the_23_before() -> None:
    spending = Spending()
    for hours in range(30):
        spending = spending.with_(tally(NOON - timedelta(hours=29 - hours)))
    assert spending.last_day(NOON).polls == 24
    assert len(spending.hours) == 24, "what is older is forgotten"
    assert spending.last_day(NOON + timedelta(days=2)) == Spent()


def test_what_two_functions_counted_is_added() -> None:
    both = Spending().with_(tally(NOON)).with_(tally(NOON, NOON))
    assert both.last_day(NOON).polls == 3
    assert both.version == 2


def test_the_last_poll_is_the_latest_whoever_wrote_it_down_last() -> None:
    late, early = tally(NOON), tally(NOON - timedelta(minutes=4))
    assert Spending().with_(late).with_(early).polled_at == NOON


def test_a_poll_that_failed_is_a_poll_but_not_a_good_one() -> None:
    spending = Spending().with_(tally(NOON - timedelta(minutes=4))).with_(tally(NOON, well=False))
    assert (spending.polled_at, spending.polled_well_at) == (NOON, NOON - timedelta(minutes=4))


@given(st.lists(st.integers(0, 60 * 24 * 3), min_size=1, max_size=60))
def test_no_poll_of_the_last_23_hours_is_ever_forgotten_and_none_is_counted_twice(minutes: list[int]) -> None:
    spending, end = Spending(), NOON + timedelta(days=3)
    for minute in sorted(minutes):
        spending = spending.with_(tally(NOON + timedelta(minutes=minute)))
    recent = sum(NOON + timedelta(minutes=minute) > end - timedelta(hours=23) for minute in minutes)
    within = sum(hour_of(NOON + timedelta(minutes=minute)) > hour_of(end - timedelta(hours=24)) for minute in minutes)
    assert recent <= spending.last_day(end).polls == within
