"""Reads what the widget shows, and sends a delivery once more. However much is on record, one look reads a bounded part."""

import heapq
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from renderbell.account_state import HEALTHY, AccountState
from renderbell.alerts import OPERATORS
from renderbell.browse import Browse
from renderbell.deliveries import LEASE, DeliveryStatus
from renderbell.endpoints import TOPIC, Endpoint
from renderbell.errors import BadInputError, NotOnRecordError
from renderbell.events import TRIAL, VideoRecord
from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage, Queue
from renderbell.spending import Spending
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries, Standing
from renderbell.store.endpoints import Endpoints
from renderbell.store.spending import SpendingStore
from renderbell.store.videos import FINISHED, IN_FLIGHT, Videos
from renderbell.video import AccountName
from renderbell.view import AccountLine, EndpointLine, Notice, View, Waiting

MOST_FLYING: Final = 200
MOST_ENDED: Final = 20
MOST_LOOKED_THROUGH: Final = 100
"""Ends that are read to find those that rang: behind a first look there may be many that did not."""
MOST_ACCOUNTS: Final = 100
"""Accounts whose videos are shown: those where something changed last."""
MOST_ENDPOINTS: Final = 10
MOST_DELIVERIES: Final = 20
MOST_OF_ENDPOINT: Final = 100
"""Rows of one endpoint that are looked through. They are in no order of time: of a busy one these are a sample."""
USUAL_OF: Final = 50
USUAL_SINCE: Final = timedelta(days=7)
USUAL_FOR: Final = timedelta(minutes=5)
"""How long what is usual is remembered: a dashboard asks every few seconds."""
SOON: Final = 2 * LEASE
"""A delivery that is tried again within this time needs no help."""
LAST: Final = datetime.max.replace(tzinfo=UTC)
BUILT_IN: Final[Mapping[str, str]] = {
    TOPIC: "the SNS topic of video events",
    OPERATORS: "the SNS topic of operator alerts",
}


