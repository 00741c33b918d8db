"""Reads the schedules by which providers are polled, as EventBridge and the template write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

ONE_MINUTE: Final = timedelta(minutes=1)
UNKNOWN_INTERVAL: Final = timedelta(minutes=15)
"""When to expect the next tick where nobody knows it."""
LOOKS_WITHOUT_A_TICK: Final = timedelta(days=1)
"""How long looks go on after such a tick, as long as something is awaited."""
UNITS: Final = {"minute": ONE_MINUTE, "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A provider's schedule, as EventBridge has it: `rate(1 minute)`, and whether it is on."""

    rate: str
    on: bool = True

    @property
    def interval(self) -> timedelta | None:
        """From one tick to the next; None where only EventBridge knows."""
        return interval_of(self.rate)


def schedules_of(text: str) -> Mapping[str, Schedule]:
    """Read the template's list: `tavus ENABLED rate(1 minute);heygen DISABLED rate(5 minutes)`."""
    parts = (part.split(" ", 2) for part in text.split(";"))
    return {provider: Schedule(rate=rate, on=state == "ENABLED") for provider, state, rate in parts}


def interval_of(rate: str | None) -> timedelta | None:
    """Return the interval of `rate(5 minutes)`; None for `cron(...)`, of which only EventBridge knows what is next."""
    parts = (rate or "").removeprefix("rate(").removesuffix(")").split()
    if len(parts) == 2 and parts[0].isdecimal() and parts[1].removesuffix("s") in UNITS:  # noqa: PLR2004 - a number and a unit
        return max(ONE_MINUTE, int(parts[0]) * UNITS[parts[1].removesuffix("s")])
    return None if rate else ONE_MINUTE
