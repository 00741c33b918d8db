"""The rules of delivery: when an attempt is repeated, what its outcome means, when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    HELD = "held"
    SKIPPED = "skipped"


DEADLINE: Final = timedelta(seconds=15)
"""How long one attempt may take in all: connection, request and answer."""

LEASE: Final = timedelta(seconds=60)
"""How long a claimed attempt keeps others away. Longer than the deadline, so that one attempt never overlaps the next."""

DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, *(4 * [12 * 3600]))
)
"""Waits after each failed attempt: about 66 hours in all, 12 attempts."""

JITTER: Final = 0.2
MAX_RETRY_AFTER: Final = timedelta(hours=12)
KEEP_FOR: Final = timedelta(days=35)
"""How long a delivery stays on record. Longer than an event is held (30 days)."""

ANSWER_LIMIT: Final = 16 * 1024
KEPT_ANSWER: Final = 1024
"""Characters of an answer that are kept with the attempt: enough to see why, small enough for twelve of them."""

GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended: an answer's status and beginning, or why there was no answer."""

    http_status: int | None = None
    answer: str | None = None
    error: str | None = None
    retry_after: float | None = None
    milliseconds: int = 0

    @property
    def delivered(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status < 300  # noqa: PLR2004 - the 2xx class

    @property
    def in_words(self) -> str:
        return self.error or f"answered {self.http_status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from an attempt. `wait` is set while the delivery stays pending."""

    status: DeliveryStatus
    wait: timedelta | None = None
    disables: str | None = None
    """The reason to disable the endpoint, if this outcome is one."""


def verdict(outcome: Outcome, attempts: int, jitter: float) -> Verdict:
    """Judge attempt number `attempts` (from 1). `jitter` lies in -1..1 and spreads the wait by ±20 %.

    2xx is success and nothing else is. 410 says the receiver is gone for good: the endpoint is disabled and this event held.
    Retry-After may lengthen a wait up to 12 h, never shorten it: it is the receiver's word, not a way to be called more.
    """
    if outcome.delivered:
        return Verdict(status=DeliveryStatus.DELIVERED)
    if outcome.http_status == GONE:
        return Verdict(status=DeliveryStatus.HELD, disables="answered 410 Gone")
    if attempts > len(DELAYS):
        return Verdict(status=DeliveryStatus.EXHAUSTED)
    wait = DELAYS[attempts - 1] * (1 + JITTER * jitter)
    # Bounded as a number first: a receiver may ask for more seconds than a timedelta holds.
    asked = timedelta(seconds=min(max(0.0, outcome.retry_after or 0.0), MAX_RETRY_AFTER.total_seconds()))
    return Verdict(status=DeliveryStatus.PENDING, wait=max(wait, asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one delivery, as it is kept."""

    number: int
    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint. `body` is sent and signed as it stands, at every attempt."""

    endpoint_id: str
    event_id: str
    event_type: str
    body: str
    attributes: Mapping[str, str]
    attempts: int = 0
    """Attempts whose outcome is on record."""
