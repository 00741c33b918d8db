"""Remembers deliveries and their attempts. The retry schedule lives here; the queue only wakes it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from pynamodb.exceptions import PutError, UpdateError

from renderbell.deliveries import KEEP_FOR, KEPT_ANSWER, LEASE, Attempt, Delivery, DeliveryStatus
from renderbell.store.meter import Meter
from renderbell.store.tables import CONDITION_FAILED, DeliveryRow, opened
from renderbell.values import iso

WAITING: Final = "waiting"


class Deliveries:
    def __init__(self, table: str, meter: Meter | None = None) -> None:
        self._row = opened(DeliveryRow, table, meter)

    def add(self, delivery: Delivery, now: datetime) -> bool:
        """Put a delivery on record, due at once. False when it was there already: its history is untouched."""
        row = self._row(
            delivery.endpoint_id,
            delivery.event_id,
            event_type=delivery.event_type,
            body=delivery.body,
            attributes=dict(delivery.attributes),
            status=DeliveryStatus.PENDING.value,
            waiting=WAITING,
            next_attempt_at=now,
            created_at=now,
            expires_at=now + KEEP_FOR,
        )
        try:
            row.save(condition=self._row.event_id.does_not_exist())
        except PutError as error:
            if error.cause_response_code == CONDITION_FAILED:
                return False
            raise
        return True

    def claim(self, endpoint_id: str, event_id: str, now: datetime) -> Delivery | None:
        """Take the next attempt for ourselves, until it is recorded or its lease ends.

        None when there is nothing to do now: delivered, not due yet, or being attempted by another. A crash after this
        leaves the delivery due again when the lease is over.
        """
        row = self._row(endpoint_id, event_id)
        due = (self._row.status == DeliveryStatus.PENDING.value) & (self._row.next_attempt_at <= now)
        try:
            row.update(
                actions=[self._row.next_attempt_at.set(now + LEASE)],
                condition=due,
            )
        except UpdateError as error:
            if error.cause_response_code == CONDITION_FAILED:
                return None
            raise
        return _delivery(row)

    def retry_at(self, delivery: Delivery, attempt: Attempt, when: datetime) -> None:
        """Record a failed attempt and when the next one is due."""
        self._finish_attempt(delivery, attempt, [self._row.next_attempt_at.set(when)])

    def end(
        self, delivery: Delivery, attempt: Attempt | None, status: DeliveryStatus, reason: str | None, now: datetime
    ) -> None:
        """Record how a delivery ended, or that it is held. It is no longer due."""
        actions = [
            self._row.status.set(status.value),
            self._row.waiting.remove(),
            self._row.next_attempt_at.remove(),
            self._row.finished_at.set(now),
            self._row.reason.set(reason) if reason else self._row.reason.remove(),
        ]
        self._finish_attempt(delivery, attempt, actions)

    def _finish_attempt(self, delivery: Delivery, attempt: Attempt | None, actions: list[Any]) -> None:
        if attempt is not None:
            # Counted here and not when it was claimed: what we never got to send is no attempt of the receiver's twelve.
            actions.append(self._row.attempt_count.set(attempt.number))
            actions.append(self._row.attempts.set((self._row.attempts | []).append([_line(attempt)])))
        try:
            self._row(delivery.endpoint_id, delivery.event_id).update(
                actions=actions, condition=self._row.status == DeliveryStatus.PENDING.value
            )
        except UpdateError as error:
            if error.cause_response_code != CONDITION_FAILED:
                raise  # otherwise another attempt ended the delivery meanwhile: its word stands

    def due(self, now: datetime, limit: int) -> Iterator[Delivery]:
        """Yield pending deliveries whose time has come, the longest waiting first."""
        rows = self._row.due.query(WAITING, self._row.next_attempt_at <= now, limit=limit)
        return map(_delivery, rows)


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event_type=row.event_type,
        body=row.body,
        attributes=row.attributes,
        attempts=int(row.attempt_count),
    )


def _line(attempt: Attempt) -> dict[str, Any]:
    outcome = attempt.outcome
    kept = (outcome.answer or "")[:KEPT_ANSWER]
    line = {
        "number": attempt.number,
        "at": iso(attempt.at),
        "http_status": outcome.http_status,
        "answer": kept,
        "error": outcome.error,
        "milliseconds": outcome.milliseconds,
    }
    return {name: value for name, value in line.items() if value is not None}
