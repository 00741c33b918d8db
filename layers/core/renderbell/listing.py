"""What can be concluded from the rows of a listing alone: whether it changed, what moved in it, how it is ordered."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from renderbell.video import Sighting

ID_PART: Final = 4
"""Characters of a mark that stand for the row's id alone; the other four stand for the id and its status."""

NO_ROW: Final = "." * 8
"""The mark of no row."""


def marks(ids: Sequence[str], sightings: Iterable[Sighting]) -> tuple[str, ...]:
    """Return a short mark of each row, by which a later look knows it again.

    It changes with the row's id and status and with nothing else: URLs are signed anew at every look, progress and titles
    change by themselves. Eight characters a row, so that the marks of a page are one small read.
    """
    said = {seen.video_id: f"{seen.status}\t{seen.provider_status}\t{seen.conclusive}" for seen in sightings}
    return tuple(_hash(video_id) + _hash(f"{video_id}\t{said.get(video_id, '')}") for video_id in ids)


def moved(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many of the rows from the top may have been updated, where a listing shows the last updated first.

    `before` and `after` are the marks of its first page then and now. Rows that kept their order at the bottom did not
    move. The first row may have been updated where it stood.
    """
    rank = {mark[:ID_PART]: place for place, mark in enumerate(before)}
    lowest = len(before)
    for place in range(len(after) - 1, -1, -1):
        at = rank.get(after[place][:ID_PART])
        if at is None and place >= len(before):
            continue
        if at is None or at >= lowest:
            return place + 1
        lowest = at
    return min(1, len(after))


def without(before: Sequence[str], video_ids: Iterable[str]) -> tuple[str, ...]:
    """Return marks as if some rows had been others: to the next look these have moved."""
    others = {_hash(video_id) for video_id in video_ids}
    return tuple(NO_ROW if mark[:ID_PART] in others else mark for mark in before)


def newest_first(sightings: Iterable[Sighting]) -> bool | None:
    """Say whether these rows stand newest first by their `created_at`; None when they cannot tell."""
    times = [seen.created_at for seen in sightings if seen.created_at is not None]
    if len(set(times)) < 2:  # noqa: PLR2004 - two moments make an order
        return None
    return all(earlier >= later for earlier, later in pairwise(times))


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:3]).decode()
