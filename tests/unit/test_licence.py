"""What a full sweep licenses, and how it goes on after an error."""

from datetime import UTC, datetime, timedelta

import pytest

from renderbell.errors import AuthError, BadResponseError, NotFoundError, ProviderError, ProviderFaultError, RateLimitedError
from renderbell.licence import FullSweep, Licence
from renderbell.page import Page, Place
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
