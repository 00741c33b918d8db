"""What the steps of one look share."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from renderbell.licence import Licence
from renderbell.notebook import Notebook
from renderbell.pages import Pages
from renderbell.providers import Provider
from renderbell.recording import Recording
from renderbell.report import Report
from renderbell.video import AccountName


@dataclass(slots=True, kw_only=True)
class Scene:
    """One account while it is looked at: its provider, what is noted of it, what is read, recorded and reported."""

    provider: Provider
    client: httpx.Client
    now: Callable[[], datetime]
    last_well: Callable[[], datetime | None]
    """When a poll of the account last went well, as far as it is noted: never later than it did."""
    notebook: Notebook
    pages: Pages
    recording: Recording
    report: Report
    updated: frozenset[str] = frozenset()
    """Rows at the head that may have been updated since the look before, where the listing shows no end."""
    asked: set[str] = field(default_factory=set)
    """Videos that were asked for by id, and of which the provider said something, if only that it knows nothing."""

    @property
    def account(self) -> AccountName:
        return self.provider.account.name

    @property
    def licence(self) -> Licence | None:
        """Why nothing new can be hiding below the head, if it cannot."""
        return Licence.DOCUMENTED if self.provider.newest_first else self.notebook.state.licence

    def count(self, name: str) -> int:
        return self.provider.account.count(name)

    def unread(self) -> Sequence[str]:
        """Return the videos in flight that the listing did not show to this look."""
        return [video_id for video_id in self.recording.in_flight if video_id not in self.pages.read]

    @property
    def stalled_after(self) -> timedelta:
        return timedelta(hours=self.count("stalled_hours"))

    def overdue(self) -> frozenset[str]:
        """Return what is in flight for so long that nobody waits for it by the second any more."""
        since = self.now() - self.stalled_after
        flying = self.recording.in_flight.items()
        return frozenset(video_id for video_id, known in flying if known.since is not None and known.since <= since)


def shuffled(video_ids: Sequence[str]) -> Sequence[str]:
    """Return these in random order: where a look can take only some of them, none waits for ever."""
    return random.sample(video_ids, len(video_ids))
