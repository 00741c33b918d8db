"""Turns recorded transitions into deliveries: one for the SNS topic, one for each endpoint that wants the event.

The transitions come from the stream of the Videos table, so none is missed; a delivery's key is its endpoint and its
event's id, so a transition that comes again changes nothing. A delivery is put on record when it is claimed, not here: that is
one write less for each, and should the queue lose it, the audit finds that it is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from renderbell.endpoints import TOPIC, Endpoint
from renderbell.events import Event
from renderbell.links import Links
from renderbell.queues import DeliveryMessage, Queue
from renderbell.store.endpoints import Endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    endpoints: Endpoints
    queue: Queue
    links: Links

    def announce(self, event: Event) -> None:
        """Send the deliveries of an event on their way."""
        told = self.links.linked(event)
        self.queue.send(DeliveryMessage.of(endpoint_id, told) for endpoint_id in receivers(event, self.endpoints.all()))


def receivers(event: Event, endpoints: Sequence[Endpoint]) -> Sequence[str]:
    """Return the ids of all that want an event: the topic, and the endpoints whose filters let it through."""
    return [TOPIC, *(endpoint.endpoint_id for endpoint in endpoints if endpoint.wants(event))]
