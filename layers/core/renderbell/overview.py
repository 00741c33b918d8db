"""Tells of the accounts that are watched: how they fare, when they were and will be polled, and what that cost of late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from renderbell.account import OPTIONS
from renderbell.account_state import AccountState
from renderbell.errors import NotOnRecordError
from renderbell.parameters import Parameters
from renderbell.queues import PollMessage, Queue
from renderbell.schedules import UNKNOWN_INTERVAL, Schedule
from renderbell.spending import Spending
from renderbell.store.accounts import Accounts
from renderbell.store.spending import SpendingStore
from renderbell.values import iso
from renderbell.video import AccountName

HOT: Final = timedelta(seconds=int(OPTIONS["hot_interval"].default))
"""The default stands for every account: its own option lies with its key, which nobody may read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One account."""

    name: AccountName
    state: AccountState
    spending: Spending
    next_poll_by: datetime | None
    """When it should have been polled again; later where the account has a `hot_interval` of its own. None while its provider's
    schedule is off, or is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    parameters: Parameters
    accounts: Accounts
    spending: SpendingStore
    poll_queue: Queue
    schedules: Mapping[str, Schedule]

    def all(self, now: datetime) -> Sequence[Watched]:
        """Return every account, by name."""
        names = self.parameters.account_names()
        states, spent = self.accounts.states(names), self.spending.of(names)
        return [self._watched(name, states.get(name, AccountState()), spent.get(name, Spending()), now) for name in names]

    def poll(self, account: AccountName) -> None:
        """Look at an account now. Raises NotOnRecordError for one that is not watched."""
        if account not in self.parameters.account_names(account.provider):
            raise NotOnRecordError(f"there is no account {account}")
        self.poll_queue.send([PollMessage(account=account)])

    def _watched(self, name: AccountName, state: AccountState, spending: Spending, now: datetime) -> Watched:
        schedule = self.schedules.get(name.provider)
        following = None if schedule is None or not schedule.on else _next_poll(schedule, state, now)
        return Watched(name=name, state=state, spending=spending, next_poll_by=following)


def _next_poll(schedule: Schedule, state: AccountState, now: datetime) -> datetime:
    """Return by when an account is polled: soon while something is in flight, else by the next tick that it may follow."""
    if state.is_due(now) and state.looks_until is not None and state.looks_until > now:
        return now + HOT
    return max(now, state.paused_until or now) + (schedule.interval or UNKNOWN_INTERVAL)


def account_fields(one: Watched, now: datetime) -> dict[str, Any]:
    """Return an account as programs get it. Nothing in it is secret."""
    state, spent = one.state, one.spending.last_day(now)
    return {
        "account": str(one.name),
        "health": state.health,
        "health_in_words": state.in_words(now),
        "health_since": iso(state.health_since),
        "polled_at": iso(one.spending.polled_at),
        "polled_well_at": iso(one.spending.polled_well_at),
        "next_poll_by": iso(one.next_poll_by),
        "last_day": {
            "polls": spent.polls,
            "requests": spent.requests,
            "read_units": round(spent.read_units, 1),
            "write_units": round(spent.write_units, 1),
        },
        "first_look_began_at": iso(state.first_look_began_at),
        "first_look_ended_at": iso(state.first_look_ended_at),
        "paused_until": iso(state.paused_until),
        "changed_at": iso(state.changed_at),
        "full_sweep_ended_at": iso(state.full_sweep_ended_at),
        "licence": state.licence.value if state.licence else None,
        "alerts": state.raised,
    }
