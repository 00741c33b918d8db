"""Opens the links that notifications carry: each leads to its video's URL as the provider gives it at that moment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from renderbell.endpoints import TOPIC
from renderbell.fresh import Fresh
from renderbell.messages import web_address
from renderbell.parameters import Parameters
from renderbell.store.deliveries import Deliveries
from renderbell.values import moment
from renderbell.video import AccountName

LONGEST_URL: Final = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a link leads to: a `url`, or `words` for the person who followed it."""

    status: int
    url: str | None = None
    words: str = ""


NO_LINK = Opened(status=404, words="There is no such link. Was all of it copied?")
OVER = Opened(status=410, words="This link is over. Ask for the video where it was made.")
GONE = Opened(status=410, words="The video is no longer at its provider.")
NOT_NOW = Opened(status=503, words="The provider cannot be asked for the video at the moment. Try again in a minute.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    parameters: Parameters
    deliveries: Deliveries
    fetch: Callable[[AccountName, str], Fresh]
    now: Callable[[], datetime]

    def open(self, path: str) -> Opened:
        """Return where a link leads. One that nobody made costs nothing.

        Which video it is stands in the topic's delivery of its event, so that the link holds no id of a provider's. Where the
        provider cannot be asked, the URL that the event brought will do, until it ends.
        """
        tokens = self.parameters.tokens()
        linked = tokens.linked(path.strip("/")) if tokens else None
        if linked is None:
            return NO_LINK
        event_id, end = linked
        if self.now() >= end:
            return OVER
        data = self._told(event_id)
        if data is None:
            return OVER
        fresh = self.fetch(AccountName(data["provider"], data["account"]), data["video_id"])
        if fresh.url is not None:
            return _to(fresh.url)
        if fresh.error == "not_found" or (fresh.error is None and fresh.status == "deleted"):
            return GONE
        expires = moment(data["url_expires_at"])
        return NOT_NOW if expires is not None and expires <= self.now() else _to(data["url"])

    def _told(self, event_id: str) -> Mapping[str, Any] | None:
        found = self.deliveries.standing([(TOPIC, event_id)]).get((TOPIC, event_id))
        return None if found is None or found.body is None else dict(json.loads(found.body)["data"])


def _to(url: str | None) -> Opened:
    """Lead to an address of the web, and to no other kind: what a browser would run is none."""
    address = web_address(url, LONGEST_URL)
    return Opened(status=302, url=address) if address else NOT_NOW
