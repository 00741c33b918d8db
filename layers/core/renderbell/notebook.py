"""What one look notes of its account: opened once, closed with one write if anything changed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, Self

from renderbell.account_state import AccountState
from renderbell.video import AccountName

DATED_AGAIN: Final = timedelta(hours=1)
"""How old `changed_at` may grow while nothing but videos changes: for its sake alone a row is written once an hour."""


class Accounts(Protocol):
    """What a look asks of store.accounts."""

    def state(self, account: AccountName) -> AccountState: ...
    def save(self, account: AccountName, before: AccountState, after: AccountState) -> bool: ...
    def pause(self, account: AccountName, until: datetime) -> None: ...


@dataclass(slots=True, kw_only=True)
class Notebook:
    """One look's notes: `before` is what is on record of the account, `state` what will be."""

    account: AccountName
    accounts: Accounts
    before: AccountState
    state: AccountState

    @classmethod
    def open(cls, account: AccountName, accounts: Accounts) -> Self:
        state = accounts.state(account)
        return cls(account=account, accounts=accounts, before=state, state=state)

    def offer(self, state: AccountState) -> None:
        """Write before going on, unless another poll wrote meanwhile; go on from what is on record then."""
        self.accounts.save(self.account, self.before, state)
        self._read_again()

    def keep(self, state: AccountState) -> None:
        """Write before going on. What another poll wrote meanwhile is replaced: it will find out anew."""
        while not self.accounts.save(self.account, self.before, state):
            self.before = self.accounts.state(self.account)
        self._read_again()

    def date(self, now: datetime, *, changed: bool) -> None:
        """Note when something last changed at the account."""
        at = self.state.changed_at
        if at is None or (changed and (self.state != self.before or now - at >= DATED_AGAIN)):
            self.state = replace(self.state, changed_at=now)

    def close(self) -> None:
        """Write what changed, if anything did. What another poll wrote meanwhile stays: the next look finds out anew."""
        self.accounts.save(self.account, self.before, self.state)

    def _read_again(self) -> None:
        self.before = self.state = self.accounts.state(self.account)
