"""What an account's polls cost in the last day, in hours of the clock, and when it was polled last."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

DAY: Final = timedelta(hours=24)
NOTED_EVERY: Final = timedelta(minutes=5)
"""How often one running function writes down what it counted: a write at every poll would cost more than the poll."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    polls: int = 0
    requests: int = 0
    read_units: float = 0.0
    write_units: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            polls=self.polls + other.polls,
            requests=self.requests + other.requests,
            read_units=self.read_units + other.read_units,
            write_units=self.write_units + other.write_units,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """One account's. `hours` are named as `2026-11-25T14`; `polled_well_at` is the last poll that could read the listing."""

    version: int = 0
    polled_at: datetime | None = None
    polled_well_at: datetime | None = None
    hours: Mapping[str, Spent] = field(default_factory=dict)

    def with_(self, tally: "Tally") -> Self:
        """Return this with what was counted since; what is older than a day is forgotten."""
        oldest = hour_of(tally.polled_at - DAY)
        kept = {hour: spent for hour, spent in self.hours.items() if hour > oldest}
        for hour, spent in tally.hours.items():
            kept[hour] = kept.get(hour, Spent()) + spent
        return replace(
            self,
            version=self.version + 1,
            polled_at=_later(self.polled_at, tally.polled_at),
            polled_well_at=_later(self.polled_well_at, tally.polled_well_at),
            hours=kept,
        )

    def last_day(self, now: datetime) -> Spent:
        """Return what the last 24 hours cost, the hour that runs included. What was not written down yet is not in it."""
        oldest = hour_of(now - DAY)
        return sum((spent for hour, spent in self.hours.items() if hour > oldest), Spent())


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one running function counted of an account and did not write down yet."""

    began: datetime
    polled_at: datetime
    polled_well_at: datetime | None = None
    hours: dict[str, Spent] = field(default_factory=dict)

    def add(self, spent: Spent, at: datetime, *, well: bool) -> None:
        self.polled_at = at
        self.polled_well_at = at if well else self.polled_well_at
        self.hours[hour_of(at)] = self.hours.get(hour_of(at), Spent()) + spent


def hour_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H}"


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)
