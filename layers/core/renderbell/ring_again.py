"""Rings once more for a video that has ended: to every receiver that wants its event, under the event's own id."""

from dataclasses import dataclass
from datetime import datetime

from renderbell.announce import receivers
from renderbell.errors import NotEndedError, NotOnRecordError
from renderbell.events import event_of, masked
from renderbell.links import Links
from renderbell.queues import DeliveryMessage, Queue
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.videos import Videos
from renderbell.video import AccountName


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    event_id: str
    sent: int
    on_their_way: int
    """Deliveries of the event that are still being attempted, and so were left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingAgain:
    videos: Videos
    endpoints: Endpoints
    deliveries: Deliveries
    queue: Queue
    links: Links

    def ring(self, account: AccountName, video_id: str, now: datetime) -> Rung:
        """Send the event of a video's end to all who want it. A delivery that was made keeps its bytes, and notes the replay.

        Raises NotOnRecordError, and NotEndedError for a video that has not ended.
        """
        video = self.videos.get(account, video_id)
        if video is None:
            raise NotOnRecordError(f"no video {masked(video_id)} of {account} is on record")
        if not video.status.final:
            raise NotEndedError(f"the video is {video.status}: there is nothing to ring for until it has ended")
        event = self.links.linked(event_of(video))
        wanted = receivers(event, self.endpoints.all())
        known = self.deliveries.standing((endpoint_id, event.event_id) for endpoint_id in wanted)
        messages = []
        for endpoint_id in wanted:
            whole = DeliveryMessage.of(endpoint_id, event)
            bare = DeliveryMessage(endpoint_id=endpoint_id, event_id=event.event_id)
            if (endpoint_id, event.event_id) not in known:
                messages.append(whole)
            elif self.deliveries.replay(bare, now, now):
                messages.append(bare)
        sent = self.queue.send(messages)
        return Rung(event_id=event.event_id, sent=sent, on_their_way=len(wanted) - sent)
