"""Videos on record, as tests need them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from renderbell.events import VideoRecord
from renderbell.video import AccountName, Status

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
MARKETING: Final = AccountName("heygen", "marketing")


def record(video_id: str = "v", status: Status = Status.GENERATING, **more: Any) -> VideoRecord:
    """Return a video of which nothing is known but what every video has, and `more`."""
    nothing = (
        "previous_status",
        "provider_status",
        "title",
        "url",
        "thumbnail_url",
        "url_expires_at",
        "error",
        "duration_seconds",
    )
    given: dict[str, Any] = {
        **dict.fromkeys(nothing),
        "account": MARKETING,
        "video_id": video_id,
        "status": status,
        "sequence": 1,
        "created_at": None,
        "first_seen_at": NOON,
        "changed_at": NOON,
        "finished_at": NOON if status.final else None,
        **more,
    }
    return VideoRecord(**given)


COMPLETED: Final = record(
    "v-1",
    Status.COMPLETED,
    sequence=2,
    previous_status=Status.GENERATING,
    provider_status="completed",
    title="Spring sale",
    url="https://cdn.example/v-1.mp4?a=1&b=2",
    thumbnail_url="https://cdn.example/v-1.jpg",
    url_expires_at=NOON + timedelta(days=7),
    duration_seconds=61.5,
    created_at=NOON - timedelta(seconds=200),
    first_seen_at=NOON - timedelta(seconds=180),
)
"""A video of which everything is known."""
