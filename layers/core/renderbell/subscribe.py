"""What a person or a program does with endpoints: adds, pauses, resumes, rotates, tries and removes them."""

import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from renderbell.addresses import vet
from renderbell.endpoints import CHATS, FORMATS, STANDARD, Endpoint, Private, check_filters, check_headers, shown_url
from renderbell.errors import BadInputError, UnsafeUrl, no_endpoint
from renderbell.events import PROVIDER_NAMES, trial_event
from renderbell.lookup import resolve
from renderbell.parameters import Parameters, check_room
from renderbell.queues import DeliveryMessage, Queue
from renderbell.signing import Secrets, new_secret
from renderbell.store.deliveries import Deliveries, Standing
from renderbell.store.endpoints import Endpoints
from renderbell.values import iso
from renderbell.video import AccountName

TRIAL_SECONDS: Final = 25.0
"""How long a trial is waited for: an attempt takes 15 s at most, its message a moment."""
LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """What is said of an endpoint when it is added."""

    url: str
    events: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    description: str | None = None
    format: str = STANDARD
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate: float | None = None
    allow_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a test event went. `answered` is false when no attempt was on record in time."""

    event_id: str
    delivered: bool
    answered: bool
    http_status: int | None = None
    milliseconds: int | None = None
    answer: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    endpoints: Endpoints
    parameters: Parameters
    deliveries: Deliveries
    queue: Queue
    allow_local: bool
    """Whether this is a local stack, whose endpoints may be on the same machine."""
    sleep: Callable[[float], None] = time.sleep

    def add(self, new: NewEndpoint, now: datetime) -> tuple[Endpoint, str | None]:
        """Add an endpoint; return it and its secret, which is told this once. A chat has none. Raises BadInputError."""
        if new.format not in FORMATS:
            raise BadInputError(f"there is no format {new.format!r}: {', '.join(FORMATS)}")
        if new.rate is not None and not (math.isfinite(new.rate) and new.rate > 0):
            raise BadInputError("the rate is a number of events a second, 5 or 0.5 for instance")
        accounts = frozenset(str(AccountName.parse(name)) for name in new.accounts)
        check_filters(new.events, new.providers, accounts, frozenset(PROVIDER_NAMES))
        check_headers(new.headers)
        self._check_url(new)
        endpoint = Endpoint(
            endpoint_id=f"ep_{secrets.token_hex(8)}",
            url=shown_url(new.url, new.format),
            events=new.events,
            providers=new.providers,
            accounts=accounts,
            allow_http=new.allow_http,
            description=new.description,
            format=new.format,
            rate=new.rate,
            created_at=now,
        )
        secret, is_chat = new_secret(), new.format in CHATS
        private = Private(secrets=Secrets(current=secret), headers=new.headers, url=new.url if is_chat else None)
        # There must be room to rotate the secret later on.
        check_room(replace(private, secrets=private.secrets.rotated(new_secret(), now)).dump())
        # What is private first: an endpoint without it could not be called.
        self.parameters.put_endpoint_private(endpoint.endpoint_id, private)
        self.endpoints.put(endpoint)
        return endpoint, None if is_chat else secret

    def get(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint. Raises NotOnRecordError."""
        found = self.endpoints.get(endpoint_id)
        if found is None:
            raise no_endpoint(endpoint_id)
        return found

    def pause(self, endpoint_id: str, now: datetime) -> Endpoint:
        """Send nothing for now: events are held, up to 30 days."""
        endpoint = self.get(endpoint_id)
        return self._noted(endpoint, replace(endpoint, paused_at=endpoint.paused_at or now))

    def resume(self, endpoint_id: str) -> Endpoint:
        """Open a paused or disabled endpoint again. `dispatch` sends what was held, within a minute."""
        endpoint = self.get(endpoint_id)
        return self._noted(endpoint, endpoint.opened())

    def remove(self, endpoint_id: str, now: datetime) -> None:
        """Remove an endpoint. Raises NotOnRecordError.

        What is on its way to it is skipped when it is due, and what is held for it within minutes, with that reason.
        """
        if not self.endpoints.remove(endpoint_id, now):
            raise no_endpoint(endpoint_id)
        self.parameters.remove_endpoint_private(endpoint_id)

    def rotate(self, endpoint_id: str, now: datetime) -> str:
        """Return a new secret, told this once. The old one signs beside it for 24 hours. Raises BadInputError for a chat."""
        endpoint = self.get(endpoint_id)
        if endpoint.format in CHATS:
            raise BadInputError(f"messages to {endpoint.format} are not signed: there is no secret to rotate")
        private, secret = self.parameters.endpoint_private(endpoint_id, fresh=True), new_secret()
        rotated = private.secrets.rotated(secret, now) if private else Secrets(current=secret)
        after = replace(private, secrets=rotated) if private else Private(secrets=rotated)
        self.parameters.put_endpoint_private(endpoint_id, after)
        return secret

    def test(self, endpoint_id: str, now: datetime) -> Trial:
        """Send a `renderbell.test` event at once, to a resting endpoint, too, and wait for how it goes."""
        self.get(endpoint_id)
        message = replace(DeliveryMessage.of(endpoint_id, trial_event(endpoint_id, now)), probe=True)
        self.queue.send([message])
        standing = self._await_end(message)
        last: Mapping[str, Any] = standing.attempts[-1] if standing and standing.attempts else {}
        numbers = {name: None if last.get(name) is None else int(last[name]) for name in ("http_status", "milliseconds")}
        return Trial(
            event_id=message.event_id,
            delivered=standing is not None and standing.status.value == "delivered",
            answered=bool(last),
            answer=last.get("answer"),
            error=last.get("error"),
            **numbers,
        )

    def _await_end(self, message: DeliveryMessage) -> Standing | None:
        """Return how the delivery stands when it is over, or when the time is."""
        key = (message.endpoint_id, message.event_id)
        for _ in range(round(TRIAL_SECONDS / LOOK_EVERY)):
            standing = self.deliveries.standing([key]).get(key)
            if standing is not None and standing.finished_at is not None:
                return standing
            self.sleep(LOOK_EVERY)
        return self.deliveries.standing([key]).get(key)

    def _noted(self, before: Endpoint, after: Endpoint) -> Endpoint:
        self.endpoints.note(before, after)
        return after

    def _check_url(self, new: NewEndpoint) -> None:
        """Say at once what delivery would refuse anyway."""
        if new.url.lower().startswith("http:") and not new.allow_http:
            raise BadInputError("an endpoint's URL begins with https://, unless http:// is allowed: in a local stack")
        try:
            vet(new.url, resolve, allow_local=self.allow_local)
        except UnsafeUrl as error:
            raise BadInputError(f"events cannot be posted to that URL: {error}") from None


def endpoint_fields(endpoint: Endpoint) -> dict[str, Any]:
    """Return all there is to know of an endpoint, except its secrets, as programs get it."""
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "format": endpoint.format,
        "events": sorted(endpoint.events),
        "providers": sorted(endpoint.providers),
        "accounts": sorted(endpoint.accounts),
        "allow_http": endpoint.allow_http,
        "description": endpoint.description,
        "rate": endpoint.rate,
        "state": endpoint.state,
        "paused_at": iso(endpoint.paused_at),
        "disabled_at": iso(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": iso(endpoint.failing_since),
        "last_failure": endpoint.last_failure,
        "holds_events": endpoint.held_at is not None,
        "seconds_between": endpoint.seconds_between,
        "created_at": iso(endpoint.created_at),
    }
