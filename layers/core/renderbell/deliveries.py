"""The rules of delivery: when an attempt is repeated, what its outcome means, when it is over."""

import zlib
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

LEASE: Final = timedelta(seconds=40)
"""How long a claimed attempt keeps others away. Longer than its function lives, so that one attempt never overlaps the next,
and shorter than the queue hides its message, so that what was killed is attempted when its message is seen again."""

DELAYS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, *(4 * [12 * 3600]), 6.4 * 3600)
)
"""Waits after each failed attempt: the thirteenth and last attempt comes after three days."""

JITTER: Final = 0.2
MAX_RETRY_AFTER: Final = timedelta(hours=12)
KEEP_FOR: Final = timedelta(days=35)
"""How long a delivery stays on record. Longer than an event is held (HELD_FOR)."""
HELD_FOR: Final = timedelta(days=30)
"""How long an event waits for an endpoint that rests. What is older is skipped when the endpoint is back."""

REMOVED: Final = "the endpoint was removed"
EXPIRED: Final = "held for longer than 30 days"
"""Why a delivery is skipped."""

ANSWER_LIMIT: Final = 16 * 1024
KEPT_ANSWER: Final = 256
"""Characters of an answer that are kept with an attempt: enough to see why. A row of one kilobyte is one write unit."""

GONE: Final = 410
GONE_REASON: Final = "answered 410 Gone"


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
        return Verdict(status=DeliveryStatus.HELD, disables=GONE_REASON)
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
    attempts: int = 0
    """Attempts whose outcome is on record, since its schedule began: since it was first sent, released, or replayed last."""
    began_at: datetime | None = None
    """When the first of these attempts was recorded, None before."""
    last_answer: str | None = None
    """How the last answer began, so that the same one is not kept again and again."""


SKELETON: Final = (
    b'"status":"failed""status":"deleted""event_type":"video.failed","video.deleted","video.stalled"Z.mp4.jpg?Expires=&Signature='
    b'&Key-Pair-Id=X-Amz-Credential=https://.000Z"{"type":"video.completed","timestamp":"2026-'
    b',"data":{"provider":"memories""videogen""pixverse""tavus""heygen","account":"default","video_id":"'
    b'","title":"","status":"completed","provider_status":"ready""completed","previous_status":"queued""generating",'
    b'"url":"https://","thumbnail_url":null,"url_expires_at":null,"error":null,"duration_seconds":null,"created_at":"2026-'
    b'","first_seen_at":"2026-","finished_at":"2026-","seconds_in_flight":,"sequence":2}}'
)
"""What all bodies share. It must never change: what was packed with it is unpacked with it."""


def packed(body: str) -> bytes:
    """Return a body as it is kept: about a third of its size, so that most deliveries are rows of one write unit."""
    squeezer = zlib.compressobj(level=9, wbits=-15, zdict=SKELETON)
    return squeezer.compress(body.encode()) + squeezer.flush()


def unpacked(kept: bytes) -> str:
    """Return what `packed` was given, to the character."""
    return zlib.decompressobj(wbits=-15, zdict=SKELETON).decompress(kept).decode()
