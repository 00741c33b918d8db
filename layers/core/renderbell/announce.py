"""Turns recorded transitions into deliveries: one for the SNS topic, one for each endpoint that wants the event.

The transitions come from the stream of the Videos table, so none is missed; a delivery's key is its endpoint and its
event's id, so a transition that comes again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from renderbell.deliveries import Delivery
from renderbell.endpoints import TOPIC, Endpoint
from renderbell.events import Event
from renderbell.queues import DeliveryMessage, Queue
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    endpoints: Endpoints
    deliveries: Deliveries
    queue: Queue

    def announce(self, event: Event, now: datetime) -> None:
        """Make the deliveries of an event and wake them.

        Put on record first, woken after: killed in between, `dispatch` finds them due.
        """
        receivers = [TOPIC, *(endpoint.endpoint_id for endpoint in self._wanting(event))]
        for endpoint_id in receivers:
            self.deliveries.add(_delivery(endpoint_id, event), now)
        self.queue.send(DeliveryMessage(endpoint_id=endpoint_id, event_id=event.event_id) for endpoint_id in receivers)

    def _wanting(self, event: Event) -> Sequence[Endpoint]:
        return [endpoint for endpoint in self.endpoints.all() if endpoint.wants(event)]


def _delivery(endpoint_id: str, event: Event) -> Delivery:
    return Delivery(
        endpoint_id=endpoint_id,
        event_id=event.event_id,
        event_type=event.type,
        body=event.body,
        attributes={
            "type": event.type,
            "provider": event.account.provider,
            "account": event.account.name,
            "status": event.status.value,
        },
    )
