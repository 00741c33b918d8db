"""Remembers deliveries and their attempts. The retry schedule lives here; the queue only wakes it.

A delivery that succeeds at once is written twice: when it is claimed, which puts it on record, and when it has ended. Only what
waits for longer than a message can be delayed stands in the index.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from renderbell.deliveries import HELD_FOR, KEEP_FOR, KEPT_ANSWER, LEASE, Attempt, Delivery, DeliveryStatus, packed, unpacked
from renderbell.queues import MAX_DELAY, DeliveryMessage
from renderbell.store.meter import Meter
from renderbell.store.tables import DeliveryRow, opened, wrote
from renderbell.values import iso, moment

PENDING: Final = DeliveryStatus.PENDING.value
HELD: Final = DeliveryStatus.HELD.value
MOST_LINES: Final = 60
KEPT_LINES: Final = 50
"""Attempts that a row keeps, the newest: more than MOST_LINES are cut down to KEPT_LINES. A schedule has 13; probes, replays
and releases add to them, and a row that has grown to 400 KB could not be written any more."""
STATUSES: Final = frozenset(DeliveryStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one delivery stands."""

    endpoint_id: str
    event_id: str
    event_type: str
    status: DeliveryStatus
    reason: str | None
    attempt_count: int
    attempts: Sequence[Mapping[str, Any]]
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    body: str | None


