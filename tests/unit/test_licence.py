"""When a full sweep is due, how it goes on after an error, what it licenses and what follows from its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from renderbell.account_state import AccountState
from renderbell.errors import AuthError, BadResponseError, NotFoundError, ProviderError, ProviderFaultError, RateLimitedError
from renderbell.licence import FullSweep, Licence
from renderbell.page import Page, Place
from renderbell.sweep_rules import ended, is_cheaper, is_due, is_listed_here, missing, order_lost
from renderbell.transitions import Known
from renderbell.video import Sighting, Status

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MIDWAY = Place(cursor="next", pages=7, rows=70, longest=10)


def sweep(*, ordered: bool | None = None, surprises: int = 0, expects_new: bool = False) -> FullSweep:
    return FullSweep(place=MIDWAY, ordered=ordered, surprises=surprises, expects_new=expects_new)


def page(*minutes: int) -> Page:
    seen = [Sighting(video_id=str(m), status=Status.COMPLETED, created_at=NOW + timedelta(minutes=m)) for m in minutes]
    return Page(sightings=seen, ids=[one.video_id for one in seen], next="more")


@pytest.mark.parametrize(
    ("ordered", "surprises", "documented", "exact", "earlier", "licence"),
    [
        (True, 0, False, False, None, Licence.OBSERVED),
        (True, 0, True, False, None, Licence.DOCUMENTED),
        (True, 1, False, True, Licence.OBSERVED, None),
        (False, 0, False, True, None, Licence.TOTAL),
        (False, 0, False, False, Licence.OBSERVED, None),
        (None, 0, False, False, Licence.OBSERVED, Licence.OBSERVED),
        (None, 0, False, False, None, None),
        (None, 0, False, True, None, Licence.TOTAL),
        (False, 3, True, False, None, Licence.DOCUMENTED),
    ],
)
def test_a_licence_is_earned_by_order_or_by_the_total_and_lost_by_a_surprise(
    ordered: bool | None,  # noqa: FBT001
    surprises: int,
    documented: bool,  # noqa: FBT001
    exact: bool,  # noqa: FBT001
    earlier: Licence | None,
    licence: Licence | None,
) -> None:
    ended = sweep(ordered=ordered, surprises=surprises)
    assert ended.licence(earlier, documented=documented, exact=exact) is licence


def test_an_order_that_was_broken_once_stays_broken_for_the_sweep() -> None:
    after = sweep(ordered=True).read(page(1, 2), MIDWAY, new=0, licensed=True).read(page(9, 8), MIDWAY, new=0, licensed=True)
    assert after.ordered is False


@pytest.mark.parametrize(("licensed", "expects_new", "counted"), [(True, False, 2), (False, False, 0), (True, True, 0)])
def test_unknown_videos_are_a_surprise_only_where_none_was_to_be_expected(
    licensed: bool,  # noqa: FBT001
    expects_new: bool,  # noqa: FBT001
    counted: int,
) -> None:
    after = sweep(expects_new=expects_new).read(page(2, 1), MIDWAY, new=2, licensed=licensed)
    assert after.surprises == counted


@pytest.mark.parametrize("error", [RateLimitedError("429"), AuthError("401")])
def test_a_provider_that_wants_to_be_left_alone_leaves_a_sweep_where_it_stood(error: ProviderError) -> None:
    assert sweep().after(error) == sweep()


@pytest.mark.parametrize(
    "error",
    [
        BadResponseError("in circles"),
        NotFoundError("404"),
        ProviderFaultError("bad token", http_status=400),
        ProviderFaultError("an error in HTTP 200", http_status=200),
        ProviderFaultError("502", http_status=502),
        ProviderFaultError("no answer"),
    ],
)
def test_a_sweep_tries_a_place_three_times_and_then_begins_anew(error: ProviderError) -> None:
    once = sweep(expects_new=True).after(error)
    twice = once.after(error)
    assert (once.place, twice.place) == (MIDWAY, MIDWAY)
    anew = twice.after(error)
    assert (anew.resumes, anew.restarts, anew.failures, anew.expects_new) == (False, 1, 0, True)
    again = once.read(page(2, 1), MIDWAY, new=0, licensed=True).after(error)
    assert again.resumes, "a good page in between, and it counts anew"


def test_a_sweep_that_had_to_begin_anew_reads_more_at_a_time_within_bounds() -> None:
    pages = [FullSweep(restarts=times).pages(10) for times in range(7)]
    assert pages == [10, 20, 40, 80, 160, 160, 160]


HOUR = timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=9)
WATCHED = AccountState(
    way="key",
    first_look_began_at=LONG_AGO,
    first_look_ended_at=LONG_AGO,
    full_sweep=FullSweep(),
    full_sweep_ended_at=NOW - HOUR,
    licence=Licence.OBSERVED,
    listed=70,
)
FIRST = AccountState(way="key", first_look_began_at=NOW - timedelta(seconds=30), full_sweep=FullSweep())


def end(state: AccountState, full: FullSweep, total: int | None = None, *, counts: bool = True) -> AccountState:
    return ended(state, full, total=total, now=NOW, documented=False, counts=counts)


@pytest.mark.parametrize(
    ("state", "licence", "total", "due"),
    [
        (replace(WATCHED, full_sweep=None), Licence.OBSERVED, None, True),
        (replace(WATCHED, full_sweep=None, full_sweep_ended_at=NOW), Licence.OBSERVED, None, False),
        (replace(WATCHED, full_sweep=None, full_sweep_ended_at=NOW), Licence.OBSERVED, 71, False),
        (replace(WATCHED, full_sweep=None, full_sweep_ended_at=NOW), Licence.TOTAL, 71, True),
        (replace(WATCHED, full_sweep=None, full_sweep_ended_at=NOW), Licence.TOTAL, 70, False),
        (replace(WATCHED, full_sweep=None, full_sweep_ended_at=NOW), None, None, True),
        (replace(WATCHED, full_sweep_ended_at=NOW), Licence.DOCUMENTED, None, True),
        (replace(FIRST, full_sweep=None, full_sweep_ended_at=NOW), Licence.DOCUMENTED, None, True),
    ],
)
def test_a_full_sweep_is_due_at_its_interval_without_a_licence_and_where_the_total_says_that_something_is_new(
    state: AccountState,
    licence: Licence | None,
    total: int | None,
    due: bool,  # noqa: FBT001
) -> None:
    assert is_due(state, licence, total=total, now=NOW, every=HOUR) is due


@pytest.mark.parametrize(("rows", "questions", "cheaper"), [(100, 4, True), (100, 3, False), (70, 9, False), (None, 9, False)])
def test_reading_on_is_cheaper_where_fewer_pages_are_left_than_questions(
    rows: int | None,
    questions: int,
    cheaper: bool,  # noqa: FBT001
) -> None:
    assert is_cheaper(MIDWAY, rows, questions) is cheaper


def test_a_listing_is_expected_to_show_what_came_on_record_in_its_own_time() -> None:
    known = Known(status=Status.GENERATING, sequence=1, since=NOW)
    assert is_listed_here(WATCHED, known, "key")
    assert not is_listed_here(WATCHED, known, "another key")
    assert not is_listed_here(WATCHED, replace(known, since=LONG_AGO - HOUR), "key")
    assert not is_listed_here(WATCHED, replace(known, since=None), "key")


def test_a_full_sweep_looks_out_for_what_the_last_one_missed_first() -> None:
    many = [f"v{n}" for n in range(150)]
    state = replace(WATCHED, missed={"v149": 1, "gone": 0, "given up": 2, "listed": 1})
    found = missing(state, many, in_flight=many, read={"listed"})
    assert found == {"gone", "v149", *many[:98]}


def test_an_end_is_put_down_with_what_it_earned() -> None:
    after = end(WATCHED, sweep(ordered=True), total=70)
    assert after == replace(WATCHED, full_sweep=None, full_sweep_ended_at=NOW)
    assert end(WATCHED, sweep(ordered=True), total=99).listed is None, "that total is not true"


def test_a_video_is_missed_twice_by_two_sweeps_that_count_and_is_missed_no_more_once_it_is_listed() -> None:
    missed = replace(sweep(), missing=frozenset({"a"}))
    once = end(WATCHED, missed)
    assert once.missed == {"a": 1}
    assert end(once, missed, counts=False) == replace(once, full_sweep=None), "it came too soon after the other"
    assert end(end(once, missed), missed).missed == {"a": 2}
    assert end(once, sweep()).missed == {}


def test_what_was_not_found_since_a_sweep_began_waits_for_the_next_one() -> None:
    state = replace(WATCHED, missed={"marked": 0})
    assert end(state, sweep()).missed == {"marked": 0}
    assert end(state, replace(sweep(), missing=frozenset({"marked"}))).missed == {"marked": 1}


def test_a_first_look_reads_again_what_lacks_rows_but_not_for_ever() -> None:
    state, reads = FIRST, 0
    while not state.first_look_over:
        full = replace(state.full_sweep or FullSweep(), place=MIDWAY)
        state, reads = end(state, full, total=71), reads + 1
    assert reads == 3
    assert end(FIRST, sweep(), total=70).first_look_ended_at == NOW
    assert end(WATCHED, sweep(), total=71).full_sweep is None, "only a first look does"


def test_a_first_look_believes_an_empty_listing_after_a_minute() -> None:
    assert end(FIRST, FullSweep()) == FIRST
    assert end(replace(FIRST, first_look_began_at=NOW - timedelta(minutes=1)), FullSweep()).first_look_over


@pytest.mark.parametrize(
    ("full", "words"),
    [
        (sweep(ordered=True), None),
        (sweep(ordered=False), "no longer listed newest first"),
        (sweep(ordered=True, surprises=2), "2 videos were found"),
    ],
)
def test_a_licence_that_is_lost_is_told_with_the_reason(full: FullSweep, words: str | None) -> None:
    told = order_lost(WATCHED, end(WATCHED, full), full)
    assert told is words if words is None else words in str(told)
    assert order_lost(FIRST, end(FIRST, full), full) is None, "there was none to lose"
