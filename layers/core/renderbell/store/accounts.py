"""Remembers, for each account, how far its sweeps are and how it fares. Nothing changed is nothing written."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from itertools import batched
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from renderbell.account_state import AccountState
from renderbell.chain import look_for_hint
from renderbell.licence import FullSweep, Licence
from renderbell.page import Place
from renderbell.store.meter import Meter
from renderbell.store.tables import AccountRow, opened, wrote
from renderbell.video import AccountName

MARK: Final = 8
"""Characters of one mark of listing.marks."""

TRIES: Final = 3

OWN_WRITES: Final = frozenset({"version", "paused_until", "looks_until", "hints_free_from"})
"""What `save` leaves to the methods that write it alone."""


class Accounts:
    def __init__(self, table: str, meter: Meter | None = None) -> None:
        self._row = opened(AccountRow, table, meter)

    def state(self, account: AccountName) -> AccountState:
        try:
            return _state(self._row.get(str(account), consistent_read=True))
        except self._row.DoesNotExist:
            return AccountState()

    def states(self, accounts: Iterable[AccountName]) -> Mapping[AccountName, AccountState]:
        """Return the states of those accounts that have one."""
        return {AccountName.parse(row.account): _state(row) for row in self._row.batch_get([str(a) for a in accounts])}

    def save(self, account: AccountName, before: AccountState, after: AccountState) -> bool:
        """Write what changed between `before`, as it was read, and `after`; nothing when nothing did.

        False when another poll wrote meanwhile: then nothing is written, and the next poll finds out anew.
        """
        changed = [name for name, value in _columns(after).items() if value != _columns(before)[name]]
        if not changed:
            return True
        columns, row = _columns(after), self._row
        actions = [
            getattr(row, name).remove() if _is_nothing(columns[name]) else getattr(row, name).set(columns[name])
            for name in changed
        ]
        return self._update(account, [*actions, row.version.set(before.version + 1)], self._still(before))

    def pause(self, account: AccountName, until: datetime) -> None:
        """Leave the account alone until then. The later of two wishes holds."""
        paused = self._row.paused_until
        self._update(account, [paused.set(until)], paused.does_not_exist() | (paused < until))

    def claim_looks(self, account: AccountName, before: datetime | None, until: datetime) -> bool:
        """Take it upon oneself to queue the looks at the hot interval from `before`, until when there are some, to `until`.

        False when somebody queued some meanwhile.
        """
        looks = self._row.looks_until
        return self._update(account, [looks.set(until)], looks.does_not_exist() if before is None else looks == before)

    def claim_hint(self, account: AccountName, now: datetime) -> int | None:
        """Take it upon oneself to look because of a hint; return in how many seconds. None when another look will do.

        A hint that is lost to others three times is one of a burst, whose look will see what it is about.
        """
        free = self._row.hints_free_from
        for _ in range(TRIES):
            before = self.state(account).hints_free_from
            found = look_for_hint(now, before)
            if found is None:
                return None
            delay, after = found
            if self._update(account, [free.set(after)], free == before if before else free.does_not_exist()):
                return delay
        return None

    def note_bad_settings(self, account: AccountName, health: str, now: datetime) -> None:
        """Note that the account's stored value cannot be used, as its health."""
        if self.state(account).health != health:
            self._update(account, [self._row.health.set(health), self._row.health_since.set(now)], None)

    def forget(self, account: AccountName) -> None:
        """Forget the account's first look and health: added again, it is looked at in silence first."""
        self._row(str(account)).delete()

    def _still(self, before: AccountState) -> Condition:
        version = self._row.version
        return version == before.version if before.version else version.does_not_exist()

    def _update(self, account: AccountName, actions: list[Any], condition: Condition | None) -> bool:
        return wrote(self._row(str(account)), actions, condition)


def _columns(state: AccountState) -> Mapping[str, Any]:
    """Return a state as the row's columns hold it."""
    plain = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in OWN_WRITES}
    return plain | {
        "head": "".join(state.head),
        "licence": state.licence.value if state.licence else None,
        "full_sweep": _dumped(state.full_sweep) if state.full_sweep else None,
        "earlier_first_look": [at.isoformat() for at in state.earlier_first_look or ()],
        "abandoned": state.abandoned and {"way": state.abandoned[0], "began": state.abandoned[1].isoformat()},
        "missed": dict(state.missed),
        "alerts": dict(state.alerts),
        "unknown_words": set(state.unknown_words),
    }


def _state(row: AccountRow) -> AccountState:
    return AccountState(
        version=int(row.version or 0),
        way=row.way,
        way_since=row.way_since,
        scope=row.scope,
        first_look_began_at=row.first_look_began_at,
        first_look_ended_at=row.first_look_ended_at,
        earlier_first_look=_pair(row.earlier_first_look),
        abandoned=(row.abandoned["way"], datetime.fromisoformat(row.abandoned["began"])) if row.abandoned else None,
        head=tuple(map("".join, batched(row.head or "", MARK, strict=True))),
        licence=Licence(row.licence) if row.licence else None,
        listed=_whole(row.listed),
        full_sweep=_loaded(row.full_sweep) if row.full_sweep else None,
        full_sweep_ended_at=row.full_sweep_ended_at,
        missed=row.missed or {},
        unestablished=bool(row.unestablished),
        health=row.health,
        health_since=row.health_since,
        failures=int(row.failures or 0),
        alerts=row.alerts or {},
        unknown_words=frozenset(row.unknown_words or ()),
        changed_at=row.changed_at,
        paused_until=row.paused_until,
        looks_until=row.looks_until,
        hints_free_from=row.hints_free_from,
    )


def _dumped(sweep: FullSweep) -> dict[str, Any]:
    return asdict(sweep) | {"missing": sorted(sweep.missing)}


def _loaded(stored: Mapping[str, Any]) -> FullSweep:
    read = {
        "place": Place(**stored["place"]),
        "missing": frozenset(stored["missing"]),
    }
    known = {field.name for field in fields(FullSweep)}  # another version may have written others
    return FullSweep(**({name: value for name, value in stored.items() if name in known} | read))


def _pair(stored: list[str] | None) -> tuple[datetime, datetime] | None:
    began, ended = map(datetime.fromisoformat, stored) if stored else (None, None)
    return None if began is None or ended is None else (began, ended)


def _is_nothing(value: Any) -> bool:
    """Say whether a value is one that a row does not hold. Zero is one that it does."""
    return value is None or value is False or (isinstance(value, str | dict | set | list) and not value)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
