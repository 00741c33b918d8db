"""Remembers videos. A transition is one conditional write, so of two polls that saw the same change one gets through."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from pynamodb.constants import DATETIME_FORMAT
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from renderbell.events import Event, VideoRecord, event_of, stalled_event
from renderbell.store.meter import Meter
from renderbell.store.tables import VideoRow, opened, wrote
from renderbell.transitions import Known, Transition
from renderbell.values import iso, moment
from renderbell.video import AccountName, Status

if TYPE_CHECKING:
    from pynamodb.attributes import Attribute

IN_FLIGHT: Final = "in-flight"
FINISHED: Final = "finished"
UNESTABLISHED: Final = "unestablished"
"""What the first look saw without learning whether it is done (sequence 0): neither in flight nor finished, as yet."""
PHASES: Final = (IN_FLIGHT, FINISHED, UNESTABLISHED)
TOGETHER: Final = 100
"""Items that one DynamoDB transaction may hold."""
MAX_TITLE: Final = 500
MAX_ERROR: Final = 2000
MAX_WORD: Final = 200
MAX_URL: Final = 8000
"""A longer one is data, not an address, and would make the item too large to write."""
MAX_HISTORY: Final = 50
"""Transitions that are listed with a video; a provider that wavers must not grow an item without end."""
CLOCKS_AGREE: Final = timedelta(seconds=5)
"""How far the times of two polls, each by its own clock and taken before its write, may be out of the writes' order."""


