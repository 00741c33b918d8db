"""Shows things to people: colours of statuses, ages of times, tables; and as JSON to programs."""

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from renderbell.messages import spoken_duration

COMMAND: Final = re.compile(r"(?<![\w.])renderbell (?=[a-z])(?!local\b|check\b|normalize\b)")
"""A command that speaks to a stack, as a hint names it."""


class Hints(Console):
    """Speaks to people. The commands it names can be pasted: they speak to the stack that was chosen."""

    chosen = "renderbell"

    def print(self, *objects: Any, **named: Any) -> None:
        super().print(*map(self._spelt, objects), **{"soft_wrap": True, **named})

    def spelt(self, words: str) -> str:
        return COMMAND.sub(lambda _: f"{self.chosen} ", words)

    def _spelt(self, said: object) -> object:
        if isinstance(said, Text):
            return Text(self.spelt(said.plain)) if COMMAND.search(said.plain) else said
        return self.spelt(said) if isinstance(said, str) else said


console: Final = Console(highlight=False, emoji=False)
hints: Final = Hints(highlight=False, emoji=False, stderr=True)

DAY: Final = 86400
TEN: Final = 10
NOTHING: Final[Mapping[str, Any]] = {}
GAP: Final = "  "
INDENT: Final = "    "
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


def coming(moment: datetime | None, now: datetime) -> str:
    """Return how soon something is due: `in 5 min`, `now`."""
    if moment is None:
        return ""
    seconds = (moment - now).total_seconds()
    return f"in {roughly(seconds)}" if seconds >= 1 else "now"


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


class Listing:
    """A table in which nothing is cut and no id is in pieces.

    A column that is empty everywhere is left out. Where a terminal is too narrow for a row, the columns that `give_way` stand
    below it, the first of them first, or all `together`. A pipe has room for everything.
    """

    def __init__(self, *columns: str, give_way: Sequence[str] = (), together: bool = False) -> None:
        self._columns, self._give_way, self._together = columns, give_way, together
        self._rows: list[tuple[Sequence[Text], Mapping[str, str | Text | None]]] = []

    def add_row(self, *cells: str | Text, below: Mapping[str, str | Text | None] = NOTHING) -> None:
        """Add a row. What `below` names stands below it on every terminal."""
        self._rows.append(([cell if isinstance(cell, Text) else Text(cell) for cell in cells], below))

    def print(self) -> None:
        widths = self._widths()
        too_wide = not _fits(widths)
        for name in self._give_way:
            if _fits(widths) and not (too_wide and self._together):
                break
            widths.pop(name, None)
        if not widths:
            return
        _line([Text(name, style="bold") for name in widths], list(widths.values()))
        for cells, more in self._rows:
            row = dict(zip(self._columns, cells, strict=True))
            _line([row[name] for name in widths], list(widths.values()))
            moved = {name.lower(): row[name] for name in self._give_way if name not in widths}
            for name, value in {**more, **moved}.items():
                if value:
                    console.print(Text.assemble(INDENT, (f"{name}: ", "dim"), value), soft_wrap=True)

    def _widths(self) -> dict[str, int]:
        """Return the width of each column that is not empty everywhere."""
        cells = {name: [row[place].cell_len for row, _ in self._rows] for place, name in enumerate(self._columns)}
        return {name: max(cell_len(name), *lengths) for name, lengths in cells.items() if any(lengths)}


def _line(cells: Sequence[Text], widths: Sequence[int]) -> None:
    padded = [cell.copy() for cell in cells]
    for cell, width in zip(padded, widths, strict=True):
        cell.pad_right(width - cell.cell_len)
    line = Text(GAP).join(padded)
    line.rstrip()
    console.print(line, soft_wrap=True)


def _fits(widths: Mapping[str, int]) -> bool:
    return sum(widths.values()) + len(GAP) * (len(widths) - 1) <= _room()


def _room() -> int:
    return console.width if console.is_terminal or "COLUMNS" in os.environ else sys.maxsize


def table(*columns: str, give_way: Sequence[str]) -> Table:
    """Return a table for what is a picture of one screen: a row is a line, and where there is no room some columns are cut."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="ellipsis", no_wrap=column not in give_way)
    return made


def say_if_cut(found: Sequence[object], limit: int) -> None:
    """Say that a list was cut to `limit`, where one more was found than that."""
    if len(found) > limit:
        hints.print(f"{limit} shown, there are more: --limit {10 * limit}")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line, exactly as it is whatever the terminal's width."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
