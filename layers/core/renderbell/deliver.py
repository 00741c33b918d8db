"""Makes one attempt at a delivery, records how it went and says when the next one is due.

1. An endpoint that rests gets nothing: its events are held. One that is slow, silent or unproven takes turns.
2. The attempt is claimed, by which a new delivery is put on record.
3. It is sent, judged and recorded. What it says of the endpoint is noted: whether it fails, how long it takes.

Killed between any two of these, the delivery is due again when the claim's lease ends, and its message comes again. One that
comes too early, for that or another reason, goes on to when the delivery is due: it may be the last that wakes it.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from renderbell.alerts import OPERATORS, EndpointAlert
from renderbell.deliveries import LEASE, REMOVED, Attempt, Delivery, DeliveryStatus, Outcome, Verdict, verdict
from renderbell.endpoints import CHATS, Endpoint, Private, shown_url
from renderbell.events import TRIAL
from renderbell.messages import email_text, rendered, sms_text, sns_message, subject
from renderbell.queues import MAX_DELAY, DeliveryMessage
from renderbell.signing import signed_headers
from renderbell.values import iso

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# Not `__name__`: Powertools drops the lines of every logger whose name contains the service's, `deliver`.
logger = logging.getLogger("renderbell.attempts")

BARELY: Final = timedelta(seconds=1)
"""A turn that is not further off than this is taken at once."""
ATTRIBUTES: Final = ("provider", "account", "status")


class Deliveries(Protocol):
    """What delivering asks of store.deliveries."""

    def claim(self, message: DeliveryMessage, now: datetime) -> Delivery | None: ...
    def due_again(self, message: DeliveryMessage) -> datetime | None: ...
    def renew(self, message: DeliveryMessage, now: datetime) -> bool: ...
    def put_off(self, message: DeliveryMessage, until: datetime, now: datetime) -> bool: ...
    def set_aside(self, message: DeliveryMessage, status: DeliveryStatus, reason: str, now: datetime) -> bool: ...
    def retry_at(self, delivery: Delivery, attempt: Attempt, when: datetime) -> None: ...
    def end(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus, reason: str | None, now: datetime) -> None: ...


class Endpoints(Protocol):
    """What delivering asks of store.endpoints."""

    def get(self, endpoint_id: str) -> Endpoint | None: ...
    def note(self, before: Endpoint, after: Endpoint) -> None: ...
    def note_held(self, endpoint_id: str, now: datetime) -> None: ...
    def take_turn(self, endpoint: Endpoint, now: datetime) -> datetime | None: ...


class Privates(Protocol):
    """What delivering asks of parameters."""

    def endpoint_private(self, endpoint_id: str) -> Private | None: ...


class Queue(Protocol):
    def send(self, messages: Sequence[DeliveryMessage], *, delay: int = 0) -> int: ...


class Sender(Protocol):
    """What delivering asks of egress."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, shown: Callable[[str], str]) -> Outcome: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One of the stack's SNS topics, and how its e-mails are worded."""

    arn: str
    sns: "SNSClient"
    subject: Callable[[Mapping[str, Any]], str] = subject
    text: Callable[[Mapping[str, Any]], str] = email_text
    sms: Callable[[Mapping[str, Any]], str] = sms_text

    def publish(self, delivery: Delivery) -> Outcome:
        """Publish an event: JSON for programs, words for people, attributes to filter by."""
        body = json.loads(delivery.body)
        said = {name: body["data"].get(name) for name in ATTRIBUTES}
        attributes = {"type": delivery.event_type, "event_id": delivery.event_id, **said}
        try:
            self.sns.publish(
                TopicArn=self.arn,
                Subject=self.subject(body),
                Message=sns_message(delivery.body, self.text(body), self.sms(body)),
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
                },
            )
        except (ClientError, BotoCoreError) as error:
            return Outcome(error=f"SNS: {error}"[:300])
        return Outcome(http_status=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    deliveries: Deliveries
    endpoints: Endpoints
    privates: Privates
    queue: Queue
    sender: Sender
    topics: Mapping[str, Topic]
    """The SNS topics, by the endpoint ids they stand for."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def attempt(self, message: DeliveryMessage) -> Verdict | None:
        """Attempt a delivery once, if it is due. None when it is not: it is over, has to wait, or another has it.

        The claim comes first and its lease outlives the deadline, so no two attempts overlap.
        """
        if message.again:
            self.deliveries.renew(message, self.now())
            message = replace(message, again=False)  # once: put off, it must not begin anew at each of its turns
        topic = self.topics.get(message.endpoint_id)
        if topic is not None:
            return await self._attempt_topic(topic, message)
        endpoint = self.endpoints.get(message.endpoint_id)
        if endpoint is None:
            return self._set_aside(message, DeliveryStatus.SKIPPED, REMOVED)
        if endpoint.rests is not None and not message.probe:
            return self._hold(message, endpoint.rests)
        if self._has_to_wait(endpoint, message):
            return None
        return await self._attempt_endpoint(endpoint, message)

    def _claimed(self, message: DeliveryMessage) -> Delivery | None:
        """Claim a delivery. None where there is nothing to do now: then its message goes on."""
        delivery = self.deliveries.claim(message, self.now())
        if delivery is None:
            self._pass_on(message)
        return delivery

    async def _attempt_topic(self, topic: Topic, message: DeliveryMessage) -> Verdict | None:
        if (delivery := self._claimed(message)) is None:
            return None
        outcome = await asyncio.to_thread(topic.publish, delivery)
        return self._record(delivery, outcome, self._verdict(delivery, outcome))

    async def _attempt_endpoint(self, endpoint: Endpoint, message: DeliveryMessage) -> Verdict | None:
        if (delivery := self._claimed(message)) is None:
            return None
        try:
            outcome = await self._post(endpoint, delivery)
        except Exception as error:
            # Our own trouble, a secret that cannot be read for instance. It is judged like any failed attempt: it waits its
            # turn, operators are warned, and what it lasts three days for is held. Raised on, its message would come again each
            # minute, and one that probes would find the delivery held, and free to be probed, each time.
            logger.exception("could not prepare %s for %s", delivery.event_id, endpoint.endpoint_id)
            outcome = Outcome(error=f"not sent, Renderbell could not prepare it: {type(error).__name__}")
        return self._conclude(endpoint, delivery, outcome, is_probe=message.probe)

    async def _post(self, endpoint: Endpoint, delivery: Delivery) -> Outcome:
        private = self.privates.endpoint_private(endpoint.endpoint_id)
        if private is None:
            return Outcome(error="the endpoint's signing secret is missing in Parameter Store")
        body = rendered(endpoint.format, delivery.body)
        headers = {**private.headers, "content-type": "application/json"}
        if endpoint.format not in CHATS:
            now = self.now()
            headers |= signed_headers(delivery.event_id, body, private.secrets.valid(now), int(now.timestamp()))
        outcome = await self.sender.post(
            private.url or endpoint.url,
            headers,
            body.encode(),
            lambda address: private.hidden(shown_url(address, endpoint.format)),
        )
        # What is kept of it is read by many: tables, e-mails, the dashboard. A receiver may repeat what it was sent.
        error, answer = (text and private.hidden(text) for text in (outcome.error, outcome.answer))
        return replace(outcome, error=error, answer=answer)

    def _conclude(self, endpoint: Endpoint, delivery: Delivery, outcome: Outcome, *, is_probe: bool) -> Verdict:
        """Record an attempt, and what it says of the endpoint. The delivery last: until then it is due again."""
        now, decided, after = self.now(), self._verdict(delivery, outcome), endpoint.after(outcome, self.now())
        if is_probe:
            decided = _after_probe(decided, delivery)
            reopened = replace(after.opened(), gap=after.gap, paused_at=after.paused_at)
            after = reopened if outcome.delivered and endpoint.disabled_at else after
            if decided.status is DeliveryStatus.SKIPPED:
                after = endpoint  # a trial that failed is not tried again: nothing would ever say that it fails no more
            elif endpoint.disabled_at and decided.disables is not None:
                after = replace(after, disabled_reason=decided.disables)
        elif decided.disables is not None:
            after = after.disabled(decided.disables, now)
        elif decided.status is DeliveryStatus.EXHAUSTED:
            decided, after = self._given_up(endpoint, after, delivery, outcome, decided)
        self._tell(endpoint, after, now)
        # Before the delivery, so that an endpoint whose events are held is always one that can be opened again.
        self.endpoints.note(endpoint, after)
        self._record(delivery, outcome, decided)
        if decided.status is DeliveryStatus.HELD:
            self.endpoints.note_held(endpoint.endpoint_id, now)
        return decided

    def _given_up(
        self, before: Endpoint, after: Endpoint, delivery: Delivery, outcome: Outcome, decided: Verdict
    ) -> tuple[Verdict, Endpoint]:
        """Hold what an endpoint refused that took nothing else either; give up what it refused while it took others.

        It is what it took since this schedule's first attempt failed that counts, and not what was on its way then.
        """
        began = delivery.began_at or self.now()
        if before.taken_at is None or before.taken_at <= began + LEASE:
            reason = f"failed for three days: {outcome.in_words}"
            return replace(decided, status=DeliveryStatus.HELD), after.disabled(reason, self.now())
        # The last refusal of what nobody tries again says nothing of how the endpoint fares.
        after = replace(after, failing_since=before.failing_since, last_failure=before.last_failure)
        detail = f"{delivery.event_type} {delivery.event_id}: {outcome.in_words}"
        self._alert(after, "delivery_exhausted", delivery.event_id, detail)
        return decided, after

    def _has_to_wait(self, endpoint: Endpoint, message: DeliveryMessage) -> bool:
        """Put a delivery off until its endpoint's turn, where the endpoint takes turns and this has not had its own."""
        if message.turn or message.probe or not endpoint.seconds_between:
            return False
        now = self.now()
        turn = self.endpoints.take_turn(endpoint, now)
        if turn is not None and turn <= now + BARELY:
            return False
        # Without a turn it asks again: soon where the next answer will tell more, else before the last turn is over. Where the
        # endpoint was removed meanwhile it finds that then.
        soonest, latest = (1.0, endpoint.seconds_between) if endpoint.is_doubtful else (MAX_DELAY / 2, MAX_DELAY - 5.0)
        until = turn or now + timedelta(seconds=random.uniform(soonest, latest))  # noqa: S311 - spreads load
        if self.deliveries.put_off(message, until, now):
            self._wake(replace(message, body=None, turn=turn is not None), until - now)
        else:
            self._pass_on(message)
        return True

    def _pass_on(self, message: DeliveryMessage) -> None:
        """Let a message that comes too early come again when its delivery is due, if nothing else is sure to wake it.

        It is early when the one before was killed between its record and its wake, and when SQS repeats a message whose
        delivery is being attempted: by a function that may be killed itself, and has no message left then.
        """
        due = self.deliveries.due_again(message)
        if due is not None:
            self._wake(replace(message, body=None, probe=False), due - self.now())

    def _hold(self, message: DeliveryMessage, reason: str) -> Verdict | None:
        decided = self._set_aside(message, DeliveryStatus.HELD, reason)
        if decided is not None:
            self.endpoints.note_held(message.endpoint_id, self.now())
        return decided

    def _set_aside(self, message: DeliveryMessage, status: DeliveryStatus, reason: str) -> Verdict | None:
        if self.deliveries.set_aside(message, status, reason, self.now()):
            return Verdict(status=status)
        self._pass_on(message)
        return None

    def _verdict(self, delivery: Delivery, outcome: Outcome) -> Verdict:
        return verdict(outcome, delivery.attempts + 1, random.uniform(-1, 1))  # noqa: S311 - spreads load, keeps no secret

    def _record(self, delivery: Delivery, outcome: Outcome, decided: Verdict) -> Verdict:
        now = self.now()
        attempt = Attempt(number=delivery.attempts + 1, at=now, outcome=outcome)
        if decided.wait is None:
            reason = None if decided.status is DeliveryStatus.DELIVERED else outcome.in_words
            self.deliveries.end(delivery, attempt, decided.status, reason, now)
        else:
            self.deliveries.retry_at(delivery, attempt, now + decided.wait)
            self._wake(DeliveryMessage(endpoint_id=delivery.endpoint_id, event_id=delivery.event_id), decided.wait)
        return decided

    def _wake(self, message: DeliveryMessage, wait: timedelta) -> None:
        """Short waits are woken by a delayed message, to the second; `dispatch` wakes the long ones."""
        seconds = wait.total_seconds()
        if seconds <= MAX_DELAY:
            self.queue.send([message], delay=max(0, int(seconds) + 1))

    def _tell(self, before: Endpoint, after: Endpoint, now: datetime) -> None:
        """Tell operators that an endpoint was disabled, or that one of which they were warned answers again."""
        if after.disabled_at is not None and before.disabled_at is None:
            # Attempts that end at once find the same: it is told under one id.
            occasion = before.failing_since or now.replace(minute=0, second=0, microsecond=0)
            self._alert(after, "disabled", occasion, after.disabled_reason)
        elif after.failing_since is None and (before.warned or before.disabled_at is not None):
            since = before.failing_since or before.disabled_at
            self._alert(after, "recovered", since, f"It had been failing since {iso(since)}.")

    def _alert(self, endpoint: Endpoint, kind: str, occasion: str | datetime | None, detail: str | None) -> None:
        alert = EndpointAlert.of(endpoint, kind, occasion, detail, self.now())
        self.queue.send([DeliveryMessage.of(OPERATORS, alert)])


def _after_probe(decided: Verdict, delivery: Delivery) -> Verdict:
    """Return what follows from a probe: one that fails goes back to where it came from, a trial is not repeated."""
    if decided.status is DeliveryStatus.DELIVERED:
        return decided
    status = DeliveryStatus.SKIPPED if delivery.event_type == TRIAL else DeliveryStatus.HELD
    return replace(decided, status=status, wait=None)
