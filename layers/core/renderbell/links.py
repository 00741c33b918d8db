"""Puts a link of our own into the event of a completed video: it opens for weeks, where a provider's URL may end in hours."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from renderbell.events import Event
from renderbell.tokens import Tokens
from renderbell.values import iso
from renderbell.video import Status

LONGEST: Final = timedelta(days=30)
"""The topic's delivery, which a link leads back to its video by, is kept for 35 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes links for `days`; none at all for 0. `base_url` is that of the function that opens them."""

    base_url: str
    days: int
    tokens: Callable[[], Tokens]

    def linked(self, event: Event) -> Event:
        """Return the event with a link to its video, if that can be watched. The same event gets the same link every time."""
        if self.days == 0 or event.status is not Status.COMPLETED or event.data["url"] is None:
            return event
        end = event.at.replace(microsecond=0) + min(timedelta(days=self.days), LONGEST)
        link = self.base_url + self.tokens().link(event.event_id, end)
        return replace(event, data={**event.data, "link": link, "link_expires_at": iso(end)})
