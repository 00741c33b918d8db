"""A delivery that waits is always woken: a message that comes too early goes on to when its delivery is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from renderbell.alerts import OPERATORS, EndpointAlert
from renderbell.deliveries import LEASE, Delivery, DeliveryStatus, Outcome
from renderbell.endpoints import UNPROVEN_GAP
from renderbell.queues import DeliveryMessage, QueueError
from tests.integration.delivering import (
    HOUR,
    NoQueue,
    NotingQueue,
    Refusing,
    attempt,
    delayed,
    fail,
    found_endpoint,
    queued,
    ring,
    woken,
)
from tests.integration.world import World

BROKEN: Final = Refusing(Outcome(http_status=503))
AGAIN: Final = timedelta(seconds=61)
"""When SQS shows a message again that was not deleted."""


def alert() -> DeliveryMessage:
    made = EndpointAlert(
        endpoint_id="ep_x", url="https://a.example", kind="disabled", occasion="1", detail="", at=datetime.now(UTC)
    )
    return DeliveryMessage.of(OPERATORS, made)


class NoTopic:
    def publish(self, delivery: Delivery) -> Outcome:
        del delivery
        return Outcome(error="SNS: down")


def late_by(world: World, message: DeliveryMessage, queue: NotingQueue, after: timedelta) -> float:
    """Return how many seconds after its delivery is due the one message comes that was sent."""
    [(sent, delay)] = queue.sent
    assert (sent.event_id, sent.body, sent.probe) == (message.event_id, None, False)
    due = world.delivery(message.endpoint_id, message.event_id).next_attempt_at
    return (datetime.now(UTC) + after + timedelta(seconds=delay) - due).total_seconds()


def test_an_attempt_that_was_killed_between_its_record_and_the_wake_of_the_next_is_followed_by_it(world: World) -> None:
    endpoint, queue = world.add_endpoint(), NotingQueue()
    message = ring(world)[endpoint]
    _, after = fail(world, message, timedelta(), times=2)
    with pytest.raises(QueueError):  # its message is not deleted, and comes again long before the five minutes are over
        attempt(world, woken(message), after, sender=BROKEN, queue=NoQueue())
    assert attempt(world, woken(message), after + AGAIN, queue=queue) is None
    assert 0 <= late_by(world, message, queue, after + AGAIN) <= 2


def test_an_alert_whose_function_was_killed_before_its_wake_is_told_all_the_same(world: World) -> None:
    message, after, queue, topics = alert(), timedelta(), NotingQueue(), {OPERATORS: NoTopic()}
    for _ in range(2):
        assert attempt(world, message, after, topics=topics) == "pending"
        after = world.delivery(OPERATORS, message.event_id).next_attempt_at - datetime.now(UTC)
    with pytest.raises(QueueError):
        attempt(world, message, after, topics=topics, queue=NoQueue())
    assert attempt(world, message, after + AGAIN, topics=topics, queue=queue) is None
    assert 0 <= late_by(world, message, queue, after + AGAIN) <= 2


def test_an_alert_whose_message_was_lost_is_woken_by_the_audit(world: World) -> None:
    message = alert()
    attempt(world, message, topics={OPERATORS: NoTopic()})
    queued(world)
    later = datetime.now(UTC) + HOUR
    audit = world.apps["audit"].audit
    assert audit.run(later, later - HOUR, mends=False)["stuck"] == 1
    assert queued(world) == []
    assert audit.run(later, later - HOUR)["stuck"] == 1
    assert [one.event_id for one in queued(world)] == [message.event_id]


def test_a_delivery_that_was_put_off_and_killed_before_its_wake_has_its_turn(world: World) -> None:
    endpoint, queue = world.add_endpoint(gap=60.0), NotingQueue()
    first, second, third = (ring(world, name)[endpoint] for name in ("one", "two", "three"))
    attempt(world, first, sender=BROKEN)
    attempt(world, second)
    with pytest.raises(QueueError):
        attempt(world, third, queue=NoQueue())
    assert attempt(world, third, AGAIN, queue=queue) is None
    assert 0 <= late_by(world, third, queue, AGAIN) <= 2


def test_a_repeat_that_meets_an_attempt_under_way_comes_again_when_its_lease_ends(world: World) -> None:
    endpoint, queue = world.add_endpoint(), NotingQueue()
    message = ring(world)[endpoint]
    assert world.deliveries.claim(message, datetime.now(UTC)) is not None, "and the function is killed"
    assert attempt(world, message, LEASE / 2, queue=queue) is None
    assert 0 <= late_by(world, message, queue, LEASE / 2) <= 2
    assert attempt(world, queue.sent[0][0], LEASE * 1.1) == "delivered"


def test_a_repeat_comes_again_also_when_its_endpoint_rests_by_then(world: World) -> None:
    endpoint, queue = world.add_endpoint(), NotingQueue()
    message = ring(world)[endpoint]
    assert world.deliveries.claim(message, datetime.now(UTC)) is not None
    world.endpoints.note(found := found_endpoint(world, endpoint), replace(found, paused_at=datetime.now(UTC)))
    assert attempt(world, message, LEASE / 2, queue=queue) is None
    assert attempt(world, queue.sent[0][0], LEASE * 1.1) == "held"


@pytest.mark.parametrize("end", ["delivered", "held", "waits for long", "without its event"])
def test_what_needs_no_message_is_not_sent_one(world: World, end: str) -> None:
    endpoint, queue = world.add_endpoint(), NotingQueue()
    message, after = ring(world)[endpoint], timedelta()
    if end == "delivered":
        attempt(world, message)
    elif end == "held":
        world.deliveries.set_aside(message, DeliveryStatus.HELD, "paused", datetime.now(UTC))
    elif end == "waits for long":  # and stands in the index
        _, after = fail(world, message, after, times=4)
        after -= timedelta(minutes=20)
    else:
        attempt(world, message, sender=BROKEN)
        world.delivery(endpoint, message.event_id).update(
            actions=[type(world.delivery(endpoint, message.event_id)).body.remove()]
        )
        after = HOUR
    assert attempt(world, woken(message), after, queue=queue) is None
    assert queue.sent == []


def test_a_message_that_goes_on_waits_in_the_queue(world: World) -> None:
    endpoint = world.add_endpoint(gap=UNPROVEN_GAP)
    message = ring(world)[endpoint]
    assert world.deliveries.claim(message, datetime.now(UTC)) is not None
    before = delayed(world)
    attempt(world, message)
    assert delayed(world) == before + 1
