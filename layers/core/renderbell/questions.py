"""What to ask for by id, and in which order, where a look cannot ask for all. Pure: chance is in the order they are given."""

from collections.abc import Container, Mapping, Sequence
from typing import Final

from renderbell.account_state import TWICE

OVERDUE_LOOKUPS: Final = 1
"""Look-up requests a look spends on what has been in flight for longer than `stalled_hours`: some of it never ends."""


def awaited_first(unread: Sequence[str], overdue: Container[str], *, bulk: int) -> Sequence[str]:
    """Return what to ask for of what was not read: all that is awaited, then of the overdue what few requests can hold."""
    awaited = [video_id for video_id in unread if video_id not in overdue]
    late = [video_id for video_id in unread if video_id in overdue]
    return [*awaited, *late[: OVERDUE_LOOKUPS * bulk]]


def moved_up(waiting: Sequence[str], updated: Container[str], born: Container[str]) -> Sequence[str]:
    """Return what moved to the top of a listing that shows no end, and is not new there: it may have ended."""
    return [video_id for video_id in waiting if video_id in updated and video_id not in born]


def born_first(resting: Sequence[str], born: Container[str], *, most: int) -> Sequence[str]:
    """Return some of those that did not move, new ones first."""
    return sorted(resting, key=lambda video_id: video_id not in born)[:most]


def to_be_judged(video_ids: Sequence[str], missed: Mapping[str, int], *, most: int) -> Sequence[str]:
    """Return some of what the first look could not judge.

    What a look-up did not find is left out until two full sweeps have missed it.
    """
    return [video_id for video_id in dict.fromkeys(video_ids) if missed.get(video_id, TWICE) >= TWICE][:most]