class Deliveries:
    def __init__(self, table: str, meter: Meter | None = None) -> None:
        self._row = opened(DeliveryRow, table, meter)

    def claim(self, message: DeliveryMessage, now: datetime) -> Delivery | None:
        """Take the next attempt for ourselves, until it is recorded or its lease ends; put a new delivery on record so.

        None when there is nothing to do now: delivered, not due yet, being attempted by another, or woken without ever having
        been on record. A crash after this leaves the delivery due again when the lease is over. A probe takes a held one, whose
        schedule begins anew: a probe uses up none of it.
        """
        free = self._is_free(message, now, now + LEASE)
        again: list[Action] = []
        if message.probe and message.body is None:
            free |= self._row.status == HELD
            again = [self._row.attempt_count.set(0)]
        actions = [
            *self._born(message, now),
            *again,
            self._row.status.set(PENDING),
            self._row.next_attempt_at.set(now + LEASE),
            self._row.waiting.remove(),
        ]
        row = self._updated(message, actions, free)
        if row is None:
            return None
        self._shorten(row, now + LEASE)
        return _delivery(row)

    def due_again(self, message: DeliveryMessage) -> datetime | None:
        """Return when a delivery is due that nothing but a message wakes: pending, whole, and not in the index."""
        try:
            row = self._row.get(message.endpoint_id, message.event_id, consistent_read=True)
        except self._row.DoesNotExist:
            return None
        return row.next_attempt_at if row.status == PENDING and row.body and not row.waiting else None

    def put_off(self, message: DeliveryMessage, until: datetime, now: datetime) -> bool:
        """Record that a delivery waits for its endpoint's turn. False when it is not ours to put off."""
        actions = [*self._born(message, now), self._row.status.set(PENDING), self._row.next_attempt_at.set(until)]
        return self._updated(message, actions, self._is_free(message, now, until)) is not None

    def set_aside(self, message: DeliveryMessage, status: DeliveryStatus, reason: str, now: datetime) -> bool:
        """Record that a delivery is not attempted: held, or skipped. False when it is over or being attempted."""
        held = status is DeliveryStatus.HELD
        actions = [
            *self._born(message, now),
            self._row.status.set(status.value),
            self._row.reason.set(reason),
            *(self._held(message.endpoint_id, now) if held else self._over(now)),
        ]
        return self._updated(message, actions, self._is_free(message, now)) is not None

    def retry_at(self, delivery: Delivery, attempt: Attempt, when: datetime) -> None:
        """Record a failed attempt and when the next one is due."""
        actions: list[Action] = [self._row.next_attempt_at.set(when), self._row.reason.set(attempt.outcome.in_words)]
        if (when - attempt.at).total_seconds() > MAX_DELAY:
            actions.append(self._row.waiting.set(PENDING))
        self._finish(delivery, attempt, actions)

    def end(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus, reason: str | None, now: datetime) -> None:
        """Record how a delivery ended, or that it is held. It is no longer due."""
        actions = [
            self._row.status.set(status.value),
            self._row.reason.set(reason) if reason else self._row.reason.remove(),
            *(self._held(delivery.endpoint_id, now) if status is DeliveryStatus.HELD else self._over(now)),
        ]
        self._finish(delivery, attempt, actions)

    def due(self, now: datetime, limit: int) -> Iterator[DeliveryMessage]:
        """Yield what wakes the pending deliveries whose long wait is over, the longest waiting first."""
        return (message for message, _ in self._waiting(PENDING, now, limit))

    def held(
        self, endpoint_id: str, now: datetime, limit: int, *, newest_first: bool = False
    ) -> Iterator[tuple[DeliveryMessage, datetime]]:
        """Yield an endpoint's held deliveries and since when there is each of them, the oldest first unless asked otherwise."""
        return self._waiting(f"{HELD} {endpoint_id}", now, limit, newest_first=newest_first)

    def release(self, message: DeliveryMessage, when: datetime) -> bool:
        """Make a held delivery due at `when`, its schedule begun anew. False when it is no longer held."""
        return self._updated(message, self._due_anew(when), self._row.status == HELD) is not None

    def skip_held(self, message: DeliveryMessage, reason: str, now: datetime) -> bool:
        """Skip a held delivery for good. False when it is no longer held."""
        return self._skip(message, reason, now, self._row.status == HELD)

    def expire(self, message: DeliveryMessage, reason: str, now: datetime) -> bool:
        """Skip what is held for longer than HELD_FOR. False when it is no longer held, or a person sent it again since."""
        # Its age is that of its event. How long it is kept counts from when its schedule last began.
        is_old = self._row.expires_at <= now + (KEEP_FOR - HELD_FOR)
        return self._skip(message, reason, now, (self._row.status == HELD) & is_old)

    def replay(self, message: DeliveryMessage, when: datetime, now: datetime) -> bool:
        """Let a delivery that is over begin its schedule anew at `when`. False when it is still on its way."""
        over = self._row.status.exists() & (self._row.status != PENDING)
        return self._updated(message, self._anew(when, now), over) is not None

    def renew(self, message: DeliveryMessage, now: datetime) -> bool:
        """Let a delivery that was given up, or waits for long, begin its schedule anew now. False when it is neither.

        What is being attempted is due again within a lease. So two leases ahead nothing is, even by a clock that is off.
        """
        waits = (self._row.status == PENDING) & (self._row.next_attempt_at > now + 2 * LEASE)
        given_up = self._row.status == DeliveryStatus.EXHAUSTED.value
        return self._updated(message, self._anew(now, now), given_up | waits) is not None

    def revive(self, message: DeliveryMessage, now: datetime) -> None:
        """Make due what is on record as neither over nor held, but without a next attempt: somebody edited it."""
        lost = self._row.status.exists() & self._row.next_attempt_at.does_not_exist()
        over = self._row.status.is_in(*(status.value for status in DeliveryStatus if status.value not in {PENDING, HELD}))
        self._updated(message, [self._row.status.set(PENDING), self._row.next_attempt_at.set(now)], lost & ~over)

    def standing(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Standing]:
        """Return how these deliveries stand, by endpoint and event; what is not on record is left out."""
        rows = self._row.batch_get(list(dict.fromkeys(keys)))
        return {(row.endpoint_id, row.event_id): _standing(row) for row in rows}

    def of_endpoint(self, endpoint_id: str, *, after: str | None = None, limit: int | None = None) -> Iterator[Standing]:
        """Yield the deliveries of an endpoint that are on record, in no order of time: by event id, and behind `after`."""
        behind = None if after is None else self._row.event_id > after
        return map(_standing, self._row.query(endpoint_id, behind, limit=limit))

    def _born(self, message: DeliveryMessage, now: datetime) -> list[Action]:
        """Return what makes a row of a message that brings its event; nothing changes where there is one already."""
        row = self._row
        if message.body is None:
            return []
        return [
            row.event_type.set(row.event_type | message.event_type),
            row.body.set(row.body | packed(message.body)),
            row.attempt_count.set(row.attempt_count | 0),
            row.created_at.set(row.created_at | now),
            row.expires_at.set(row.expires_at | (now + KEEP_FOR)),
        ]

    def _is_free(self, message: DeliveryMessage, now: datetime, ours: datetime | None = None) -> Condition:
        """Nobody attempts it, and it is due; or it is new and the message brings what it takes.

        What is due at `ours`, to the microsecond, is what this very write made of it: botocore sends it again when the
        answer to the first was lost.
        """
        at = self._row.next_attempt_at
        due: Condition = (self._row.status == PENDING) & ((at <= now) if ours is None else (at <= now) | (at == ours))
        # Without an event there is nothing to send: the audit brings it to a row that somebody edited.
        either: Condition = self._row.status.does_not_exist() | due
        whole: Condition = due & self._row.body.exists()
        return whole if message.body is None else either

    def _due_anew(self, when: datetime) -> list[Action]:
        """Return what begins a schedule: its first attempt is due at `when`."""
        # In the index until it is claimed, so that it is woken even if its message is never sent, or lost.
        return [
            self._row.status.set(PENDING),
            self._row.next_attempt_at.set(when),
            self._row.attempt_count.set(0),
            self._row.waiting.set(PENDING),
        ]

    def _anew(self, when: datetime, now: datetime) -> list[Action]:
        return [
            *self._due_anew(when),
            self._row.reason.remove(),
            self._row.finished_at.remove(),
            self._row.expires_at.set(now + KEEP_FOR),
            self._row.attempts.set((self._row.attempts | []).append([{"at": iso(now), "replayed": True}])),
        ]

    def _held(self, endpoint_id: str, now: datetime) -> list[Action]:
        return [
            self._row.waiting.set(f"{HELD} {endpoint_id}"),
            # Held deliveries wait in the order in which they came.
            self._row.next_attempt_at.set(self._row.created_at | now),
        ]

    def _skip(self, message: DeliveryMessage, reason: str, now: datetime, condition: Condition) -> bool:
        actions = [self._row.status.set(DeliveryStatus.SKIPPED.value), self._row.reason.set(reason), *self._over(now)]
        return self._updated(message, actions, condition) is not None

    def _over(self, now: datetime) -> list[Action]:
        return [self._row.finished_at.set(now), self._row.next_attempt_at.remove(), self._row.waiting.remove()]

    def _updated(self, key: DeliveryMessage | Delivery, actions: Sequence[Action], condition: Condition) -> DeliveryRow | None:
        row = self._row(key.endpoint_id, key.event_id)
        return row if wrote(row, actions, condition) else None

    def _shorten(self, row: DeliveryRow, leased_until: datetime) -> None:
        """Forget the oldest attempts of a row that is claimed, and has too many of them; none of its present schedule."""
        if len(row.attempts) > MOST_LINES:
            kept = list(row.attempts)[-max(KEPT_LINES, int(row.attempt_count)) :]
            is_claimed = (self._row.status == PENDING) & (self._row.next_attempt_at == leased_until)
            wrote(row, [self._row.attempts.set(kept)], is_claimed)

    def _finish(self, delivery: Delivery, attempt: Attempt, actions: list[Action]) -> None:
        # Counted here and not when it was claimed: what we never got to send is no attempt of the receiver's thirteen.
        counted = [
            self._row.attempt_count.set(attempt.number),
            self._row.attempts.set((self._row.attempts | []).append([_line(attempt, delivery.last_answer)])),
        ]
        # Where the condition fails another attempt ended the delivery meanwhile: its word stands.
        self._updated(delivery, [*actions, *counted], self._row.status == PENDING)

    def _waiting(
        self, name: str, until: datetime, limit: int, *, newest_first: bool = False
    ) -> Iterator[tuple[DeliveryMessage, datetime]]:
        due = self._row.next_attempt_at <= until
        for row in self._row.by_waiting.query(name, due, limit=limit, scan_index_forward=not newest_first):
            yield DeliveryMessage(endpoint_id=row.endpoint_id, event_id=row.event_id), row.next_attempt_at


