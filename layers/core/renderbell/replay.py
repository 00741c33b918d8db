"""Finds deliveries on record, and sends them again: the oldest first, at the rate their endpoint bears."""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from renderbell.alerts import OPERATORS
from renderbell.deliveries import DeliveryStatus
from renderbell.endpoints import RELEASED_A_SECOND, TOPIC
from renderbell.errors import NotOnRecordError, no_endpoint
from renderbell.events import TRIAL
from renderbell.positions import cursor_of, place_of
from renderbell.queues import MAX_DELAY, DeliveryMessage, Queue
from renderbell.store.deliveries import Deliveries, Standing
from renderbell.store.endpoints import Endpoints
from renderbell.values import iso

BUILT_IN: Final = (TOPIC, OPERATORS)
MOST_READ: Final = 1000
"""Deliveries that one page looks at. Where few of them fit, it is short, and says where to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which deliveries: of one event, or of an endpoint (`topic` and `operators` are SNS); each filter may be left out."""

    event_id: str | None = None
    endpoint_id: str | None = None
    status: DeliveryStatus | None = None
    since: datetime | None = None

    def fits(self, one: Standing) -> bool:
        return self.status in {None, one.status} and (self.since is None or one.created_at >= self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a replay would send, the oldest first. The `pending` are on their way already and are left alone."""

    waiting: Sequence[Standing]
    pending: int
    rate: float
    """Events a second."""

    @property
    def at_once(self) -> Sequence[Standing]:
        """As many as fit into the time that a message can be delayed."""
        return self.waiting[: max(1, int(self.rate * MAX_DELAY))]

    @property
    def left(self) -> Sequence[Standing]:
        return self.waiting[len(self.at_once) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    deliveries: Deliveries
    endpoints: Endpoints
    queue: Queue

    def newest(self, chosen: Chosen, limit: int) -> Sequence[Standing]:
        """Return up to `limit` deliveries, the newest first. Raises NotOnRecordError where there never was such an endpoint."""
        return heapq.nlargest(limit, self.found(chosen), key=_age)

    def page(self, chosen: Chosen, limit: int, cursor: str | None = None) -> tuple[Sequence[Standing], str | None]:
        """Return up to `limit` deliveries, endpoint by endpoint, and the cursor of the next page, None after the last.

        One page looks at MOST_READ of them. Raises NotOnRecordError where there never was such an endpoint, BadInputError for
        a cursor that no page gave.
        """
        found: list[Standing] = []
        for read, one in enumerate(
            self._from(chosen, None if cursor is None else place_of(cursor, "endpoint", "event")), start=1
        ):
            found += [one] if chosen.fits(one) else []
            if len(found) == limit or read == MOST_READ:
                return found, cursor_of({"endpoint": one.endpoint_id, "event": one.event_id})
        return found, None

    def _from(self, chosen: Chosen, place: Mapping[str, str] | None) -> Iterator[Standing]:
        for endpoint_id in sorted(self._receivers(chosen)):
            if place is None or endpoint_id > place["endpoint"]:
                yield from self.deliveries.of_endpoint(endpoint_id)
            elif endpoint_id == place["endpoint"]:
                yield from self.deliveries.of_endpoint(endpoint_id, after=place["event"])

    def found(self, chosen: Chosen) -> Iterator[Standing]:
        """Yield the deliveries that fit, in no order. Without an event's id it reads all of each endpoint."""
        ids = self._receivers(chosen)
        if chosen.event_id is not None:
            event_id = chosen.event_id
            found: Iterator[Standing] = iter(self.deliveries.standing((name, event_id) for name in ids).values())
        else:
            found = (one for name in ids for one in self.deliveries.of_endpoint(name))
        return (one for one in found if chosen.fits(one))

    def _receivers(self, chosen: Chosen) -> Sequence[str]:
        """Return whose deliveries are meant: also of endpoints that were removed. Raises NotOnRecordError."""
        ever = [*BUILT_IN, *(one.endpoint_id for one in self.endpoints.with_removed())]
        if chosen.endpoint_id is None:
            return ever
        if chosen.endpoint_id not in ever:
            raise no_endpoint(chosen.endpoint_id)
        return [chosen.endpoint_id]

    def plan(self, chosen: Chosen) -> Plan:
        """Return what would be sent again. Test events are sent again only by their id.

        Raises NotOnRecordError where there is no such endpoint, and where no delivery of the event fits.
        """
        rate = RELEASED_A_SECOND if chosen.endpoint_id is None else self.rate_of(chosen.endpoint_id)
        present = {*BUILT_IN, *(one.endpoint_id for one in self.endpoints.all())}
        found = sorted((one for one in self.found(chosen) if one.endpoint_id in present), key=_age)
        if chosen.event_id is None:
            found = [one for one in found if one.event_type != TRIAL]
        elif not found:
            raise NotOnRecordError(_none_fits(chosen))
        waiting = [one for one in found if one.status is not DeliveryStatus.PENDING]
        return Plan(waiting=waiting, pending=len(found) - len(waiting), rate=rate)

    def send(self, plan: Plan, now: datetime) -> int:
        """Send what a plan sends at once, each in its turn; return how many. What went on its way meanwhile is left alone."""
        return self.queue.send_later(self._due(plan, now))

    def _due(self, plan: Plan, now: datetime) -> Iterator[tuple[DeliveryMessage, int]]:
        """Make each due in its turn, and yield what wakes it then.

        Due first, so that no message comes before its time. What is due when this is killed waits for the audit.
        """
        for place, one in enumerate(plan.at_once):
            wait = int(place / plan.rate)
            message = DeliveryMessage(endpoint_id=one.endpoint_id, event_id=one.event_id, turn=True)
            if self.deliveries.replay(message, now + timedelta(seconds=wait), now):
                yield message, wait

    def rate_of(self, endpoint_id: str) -> float:
        """Return how many events a second may be sent again to an endpoint. Raises NotOnRecordError."""
        if endpoint_id in BUILT_IN:
            return RELEASED_A_SECOND
        found = self.endpoints.get(endpoint_id)
        if found is None:
            raise no_endpoint(endpoint_id)
        return found.bears

    def resting(self, plan: Plan) -> dict[str, str]:
        """Return why, of the endpoints that a plan sends to, those that rest do: what is sent to them is held."""
        ids = {one.endpoint_id for one in plan.waiting}.difference(BUILT_IN)
        found = {one.endpoint_id: one.rests for one in self.endpoints.all() if one.endpoint_id in ids}
        return {endpoint_id: why for endpoint_id, why in sorted(found.items()) if why is not None}


def _none_fits(chosen: Chosen) -> str:
    if chosen.endpoint_id is not None and chosen.status is None and chosen.since is None:
        return f"{chosen.event_id} never went to {chosen.endpoint_id}"
    return f"no delivery of {chosen.event_id!r} that fits is on record"


def delivery_fields(one: Standing) -> dict[str, Any]:
    """Return a delivery as programs get it."""
    return {
        "endpoint": one.endpoint_id,
        "event_id": one.event_id,
        "type": one.event_type,
        **video_of(one),
        "status": one.status.value,
        "reason": one.reason,
        "attempt_count": one.attempt_count,
        "attempts": [
            {name: int(value) if isinstance(value, float) else value for name, value in line.items()} for line in one.attempts
        ],
        "next_attempt_at": iso(one.next_attempt_at) if one.status is DeliveryStatus.PENDING else None,
        "created_at": iso(one.created_at),
        "finished_at": iso(one.finished_at),
    }


def video_of(one: Standing) -> dict[str, str | None]:
    """Return which video a delivery is about, by the names of its event; what the event does not tell is None."""
    data = json.loads(one.body)["data"] if one.body else {}
    return {name: data.get(name) for name in ("provider", "account", "video_id", "title")}


def _age(one: Standing) -> datetime:
    return one.created_at