class Videos:
    def __init__(self, table: str, meter: Meter | None = None) -> None:
        self._row = opened(VideoRow, table, meter)

    def known(self, account: AccountName, video_ids: Iterable[str], *, consistent: bool = False) -> Mapping[str, Known]:
        """Return what is on record of these videos; those never seen are left out."""
        keys = [(str(account), video_id) for video_id in dict.fromkeys(video_ids)]
        rows = self._row.batch_get(keys, consistent_read=consistent)
        return {row.video_id: _known(row) for row in rows}

    def in_flight(self, account: AccountName) -> Mapping[str, Known]:
        """Return an account's videos in flight, the oldest first. What was written a moment ago may be missing yet."""
        return {row.video_id: _known(row) for row in self._row.by_phase.query(phase(account, IN_FLIGHT))}

    def unestablished(self, account: AccountName, limit: int) -> Mapping[str, Known]:
        """Return up to `limit` videos of which the first look could not learn whether they are done."""
        rows = self._row.by_phase.query(phase(account, UNESTABLISHED), scan_index_forward=False, limit=limit)
        return {row.video_id: _known(row) for row in rows}

    def record(self, account: AccountName, change: Transition) -> bool:
        """Write a transition. False when the video is no longer as the transition found it: read it and decide again."""
        return wrote(self._row(str(account), change.seen.video_id), self._actions(account, change), self._unchanged(change))

    def record_together(self, account: AccountName, changes: Sequence[Transition]) -> Sequence[Transition]:
        """Write many transitions, a hundred in one request, each under its condition; return those that were written.

        For a first look: it writes twice as dear as `record`, and much faster. Of a hundred of which one is refused, none
        is written: the caller records those one by one.
        """
        written: list[Transition] = []
        for batch in batched(changes, TOGETHER, strict=False):
            try:
                with TransactWrite(connection=self._row._get_connection().connection) as transaction:  # noqa: SLF001 - or it opens another
                    for change in batch:
                        row = self._row(str(account), change.seen.video_id)
                        transaction.update(row, self._actions(account, change), condition=self._unchanged(change))
            except TransactWriteError as error:
                if error.cause_response_code != "TransactionCanceledException":
                    raise
                continue
            written += batch
        return written

    def note_stalled(self, account: AccountName, video_id: str, known: Known, now: datetime) -> bool:
        """Note that a video is in flight for too long. False when it moved on or was noted meanwhile."""
        stalled = self._row.stalled_at
        unchanged = (self._row.sequence == known.sequence) & stalled.does_not_exist()
        return wrote(self._row(str(account), video_id), [stalled.set(now)], unchanged)

    def _unchanged(self, change: Transition) -> Condition:
        new = self._row.sequence.does_not_exist()
        if change.sequence == 0:
            return new
        before = self._row.sequence == change.sequence - 1
        return new | before if change.sequence == 1 else before

    def _actions(self, account: AccountName, change: Transition) -> list[Action]:
        row, seen = self._row, change.seen
        final, was_final = seen.status.final, change.previous is not None and change.previous.final
        ended = (row.finished_at | change.at) if was_final else change.at  # deleted later, a video ended when it ended
        playable, url, word = seen.status is Status.COMPLETED, _url(seen.url), _clipped(seen.provider_status, MAX_WORD)
        facts: Sequence[tuple[Attribute[Any], Any]] = [
            (row.title, _clipped(seen.title, MAX_TITLE)),
            (row.thumbnail_url, _url(seen.thumbnail_url)),
            (row.error, _clipped(seen.error, MAX_ERROR)),
            (row.duration_seconds, seen.duration_seconds),
            (row.created_at, seen.created_at),
        ]
        actions: list[Action] = [
            row.status.set(seen.status.value),
            row.sequence.set(change.sequence),
            row.rings.set(change.rings),
            row.phase.set(phase(account, UNESTABLISHED if change.sequence == 0 else FINISHED if final else IN_FLIGHT)),
            row.changed_at.set(change.at),
            row.first_seen_at.set(row.first_seen_at | change.at),
            # In flight since it was first seen, or started again; finished since it ended.
            row.since.set(change.at if final or was_final else (row.first_seen_at | change.at)),
            *([row.stalled_at.remove()] if was_final else []),
            row.provider_status.set(word) if word else row.provider_status.remove(),
            row.previous_status.set(change.previous.value) if change.previous else row.previous_status.remove(),
            row.finished_at.set(ended) if final else row.finished_at.remove(),
            row.url.set(url) if playable and url else row.url.remove(),
            row.url_expires_at.set(seen.url_expires_at) if playable and seen.url_expires_at else row.url_expires_at.remove(),
            # What this sighting does not say is not forgotten: a by-id answer may have no title.
            *(attribute.set(value) for attribute, value in facts if value is not None),
        ]
        if change.sequence <= MAX_HISTORY:
            actions.append(row.history.set((row.history | []).append([_line(change)])))
        return actions

    def in_account(self, account: AccountName, phase_name: str) -> Iterator[VideoRecord]:
        """Yield an account's videos of one phase, newest first."""
        return map(record_of, self._row.by_phase.query(phase(account, phase_name), scan_index_forward=False))

    def listed(
        self, account: AccountName, phase_name: str, *, since: datetime | None, after: Mapping[str, str] | None, at_once: int
    ) -> Iterator["Listed"]:
        """Yield an account's videos of one phase, newest first, down to `since`, `at_once` a request.

        `after` is the place of a video of this or another account: what stands before it, and itself, is left out. Of one
        moment, the accounts follow each other by name.
        """
        latest, key = datetime.max.replace(tzinfo=UTC), None
        if after is not None:
            latest = moment_of(after["since"])
            if after["account"] == str(account):
                key = self._index_key(account, phase_name, after)
            elif str(account) < after["account"]:
                latest -= timedelta(microseconds=1)
        earliest = since or datetime.min.replace(tzinfo=UTC)
        if earliest > latest:
            return
        rows = self._row.by_phase.query(
            phase(account, phase_name),
            self._row.since.between(earliest, latest),
            scan_index_forward=False,
            page_size=at_once,
            last_evaluated_key=key,
        )
        for row in rows:
            yield Listed(record=record_of(row), since=row.since, phase=phase_name, rang=bool(row.rings))

    def with_history(self, account: AccountName, video_id: str) -> "tuple[VideoRecord, Sequence[HistoryLine]] | None":
        """Return what is on record of one video and each of its transitions, the first first; None when it was never seen."""
        try:
            row = self._row.get(str(account), video_id, consistent_read=True)
        except self._row.DoesNotExist:
            return None
        return record_of(row), [_history_line(line) for line in map(dict, row.history)]

    def _index_key(self, account: AccountName, phase_name: str, place: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        names = {
            "phase": phase(account, phase_name),
            "since": moment_of(place["since"]).strftime(DATETIME_FORMAT),
            "account": str(account),
            "video_id": place["video_id"],
        }
        return {name: {"S": value} for name, value in names.items()}

    def told_since(self, account: AccountName, since: datetime) -> Iterator[tuple[datetime, Event]]:
        """Yield when and what the world was to be told of an account's videos that ended since then or are in flight."""
        for row in self._row.by_phase.query(phase(account, FINISHED), self._row.since >= since):
            yield from _events(row)
        for row in self._row.by_phase.query(phase(account, IN_FLIGHT)):
            yield from _events(row)

    def ended_since(self, account: AccountName, since: datetime) -> Iterator[VideoRecord]:
        """Yield an account's videos that ended since then, the oldest first, but for those a first look found done already."""
        rings = self._row.rings == True  # noqa: E712 - a condition, not a comparison
        return map(record_of, self._row.by_phase.query(phase(account, FINISHED), self._row.since >= since, rings))

    def get(self, account: AccountName, video_id: str) -> VideoRecord | None:
        """Return what is on record of one video, None when it was never seen."""
        try:
            return record_of(self._row.get(str(account), video_id, consistent_read=True))
        except self._row.DoesNotExist:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A video in a listing of ours, which stands in the order of `since`: when its phase began."""

    record: VideoRecord
    since: datetime
    phase: str
    rang: bool
    """Whether its latest transition was told. An end that was not is one that a first look found: it was before that."""

    @property
    def place(self) -> Mapping[str, str]:
        exact = self.since.astimezone(UTC).isoformat()
        record = self.record
        return {"phase": self.phase, "since": exact, "account": str(record.account), "video_id": record.video_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One transition. `seen` says how it was seen: in the `listing`, or `by_id`; None before Renderbell wrote that down."""

    status: Status
    provider_status: str | None
    at: datetime
    sequence: int | None
    rang: bool | None
    seen: str | None


def phase(account: AccountName, name: str) -> str:
    return f"{account}#{name}"


def record_of(row: VideoRow) -> VideoRecord:
    """Return an item of the table, or of its stream, as the record it is."""
    return VideoRecord(
        account=AccountName.parse(row.account),
        video_id=row.video_id,
        status=Status(row.status),
        sequence=int(row.sequence),
        previous_status=Status(row.previous_status) if row.previous_status else None,
        provider_status=row.provider_status,
        title=row.title,
        url=row.url,
        thumbnail_url=row.thumbnail_url,
        url_expires_at=row.url_expires_at,
        error=row.error,
        duration_seconds=_number(row.duration_seconds),
        created_at=row.created_at,
        first_seen_at=row.first_seen_at,
        changed_at=row.changed_at,
        finished_at=row.finished_at,
        stalled_at=row.stalled_at,
    )


def news_in(change: Mapping[str, Any]) -> Event | None:
    """Return the event that a stream record (its `dynamodb` part) holds: a transition that rings, or a stall. Else None.

    Other writes to the item carry the old sequence and the old stall on, and must not ring again.
    """
    after, before = change.get("NewImage"), change.get("OldImage") or {}
    if after is None:
        return None
    moved_on = after["sequence"] != before.get("sequence")
    if moved_on and after["rings"]["BOOL"]:
        return event_of(_record_in(after))
    if not moved_on and "stalled_at" in after and after["stalled_at"] != before.get("stalled_at"):
        return stalled_event(_record_in(after))
    return None


def _events(row: VideoRow) -> Iterator[tuple[datetime, Event]]:
    """Yield every event of a video, by its history. The latest is as it was told; of earlier ones the URL is forgotten."""
    record, told = record_of(row), 0
    states: list[VideoRecord] = []
    for then, rings in _history(row, record):
        states.append(then)
        if rings:
            told = then.sequence
            yield then.changed_at, event_of(record if then.sequence == record.sequence else then)
    if row.rings and told != record.sequence:  # its history is too long to be kept whole, or is of version 0.1
        yield record.changed_at, event_of(record)
    stalled = _stalled([*(then for then in states if then.sequence < record.sequence), record])
    if stalled is not None and stalled.stalled_at is not None:
        yield stalled.stalled_at, stalled_event(stalled)


def _stalled(states: Sequence[VideoRecord]) -> VideoRecord | None:
    """Return the video as it was when it was noted as stalled. None when it was not, or when that is not certain.

    `notify` took the id of that event from the sequence the video had then. It is not on record, times alone tell. Rather
    than to tell the same stall again under another id, nothing is told:
    - where the history was cut between the transition before the stall and the one after it (MAX_HISTORY);
    - where a transition was seen within seconds of the stall: which of the two was written first, nobody knows any more.
    """
    record = states[-1]
    at = record.stalled_at
    if at is None:
        return None
    # Nothing stalls before its first transition.
    before = [one for one in states if one.sequence == 1 or one.changed_at <= at - CLOCKS_AGREE]
    after = [one for one in states if one.changed_at >= at + CLOCKS_AGREE]
    if not before or len(before) + len(after) != len(states):
        return None
    last, following = before[-1], after[0].sequence if after else record.sequence + 1
    return None if last.status.final or last.sequence + 1 != following else replace(last, stalled_at=at)


def _history(row: VideoRow, record: VideoRecord) -> Iterator[tuple[VideoRecord, bool]]:
    """Yield the video as it was after each of its transitions, and whether that rang."""
    previous: Status | None = None
    for line in (line for line in map(dict, row.history) if "sequence" in line):
        status, at = Status(line["status"]), moment(line["at"]) or record.changed_at
        then = replace(
            record,
            status=status,
            sequence=int(line["sequence"]),
            previous_status=previous,
            provider_status=line["provider_status"] or None,
            url=None,
            url_expires_at=None,
            error=record.error if status is Status.FAILED else None,
            changed_at=at,
            finished_at=at if status.final else None,
            stalled_at=None,
        )
        yield then, bool(line["rings"])
        previous = status


def _history_line(line: Mapping[str, Any]) -> HistoryLine:
    by_id, rings, sequence = line.get("by_id"), line.get("rings"), line.get("sequence")
    return HistoryLine(
        status=Status(line["status"]),
        provider_status=line["provider_status"] or None,
        at=moment_of(line["at"]),
        sequence=None if sequence is None else int(sequence),
        rang=None if rings is None else bool(rings),
        seen=None if by_id is None else "by_id" if by_id else "listing",
    )


def moment_of(text: str) -> datetime:
    """Return a time that we wrote ourselves."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _record_in(image: Mapping[str, Any]) -> VideoRecord:
    row = VideoRow()
    row.deserialize({name: dict(value) for name, value in image.items()})
    return record_of(row)


def _known(row: VideoRow) -> Known:
    return Known(
        status=Status(row.status),
        sequence=int(row.sequence),
        since=row.since,
        stalled=row.stalled_at is not None,
        created_at=row.created_at,
    )


def _line(change: Transition) -> dict[str, Any]:
    return {
        "status": change.seen.status.value,
        "provider_status": _clipped(change.seen.provider_status, MAX_WORD) or "",
        "at": iso(change.at),
        "sequence": change.sequence,
        "rings": change.rings,
        "by_id": change.seen.by_id,
    }


def _url(value: str | None) -> str | None:
    return value if value is not None and len(value) <= MAX_URL else None


def _clipped(value: str | None, limit: int) -> str | None:
    return value if value is None or len(value) <= limit else value[: limit - 1] + "…"


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
