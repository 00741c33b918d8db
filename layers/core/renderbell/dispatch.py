"""Says, at each tick, which accounts are due for a look, which deliveries for an attempt, and what endpoints need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from renderbell.account_state import AccountState
from renderbell.alerts import OPERATORS, EndpointAlert
from renderbell.deliveries import EXPIRED, HELD_FOR, REMOVED
from renderbell.endpoints import AT_ONCE, Endpoint
from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage, PollMessage, Queue
from renderbell.schedules import LOOKS_WITHOUT_A_TICK, ONE_MINUTE, Schedule, interval_of
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.spending import SpendingStore
from renderbell.video import AccountName
from renderbell.vitals import is_counted_at, of_accounts, of_endpoints

QUIET_AFTER: Final = timedelta(days=1)
MAX_DUE: Final = 500
"""Deliveries woken in one tick. The rest is woken by the next: they are due already, and the oldest go first."""
MAX_RELEASED: Final = 600
"""Held deliveries sent to one endpoint in one tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    parameters: Parameters
    accounts: Accounts
    deliveries: Deliveries
    endpoints: Endpoints
    poll_queue: Queue
    delivery_queue: Queue
    spending: SpendingStore
    quiet_every: timedelta = timedelta()
    """How often accounts where nothing changed for a day are looked at; zero means at every tick."""

    def polls(self, provider: str, now: datetime, rate: str | None = None) -> int:
        """Put a provider's accounts on the poll queue, except those that are left alone for a while; return how many.

        `rate` is the schedule's, as EventBridge writes it.
        """
        editions, every = self.parameters.account_editions(provider), interval_of(rate)
        states, ends = self.accounts.states(editions), now + (every or LOOKS_WITHOUT_A_TICK)
        due = [name for name in editions if self._is_due(name, states.get(name, AccountState()), now, every)]
        return self.poll_queue.send(PollMessage(account=name, tick_ends=ends, edition=editions[name]) for name in due)

    def _is_due(self, name: AccountName, state: AccountState, now: datetime, every: timedelta | None) -> bool:
        if not state.is_due(now):
            return False
        if every is None or self.quiet_every <= every or not state.is_quiet(now, QUIET_AFTER):
            return True
        # Each quiet account has its tick among many, the same each time, without anything being written down.
        turns = self.quiet_every // every
        return (int(now.timestamp()) // int(every.total_seconds()) + crc32(str(name).encode())) % turns == 0

    def due_deliveries(self, now: datetime) -> int:
        """Wake the deliveries whose long wait is over; return how many. Short waits are woken by their own messages."""
        return self.delivery_queue.send(self.deliveries.due(now, MAX_DUE))

    def vitals(self, now: datetime, schedules: Mapping[str, Schedule]) -> Mapping[str, int]:
        """Return what alarms watch of the accounts that are polled, and of endpoints; nothing at four ticks of five."""
        if not is_counted_at(now):
            return {}
        every = {provider: schedule.interval for provider, schedule in schedules.items() if schedule.on}
        names = [name for name in self.parameters.account_names() if name.provider in every]
        accounts = of_accounts(self.accounts.states(names), self.spending.of(names), now, every, self.quiet_every)
        return {**accounts, **of_endpoints(self.endpoints.all(), now)}

    def tend_endpoints(self, now: datetime) -> int:
        """Warn of failing endpoints, disable those that fail for days, send what was held; return how many deliveries.

        What was held for one that was removed is skipped.
        """
        sent = 0
        for endpoint in self.endpoints.with_removed():
            if endpoint.removed_at is not None:
                self._skip_held(endpoint, now)
                continue
            self._warn(endpoint, now)
            if endpoint.rests is None:
                sent += self._release(endpoint, now)
            elif endpoint.may_be_probed(now):
                sent += self._probe(endpoint, now)
        return sent

    def _warn(self, endpoint: Endpoint, now: datetime) -> None:
        if endpoint.watched(now)[1] is None:
            return
        found = self.endpoints.get(endpoint.endpoint_id)  # it may have answered since this tick began
        if found is None:
            return
        after, kind = found.watched(now)
        if kind is None:
            return
        alert = EndpointAlert.of(found, kind, found.failing_since, after.disabled_reason or found.last_failure, now)
        # Told first: killed in between it is told again, under the same id.
        self.delivery_queue.send([DeliveryMessage.of(OPERATORS, alert)])
        self.endpoints.note(found, after)

    def _release(self, endpoint: Endpoint, now: datetime) -> int:
        """Send a minute's worth of what was held, the oldest first, at the rate the endpoint bears; return how many."""
        most = min(AT_ONCE if endpoint.is_doubtful else MAX_RELEASED, int(endpoint.bears * ONE_MINUTE.total_seconds()))
        held = self._held(endpoint, now, max(1, most))
        # One that bears less than one a minute takes the first in its turn.
        return self.delivery_queue.send_later(self._released(held, endpoint.bears, now, turn=most > 0))

    def _released(
        self, held: Sequence[tuple[DeliveryMessage, datetime]], rate: float, now: datetime, *, turn: bool
    ) -> Iterator[tuple[DeliveryMessage, int]]:
        """Make each due in its time, and yield what wakes it then. Killed in between, it is found due at a later tick."""
        for place, (message, since) in enumerate(held):
            if now - since > HELD_FOR and self.deliveries.expire(message, EXPIRED, now):
                continue
            wait = int(place / rate)
            if self.deliveries.release(message, now + timedelta(seconds=wait)):
                yield replace(message, turn=turn), wait

    def _skip_held(self, endpoint: Endpoint, now: datetime) -> None:
        """Skip a minute's worth of what was held for an endpoint that was removed."""
        for message, _ in self._held(endpoint, now, MAX_RELEASED):
            self.deliveries.skip_held(message, REMOVED, now)

    def _held(self, endpoint: Endpoint, now: datetime, most: int) -> Sequence[tuple[DeliveryMessage, datetime]]:
        """Return what is held for an endpoint, the oldest first. Where it is nothing, that is noted."""
        if endpoint.held_at is None:
            return []
        held = list(self.deliveries.held(endpoint.endpoint_id, now, most))
        if not held and now - endpoint.held_at > ONE_MINUTE:  # the index lags behind what was held a moment ago
            self.endpoints.forget_held(endpoint)
        return held

    def _probe(self, endpoint: Endpoint, now: datetime) -> int:
        """Try a disabled endpoint with one event that is held for it.

        The oldest, the newest, the second oldest, the second newest and so on, and then anew: one that it always refuses keeps
        it closed only as long as no other was tried.
        """
        place, newest_first = divmod(endpoint.probes_before(now), 2)
        held = list(self.deliveries.held(endpoint.endpoint_id, now, place + 1, newest_first=bool(newest_first)))
        if not held:
            return 0
        message, _ = held[place % len(held)]
        self.endpoints.note(endpoint, replace(endpoint, probed_at=now))
        return self.delivery_queue.send([replace(message, probe=True)])
