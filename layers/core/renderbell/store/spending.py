"""Remembers what accounts' polls cost, beside the accounts: small rows, written every few minutes by whoever counted."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING, Final

from renderbell.spending import NOTED_EVERY, Spending, Spent, Tally
from renderbell.store.tables import SpendingRow, opened, wrote
from renderbell.video import AccountName

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

SUFFIX: Final = "#spending"
"""No account's name holds a `#`: the row stands beside the account's own, and is never taken for one."""


class SpendingStore:
    """Counts in memory, and writes each account's count down every NOTED_EVERY.

    What a function counted in its last minutes is lost with it: the figures are a little low, never high.
    """

    def __init__(self, table: str) -> None:
        self._row = opened(SpendingRow, table)
        self._counting: dict[AccountName, Tally] = {}

    def count(self, account: AccountName, spent: Spent, at: datetime, *, well: bool) -> None:
        """Count one poll. At the first, and then every NOTED_EVERY, what was counted is written down."""
        tally = self._counting.get(account)
        is_new = tally is None
        tally = tally or Tally(began=at, polled_at=at)
        tally.add(spent, at, well=well)
        self._counting[account] = tally
        if (is_new or at - tally.began >= NOTED_EVERY) and self._note(account, tally):
            self._counting[account] = Tally(began=at, polled_at=at)

    def of(self, accounts: Iterable[AccountName]) -> Mapping[AccountName, Spending]:
        """Return what is written down of those accounts that were polled ever."""
        rows = self._row.batch_get([f"{account}{SUFFIX}" for account in accounts])
        return {AccountName.parse(row.account.removesuffix(SUFFIX)): _read(row) for row in rows}

    def polled_well_at(self, account: AccountName) -> datetime | None:
        """Return when a poll last went well, as far as it is written down: at most some minutes too early."""
        return self._one(account).polled_well_at

    def forget(self, account: AccountName) -> None:
        self._row(f"{account}{SUFFIX}").delete()

    def _one(self, account: AccountName) -> Spending:
        try:
            return _read(self._row.get(f"{account}{SUFFIX}"))
        except self._row.DoesNotExist:
            return Spending()

    def _note(self, account: AccountName, tally: Tally) -> bool:
        """Add to what is written down. False when another did at the same moment: it is tried again with the next poll."""
        before = self._one(account)
        after, row = before.with_(tally), self._row
        version = row.version
        actions: list[Action] = [
            version.set(after.version),
            row.polled_at.set(after.polled_at or tally.polled_at),
            *([row.polled_well_at.set(after.polled_well_at)] if after.polled_well_at else []),
            row.hours.set({hour: list(astuple(spent)) for hour, spent in after.hours.items()}),
        ]
        unchanged = version == before.version if before.version else version.does_not_exist()
        return wrote(row(f"{account}{SUFFIX}"), actions, unchanged)


def _read(row: SpendingRow) -> Spending:
    stored = {hour: [float(number) for number in numbers] for hour, numbers in (row.hours or {}).items()}
    hours = {
        hour: Spent(polls=int(polls), requests=int(requests), read_units=reads, write_units=writes)
        for hour, (polls, requests, reads, writes) in stored.items()
    }
    return Spending(version=int(row.version), polled_at=row.polled_at, polled_well_at=row.polled_well_at, hours=hours)
