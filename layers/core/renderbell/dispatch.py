"""Says, at each tick, which accounts are due for a look and which deliveries for an attempt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from renderbell.account_state import AccountState
from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage, PollMessage, Queue
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.video import AccountName

QUIET_AFTER: Final = timedelta(days=1)
ONE_MINUTE: Final = timedelta(minutes=1)
UNKNOWN_INTERVAL: Final = timedelta(minutes=15)
"""How long looks go on after a tick of which nobody knows when the next is."""
UNITS: Final = {"minute": ONE_MINUTE, "hour": timedelta(hours=1), "day": timedelta(days=1)}

MAX_DUE: Final = 500
"""Deliveries woken in one tick. The rest is woken by the next: they are due already, and the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    parameters: Parameters
    accounts: Accounts
    deliveries: Deliveries
    poll_queue: Queue
    delivery_queue: Queue
    quiet_every: timedelta = timedelta()
    """How often accounts where nothing changed for a day are looked at; zero means at every tick."""

    def polls(self, provider: str, now: datetime, rate: str | None = None) -> int:
        """Put a provider's accounts on the poll queue, except those that are left alone for a while; return how many.

        `rate` is the schedule's, as EventBridge writes it.
        """
        names = self.parameters.account_names(provider)
        states, every = self.accounts.states(names), interval_of(rate)
        due = [name for name in names if self._is_due(name, states.get(name, AccountState()), now, every)]
        ends = now + (every or UNKNOWN_INTERVAL)
        return self.poll_queue.send(PollMessage(account=name, tick_ends=ends) for name in due)

    def _is_due(self, name: AccountName, state: AccountState, now: datetime, every: timedelta | None) -> bool:
        if not state.is_due(now):
            return False
        if every is None or self.quiet_every <= every or not state.is_quiet(now, QUIET_AFTER):
            return True
        # Each quiet account has its tick among many, the same each time, without anything being written down.
        turns = self.quiet_every // every
        return (int(now.timestamp()) // int(every.total_seconds()) + crc32(str(name).encode())) % turns == 0

    def due_deliveries(self, now: datetime) -> int:
        """Wake the deliveries whose time has come; return how many.

        Most are woken by their own delayed message. This finds those whose wait is longer than a message can be delayed,
        and those whose message or attempt was lost.
        """
        return self.delivery_queue.send(
            DeliveryMessage(endpoint_id=delivery.endpoint_id, event_id=delivery.event_id)
            for delivery in self.deliveries.due(now, MAX_DUE)
        )


def interval_of(rate: str | None) -> timedelta | None:
    """Return the interval of `rate(5 minutes)`; None for `cron(...)`, of which only EventBridge knows what is next."""
    parts = (rate or "").removeprefix("rate(").removesuffix(")").split()
    if len(parts) == 2 and parts[0].isdecimal() and parts[1].removesuffix("s") in UNITS:  # noqa: PLR2004 - a number and a unit
        return max(ONE_MINUTE, int(parts[0]) * UNITS[parts[1].removesuffix("s")])
    return None if rate else ONE_MINUTE