def _delivery(row: DeliveryRow) -> Delivery:
    lines, attempts = _lines(row), int(row.attempt_count)
    # Each attempt that counts is a line, in one write. So the schedule's first is as far from the last as there are attempts.
    first = lines[-attempts] if 0 < attempts <= len(lines) else {}
    return Delivery(
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event_type=row.event_type,
        body=unpacked(row.body),
        attempts=attempts,
        began_at=moment(first.get("at")),
        last_answer=next((line["answer"] for line in reversed(lines) if "answer" in line), None),
    )


def _standing(row: DeliveryRow) -> Standing:
    return Standing(
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event_type=row.event_type,
        # What is none of these was written by hand: without a next attempt it is stuck, and the audit makes it due.
        status=DeliveryStatus(row.status) if row.status in STATUSES else DeliveryStatus.PENDING,
        reason=row.reason,
        attempt_count=int(row.attempt_count or 0),
        attempts=_lines(row),
        next_attempt_at=row.next_attempt_at,
        created_at=row.created_at,
        finished_at=row.finished_at,
        body=unpacked(row.body) if row.body else None,
    )


def _lines(row: DeliveryRow) -> Sequence[Mapping[str, Any]]:
    return [dict(getattr(line, "attribute_values", line)) for line in row.attempts]


def _line(attempt: Attempt, last_answer: str | None) -> dict[str, Any]:
    outcome = attempt.outcome
    answer = (outcome.answer or "")[:KEPT_ANSWER]
    line = {
        "number": attempt.number,
        "at": iso(attempt.at),
        "http_status": outcome.http_status,
        "answer": None if answer == last_answer else answer or None,
        "error": outcome.error,
        "milliseconds": outcome.milliseconds,
    }
    return {name: value for name, value in line.items() if value is not None}
