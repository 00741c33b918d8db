"""What a sighting changes and whether anyone is told. These tables are the specification of `transitions`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.transitions import FirstLook, Known, Transition, transition
from renderbell.video import Sighting, Status

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BEGAN: Final = NOW - timedelta(hours=1)
BEFORE: Final = BEGAN - timedelta(seconds=1)

# "-" is no change, "silent" a change that is recorded, "RINGS" one that the world is told.
KNOWN_AND_SEEN: Final = """
known       queued  generating  completed  failed  deleted  unknown
nothing     silent  silent      RINGS      RINGS   RINGS    silent
queued      -       silent      RINGS      RINGS   RINGS    silent
generating  silent  -           RINGS      RINGS   RINGS    silent
completed   -       -           -          -       RINGS    -
failed      -       -           -          -       RINGS    -
deleted     -       -           -          -       -        -
unknown     silent  silent      RINGS      RINGS   RINGS    -
"""
WHERE_IT_RESTARTS: Final = """
known       queued  generating  completed  failed  deleted  unknown
nothing     silent  silent      RINGS      RINGS   RINGS    silent
queued      -       silent      RINGS      RINGS   RINGS    silent
generating  silent  -           RINGS      RINGS   RINGS    silent
completed   silent  silent      -          -       RINGS    -
failed      silent  silent      -          -       RINGS    -
deleted     -       -           -          -       -        -
unknown     silent  silent      RINGS      RINGS   RINGS    -
"""


def cells(table: str) -> list[tuple[Status | None, Status, str]]:
    heads, *rows = [line.split() for line in table.strip().splitlines()]
    return [
        (None if row[0] == "nothing" else Status(row[0]), Status(seen), cell)
        for row in rows
        for seen, cell in zip(heads[1:], row[1:], strict=True)
    ]


def sighting(status: Status = Status.COMPLETED, *, created_at: datetime | None = None, conclusive: bool = True) -> Sighting:
    return Sighting(video_id="v1", status=status, created_at=created_at, conclusive=conclusive)


def in_a_word(change: Transition | None) -> str:
    if change is None:
        return "-"
    return "RINGS" if change.rings else "silent"


def known_as(status: Status | None, sequence: int = 7) -> Known | None:
    return None if status is None else Known(status=status, sequence=sequence)


@pytest.mark.parametrize("table", [KNOWN_AND_SEEN, WHERE_IT_RESTARTS])
def test_the_tables_hold_every_pair_of_statuses_once(table: str) -> None:
    pairs = [(known, seen) for known, seen, _ in cells(table)]

    assert len(pairs) == len(set(pairs)) == (len(Status) + 1) * len(Status)


@pytest.mark.parametrize(("known", "seen", "outcome"), cells(KNOWN_AND_SEEN))
def test_final_is_sticky_and_every_other_change_is_recorded(known: Status | None, seen: Status, outcome: str) -> None:
    assert in_a_word(transition(known_as(known), sighting(seen), at=NOW)) == outcome


@pytest.mark.parametrize(("known", "seen", "outcome"), cells(WHERE_IT_RESTARTS))
def test_a_finished_video_starts_again_only_where_its_provider_does_that(
    known: Status | None, seen: Status, outcome: str
) -> None:
    assert in_a_word(transition(known_as(known), sighting(seen), at=NOW, restarts=True)) == outcome


def test_a_transition_says_what_was_seen_what_was_before_and_when() -> None:
    seen = sighting(Status.COMPLETED)

    change = transition(Known(status=Status.GENERATING, sequence=2), seen, at=NOW)

    assert change == Transition(seen=seen, previous=Status.GENERATING, sequence=3, at=NOW, rings=True)


def test_the_first_transition_of_a_video_has_sequence_one_and_nothing_before_it() -> None:
    change = transition(None, sighting(Status.QUEUED), at=NOW)

    assert change is not None
    assert (change.sequence, change.previous) == (1, None)


def test_new_words_about_the_same_status_are_no_change() -> None:
    seen = replace(sighting(), url="https://cdn.example/v1?signature=new", title="another", provider_status="READY")

    assert transition(Known(status=Status.COMPLETED, sequence=1), seen, at=NOW) is None


@pytest.mark.parametrize(
    ("seen", "above_known", "announces", "outcome"),
    [
        # What was there before the look began is recorded in silence ...
        (sighting(Status.COMPLETED, created_at=BEFORE), False, False, "silent"),
        (sighting(Status.FAILED, created_at=BEFORE), False, False, "silent"),
        (sighting(Status.DELETED, created_at=BEFORE), False, False, "silent"),
        (sighting(Status.COMPLETED), False, False, "silent"),
        # ... whatever stands below it: its own date says more than its place.
        (sighting(Status.COMPLETED, created_at=BEFORE), True, False, "silent"),
        # What is born while the look is under way rings: by its date, or by its place when it has none.
        (sighting(Status.COMPLETED, created_at=BEGAN), False, False, "RINGS"),
        (sighting(Status.FAILED, created_at=NOW), False, False, "RINGS"),
        (sighting(Status.DELETED, created_at=NOW), False, False, "RINGS"),
        (sighting(Status.COMPLETED), True, False, "RINGS"),
        # The account's option rings for all of them.
        (sighting(Status.COMPLETED, created_at=BEFORE), False, True, "RINGS"),
        (sighting(Status.COMPLETED), False, True, "RINGS"),
        # What is in flight is recorded; nothing has ended.
        (sighting(Status.QUEUED, created_at=NOW), True, True, "silent"),
        (sighting(Status.GENERATING, created_at=BEFORE), False, False, "silent"),
        (sighting(Status.UNKNOWN, created_at=NOW), True, True, "silent"),
    ],
)
def test_the_first_look_is_silent_about_what_was_there_before(
    seen: Sighting, *, above_known: bool, announces: bool, outcome: str
) -> None:
    look = FirstLook(began=BEGAN, announces=announces)

    change = transition(None, seen, at=NOW, first_look=look, above_known=above_known)

    assert in_a_word(change) == outcome
    assert change is not None
    assert change.sequence == 1


def test_a_video_in_flight_when_the_first_look_found_it_rings_when_it_ends_during_that_look() -> None:
    found = transition(None, sighting(Status.GENERATING, created_at=BEFORE), at=NOW, first_look=FirstLook(began=BEGAN))
    assert found is not None
    known = Known(status=found.seen.status, sequence=found.sequence)

    change = transition(known, sighting(Status.COMPLETED, created_at=BEFORE), at=NOW, first_look=FirstLook(began=BEGAN))

    assert change is not None
    assert (change.rings, change.sequence) == (True, 2)


def test_a_video_first_seen_final_after_the_first_look_rings_however_old_it_is() -> None:
    change = transition(None, sighting(Status.COMPLETED, created_at=NOW - timedelta(days=400)), at=NOW)

    assert in_a_word(change) == "RINGS"


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(("created_at", "above_known"), [(None, False), (BEFORE, False), (BEFORE, True)])
def test_what_the_first_look_cannot_establish_is_recorded_in_silence_as_sequence_zero(
    status: Status, created_at: datetime | None, *, above_known: bool
) -> None:
    seen = sighting(status, created_at=created_at, conclusive=False)

    change = transition(None, seen, at=NOW, first_look=FirstLook(began=BEGAN), above_known=above_known)

    recorded = replace(seen, status=Status.GENERATING) if status.final else seen
    assert change == Transition(seen=recorded, previous=None, sequence=0, at=NOW, rings=False)


@pytest.mark.parametrize(
    ("seen", "above_known", "announces"),
    [
        (sighting(Status.GENERATING, created_at=BEGAN, conclusive=False), False, False),
        (sighting(Status.GENERATING, conclusive=False), True, False),
        (sighting(Status.GENERATING, created_at=BEFORE, conclusive=False), False, True),
    ],
)
def test_what_is_born_during_the_first_look_is_no_part_of_it_and_rings_at_its_end(
    seen: Sighting, *, above_known: bool, announces: bool
) -> None:
    look = FirstLook(began=BEGAN, announces=announces)
    found = transition(None, seen, at=NOW, first_look=look, above_known=above_known)
    assert found == Transition(seen=seen, previous=None, sequence=1, at=NOW, rings=False)

    end = transition(Known(status=seen.status, sequence=1), sighting(Status.COMPLETED), at=NOW, first_look=look)

    assert end is not None
    assert (end.sequence, end.previous, end.rings) == (2, Status.GENERATING, True)


@pytest.mark.parametrize("known", Status)
@pytest.mark.parametrize("seen", Status)
@pytest.mark.parametrize("first_look", [None, FirstLook(began=BEGAN)])
def test_the_first_conclusive_sighting_of_sequence_zero_is_still_part_of_the_silent_look(
    known: Status, seen: Status, first_look: FirstLook | None
) -> None:
    change = transition(Known(status=known, sequence=0), sighting(seen, created_at=NOW), at=NOW, first_look=first_look)

    assert change is not None, "even the same status is news: now it is established"
    assert (change.sequence, change.previous, change.rings) == (1, None, False)


@pytest.mark.parametrize("seen", Status)
def test_sequence_zero_rings_for_an_end_where_the_account_wants_to_hear_of_what_was_there(seen: Status) -> None:
    look = FirstLook(began=BEGAN, announces=True)

    change = transition(Known(status=Status.GENERATING, sequence=0), sighting(seen, created_at=BEFORE), at=NOW, first_look=look)

    assert in_a_word(change) == ("RINGS" if seen.final else "silent")


def test_once_established_a_video_of_sequence_zero_rings_at_its_end_like_any_other() -> None:
    established = transition(Known(status=Status.GENERATING, sequence=0), sighting(Status.GENERATING), at=NOW)
    assert established is not None
    known = Known(status=established.seen.status, sequence=established.sequence)

    change = transition(known, sighting(Status.COMPLETED), at=NOW)

    assert change is not None
    assert (change.sequence, change.previous, change.rings) == (2, Status.GENERATING, True)


@pytest.mark.parametrize("known", Status)
@pytest.mark.parametrize("seen", Status)
@pytest.mark.parametrize("sequence", [0, 1, 7])
def test_an_inconclusive_sighting_changes_nothing_on_record(known: Status, seen: Status, sequence: int) -> None:
    for restarts in (False, True):
        for first_look in (None, FirstLook(began=BEGAN, announces=True)):
            change = transition(
                Known(status=known, sequence=sequence),
                sighting(seen, conclusive=False),
                at=NOW,
                first_look=first_look,
                restarts=restarts,
            )
            assert change is None


def test_an_inconclusive_sighting_of_a_new_video_puts_it_on_record_as_in_flight() -> None:
    change = transition(None, sighting(Status.GENERATING, conclusive=False), at=NOW)

    assert change is not None
    assert (change.sequence, change.rings) == (1, False)


# Properties: whatever order sightings arrive in, late, stale or repeated.


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One sighting together with what the sweep knew when it saw it."""

    seen: Sighting
    first_look: FirstLook | None
    above_known: bool


