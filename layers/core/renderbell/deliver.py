"""Makes one attempt at a delivery, records how it went and says when the next one is due."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from renderbell.deliveries import Attempt, Delivery, DeliveryStatus, Outcome, Verdict, verdict
from renderbell.egress import post
from renderbell.endpoints import Endpoint
from renderbell.events import email_text, subject
from renderbell.parameters import Parameters
from renderbell.queues import MAX_DELAY, DeliveryMessage, Queue
from renderbell.signing import signed_headers
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One of the stack's SNS topics, and how its e-mails are worded."""

    arn: str
    sns: "SNSClient"
    subject: Callable[[Mapping[str, Any]], str] = subject
    text: Callable[[Mapping[str, Any]], str] = email_text

    def publish(self, delivery: Delivery) -> Outcome:
        """Publish an event: JSON for programs, words for people, attributes to filter by."""
        body = json.loads(delivery.body)
        try:
            self.sns.publish(
                TopicArn=self.arn,
                Subject=self.subject(body),
                Message=json.dumps({"default": delivery.body, "email": self.text(body)}, ensure_ascii=False),
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in {**delivery.attributes, "event_id": delivery.event_id}.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            return Outcome(error=f"SNS: {error}"[:300])
        return Outcome(http_status=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Why a delivery is not attempted."""

    status: DeliveryStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    deliveries: Deliveries
    endpoints: Endpoints
    parameters: Parameters
    queue: Queue
    topics: Mapping[str, Topic]
    """The SNS topics, by the endpoint ids they stand for."""
    allow_local: bool
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def attempt(self, message: DeliveryMessage) -> Verdict | None:
        """Attempt a delivery once, if it is due. None when it is not: it was delivered, is held, or another has it.

        The claim comes first and its lease outlives the deadline, so no two attempts overlap; killed after the claim, the
        delivery is due again when the lease ends.
        """
        delivery = self.deliveries.claim(message.endpoint_id, message.event_id, self.now())
        if delivery is None:
            return None
        try:
            outcome = await self._send(delivery)
        except Exception as error:
            # Our own trouble, a secret that cannot be read for instance. It waits its turn like any failed attempt.
            self._record(delivery, Outcome(error=f"not sent, Renderbell could not prepare it: {type(error).__name__}"))
            raise
        return self._record(delivery, outcome) if isinstance(outcome, Outcome) else self._set_aside(delivery, outcome)

    async def _send(self, delivery: Delivery) -> Outcome | Aside:
        topic = self.topics.get(delivery.endpoint_id)
        if topic is not None:
            return await asyncio.to_thread(topic.publish, delivery)
        endpoint = self.endpoints.get(delivery.endpoint_id)
        if endpoint is None:
            return Aside(status=DeliveryStatus.SKIPPED, reason="the endpoint was removed")
        if endpoint.disabled_reason is not None:
            return Aside(status=DeliveryStatus.HELD, reason=f"the endpoint is disabled: {endpoint.disabled_reason}")
        return await self._post(endpoint, delivery)

    async def _post(self, endpoint: Endpoint, delivery: Delivery) -> Outcome:
        secrets = self.parameters.endpoint_secrets(endpoint.endpoint_id)
        if not secrets:
            return Outcome(error="the endpoint's signing secret is missing in Parameter Store")
        at = int(self.now().timestamp())
        headers = {"content-type": "application/json", **signed_headers(delivery.event_id, delivery.body, secrets, at)}
        return await post(endpoint.url, headers, delivery.body.encode(), allow_local=self.allow_local)

    def _record(self, delivery: Delivery, outcome: Outcome) -> Verdict:
        now = self.now()
        attempt = Attempt(number=delivery.attempts + 1, at=now, outcome=outcome)
        decided = verdict(outcome, attempt.number, random.uniform(-1, 1))  # noqa: S311 - spreads load, keeps no secret
        if decided.disables is not None and delivery.endpoint_id not in self.topics:
            # First, so that an endpoint whose events are held is always one that can be enabled again.
            self.endpoints.disable(delivery.endpoint_id, decided.disables)
        if decided.wait is None:
            reason = None if decided.status is DeliveryStatus.DELIVERED else outcome.in_words
            self.deliveries.end(delivery, attempt, decided.status, reason, now)
        else:
            self.deliveries.retry_at(delivery, attempt, now + decided.wait)
            self._wake_later(delivery, decided.wait.total_seconds())
        return decided

    def _set_aside(self, delivery: Delivery, aside: Aside) -> Verdict:
        self.deliveries.end(delivery, None, aside.status, aside.reason, self.now())
        return Verdict(status=aside.status)

    def _wake_later(self, delivery: Delivery, seconds: float) -> None:
        """Short waits are woken by a delayed message, to the second; `dispatch` wakes the long ones."""
        if seconds <= MAX_DELAY:
            message = DeliveryMessage(endpoint_id=delivery.endpoint_id, event_id=delivery.event_id)
            self.queue.send([message], delay=int(seconds) + 1)
