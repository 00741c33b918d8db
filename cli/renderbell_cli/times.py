"""Reads times as people write them: `2h` for two hours, or a moment such as `2026-11-24T10:00Z`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from renderbell.errors import BadInputError

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment_of(text: str | None, now: datetime) -> datetime | None:
    """Read `2h` as two hours ago, or a time, in UTC unless it says otherwise. Raises BadInputError for anything else."""
    if text is None:
        return None
    ago = re.fullmatch(r"([0-9]{1,6})([smhd])", text.strip(), re.ASCII)
    try:
        if ago:
            return now - timedelta(seconds=int(ago[1]) * UNITS[ago[2]])
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(f"{text!r} is no time: write 90s, 30m, 2h, 3d, or 2026-11-24T10:00Z") from None


def seconds_of(text: str) -> float:
    """Read `90`, `90s`, `30m`, `2h` or `1d` as seconds. Raises BadInputError for anything else."""
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd]?)", text.strip(), re.ASCII)
    if found is None:
        raise BadInputError(f"{text!r} is no length of time: write 90 for seconds, or 90s, 30m, 2h, 1d")
    return float(found[1]) * UNITS[found[2] or "s"]
