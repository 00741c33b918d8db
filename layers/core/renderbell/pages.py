"""The pages that one look reads of a listing, and the time it has for them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from renderbell.page import Page
from renderbell.providers import Provider, Reading
from renderbell.video import Sighting, Status

TIME_TO_STOP: Final = 100.0
"""Seconds before the function's end at which nothing more is asked for: one answer may take a minute to drip in."""
LONGEST_WORD: Final = 50
CLOCKS_AGREE: Final = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True)
class Pages:
    """What one look has read, in whatever reading it was."""

    provider: Provider
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    wait: Callable[[float], None]
    count: int = 0
    rows: int = 0
    read: dict[str, Sighting | None] = field(default_factory=dict)
    """Every row that was read, with what it says where it is a video."""
    notice: str | None = None
    """What the provider says of its own end, if anything."""
    unknown_words: set[str] = field(default_factory=set)
    """The words for a status that no table names."""

    @property
    def per_poll(self) -> int:
        return self.provider.account.count("pages_per_poll")

    @property
    def out_of_time(self) -> bool:
        return self.seconds_left() < TIME_TO_STOP

    def next(self, reading: Reading) -> Page:
        """Read one page more, no sooner than the provider asks for. Raises ProviderError."""
        if self.count and self.provider.seconds_between_pages:
            self.wait(self.provider.seconds_between_pages)
        asked = self.now()
        page = reading.next()
        page = replace(page, ahead=_ahead(page.at, asked, self.now()))
        self.count += 1
        self.rows += len(page.ids)
        self.read |= dict.fromkeys(page.ids) | {seen.video_id: seen for seen in page.sightings}
        self.notice = page.notice or self.notice
        self.note_words(page.sightings)
        return page

    def note_words(self, sightings: Iterable[Sighting]) -> None:
        """Note the words of what was seen, in the listing or by id, that no table names."""
        for seen in sightings:
            words = {seen.provider_status} if seen.status is Status.UNKNOWN else set()
            self.unknown_words |= {word[:LONGEST_WORD] for word in words | seen.strange if word}


def _ahead(at: datetime | None, asked: datetime, answered: datetime) -> timedelta:
    """Return by how much the provider's clock is ahead of ours, as far as an answer on its way does not explain it."""
    if at is None or asked - CLOCKS_AGREE <= at <= answered + CLOCKS_AGREE:
        return timedelta()
    return at - (asked if at < asked else answered)
