"""What the widget shows, as data: what is in flight, what ended, how accounts fare, what does not arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from renderbell.deliveries import DeliveryStatus
from renderbell.events import VideoRecord
from renderbell.video import AccountName

DEFAULT_STACK: Final = "renderbell"
"""The stack that the command line speaks to where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """How one account fares. `well` is None as long as it was not looked at."""

    name: AccountName
    words: str
    well: bool | None
    polled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery that does not arrive."""

    endpoint_id: str
    event_id: str
    event_type: str
    title: str | None
    status: DeliveryStatus
    reason: str | None
    attempts: int
    next_attempt_at: datetime | None
    can_retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLine:
    """An endpoint that fails, rests or holds events. `word` is its state in one."""

    endpoint_id: str
    url: str
    word: str
    words: str
    since: datetime | None
    waiting: Sequence[Waiting]
    more: bool = False
    """Whether there are more deliveries than these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that a page shows."""

    now: datetime
    command: str = "renderbell"
    """How the command line is called for this stack: every command that people may copy begins so."""
    flying: Sequence[VideoRecord] = ()
    more_flying: bool = False
    """Whether more are in flight than were read."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """Seconds that a video usually takes, by provider."""
    ended: Sequence[VideoRecord] = ()
    accounts: Sequence[AccountLine] = ()
    endpoints: Sequence[EndpointLine] = ()

    def age(self, video: VideoRecord) -> float:
        """Return for how many seconds a video has been in flight."""
        return max(0.0, (self.now - video.began).total_seconds())

    def seconds_left(self, video: VideoRecord) -> float | None:
        """Return in how many seconds a video is about done.

        Below zero where it takes longer than usual, None where nobody can tell.
        """
        usual = self.usual.get(video.account.provider)
        return None if usual is None else usual - self.age(video)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What came of a button."""

    words: str
    good: bool


def command_of(stack: str, *, local: bool) -> str:
    """Return how the command line is called for a stack."""
    if local:
        return "renderbell --local"
    return "renderbell" if stack == DEFAULT_STACK else f"renderbell --stack {stack}"