@dataclass(frozen=True, slots=True)
class SomeAccounts:
    """The accounts whose videos are shown, as `Browse` asks for them."""

    names: Sequence[AccountName]

    def account_names(self, provider: str | None = None) -> Sequence[AccountName]:
        return [name for name in self.names if provider in {None, name.provider}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    parameters: Parameters
    videos: Videos
    accounts: Accounts
    spending: SpendingStore
    endpoints: Endpoints
    deliveries: Deliveries
    queue: Queue
    command: str
    """How the command line is called for this stack."""
    _usual: dict[str, tuple[datetime, float | None]] = field(default_factory=dict)

    def view(self, now: datetime) -> View:
        """Return what there is to see."""
        names = self.parameters.account_names()
        states, spent = self.accounts.states(names), self.spending.of(names)
        recent = heapq.nlargest(MOST_ACCOUNTS, names, key=lambda name: _activity(states.get(name)))
        browse = Browse(parameters=SomeAccounts(sorted(recent)), videos=self.videos)
        flying = [one.record for one in browse.newest(IN_FLIGHT, MOST_FLYING + 1)]
        ended = [one.record for one in browse.newest(FINISHED, MOST_LOOKED_THROUGH) if one.rang][:MOST_ENDED]
        shown = flying[:MOST_FLYING]
        return View(
            now=now,
            command=self.command,
            flying=shown,
            more_flying=len(flying) > MOST_FLYING,
            usual=self._usual_of(browse, shown, now),
            ended=ended,
            accounts=[_account_line(name, states.get(name, AccountState()), spent.get(name), now) for name in names],
            endpoints=self._endpoint_lines(now),
        )

    def retry(self, endpoint_id: object, event_id: object, now: datetime) -> Notice:
        """Have a delivery attempted once more, by one message. Raises NotOnRecordError, and BadInputError where that is no use.

        Nothing is written here: what is to change, `deliver` changes when it has the message.
        """
        if not isinstance(endpoint_id, str) or not isinstance(event_id, str) or not endpoint_id or not event_id:
            raise BadInputError("a retry names an endpoint and an event")
        endpoint = {one.endpoint_id: one for one in self.endpoints.all()}.get(endpoint_id)
        key = (endpoint_id, event_id)
        standing = self.deliveries.standing([key]).get(key) if endpoint or endpoint_id in BUILT_IN else None
        if standing is None:
            raise NotOnRecordError("there is no such delivery")
        if standing.status is DeliveryStatus.DELIVERED:
            return Notice(words="It has arrived meanwhile: nothing was sent.", good=True)
        if not _can_retry(standing, endpoint, now):
            raise BadInputError(_why_not(standing, endpoint, self.command))
        held = standing.status is DeliveryStatus.HELD
        # Of a disabled endpoint it is a probe, as `dispatch` sends them. Else it waits for no turn: one at a time, as fast as a
        # person presses, is no crowd.
        wish = DeliveryMessage(endpoint_id=endpoint_id, event_id=event_id, probe=held, turn=not held, again=not held)
        self.queue.send([wish])
        return Notice(words="It is being sent once more. In a few seconds its row says how that went, or is gone.", good=True)

    def _usual_of(self, browse: Browse, flying: Iterable[VideoRecord], now: datetime) -> dict[str, float]:
        for provider in {video.account.provider for video in flying}:
            known = self._usual.get(provider)
            if known is None or now - known[0] > USUAL_FOR:
                self._usual[provider] = now, browse.usual_seconds(provider, now - USUAL_SINCE, of=USUAL_OF)
        return {provider: seconds for provider, (_, seconds) in self._usual.items() if seconds}

    def _endpoint_lines(self, now: datetime) -> Sequence[EndpointLine]:
        """Return the endpoints that fail or hold events, and what does not arrive at them: the failing ones first."""
        found = [one for one in self.endpoints.all() if one.failing_since or one.held_at or one.rests]
        found.sort(key=lambda one: (one.paused_at is not None, one.failing_since is None, one.failing_since or LAST))
        lines, left = [], MOST_DELIVERIES
        for endpoint in found[:MOST_ENDPOINTS]:
            waiting, untried = self._waiting_at(endpoint, now, left)
            shown = [_waiting(one, endpoint, now) for one in waiting[:left]]
            left -= len(shown)
            word, words, since = _state_of(endpoint, self.command)
            # One whose held events were all sent is remembered as holding some for another minute.
            if shown or endpoint.failing_since or endpoint.rests:
                lines.append(
                    EndpointLine(
                        endpoint_id=endpoint.endpoint_id,
                        url=endpoint.url,
                        word=word,
                        words=words,
                        since=since,
                        waiting=shown,
                        more=untried or len(waiting) > len(shown),
                    )
                )
        return lines

    def _waiting_at(self, endpoint: Endpoint, now: datetime, limit: int) -> tuple[list[Standing], bool]:
        """Return up to `limit` deliveries that do not arrive at an endpoint, and one more if there are more.

        And whether behind these there are some that were not tried as yet: they wait for their turn.
        """
        if limit <= 0:
            return [], False
        held: list[DeliveryMessage] = []
        if endpoint.held_at is not None:
            held = [message for message, _ in self.deliveries.held(endpoint.endpoint_id, now, limit + 1)]
        found = {
            one.event_id: one for one in self.deliveries.standing((one.endpoint_id, one.event_id) for one in held).values()
        }
        rows: Sequence[Standing] = []
        if endpoint.failing_since is not None:
            rows = list(islice(self.deliveries.of_endpoint(endpoint.endpoint_id, limit=MOST_OF_ENDPOINT), MOST_OF_ENDPOINT))
            found |= {one.event_id: one for one in rows if _fails(one)}
        soonest = heapq.nsmallest(limit + 1, found.values(), key=lambda one: (one.next_attempt_at or LAST, one.event_id))
        return soonest, any(one.status is DeliveryStatus.PENDING and not one.attempt_count for one in rows)


def _fails(one: Standing) -> bool:
    """Say whether somebody waits for a delivery that does not arrive. For a person's own test nobody does."""
    tried = one.status is DeliveryStatus.PENDING and one.attempt_count > 0
    return one.event_type != TRIAL and (tried or one.status in {DeliveryStatus.EXHAUSTED, DeliveryStatus.HELD})


def _can_retry(one: Standing, endpoint: Endpoint | None, now: datetime) -> bool:
    """Say whether a wish makes a difference: of what is held, at a disabled endpoint; of the rest, if it waits long."""
    if endpoint is not None and endpoint.paused_at is not None:
        return False
    match one.status:
        case DeliveryStatus.HELD:
            return endpoint is not None and endpoint.disabled_at is not None
        case DeliveryStatus.EXHAUSTED:
            return True
        case DeliveryStatus.PENDING:
            return one.next_attempt_at is not None and one.next_attempt_at > now + SOON
    return False


def _why_not(one: Standing, endpoint: Endpoint | None, command: str) -> str:
    if endpoint is not None and endpoint.paused_at is not None:
        return f"the endpoint is paused: `{command} endpoint resume {endpoint.endpoint_id}` sends what is held"
    if one.status is DeliveryStatus.SKIPPED:
        return f"it was skipped: {one.reason}"
    return "it is on its way already, within a minute or two"


def _waiting(one: Standing, endpoint: Endpoint, now: datetime) -> Waiting:
    return Waiting(
        endpoint_id=one.endpoint_id,
        event_id=one.event_id,
        event_type=one.event_type,
        title=_title_of(one.body),
        status=one.status,
        reason=one.reason,
        attempts=one.attempt_count,
        next_attempt_at=one.next_attempt_at,
        can_retry=_can_retry(one, endpoint, now),
    )


def _title_of(body: str | None) -> str | None:
    told: dict[str, Any] = json.loads(body) if body else {}
    title = told.get("data", {}).get("title")
    return None if title is None else str(title)


def _state_of(endpoint: Endpoint, command: str) -> tuple[str, str, datetime | None]:
    """Return how an endpoint fares in one word, in words, and since when."""
    match state := endpoint.state:
        case "paused":
            return state, f"its events are held; `{command} endpoint resume {endpoint.endpoint_id}`", endpoint.paused_at
        case "disabled":
            return state, f"{endpoint.disabled_reason}; tried again now and then", endpoint.disabled_at
        case "failing":
            return state, endpoint.last_failure or "", endpoint.failing_since
        case _:
            return "sending", "what was held is being sent", endpoint.held_at


def _activity(state: AccountState | None) -> datetime:
    """Return when something was about at an account: now, while it has videos in flight."""
    moments = [] if state is None else [state.looks_until, state.changed_at, state.first_look_began_at]
    return max((one for one in moments if one is not None), default=datetime.min.replace(tzinfo=UTC))


def _account_line(name: AccountName, state: AccountState, spent: Spending | None, now: datetime) -> AccountLine:
    well = None if state.health is None else state.health == HEALTHY
    return AccountLine(name=name, words=state.in_words(now), well=well, polled_at=spent.polled_at if spent else None)
