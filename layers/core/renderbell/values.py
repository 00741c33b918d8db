"""Reads the values that providers send, in all the shapes they are known to come in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

Json = Mapping[str, Any]

MILLISECONDS_FROM: Final = 1e11
"""Unix times at or above this are milliseconds: as seconds they would lie beyond the year 5138."""

EARLIEST_CREATION: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""No video is older: none of the five providers existed. What reads as an earlier time is none."""

SMALLEST: Final = 1e-100
LARGEST: Final = 1e100
"""DynamoDB holds numbers from 1e-130 to 1e126. One beyond would fail every poll that meets it."""

ABSENT: Final = frozenset({"", "null"})
"""Tavus sends "" and HeyGen and Memories.ai the text "null" where there is nothing."""


def text(value: Any) -> str | None:
    """Return `value` as text without surrounding space; None for what means "nothing here".

    Half an emoji, where a provider cut a text short, becomes "?": no request, table or topic can carry it.
    """
    if value is None or isinstance(value, bool | dict | list):
        return None
    word = str(value).encode(errors="replace").decode().strip()
    return None if word in ABSENT else word


def number(value: Any) -> float | None:
    """Return a number that a table can hold from a number or from numeric text, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if result == 0 or SMALLEST < abs(result) < LARGEST else None


def integer(value: Any) -> int | None:
    result = number(value)
    return None if result is None or not result.is_integer() else int(result)


def moment(value: Any) -> datetime | None:
    """Return a time in UTC from any form the five providers use, else None.

    Unix seconds (HeyGen), milliseconds (Memories.ai), either as text; ISO 8601 with or without zone (PixVerse, Tavus);
    RFC 1123 (Tavus on create). A time without a zone is UTC. What cannot be read is None: a strange `created_at` must
    not cost us the video.
    """
    stamp = number(value)
    try:
        if stamp is not None:
            return datetime.fromtimestamp(stamp / 1000 if abs(stamp) >= MILLISECONDS_FROM else stamp, UTC)
        word = text(value)
        return None if word is None else _from_text(word)
    except (ValueError, OverflowError, OSError):
        return None


def creation(value: Any) -> datetime | None:
    """Return when a video was made, None where `value` says no time that can be it.

    0 and Go's zero time (0001-01-01T00:00:00Z) mean "not known". Read as dates they would make every new video one that was
    there long before the first look, of which nobody is told.
    """
    at = moment(value)
    return None if at is None or at < EARLIEST_CREATION else at


def _from_text(word: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(word)
    except ValueError:
        parsed = parsedate_to_datetime(word)
    return (parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed).astimezone(UTC)


def iso(value: datetime | None) -> str | None:
    """Return the one form in which times leave Renderbell: `2026-11-24T10:15:00.123Z`."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header in either of its forms, seconds or an HTTP date; None when it is neither.

    HeyGen documents both forms (its own CLI reads both).
    """
    seconds = number(header)
    if seconds is not None:
        return max(0.0, seconds)
    until = moment(header)
    return None if until is None else max(0.0, (until - now).total_seconds())