STATUSES = st.sampled_from(Status)
SIGHTINGS = st.builds(
    sighting,
    STATUSES,
    created_at=st.sampled_from([None, BEFORE, BEGAN, NOW]),
    conclusive=st.booleans(),
)
FIRST_LOOKS = st.none() | st.builds(FirstLook, began=st.just(BEGAN), announces=st.booleans())
LOOKS = st.lists(st.builds(Look, seen=SIGHTINGS, first_look=FIRST_LOOKS, above_known=st.booleans()), max_size=20)
ESTABLISHED = st.lists(
    st.builds(Look, seen=st.builds(sighting, STATUSES), first_look=st.none(), above_known=st.just(False)), max_size=20
)


def watch(looks: Sequence[Look], known: Known | None = None, *, restarts: bool = False) -> list[Transition]:
    """Return the transitions that a life of looks records, one after the other."""
    changes: list[Transition] = []
    for look in looks:
        change = transition(
            known, look.seen, at=NOW, first_look=look.first_look, above_known=look.above_known, restarts=restarts
        )
        if change is not None:
            changes.append(change)
            known = Known(status=change.seen.status, sequence=change.sequence)
    return changes


def ends(changes: Sequence[Transition]) -> list[Transition]:
    return [change for change in changes if change.seen.status in {Status.COMPLETED, Status.FAILED}]


