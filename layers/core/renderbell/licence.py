"""What licenses a look to stop at the head of a listing, and the full sweep that earns the licence or takes it back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from renderbell.errors import AuthError, ProviderError, RateLimitedError
from renderbell.listing import newest_first
from renderbell.page import Page, Place

CARRIED: Final = 100
"""Videos in flight of which a full sweep remembers that it has not come across them."""

FAILURES_TO_RESTART: Final = 3
MOST_DOUBLED: Final = 4


class Licence(StrEnum):
    """Why nothing new can hide below the head."""

    DOCUMENTED = "documented"
    """The provider documents that the newest come first."""
    OBSERVED = "observed"
    """The last full sweep saw the newest first, all the way."""
    TOTAL = "total"
    """The provider's total is what was counted: a new video would show in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullSweep:
    """A pass over the whole listing while it is under way, spread over as many polls as it takes.

    `missing` are videos in flight that it has not come across, the oldest first and not more than it can carry. `ordered` is
    whether its rows stood newest first so far, None while they could not tell. `expects_new` says that unknown videos are
    no surprise to it: the head did not reach down to a known one. `surprises` counts those that were.
    """

    place: Place = field(default_factory=Place)
    missing: frozenset[str] = frozenset()
    ordered: bool | None = None
    expects_new: bool = False
    surprises: int = 0
    passes: int = 1
    failures: int = 0
    """Errors in a row at this place."""
    restarts: int = 0
    """How often it had to begin anew. More pages are read at one poll then, and the provider's total is not relied upon."""

    @property
    def resumes(self) -> bool:
        return self.place.pages > 0

    def began(self, head: Collection[Page], place: Place) -> "FullSweep":
        """Return this sweep after the head, with which every sweep begins."""
        return replace(self, ordered=newest_first(seen for page in head for seen in page.sightings), place=place)

    def read(self, page: Page, place: Place, *, new: int, licensed: bool) -> "FullSweep":
        """Return this sweep after one page more, `new` of whose videos were on nobody's record."""
        ordered = newest_first(page.sightings)
        return replace(
            self,
            place=place,
            failures=0,
            ordered=self.ordered if ordered is None else ordered and self.ordered is not False,
            surprises=self.surprises + (new if licensed and not self.expects_new else 0),
        )

    def came_across(self, rows: Iterable[str]) -> "FullSweep":
        """Return this sweep after these rows were read: what was listed is not missing."""
        return replace(self, missing=self.missing.difference(rows))

    def pages(self, a_poll: int) -> int:
        """Return how many pages one poll may read, where `a_poll` is the usual number."""
        return a_poll << min(self.restarts, MOST_DOUBLED)

    def after(self, error: ProviderError) -> "FullSweep":
        """Return this sweep after an error: where it stood, or at the beginning when it failed there again and again.

        The provider may have forgotten the cursor, or its listing may lead in circles, or say a total that is none.
        """
        if isinstance(error, AuthError | RateLimitedError):
            return self
        if self.failures + 1 < FAILURES_TO_RESTART:
            return replace(self, failures=self.failures + 1)
        return replace(self, place=Place(), ordered=None, failures=0, restarts=self.restarts + 1)

    def licence(self, earlier: Licence | None, *, documented: bool, exact: bool) -> Licence | None:
        """Return what this sweep, at its end, licenses. `exact` says that the provider's total is what was counted."""
        if documented:
            return Licence.DOCUMENTED
        if self.surprises:
            return None
        if self.ordered:
            return Licence.OBSERVED
        return Licence.TOTAL if exact else (earlier if self.ordered is None else None)
