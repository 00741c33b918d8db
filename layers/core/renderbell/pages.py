"""The pages that one look reads of a listing, and the time it has for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from renderbell.page import Page
from renderbell.providers import Provider, Reading
from renderbell.video import Sighting, Status

TIME_TO_STOP: Final = 100.0
"""Seconds before the function's end at which nothing more is asked for: one answer may take a minute to drip in."""
LONGEST_WORD: Final = 50


@dataclass(slots=True, kw_only=True)
class Pages:
    """What one look has read, in whatever reading it was."""

    provider: Provider
    seconds_left: Callable[[], float]
    wait: Callable[[float], None]
    count: int = 0
    rows: int = 0
    read: dict[str, Sighting | None] = field(default_factory=dict)
    """Every row that was read, with what it says where it is a video."""
    notice: str | None = None
    """What the provider says of its own end, if anything."""

    @property
    def per_poll(self) -> int:
        return self.provider.account.count("pages_per_poll")

    @property
    def out_of_time(self) -> bool:
        return self.seconds_left() < TIME_TO_STOP

    @property
    def unknown_words(self) -> frozenset[str]:
        """The words for a status that no table names."""
        unknown = (seen for seen in self.read.values() if seen is not None and seen.status is Status.UNKNOWN)
        return frozenset(seen.provider_status[:LONGEST_WORD] for seen in unknown if seen.provider_status)

    def next(self, reading: Reading) -> Page:
        """Read one page more, no sooner than the provider asks for. Raises ProviderError."""
        if self.count and self.provider.seconds_between_pages:
            self.wait(self.provider.seconds_between_pages)
        page = reading.next()
        self.count += 1
        self.rows += len(page.ids)
        self.read |= dict.fromkeys(page.ids) | {seen.video_id: seen for seen in page.sightings}
        self.notice = page.notice or self.notice
        return page
