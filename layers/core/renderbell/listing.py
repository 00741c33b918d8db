"""What can be concluded from the rows of a listing alone: whether it changed, what moved in it, how it is ordered."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from renderbell.video import Sighting

ORDER_KEPT: Final = 40
"""Rows of a head whose order is remembered."""


def digest(ids: Sequence[str], sightings: Iterable[Sighting]) -> str:
    """Return a mark of a page that changes with its rows, their order and their statuses.

    Nothing else counts: URLs are signed anew at every look, progress and titles change by themselves.
    """
    told = [f"{seen.video_id}\t{seen.status}\t{seen.provider_status}\t{seen.conclusive}" for seen in sightings]
    return hashlib.sha256("\n".join([*ids, "", *told]).encode()).hexdigest()[:32]


def order(ids: Sequence[str]) -> Sequence[str]:
    """Return the beginning of a page's order as short marks, for `moved` to compare a later page with."""
    return [_mark(video_id) for video_id in ids[:ORDER_KEPT]]


def moved(before: Sequence[str], ids: Sequence[str]) -> frozenset[str]:
    """Return the rows that may have been updated since `before`, in a listing that shows the last updated first.

    Those that stayed in their order at the bottom did not move. The first row may have been updated where it stood. A row
    that `before` did not reach down to is not told to have moved, unless it stands above one that is.
    """
    rank = {mark: place for place, mark in enumerate(before)}
    lowest, top = len(before), len(ids)
    for place in range(len(ids) - 1, -1, -1):
        at = rank.get(_mark(ids[place]))
        if at is None and place >= len(before):
            continue
        if at is None or at >= lowest:
            top = place
            break
        lowest = at
    else:
        return frozenset(ids[:1])
    return frozenset(ids[: top + 1])


def newest_first(sightings: Iterable[Sighting]) -> bool | None:
    """Say whether these rows stand newest first by their `created_at`; None when they cannot tell."""
    times = [seen.created_at for seen in sightings if seen.created_at is not None]
    if len(set(times)) < 2:  # noqa: PLR2004 - two moments make an order
        return None
    return all(earlier >= later for earlier, later in pairwise(times))


def _mark(video_id: str) -> str:
    return hashlib.sha256(video_id.encode()).hexdigest()[:8]