@given(looks=LOOKS)
def test_a_video_rings_at_most_once_for_completed_or_failed_and_once_for_deleted(looks: list[Look]) -> None:
    rung = [change.seen.status for change in watch(looks) if change.rings]

    assert len([status for status in rung if status in {Status.COMPLETED, Status.FAILED}]) <= 1
    assert rung.count(Status.DELETED) <= 1


@given(looks=LOOKS)
def test_a_video_that_restarts_rings_at_most_once_for_each_time_it_was_made(looks: list[Look]) -> None:
    changes = watch(looks, restarts=True)
    restarted = [
        change for change in changes if change.previous is not None and change.previous.final and not change.seen.status.final
    ]

    assert len([change for change in ends(changes) if change.rings]) <= 1 + len(restarted)
    assert len([change for change in changes if change.seen.status is Status.DELETED and change.rings]) <= 1


@given(looks=ESTABLISHED)
def test_no_end_is_lost(looks: list[Look]) -> None:
    rung = [change.seen.status for change in watch(looks) if change.rings]
    seen_final = [look.seen.status for look in looks if look.seen.status.final]

    assert rung[:1] == seen_final[:1], "the first end that is seen is the one that rings"
    assert (Status.DELETED in rung) == (Status.DELETED in seen_final)


@given(looks=LOOKS, restarts=st.booleans())
def test_the_sequence_grows_by_one_and_each_transition_follows_from_the_one_before(
    looks: list[Look], *, restarts: bool
) -> None:
    changes = watch(looks, restarts=restarts)

    first = changes[0].sequence if changes else 0
    assert first in {0, 1}
    assert [change.sequence for change in changes] == list(range(first, first + len(changes)))
    for before, after in pairwise(changes):
        assert after.previous == (None if before.sequence == 0 else before.seen.status)


