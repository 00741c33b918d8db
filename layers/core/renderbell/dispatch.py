"""Says, at each tick, which accounts are due for a look and which deliveries for an attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage, PollMessage, Queue
from renderbell.store.accounts import Accounts, AccountState
from renderbell.store.deliveries import Deliveries

MAX_DUE: Final = 500
"""Deliveries woken in one tick. The rest is woken by the next: they are due already, and the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    parameters: Parameters
    accounts: Accounts
    deliveries: Deliveries
    poll_queue: Queue
    delivery_queue: Queue

    def polls(self, provider: str, now: datetime) -> int:
        """Put a provider's accounts on the poll queue, except those that are left alone for a while; return how many."""
        names = self.parameters.account_names(provider)
        states = self.accounts.states(names)
        due = [name for name in names if states.get(name, AccountState()).is_due(now)]
        return self.poll_queue.send(PollMessage(account=name) for name in due)

    def due_deliveries(self, now: datetime) -> int:
        """Wake the deliveries whose time has come; return how many.

        Most are woken by their own delayed message. This finds those whose wait is longer than a message can be delayed,
        and those whose message or attempt was lost.
        """
        return self.delivery_queue.send(
            DeliveryMessage(endpoint_id=delivery.endpoint_id, event_id=delivery.event_id)
            for delivery in self.deliveries.due(now, MAX_DUE)
        )
