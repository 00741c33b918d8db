"""Remembers endpoints: what a person said of them, and how they have been answering."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from renderbell.deliveries import KEEP_FOR
from renderbell.endpoints import Endpoint
from renderbell.store.meter import Meter
from renderbell.store.tables import EndpointRow, opened, wrote

if TYPE_CHECKING:
    from pynamodb.attributes import Attribute

SETS: Final = frozenset({"events", "providers", "accounts"})
LONGEST_TURN: Final = timedelta(minutes=13)
"""How far ahead turns are given out: whoever comes later asks again, so that an endpoint that is back is soon called. A message
can wait for all of it."""
TRIES: Final = 3


class Endpoints:
    def __init__(self, table: str, meter: Meter | None = None) -> None:
        self._row = opened(EndpointRow, table, meter)

    def all(self) -> Sequence[Endpoint]:
        """Return the endpoints, oldest first. There are few, and an event must not miss one that was just added."""
        return [one for one in self.with_removed() if one.removed_at is None]

    def with_removed(self) -> Sequence[Endpoint]:
        """Return the endpoints, and those that were removed while deliveries to them are on record; oldest first."""
        rows = sorted(self._row.scan(consistent_read=True), key=lambda row: (row.created_at, row.endpoint_id))
        return [endpoint_of(row) for row in rows]

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint that was not removed."""
        try:
            found = endpoint_of(self._row.get(endpoint_id, consistent_read=True))
        except self._row.DoesNotExist:
            return None
        return found if found.removed_at is None else None

    def put(self, endpoint: Endpoint) -> None:
        """Add an endpoint."""
        self._row(endpoint.endpoint_id, **{name: _stored(name, value) for name, value in _values(endpoint).items()}).save()

    def note(self, before: Endpoint, after: Endpoint) -> None:
        """Write what is different in `after`; nothing when nothing is. What others wrote meanwhile of the rest stands."""
        was = _values(before)
        changed = {name: value for name, value in _values(after).items() if value != was[name]}
        if changed:
            self._update(after.endpoint_id, [self._set(name, value) for name, value in changed.items()])

    def note_held(self, endpoint_id: str, now: datetime) -> None:
        """Note that an event was held, also for an endpoint that was removed meanwhile.

        After it was, so that what is held is always looked for.
        """
        wrote(self._row(endpoint_id), [self._row.held_at.set(now)], self._row.endpoint_id.exists())

    def forget_held(self, endpoint: Endpoint) -> bool:
        """Note that nothing is held any more. False when something was held meanwhile."""
        is_same = self._row.held_at == endpoint.held_at
        return wrote(self._row(endpoint.endpoint_id), [self._row.held_at.remove()], is_same)

    def take_turn(self, endpoint: Endpoint, now: datetime) -> datetime | None:
        """Return when the next attempt at an endpoint that takes turns may begin, and give that turn to nobody else.

        None when turns are given out up to LONGEST_TURN already, when the endpoint is doubtful and its one turn is taken, and
        when it was removed meanwhile.
        """
        gap, at = endpoint.seconds_between, now.timestamp()
        row, turn = self._row(endpoint.endpoint_id), self._row.turn_at
        latest, is_there = at + LONGEST_TURN.total_seconds(), self._is_there()
        for _ in range(TRIES):
            if wrote(row, [turn.set(at + gap)], is_there & (turn.does_not_exist() | (turn <= at))):
                return now
            if endpoint.is_doubtful:
                return None
            if wrote(row, [turn.set(turn + gap)], is_there & turn.between(at, latest)):
                return datetime.fromtimestamp(float(row.turn_at) - gap, UTC)
        return None

    def remove(self, endpoint_id: str, now: datetime) -> bool:
        """Remove an endpoint: nobody finds it any more, and its row goes when the last delivery to it does.

        False when it is not there.
        """
        return self._update(endpoint_id, [self._row.removed_at.set(now), self._row.expires_at.set(now + KEEP_FOR)])

    def _set(self, name: str, value: Any) -> Action:
        attribute: Attribute[Any] = getattr(self._row, name)
        stored = _stored(name, value)
        return attribute.remove() if stored is None else attribute.set(stored)

    def _update(self, endpoint_id: str, actions: list[Action]) -> bool:
        return wrote(self._row(endpoint_id), actions, self._is_there())

    def _is_there(self) -> Condition:
        is_there: Condition = self._row.endpoint_id.exists() & self._row.removed_at.does_not_exist()
        return is_there


def endpoint_of(row: EndpointRow) -> Endpoint:
    stored = {name: getattr(row, name) for name in _names() if getattr(row, name) is not None}
    return Endpoint(endpoint_id=row.endpoint_id, **{name: _read(name, value) for name, value in stored.items()})


def _names() -> Sequence[str]:
    return [field.name for field in fields(Endpoint) if field.name != "endpoint_id"]


def _values(endpoint: Endpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in _names()}


def _stored(name: str, value: Any) -> Any:
    return (set(value) or None) if name in SETS else value


def _read(name: str, value: Any) -> Any:
    if name in SETS:
        return frozenset(value)
    return float(value) if name in {"gap", "rate"} else int(value) if name == "warned" else value
