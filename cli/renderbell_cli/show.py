"""Shows things to people: colours of statuses, ages of times, tables; and as JSON to programs."""

import json
import math
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from renderbell.messages import spoken_duration

console: Final = Console(highlight=False, emoji=False)
hints: Final = Console(highlight=False, emoji=False, stderr=True)

DAY: Final = 86400
TEN: Final = 10
UNITS: Final = (("h", 3600), ("min", 60), ("s", 1))

STYLES: Final[Mapping[str, str]] = {
    "queued": "cyan",
    "generating": "yellow",
    "completed": "green",
    "failed": "red",
    "deleted": "dim",
    "unknown": "magenta",
    "ok": "green",
    "delivered": "green",
    "pending": "yellow",
    "held": "cyan",
    "exhausted": "red",
    "skipped": "dim",
}


def status_text(status: str) -> Text:
    return Text(status, style=STYLES.get(status, ""))


def plain(words: object) -> Text:
    """Return what strangers wrote, a receiver's answer for instance, as it is: no markup, nothing that a terminal obeys."""
    said = "" if words is None else str(words)
    return Text("".join(letter if letter.isprintable() else " " for letter in said))


def one_line(words: object, width: int) -> Text:
    """Return what strangers wrote as one line of a table, cut to `width`."""
    said = plain(words)
    said.truncate(width, overflow="ellipsis")
    said.no_wrap, said.overflow = True, "ellipsis"
    return said


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was: `12 s`, `3 min`, `5 h`, `2 days`."""
    if moment is None:
        return ""
    seconds = max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds >= 2 * DAY:
        return f"{roughly(seconds)} ago"
    return f"{spoken_duration(seconds - seconds % 60 if seconds >= 120 else seconds)} ago"  # noqa: PLR2004 - minutes from here


def roughly(seconds: float) -> str:
    """Return a length of time in its largest unit: `12 s`, `3 min`, `5 h`, `2 days`."""
    if seconds >= 2 * DAY:
        return f"{int(seconds // DAY)} days"
    unit, length = next(((unit, length) for unit, length in UNITS if seconds >= length), UNITS[-1])
    return f"{int(seconds // length)} {unit}"


def within(moment: datetime, now: datetime) -> str:
    """Return by when something will have happened: `within 40 s`, `within 5 min`."""
    seconds = math.ceil(max(0.0, (moment - now).total_seconds()))
    unit, length = next(((unit, length) for unit, length in UNITS if seconds >= 2 * length), UNITS[-1])
    return f"within {math.ceil(seconds / length)} {unit}"


def short(number: float) -> str:
    """Return a count in few letters: `1.5`, `12`, `2.1k`, `34k`, `1.2M`."""
    size, letter = next(((size, letter) for size, letter in ((1e6, "M"), (1e3, "k")) if number >= size), (1.0, ""))
    scaled = number / size
    return (f"{scaled:.1f}".removesuffix(".0") if scaled < TEN else f"{scaled:.0f}") + letter


def table(*columns: str) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line, exactly as it is whatever the terminal's width."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
