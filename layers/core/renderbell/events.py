"""Puts a transition into an event for the world: its id and its body."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from renderbell.values import iso
from renderbell.video import AccountName, Status

PROVIDER_NAMES: Final[Mapping[str, str]] = {
    "tavus": "Tavus",
    "heygen": "HeyGen",
    "memories": "Memories.ai",
    "videogen": "VideoGen",
    "pixverse": "PixVerse",
}
EVENT_TYPES: Final = ("video.completed", "video.failed", "video.deleted", "video.stalled")
TRIAL: Final = "renderbell.test"
"""The event of `renderbell endpoint test`. No filter holds it back and nobody repeats it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRecord:
    """A video as it stands on record after a transition: everything an event tells."""

    account: AccountName
    video_id: str
    status: Status
    sequence: int
    previous_status: Status | None
    provider_status: str | None
    title: str | None
    url: str | None
    thumbnail_url: str | None
    url_expires_at: datetime | None
    error: str | None
    duration_seconds: float | None
    created_at: datetime | None
    first_seen_at: datetime
    changed_at: datetime
    finished_at: datetime | None
    stalled_at: datetime | None = None
    """When it was noticed that the video is in flight for too long."""

    @property
    def began(self) -> datetime:
        """When it was created, or first seen where the provider tells no creation."""
        return self.created_at or self.first_seen_at

    @property
    def seconds_in_flight(self) -> float | None:
        """How long it took; of a stalled video, how long it had been in flight when that was noticed."""
        until = self.finished_at or self.stalled_at
        return None if until is None else round(max(0.0, (until - self.began).total_seconds()), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the world is told of one transition."""

    event_id: str
    type: str
    account: AccountName
    video_id: str
    status: Status
    at: datetime
    data: Mapping[str, Any]

    @property
    def body(self) -> str:
        """The JSON text that is signed and sent, at every attempt the same."""
        told = {"type": self.type, "timestamp": iso(self.at), "data": self.data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def event_of(video: VideoRecord) -> Event:
    """Return the event of a video's latest transition."""
    return _event(video, f"video.{video.status}", video.sequence, video.changed_at)


def stalled_event(video: VideoRecord) -> Event:
    """Return the event that says that a video is in flight for too long."""
    return _event(video, "video.stalled", f"{video.sequence} stalled", video.stalled_at or video.changed_at)


def trial_event(endpoint_id: str, at: datetime) -> Event:
    """Return an event to try an endpoint with. It looks like that of a completed video."""
    video = VideoRecord(
        account=AccountName("tavus", "example"),
        video_id="example",
        status=Status.COMPLETED,
        sequence=2,
        previous_status=Status.GENERATING,
        provider_status="ready",
        title="A test from Renderbell",
        url="https://example.com/video.mp4",
        thumbnail_url=None,
        url_expires_at=None,
        error=None,
        duration_seconds=42.0,
        created_at=at - timedelta(minutes=3),
        first_seen_at=at - timedelta(minutes=3),
        changed_at=at,
        finished_at=at,
    )
    event = _event(video, TRIAL, f"{endpoint_id} {at.isoformat()}", at)
    return replace(event, event_id=event.event_id.replace("evt_", "evt_test_"))


def _event(video: VideoRecord, kind: str, occurrence: int | str, at: datetime) -> Event:
    return Event(
        event_id=event_id(video.account, video.video_id, occurrence),
        type=kind,
        account=video.account,
        video_id=video.video_id,
        status=video.status,
        at=at,
        data={**video_data(video), "link": None, "link_expires_at": None},
    )


def event_id(account: AccountName, video_id: str, occurrence: int | str) -> str:
    """Return the id of what happened to a video: of a transition, by its sequence number. It is the same wherever computed.

    It is a hash, because it travels in headers and logs and a PixVerse id holds an e-mail address.
    """
    digest = hashlib.sha256(f"{account}\n{video_id}\n{occurrence}".encode()).hexdigest()
    return f"evt_{digest[:32]}"


def video_data(video: VideoRecord) -> dict[str, Any]:
    """Return the `data` of an event: the same shape for every provider."""
    return {
        "provider": video.account.provider,
        "account": video.account.name,
        "video_id": video.video_id,
        "title": video.title,
        "status": video.status.value,
        "provider_status": video.provider_status,
        "previous_status": video.previous_status.value if video.previous_status else None,
        "url": video.url,
        "thumbnail_url": video.thumbnail_url,
        "url_expires_at": iso(video.url_expires_at),
        "error": video.error,
        "duration_seconds": video.duration_seconds,
        "created_at": iso(video.created_at),
        "first_seen_at": iso(video.first_seen_at),
        "finished_at": iso(video.finished_at),
        "seconds_in_flight": video.seconds_in_flight,
        "sequence": video.sequence,
    }


def masked(video_id: str) -> str:
    """Return a video id that may stand in a log: what looks like an e-mail address is shortened to its first letter."""
    return ":".join(_masked_part(part) for part in video_id.split(":"))


def _masked_part(part: str) -> str:
    before, at, _ = part.replace("%40", "@").partition("@")
    return f"{before[:1]}***@***" if at and before else part
