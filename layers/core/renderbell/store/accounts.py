"""Remembers, for each account, whether its first look is done and how it fares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from renderbell.store.tables import AccountRow, opened
from renderbell.video import AccountName

HEALTHY = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """`health` is "ok", or `kind: message` of what is wrong since `health_since`."""

    first_look_began_at: datetime | None = None
    first_look_ended_at: datetime | None = None
    health: str | None = None
    health_since: datetime | None = None
    paused_until: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.paused_until is None or self.paused_until <= now


class Accounts:
    def __init__(self, table: str) -> None:
        self._row = opened(AccountRow, table)

    def state(self, account: AccountName) -> AccountState:
        try:
            return _state(self._row.get(str(account), consistent_read=True))
        except self._row.DoesNotExist:
            return AccountState()

    def states(self, accounts: Iterable[AccountName]) -> Mapping[AccountName, AccountState]:
        """Return the states of those accounts that have one."""
        return {AccountName.parse(row.account): _state(row) for row in self._row.batch_get([str(a) for a in accounts])}

    def begin_first_look(self, account: AccountName, now: datetime) -> datetime:
        """Return when the account's first look began, which is now unless it began before."""
        row = self._row(str(account))
        row.update(actions=[self._row.first_look_began_at.set(self._row.first_look_began_at | now)])
        return row.first_look_began_at

    def end_first_look(self, account: AccountName, now: datetime) -> None:
        row = self._row(str(account))
        row.update(actions=[self._row.first_look_ended_at.set(self._row.first_look_ended_at | now)])

    def record_health(self, account: AccountName, health: str, now: datetime, pause: timedelta | None = None) -> None:
        """Note a change of health. The caller asks only when there is one: an idle poll writes nothing."""
        row = self._row(str(account))
        paused = self._row.paused_until
        row.update(
            actions=[
                self._row.health_since.set(now),
                self._row.health.set(health),
                paused.set(now + pause) if pause else paused.remove(),
            ]
        )

    def forget(self, account: AccountName) -> None:
        """Forget the account's first look and health: added again, it is looked at in silence first."""
        self._row(str(account)).delete()


def _state(row: AccountRow) -> AccountState:
    return AccountState(
        first_look_began_at=row.first_look_began_at,
        first_look_ended_at=row.first_look_ended_at,
        health=row.health,
        health_since=row.health_since,
        paused_until=row.paused_until,
    )