@given(looks=LOOKS, restarts=st.booleans())
def test_only_an_end_rings(looks: list[Look], *, restarts: bool) -> None:
    assert all(change.seen.status.final for change in watch(looks, restarts=restarts) if change.rings)


@given(looks=LOOKS, restarts=st.booleans())
def test_unknown_words_never_ring_and_never_hide_an_end(looks: list[Look], *, restarts: bool) -> None:
    unknown = [replace(look, seen=replace(look.seen, status=Status.UNKNOWN)) for look in looks]
    end = Look(seen=sighting(Status.COMPLETED), first_look=None, above_known=False)

    *before, last = watch([*unknown, end], restarts=restarts)

    assert not any(change.rings for change in before)
    assert last.seen is end.seen
    assert last.rings == (not before or before[-1].sequence > 0), "silent only where the first look had not established it"


@given(looks=LOOKS, repeats=st.lists(st.integers(1, 3), min_size=20, max_size=20), restarts=st.booleans())
def test_a_sighting_that_arrives_again_changes_nothing(looks: list[Look], repeats: list[int], *, restarts: bool) -> None:
    stuttered = [look for look, times in zip(looks, repeats, strict=False) for _ in range(times)]

    assert watch(stuttered, restarts=restarts) == watch(looks, restarts=restarts)


@given(looks=LOOKS.filter(lambda looks: any(look.seen.status is Status.DELETED for look in looks)), stale=LOOKS)
def test_nothing_follows_deleted(looks: list[Look], stale: list[Look]) -> None:
    deleted = Known(status=Status.DELETED, sequence=3)

    assert watch([*looks, *stale], deleted) == []
    assert watch([*looks, *stale], deleted, restarts=True) == []


@given(looks=ESTABLISHED)
def test_replaying_the_sightings_of_an_ended_video_changes_nothing(looks: list[Look]) -> None:
    looks = [*looks, Look(seen=sighting(Status.COMPLETED), first_look=None, above_known=False)]
    changes = watch(looks)
    end = Known(status=changes[-1].seen.status, sequence=changes[-1].sequence)

    assert end.status.final
    assert watch(looks, end) == []


@given(status=st.sampled_from([Status.COMPLETED, Status.FAILED]), stale=LOOKS, sequence=st.integers(1, 9))
def test_stale_pages_cannot_unfinish_a_video(status: Status, stale: list[Look], sequence: int) -> None:
    changes = watch(stale, Known(status=status, sequence=sequence))

    assert [change.seen.status for change in changes] in ([], [Status.DELETED])


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED])
@pytest.mark.parametrize("look", [None, FirstLook(began=BEGAN)])
def test_an_inconclusive_end_of_a_new_video_is_not_believed(status: Status, look: FirstLook | None) -> None:
    change = transition(None, sighting(status, conclusive=False), at=NOW, first_look=look)
    assert change is not None
    assert (change.seen.status, change.rings) == (Status.GENERATING, False)
