"""Shows things to people: colours of statuses, ages of times, tables; and as JSON to programs."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from renderbell.messages import spoken_duration

console: Final = Console(highlight=False)
hints: Final = Console(highlight=False, stderr=True)

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


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was: `12 s`, `3 min`, `5 h`, `2 days`."""
    if moment is None:
        return ""
    seconds = max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds >= 2 * 86400:
        return f"{int(seconds // 86400)} days ago"
    return f"{spoken_duration(seconds - seconds % 60 if seconds >= 120 else seconds)} ago"  # noqa: PLR2004 - minutes from here


def table(*columns: str) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line, exactly as it is whatever the terminal's width."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
