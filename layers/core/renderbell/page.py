"""One page of a listing, and where a reading of the listing stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from renderbell.listing import marks
from renderbell.video import Sighting

Cursor = str | None
"""Where the next page begins, in the provider's own terms. None is the first page; "0" is a page like any other."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a listing. `ids` names every row on it, `sightings` those that are videos.

    `at` is the provider's clock when it answered, `ahead` by how much that is ahead of ours, `notice` what it says of its own
    end (a Sunset or Deprecation header).
    """

    sightings: Sequence[Sighting]
    ids: Sequence[str]
    next: Cursor
    total: int | None = None
    at: datetime | None = None
    ahead: timedelta = timedelta()
    notice: str | None = None

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Return a short mark of each row, by which a later look knows it again."""
        return marks(self.ids, self.sightings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reading was put down: the next page's cursor, and what was counted up to there. `longest` is in rows."""

    cursor: Cursor = None
    pages: int = 0
    rows: int = 0
    longest: int = 1
