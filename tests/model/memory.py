"""The store in memory, for a test that makes thousands of looks: the same promises, checked against the real one too.

Reads that DynamoDB may answer late are answered late on demand; every call can be interrupted before it begins.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from renderbell.account_state import AccountState
from renderbell.events import event_id
from renderbell.transitions import Known, Transition
from renderbell.video import AccountName, Status


@dataclass(frozen=True, slots=True)
class Row:
    known: Known
    unestablished: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the stream would hand it to `notify`."""

    event_id: str
    video_id: str
    status: Status
    at: datetime


@dataclass
class MemoryVideos:
    """What store.videos promises. `lag` is how many of the last writes eventually consistent reads do not see yet."""

    account: AccountName
    interrupt: Callable[[], None] = lambda: None
    rows: dict[str, Row] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    flown: set[str] = field(default_factory=set)
    """The videos that were ever on record as in flight."""
    lag: int = 0
    before_write: Callable[[], object] | None = None
    """What happens, once, between a look's decision and its write."""
    _undo: list[tuple[str, Row | None]] = field(default_factory=list)

    def known(self, account: AccountName, video_ids: Iterable[str], *, consistent: bool = False) -> Mapping[str, Known]:
        del account
        self.interrupt()
        rows = self.rows if consistent else self._late()
        return {video_id: rows[video_id].known for video_id in video_ids if video_id in rows}

    def in_flight(self, account: AccountName) -> Mapping[str, Known]:
        del account
        self.interrupt()
        rows = self._late().items()
        flying = {name: row.known for name, row in rows if not row.known.status.final and row.known.sequence > 0}
        return dict(sorted(flying.items(), key=lambda item: str(item[1].since)))

    def unestablished(self, account: AccountName, limit: int) -> Mapping[str, Known]:
        del account
        self.interrupt()
        return dict([(name, row.known) for name, row in self._late().items() if row.known.sequence == 0][:limit])

    def record(self, account: AccountName, change: Transition) -> bool:
        del account
        self.interrupt()
        first, self.before_write = self.before_write, None
        if first is not None:
            first()
        if not self._holds(change):
            return False
        self._write(change)
        self.interrupt()
        return True

    def record_together(self, account: AccountName, changes: Sequence[Transition]) -> Sequence[Transition]:
        del account
        self.interrupt()
        if not all(self._holds(change) for change in changes):
            return []
        for change in changes:
            self._write(change)
        return changes

    def note_stalled(self, account: AccountName, video_id: str, known: Known, now: datetime) -> bool:
        del account, now
        self.interrupt()
        row = self.rows.get(video_id)
        if row is None or row.known.sequence != known.sequence or row.known.stalled:
            return False
        self.rows[video_id] = replace(row, known=replace(row.known, stalled=True))
        self.stalled.append(video_id)
        return True

    def _holds(self, change: Transition) -> bool:
        row = self.rows.get(change.seen.video_id)
        if row is None:
            return change.sequence <= 1
        return change.sequence > 0 and row.known.sequence == change.sequence - 1

    def _write(self, change: Transition) -> None:
        seen, before = change.seen, self.rows.get(change.seen.video_id)
        self._undo.append((seen.video_id, before))
        since = before.known.since if before and not before.known.status.final else change.at
        stalled = before is not None and before.known.stalled
        known = Known(status=seen.status, sequence=change.sequence, since=since, stalled=stalled, created_at=seen.created_at)
        self.rows[seen.video_id] = Row(known)
        if change.sequence > 0 and not seen.status.final:
            self.flown.add(seen.video_id)
        if change.rings:
            name = event_id(self.account, seen.video_id, change.sequence)
            self.told.append(Told(name, seen.video_id, seen.status, change.at))

    def _late(self) -> Mapping[str, Row]:
        rows = dict(self.rows)
        for video_id, before in reversed(self._undo[len(self._undo) - self.lag :] if self.lag else []):
            if before is None:
                rows.pop(video_id, None)
            else:
                rows[video_id] = before
        return rows


@dataclass
class MemoryAccounts:
    """What store.accounts promises, for one account."""

    interrupt: Callable[[], None] = lambda: None
    now: AccountState = field(default_factory=AccountState)
    writes: int = 0

    def state(self, account: AccountName) -> AccountState:
        del account
        self.interrupt()
        return self.now

    def save(self, account: AccountName, before: AccountState, after: AccountState) -> bool:
        del account
        self.interrupt()
        if _own(before) == _own(after):
            return True
        if before.version != self.now.version:
            return False
        paused, looks = self.now.paused_until, self.now.looks_until
        self.now = replace(after, version=self.now.version + 1, paused_until=paused, looks_until=looks)
        self.writes += 1
        self.interrupt()
        return True

    def pause(self, account: AccountName, until: datetime) -> None:
        del account
        self.interrupt()
        self.now = replace(self.now, paused_until=max(until, self.now.paused_until or until))


def _own(state: AccountState) -> Mapping[str, object]:
    others = {"version", "paused_until", "looks_until"}
    return {one.name: getattr(state, one.name) for one in fields(state) if one.name not in others}
