"""Shows that each end of a video has a delivery at each receiver that wanted it, and makes what is missing.

Delivery does not depend on it: the stream and the queue bring every event. It finds what they cannot: a stream that was down
for longer than it keeps its records, a message that was lost before its delivery was on record, rows edited by hand.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Final

from renderbell.alerts import OPERATORS
from renderbell.announce import receivers
from renderbell.deliveries import HELD_FOR, DeliveryStatus
from renderbell.endpoints import Endpoint
from renderbell.events import Event
from renderbell.links import Links
from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage, Queue
from renderbell.store.deliveries import Deliveries, Standing
from renderbell.store.endpoints import Endpoints
from renderbell.store.videos import Videos

GRACE: Final = timedelta(minutes=2)
"""What is younger is on its way."""
LONGEST: Final = HELD_FOR
"""What is older may have been forgotten on purpose: deliveries are kept for 35 days."""
TOGETHER: Final = 100
MISSING: Final = "missing"
STUCK: Final = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    parameters: Parameters
    videos: Videos
    endpoints: Endpoints
    deliveries: Deliveries
    queue: Queue
    links: Links

    def run(self, now: datetime, since: datetime, *, mends: bool = True) -> Mapping[str, int]:
        """Count the deliveries of every event since `since` by how they stand; `missing` ones are made, `stuck` ones woken.

        A stuck one is pending and overdue: its message was lost. With `mends` off it is only counted.
        """
        counts: Counter[str] = Counter({status.value: 0 for status in DeliveryStatus} | {MISSING: 0, STUCK: 0})
        endpoints = self.endpoints.all()
        expected = self._expected(endpoints, max(since, now - LONGEST), now - GRACE)
        for batch in batched(expected, TOGETHER, strict=False):
            found = self.deliveries.standing((message.endpoint_id, message.event_id) for message in batch)
            woken = []
            for message in batch:
                word = _judged(found.get((message.endpoint_id, message.event_id)), now)
                counts[word] += 1
                if word in {MISSING, STUCK}:
                    woken.append(message)
            if mends:
                for message in woken:
                    self.deliveries.revive(message, now)
                self.queue.send(woken)
        counts[STUCK] += self._stuck_alerts(now, mends=mends)
        if mends:
            self._look_for_held(now)
        return counts

    def _expected(self, endpoints: Sequence[Endpoint], since: datetime, until: datetime) -> Iterator[DeliveryMessage]:
        for account in self.parameters.account_names():
            for at, event in self.videos.told_since(account, since):
                if since <= at <= until:
                    told = self.links.linked(event)
                    yield from (DeliveryMessage.of(endpoint_id, told) for endpoint_id in _wanting(event, at, endpoints))

    def _stuck_alerts(self, now: datetime, *, mends: bool) -> int:
        """Count operators' alerts that are stuck, and wake them: behind them is no end of a video, by which to find them."""
        stuck = [one for one in self.deliveries.of_endpoint(OPERATORS) if _judged(one, now) == STUCK]
        messages = [DeliveryMessage(endpoint_id=OPERATORS, event_id=one.event_id) for one in stuck]
        if mends:
            for message in messages:
                self.deliveries.revive(message, now)
            self.queue.send(messages)
        return len(messages)

    def _look_for_held(self, now: datetime) -> None:
        """Note where something is held though its endpoint does not know: `dispatch` will send it, or skip it."""
        for endpoint in self.endpoints.with_removed():
            if endpoint.held_at is None and any(self.deliveries.held(endpoint.endpoint_id, now, 1)):
                self.endpoints.note_held(endpoint.endpoint_id, now)


def _wanting(event: Event, at: datetime, endpoints: Sequence[Endpoint]) -> Sequence[str]:
    """Return who wanted an event when it happened: nobody who came later."""
    return receivers(event, [one for one in endpoints if one.created_at is None or one.created_at <= at])


def _judged(standing: Standing | None, now: datetime) -> str:
    if standing is None:
        return MISSING
    overdue = standing.next_attempt_at is None or standing.next_attempt_at < now - GRACE
    return STUCK if standing.status is DeliveryStatus.PENDING and overdue else standing.status.value
