"""What tests do to deliveries, over the real handler, engine and receiver."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from renderbell.deliver import Deliver
from renderbell.deliveries import DELAYS, Outcome
from renderbell.endpoints import Endpoint
from renderbell.queues import DeliveryMessage, QueueError
from renderbell.replay import Chosen, Replay
from renderbell.store.tables import DeliveryRow
from tests.integration.world import World, video

HOUR = timedelta(hours=1)


def ring(world: World, video_id: str = "v") -> dict[str, DeliveryMessage]:
    """Let one video complete and announce it; return the messages of its deliveries, by endpoint. Nothing is delivered yet."""
    account = world.add_account(f"tavus/{video_id}", first_look_done=True)
    world.library(account).add(video(video_id, born=time.time() - 5))
    world.poll(account)
    world.notify()
    bodies = [body for batch in world.batches("DeliveryQueue") for body in batch]
    return {message.endpoint_id: message for message in map(DeliveryMessage.parse, bodies)}


def attempt(world: World, message: DeliveryMessage, after: timedelta = timedelta(), **changes: Any) -> str | None:
    """Attempt a delivery as if `after` had passed; return its verdict."""
    made: Deliver = world.apps["deliver"].deliver
    later = replace(made, now=lambda: datetime.now(UTC) + after, **changes)
    verdict = asyncio.run(later.attempt(message))
    return verdict.status.value if verdict else None


def woken(message: DeliveryMessage) -> DeliveryMessage:
    """Return the message that wakes a delivery which is on record."""
    return replace(message, body=None, turn=True)


def lines(row: DeliveryRow) -> list[dict[str, Any]]:
    return [dict(getattr(line, "attribute_values", line)) for line in row.attempts]


def delayed(world: World) -> int:
    attributes = world.sqs.get_queue_attributes(
        QueueUrl=world.names["DeliveryQueue"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessagesDelayed"])


def tick(world: World, after: timedelta = timedelta()) -> Sequence[DeliveryMessage]:
    """Let the deliveries' schedule fire as if `after` had passed; return what it sent, except alerts."""
    dispatch, now = world.apps["dispatch"].dispatch, datetime.now(UTC) + after
    dispatch.due_deliveries(now)
    dispatch.tend_endpoints(now)
    return [message for message in queued(world) if message.endpoint_id != "operators"]


def queued(world: World) -> Sequence[DeliveryMessage]:
    return [DeliveryMessage.parse(body) for batch in world.batches("DeliveryQueue") for body in batch]


class NoQueue:
    """A queue that takes nothing: the function ends where it would send."""

    def send(self, messages: Sequence[DeliveryMessage], *, delay: int = 0) -> int:
        del messages, delay
        raise QueueError("SQS takes nothing")


class NotingQueue:
    """A queue that takes note of what it is to send, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, int]] = []

    def send(self, messages: Sequence[Any], *, delay: int = 0) -> int:
        return self.send_later([(message, delay) for message in messages])

    def send_later(self, messages: Iterable[tuple[Any, int]]) -> int:
        before = len(self.sent)
        self.sent += messages
        return len(self.sent) - before


class Refusing:
    """A sender whose receiver always answers the same, at once."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.posts = 0

    async def post(self, *_: object) -> Outcome:
        self.posts += 1
        return self.outcome


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Run a receiver that gives this answer to whatever it is sent; yield its port."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def fail(world: World, message: DeliveryMessage, after: timedelta, *, times: int = len(DELAYS) + 1) -> tuple[str, timedelta]:
    """Let a delivery's next attempts fail, each when it is due; return the last verdict, and when the next is due."""
    verdict = None
    for _ in range(times):
        verdict = attempt(world, replace(message, turn=True), after, sender=Refusing(Outcome(http_status=503)))
        if verdict == "pending":
            after = world.delivery(message.endpoint_id, message.event_id).next_attempt_at - datetime.now(UTC)
    return str(verdict), after


def found_endpoint(world: World, endpoint_id: str) -> Endpoint:
    found = world.endpoints.get(endpoint_id)
    assert found is not None
    return found


def resume(world: World, endpoint_id: str) -> None:
    found = found_endpoint(world, endpoint_id)
    world.endpoints.note(found, found.opened())


def send_again(world: World, message: DeliveryMessage, after: timedelta) -> None:
    """Let a person replay a delivery as if `after` had passed."""
    queue = world.apps["dispatch"].dispatch.delivery_queue
    replay = Replay(deliveries=world.deliveries, endpoints=world.endpoints, queue=queue)
    chosen = Chosen(event_id=message.event_id, endpoint_id=message.endpoint_id)
    replay.send(replay.plan(chosen), datetime.now(UTC) + after)


def unreadable(world: World, endpoint_id: str) -> None:
    """Let somebody spoil an endpoint's secret."""
    path = f"{world.prefix}/endpoints/{endpoint_id}"
    boto3.client("ssm").put_parameter(Name=path, Value="no JSON", Type="SecureString", Overwrite=True)
