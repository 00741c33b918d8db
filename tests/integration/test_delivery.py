"""Deliveries over the real handler, engine and receiver: what is retried, what is held, what is on record."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from renderbell.deliver import Deliver
from renderbell.deliveries import DELAYS, LEASE, DeliveryStatus, Outcome
from renderbell.egress import Sender
from renderbell.endpoints import PROBE_EVERY, UNPROVEN_GAP, Endpoint
from renderbell.events import trial_event
from renderbell.queues import DeliveryMessage
from renderbell.replay import Chosen, Replay
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.meter import Meter
from renderbell.store.tables import DeliveryRow, EndpointRow, opened
from renderbell.values import moment
from renderbell_cli.receiver import Answer
from tests.integration.world import Context, World, sqs_event, video

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


def test_a_failed_attempt_is_recorded_and_repeated_with_the_same_bytes(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    world.receiver.answers.add("/hook", Answer(status=500, body=b"out of order"))
    assert attempt(world, message) == "pending"
    assert attempt(world, message) is None, "not due yet"
    assert attempt(world, woken(message), DELAYS[0] * 2) == "delivered"
    first, second = world.receiver.events()
    assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
    row = world.delivery(endpoint, message.event_id)
    assert row.status == "delivered"
    assert [(line["number"], line["http_status"]) for line in lines(row)] == [(1, 500), (2, 200)]
    assert lines(row)[0]["answer"] == "out of order"


def test_a_short_wait_is_woken_by_its_own_message_and_a_long_one_by_dispatch(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta()
    busy = Refusing(Outcome(http_status=400))
    for delay in DELAYS[:3]:
        attempt(world, message, after, sender=busy)
        after += delay * 1.3
    assert delayed(world) == 3
    assert tick(world, after + HOUR) == []
    attempt(world, message, after, sender=busy)
    assert delayed(world) == 3, "half an hour is longer than a message can wait"
    assert tick(world, after) == []
    assert [one.endpoint_id for one in tick(world, after + HOUR)] == [endpoint]


def test_a_delivery_is_on_record_only_once_however_often_its_message_comes(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    assert [attempt(world, message) for _ in range(3)] == ["delivered", None, None]
    assert len(world.receiver.events()) == 1


def test_of_two_deliverers_at_once_one_attempts(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    made: Deliver = world.apps["deliver"].deliver

    async def both() -> list[Any]:
        return list(await asyncio.gather(made.attempt(message), made.attempt(message)))

    verdicts = asyncio.run(both())
    assert len([one for one in verdicts if one is not None]) == 1
    assert len(world.receiver.events()) == 1


def test_a_claimed_attempt_keeps_others_away_until_its_lease_ends(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    now = datetime.now(UTC)
    assert world.deliveries.claim(message, now) is not None
    assert world.deliveries.claim(message, now + LEASE / 2) is None
    assert world.deliveries.claim(woken(message), now + LEASE * 2) is not None


def test_what_never_was_on_record_is_not_woken_into_being(world: World) -> None:
    assert attempt(world, DeliveryMessage(endpoint_id=world.add_endpoint(), event_id="evt_nobody_knows")) is None
    assert world.all_deliveries() == []


def test_a_removed_endpoint_is_skipped_with_that_reason(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    world.endpoints.remove(endpoint)
    assert attempt(world, message) == "skipped"
    assert world.delivery(endpoint, message.event_id).reason == "the endpoint was removed"


class RemovedMeanwhile(Endpoints):
    """Endpoints, each of which a person removes just after it was read."""

    def get(self, endpoint_id: str) -> Endpoint | None:
        found = super().get(endpoint_id)
        self.remove(endpoint_id)
        return found


@pytest.mark.parametrize("gap", [UNPROVEN_GAP, 20.0, 0.0])
def test_an_endpoint_removed_during_a_delivery_leaves_nothing_behind_and_the_delivery_is_skipped(
    world: World, gap: float
) -> None:
    endpoint = world.add_endpoint(gap=gap)
    message = ring(world)[endpoint]
    removing = RemovedMeanwhile(world.names["EndpointsTable"])
    attempt(world, message, endpoints=removing, sender=Refusing(Outcome(http_status=503)))
    assert list(opened(EndpointRow, world.names["EndpointsTable"]).scan()) == []
    assert attempt(world, replace(message, body=None), timedelta(minutes=15)) == "skipped"
    assert world.delivery(endpoint, message.event_id).reason == "the endpoint was removed"


def test_what_an_earlier_version_left_of_a_removed_endpoint_stops_nobody_and_can_be_removed(world: World) -> None:
    left = opened(EndpointRow, world.names["EndpointsTable"])("ep_left")
    left.update(actions=[EndpointRow.turn_at.set(1.0)])
    endpoint = world.add_endpoint()
    assert [one.endpoint_id for one in world.endpoints.all()] == [endpoint]
    assert world.endpoints.get("ep_left") is None
    assert attempt(world, ring(world)[endpoint]) == "delivered"
    assert tick(world) == []
    assert [world.endpoints.remove("ep_left") for _ in range(2)] == [True, False]
    assert [row.endpoint_id for row in opened(EndpointRow, world.names["EndpointsTable"]).scan()] == [endpoint]


def test_gone_disables_the_endpoint_holds_its_events_and_tells_operators(world: World) -> None:
    endpoint = world.add_endpoint()
    first, second = ring(world, "one")[endpoint], ring(world, "two")[endpoint]
    world.receiver.answers.add("/hook", Answer(status=410))
    assert attempt(world, first) == "held"
    assert attempt(world, second) == "held"
    assert len(world.receiver.events()) == 1, "a disabled endpoint is not called"
    held = world.endpoints.get(endpoint)
    assert held is not None
    assert held.rests == "the endpoint is disabled: answered 410 Gone"
    assert [one.event_type for one in queued(world)] == ["endpoint.disabled"]


def test_an_endpoint_that_took_nothing_for_three_days_is_disabled_and_its_events_are_held(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after, verdicts = ring(world)[endpoint], timedelta(), []
    dead = Refusing(Outcome(http_status=301, error="answers 301 to https://www.example.com/hook: set that address"))
    for delay in (*DELAYS, timedelta()):
        verdicts.append(attempt(world, replace(message, turn=True), after, sender=dead))
        after += delay * 1.25
    assert verdicts == ["pending"] * len(DELAYS) + ["held"]
    found = world.endpoints.get(endpoint)
    assert found is not None
    assert "set that address" in str(found.disabled_reason)
    assert world.delivery(endpoint, message.event_id).attempt_count == len(DELAYS) + 1


def test_one_delivery_that_is_refused_among_others_that_are_taken_is_given_up_and_told(world: World) -> None:
    endpoint = world.add_endpoint()
    message, good, after = ring(world, "bad")[endpoint], ring(world, "good")[endpoint], timedelta()
    for delay in DELAYS:
        attempt(world, message, after, sender=Refusing(Outcome(http_status=400)))
        after += delay * 1.25
    attempt(world, good, after, sender=Refusing(Outcome(http_status=200)))
    queued(world)
    assert attempt(world, message, after, sender=Refusing(Outcome(http_status=400))) == "exhausted"
    assert world.delivery(endpoint, message.event_id).reason == "answered 400"
    assert [one.event_type for one in queued(world)] == ["endpoint.delivery_exhausted"]


def fail(world: World, message: DeliveryMessage, after: timedelta, *, times: int = len(DELAYS) + 1) -> tuple[str, timedelta]:
    """Let a delivery's next attempts fail, each when it is due; return the last verdict, and when the next is due."""
    verdict = None
    for _ in range(times):
        verdict = attempt(world, replace(message, turn=True), after, sender=Refusing(Outcome(http_status=503)))
        if verdict == "pending":
            after = world.delivery(message.endpoint_id, message.event_id).next_attempt_at - datetime.now(UTC)
    return str(verdict), after


def resume(world: World, endpoint_id: str) -> None:
    found = _found(world, endpoint_id)
    world.endpoints.note(found, found.opened())


def test_a_held_delivery_that_is_released_begins_its_three_days_anew(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    verdict, after = fail(world, message, timedelta())
    assert verdict == "held"
    resume(world, endpoint)
    queued(world)
    (released,) = tick(world, after)
    assert world.delivery(endpoint, message.event_id).attempt_count == 0
    assert attempt(world, released, after, sender=Refusing(Outcome(http_status=503))) == "pending"
    assert [one for one in queued(world) if one.endpoint_id == "operators"] == [], "one refusal is no news"
    after = world.delivery(endpoint, message.event_id).next_attempt_at - datetime.now(UTC)
    assert fail(world, woken(message), after, times=len(DELAYS))[0] == "held", "it took nothing again"
    assert world.delivery(endpoint, message.event_id).attempt_count == len(DELAYS) + 1
    assert len(lines(world.delivery(endpoint, message.event_id))) == 2 * (len(DELAYS) + 1)


def test_a_released_delivery_that_is_refused_for_three_days_while_others_are_taken_is_given_up(world: World) -> None:
    endpoint = world.add_endpoint()
    message, good = ring(world, "bad")[endpoint], ring(world, "good")[endpoint]
    _, after = fail(world, message, timedelta())
    resume(world, endpoint)
    tick(world, after)
    verdict, after = fail(world, woken(message), after + LEASE, times=len(DELAYS))
    assert verdict == "pending"
    attempt(world, good, after, sender=Refusing(Outcome(http_status=200)))
    assert attempt(world, woken(message), after, sender=Refusing(Outcome(http_status=503))) == "exhausted"


def test_what_nothing_got_through_for_is_held_though_a_person_opened_the_endpoint_in_between(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    assert attempt(world, ring(world, "earlier")[endpoint]) == "delivered"
    verdict, after = fail(world, message, timedelta(), times=8)
    assert verdict == "pending", "it waits for half a day"
    resume(world, endpoint)
    assert fail(world, message, after, times=len(DELAYS) + 1 - 8)[0] == "held"
    assert [one.event_type for one in queued(world) if one.endpoint_id == "operators"] == ["endpoint.disabled"]


def test_what_an_endpoint_refused_is_given_up_though_it_was_opened_before_it_took_others(world: World) -> None:
    endpoint = world.add_endpoint()
    message, good = ring(world, "bad")[endpoint], ring(world, "good")[endpoint]
    _, after = fail(world, message, timedelta(), times=len(DELAYS))
    resume(world, endpoint)
    assert attempt(world, replace(good, turn=True), HOUR, sender=Refusing(Outcome(http_status=200))) == "delivered"
    assert attempt(world, woken(message), after, sender=Refusing(Outcome(http_status=503))) == "exhausted"


def test_probes_use_up_nothing_of_the_schedule_even_when_one_is_killed(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    _, after = fail(world, message, timedelta())
    for _ in range(3):
        after += PROBE_EVERY * 1.01
        (probe,) = tick(world, after)
        assert attempt(world, probe, after, sender=Refusing(Outcome(http_status=503))) == "held"
    assert world.deliveries.claim(probe, datetime.now(UTC) + after) is not None, "and killed here"
    resume(world, endpoint)
    assert attempt(world, woken(message), after + HOUR, sender=Refusing(Outcome(http_status=503))) == "pending"
    assert world.delivery(endpoint, message.event_id).attempt_count == 1


def test_an_old_event_sent_again_to_an_endpoint_that_is_down_by_now_is_held(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta(days=10)
    assert attempt(world, message) == "delivered"
    again = Replay(deliveries=world.deliveries, endpoints=world.endpoints, queue=world.apps["dispatch"].dispatch.delivery_queue)
    now = datetime.now(UTC) + after
    again.send(again.plan(Chosen(event_id=message.event_id, endpoint_id=endpoint)), now)
    assert fail(world, woken(message), after + LEASE)[0] == "held"
    assert _found(world, endpoint).disabled_at is not None


def test_a_delivery_that_waited_long_for_its_first_turn_is_held_if_nothing_got_through_since(world: World) -> None:
    endpoint = world.add_endpoint(rate=0.01)
    first, message = ring(world, "first")[endpoint], ring(world, "second")[endpoint]
    assert attempt(world, first) == "delivered"
    assert attempt(world, message) is None, "it waits for its turn"
    assert fail(world, woken(message), timedelta(minutes=5))[0] == "held"


def test_operators_hear_after_an_hour_a_day_and_three_days_and_when_it_is_over(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    attempt(world, message, sender=Refusing(Outcome(http_status=503)))
    queued(world)
    told: list[list[str]] = []
    for hours in (0.5, 1.1, 2, 24.5, 25, 72.5, 73):
        world.apps["dispatch"].dispatch.tend_endpoints(datetime.now(UTC) + hours * HOUR)
        told.append([one.event_type for one in queued(world) if one.endpoint_id == "operators"])
    failing = [[], ["endpoint.failing_for_an_hour"], [], ["endpoint.failing_for_a_day"], [], ["endpoint.disabled"], []]
    assert told == failing
    probe = replace(woken(message), probe=True)
    assert attempt(world, probe, 80 * HOUR, sender=Refusing(Outcome(http_status=200))) == "delivered"
    assert [one.event_type for one in queued(world)] == ["endpoint.recovered"]
    found = world.endpoints.get(endpoint)
    assert found is not None
    assert (found.rests, found.failing_since) == (None, None)


def test_a_paused_endpoint_holds_its_events_and_has_them_in_order_when_it_resumes(world: World) -> None:
    endpoint = world.add_endpoint()
    found = world.endpoints.get(endpoint)
    assert found is not None
    world.endpoints.note(found, replace(found, paused_at=datetime.now(UTC)))
    messages = [ring(world, name)[endpoint] for name in ("one", "two", "three")]
    assert [attempt(world, message) for message in messages] == ["held"] * 3
    assert tick(world) == []
    paused = world.endpoints.get(endpoint)
    assert paused is not None
    world.endpoints.note(paused, paused.opened())
    released = tick(world)
    assert [one.event_id for one in released] == [message.event_id for message in messages]
    assert [attempt(world, one) for one in released] == ["delivered"] * 3
    tick(world, timedelta(minutes=5))
    after = world.endpoints.get(endpoint)
    assert after is not None
    assert after.held_at is None


def test_held_events_are_sent_no_faster_than_the_endpoint_bears(world: World) -> None:
    endpoint = world.add_endpoint(rate=0.05)
    for name in ("one", "two", "three", "four"):
        world.deliveries.set_aside(ring(world, name)[endpoint], DeliveryStatus.HELD, "paused", datetime.now(UTC))
    world.endpoints.note_held(endpoint, datetime.now(UTC))
    now = datetime.now(UTC)
    assert world.apps["dispatch"].dispatch.tend_endpoints(now) == 3, "a minute's worth"
    due = sorted(row.next_attempt_at - now for row in world.all_deliveries() if row.status == "pending")
    assert [round(wait.total_seconds()) for wait in due] == [0, 20, 40]


def test_what_was_held_for_more_than_thirty_days_is_skipped_with_that_reason(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    world.deliveries.set_aside(message, DeliveryStatus.HELD, "paused", datetime.now(UTC))
    world.endpoints.note_held(endpoint, datetime.now(UTC))
    assert tick(world, timedelta(days=31)) == []
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, row.reason) == ("skipped", "held for longer than 30 days")


def test_a_disabled_endpoint_is_probed_now_and_then_and_comes_back_by_itself(world: World) -> None:
    endpoint = world.add_endpoint()
    found = world.endpoints.get(endpoint)
    assert found is not None
    world.endpoints.note(found, found.disabled("failed for three days: answered 500", datetime.now(UTC)))
    for name in ("one", "two"):
        attempt(world, ring(world, name)[endpoint])
    assert tick(world, PROBE_EVERY / 2) == []
    (probe,) = tick(world, PROBE_EVERY)
    assert probe.probe
    assert tick(world, PROBE_EVERY * 1.5) == [], "one at a time"
    assert attempt(world, probe, PROBE_EVERY, sender=Refusing(Outcome(http_status=500))) == "held"
    (probe,) = tick(world, PROBE_EVERY * 2.1)
    assert attempt(world, probe, PROBE_EVERY * 2.1) == "held", "a signature of the future is refused"
    (probe,) = tick(world, PROBE_EVERY * 3.2)
    assert attempt(world, probe, PROBE_EVERY * 3.2, sender=Refusing(Outcome(http_status=204))) == "delivered"
    (rest,) = tick(world, PROBE_EVERY * 3.3)
    assert attempt(world, rest, PROBE_EVERY * 3.3, sender=Refusing(Outcome(http_status=204))) == "delivered"


class Choosy(Refusing):
    """A sender whose receiver takes everything but one event."""

    def __init__(self, event_id: str) -> None:
        super().__init__(Outcome(http_status=200))
        self.refused = event_id

    async def post(self, *given: Any) -> Outcome:
        taken = await super().post()
        return Outcome(http_status=400) if given[1]["webhook-id"] == self.refused else taken


def test_an_endpoint_that_always_refuses_the_oldest_held_event_and_would_take_others_comes_back(world: World) -> None:
    endpoint = world.add_endpoint()
    found = _found(world, endpoint)
    world.endpoints.note(found, found.disabled("failed for three days: answered 500", datetime.now(UTC)))
    refused, taken = ring(world, "refused")[endpoint], ring(world, "taken")[endpoint]
    choosy, after, verdicts = Choosy(refused.event_id), timedelta(), []
    for message in (refused, taken):
        attempt(world, message)
    for _ in range(2):
        after += PROBE_EVERY * 1.01
        (probe,) = tick(world, after)
        verdicts.append((probe.event_id, attempt(world, probe, after, sender=choosy)))
    assert verdicts == [(refused.event_id, "held"), (taken.event_id, "delivered")]
    assert _found(world, endpoint).rests is None
    assert [one.event_id for one in tick(world, after)] == [refused.event_id], "and is sent the one it refuses as well"


def test_each_probe_tries_another_of_the_held_events_from_both_ends_and_leaves_their_order_alone(world: World) -> None:
    endpoint = world.add_endpoint()
    found = _found(world, endpoint)
    world.endpoints.note(found, found.disabled("failed for three days: answered 500", datetime.now(UTC)))
    messages = [ring(world, name)[endpoint] for name in ("one", "two", "three", "four")]
    for message in messages:
        attempt(world, message)
    tried, after = [], timedelta()
    for _ in range(6):
        after += PROBE_EVERY * 1.01
        (probe,) = tick(world, after)
        tried.append(probe.event_id)
        assert attempt(world, probe, after, sender=Refusing(Outcome(http_status=500))) == "held"
    places = [[message.event_id for message in messages].index(event_id) for event_id in tried]
    assert places == [0, 3, 1, 2, 2, 1], "each in its turn, and anew"
    held = [message.event_id for message, _ in world.deliveries.held(endpoint, datetime.now(UTC) + after, 10)]
    assert held == [message.event_id for message in messages], "a probe changes nothing of their order"


def test_a_trial_reaches_a_resting_endpoint_and_is_not_repeated(world: World) -> None:
    endpoint = world.add_endpoint()
    found = world.endpoints.get(endpoint)
    assert found is not None
    world.endpoints.note(found, replace(found, paused_at=datetime.now(UTC)))
    trial = replace(DeliveryMessage.of(endpoint, trial_event(endpoint, datetime.now(UTC))), probe=True)
    world.receiver.answers.add("/hook", Answer(status=500))
    assert attempt(world, trial) == "skipped"
    again = replace(DeliveryMessage.of(endpoint, trial_event(endpoint, datetime.now(UTC))), probe=True)
    assert attempt(world, again) == "delivered"
    assert [one.event["type"] for one in world.receiver.events()] == ["renderbell.test"] * 2
    after = world.endpoints.get(endpoint)
    assert after is not None
    assert after.paused_at is not None, "a person paused it, a person resumes it"


def test_an_endpoint_that_is_not_proven_is_called_once_until_it_answers(world: World) -> None:
    endpoint = world.add_endpoint(gap=UNPROVEN_GAP)
    one, two, three = (ring(world, name)[endpoint] for name in ("one", "two", "three"))
    silent = Refusing(Outcome(error="no answer"))
    assert world.apps["deliver"].deliver.endpoints.take_turn(_found(world, endpoint), datetime.now(UTC)) is not None
    assert [attempt(world, message, sender=silent) for message in (one, two)] == [None, None]
    assert silent.posts == 0
    rows = [row for row in world.all_deliveries() if row.endpoint_id == endpoint]
    assert {row.status for row in rows} == {"pending"}, "they wait on record"
    assert {row.next_attempt_at - row.created_at < timedelta(seconds=6) for row in rows} == {True}
    again = replace(woken(one), turn=False)
    assert attempt(world, again, timedelta(seconds=10), sender=Refusing(Outcome(http_status=200))) == "delivered"
    assert _found(world, endpoint).gap == 0
    assert attempt(world, three, timedelta(seconds=10), sender=Refusing(Outcome(http_status=200))) == "delivered"


def test_at_an_endpoint_that_is_silent_each_delivery_has_a_turn_of_its_own(world: World) -> None:
    endpoint = world.add_endpoint(gap=20.0)  # and after the first it is 40
    messages = [ring(world, name)[endpoint] for name in ("one", "two", "three")]
    silent = Refusing(Outcome(error="no answer"))
    assert [attempt(world, message, sender=silent) for message in messages] == ["pending", None, None]
    turns = sorted(row.next_attempt_at for row in world.all_deliveries() if row.status == "pending")[1:]
    assert (turns[1] - turns[0]).total_seconds() == pytest.approx(40, abs=0.01)
    assert _found(world, endpoint).gap == 40


def _found(world: World, endpoint_id: str) -> Endpoint:
    found = world.endpoints.get(endpoint_id)
    assert found is not None
    return found


def test_an_endpoint_that_set_a_rate_is_called_no_faster(world: World) -> None:
    endpoint = world.add_endpoint(rate=0.1)
    messages = [ring(world, name)[endpoint] for name in ("one", "two", "three")]
    assert [attempt(world, message) for message in messages] == ["delivered", None, None]
    turns = sorted(row.next_attempt_at for row in world.all_deliveries() if row.status == "pending")
    assert (turns[1] - turns[0]).total_seconds() == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"events": frozenset({"video.completed"})}, True),
        ({"events": frozenset({"video.failed"})}, False),
        ({"providers": frozenset({"tavus"})}, True),
        ({"providers": frozenset({"heygen"})}, False),
        ({"accounts": frozenset({"tavus/v"})}, True),
        ({"accounts": frozenset({"tavus/other"})}, False),
    ],
)
def test_an_endpoint_hears_only_what_it_asked_for(world: World, filters: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001
    endpoint = world.add_endpoint(**filters)
    assert set(ring(world)) == ({"topic", endpoint} if wanted else {"topic"})


def test_a_stack_in_aws_refuses_to_dial_this_machine(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    assert attempt(world, message, sender=Sender(allow_local=False)) == "pending"
    assert len(world.receiver.events()) == 0
    assert "refused to connect" in str(lines(world.delivery(endpoint, message.event_id)))


def test_custom_headers_go_with_every_delivery_and_stand_in_no_table(world: World) -> None:
    endpoint = world.add_endpoint()
    private = world.parameters.endpoint_private(endpoint)
    assert private is not None
    world.parameters.put_endpoint_private(endpoint, replace(private, headers={"authorization": "Bearer sesame"}))
    seen: list[dict[str, str]] = []

    class Seeing(Refusing):
        async def post(self, *given: Any) -> Outcome:
            seen.append(dict(given[1]))
            return await super().post()

    world.apps["deliver"].deliver.privates.__init__(world.prefix, boto3.client("ssm"))
    attempt(world, ring(world)[endpoint], sender=Seeing(Outcome(http_status=200)))
    assert seen[0]["authorization"] == "Bearer sesame"
    assert "sesame" not in str([row.attribute_values for row in world.all_deliveries()])


def test_no_key_and_no_secret_is_in_any_table(world: World) -> None:
    world.add_endpoint()
    account = world.add_account("tavus/main", first_look_done=True)
    world.library(account).add(video("v", born=time.time() - 5))
    world.poll(account)
    world.flow()
    stored = world.parameters.account(account)
    assert stored is not None
    everything = str([row.attribute_values for row in world.all_deliveries()]) + str(world.row(account, "v").attribute_values)
    assert stored.key not in everything
    assert world.secrets["/hook"] not in everything
    assert "whsec_" not in everything


def test_a_chats_secret_address_stands_nowhere_when_its_receiver_redirects_or_repeats_what_it_was_sent(world: World) -> None:
    endpoint = world.add_endpoint(format="slack")
    message, private = ring(world)[endpoint], world.parameters.endpoint_private(endpoint)
    assert private is not None
    location = b"/services/T000/B000/a-token-of-theirs/"
    said = b'{"moved": "%s", "you": "open sesame"}' % location.replace(b"/", b"\\/")
    answer = b"HTTP/1.1 308 Moved\r\nLocation: %s\r\nContent-Length: %d\r\n\r\n%s" % (location, len(said), said)
    after = timedelta()
    with answering(answer) as port:
        url = f"http://127.0.0.1:{port}/services/T000/B000/a-token-of-theirs"
        world.parameters.put_endpoint_private(endpoint, replace(private, url=url, headers={"x-team-key": "open sesame"}))
        for delay in (*DELAYS, timedelta()):
            attempt(world, replace(message, turn=True), after)
            after += delay * 1.25
    kept = str([row.attribute_values for row in world.all_deliveries()]) + str(
        lines(world.delivery(endpoint, message.event_id))
    )
    told = kept + str(_found(world, endpoint)) + str(queued(world))
    assert f"answers 308 to http://127.0.0.1:{port}/…: set that address" in told
    assert "endpoint.disabled" in told
    for secret in ("a-token-of-theirs", "B000", "sesame"):
        assert secret not in told


def test_our_own_trouble_before_sending_waits_its_turn_and_uses_no_attempt_up_unrecorded(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    path = f"{world.prefix}/endpoints/{endpoint}"
    ssm, made = boto3.client("ssm"), world.apps["deliver"].deliver
    secret = ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"]
    ssm.put_parameter(Name=path, Value="no JSON", Type="SecureString", Overwrite=True)
    assert attempt(world, message) == "pending"
    assert attempt(world, message) is None, "it waits like any failed attempt"
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, row.attempt_count, len(row.attempts)) == ("pending", 1, 1)
    assert "JSONDecodeError" in str(lines(row))
    ssm.put_parameter(Name=path, Value=secret, Type="SecureString", Overwrite=True)
    made.privates.__init__(world.prefix, ssm)  # a cold start: nothing cached
    assert attempt(world, woken(message), DELAYS[0] * 2) == "delivered"


def unreadable(world: World, endpoint_id: str) -> None:
    """Let somebody spoil an endpoint's secret."""
    path = f"{world.prefix}/endpoints/{endpoint_id}"
    boto3.client("ssm").put_parameter(Name=path, Value="no JSON", Type="SecureString", Overwrite=True)


def test_our_own_trouble_for_three_days_holds_the_event_and_is_told(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta()
    unreadable(world, endpoint)
    for delay in (*DELAYS, timedelta()):
        attempt(world, replace(message, turn=True), after)
        after += delay * 1.25
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, row.attempt_count) == ("held", len(DELAYS) + 1)
    assert "could not prepare it: JSONDecodeError" in str(_found(world, endpoint).disabled_reason)
    assert [one.event_type for one in queued(world) if one.endpoint_id == "operators"] == ["endpoint.disabled"]


def test_our_own_trouble_at_the_last_attempt_is_told_where_others_were_taken(world: World) -> None:
    endpoint = world.add_endpoint()
    message, good = ring(world, "bad")[endpoint], ring(world, "good")[endpoint]
    _, after = fail(world, message, timedelta(), times=len(DELAYS))
    attempt(world, good, after, sender=Refusing(Outcome(http_status=200)))
    unreadable(world, endpoint)
    world.apps["deliver"].deliver.privates.__init__(world.prefix, boto3.client("ssm"))  # a cold start: nothing cached
    assert attempt(world, woken(message), after) == "exhausted"
    assert [one.event_type for one in queued(world) if one.endpoint_id == "operators"] == ["endpoint.delivery_exhausted"]


def test_our_own_trouble_in_a_probe_leaves_the_event_held_and_its_message_does_not_come_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = world.add_endpoint()
    found = _found(world, endpoint)
    world.endpoints.note(found, found.disabled("failed for three days: answered 500", datetime.now(UTC)))
    message = ring(world)[endpoint]
    attempt(world, message)
    unreadable(world, endpoint)
    probe = replace(woken(message), probe=True)
    assert world.apps["deliver"].handler(sqs_event([probe.dump()]), Context()) == {"batchItemFailures": []}
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, len(row.attempts)) == ("held", 1)
    assert "JSONDecodeError: Expecting value" in caplog.text, "the log says why, and where"


def test_a_row_keeps_its_newest_attempts_however_often_it_is_probed_and_knows_when_its_schedule_began(world: World) -> None:
    endpoint = world.add_endpoint()
    message, now = ring(world)[endpoint], datetime.now(UTC)
    attempt(world, message, sender=Refusing(Outcome(http_status=503)))
    began = lines(world.delivery(endpoint, message.event_id))[0]
    before = [{**began, "number": 0, "at": f"earlier {place}"} for place in range(500)]
    table = opened(DeliveryRow, world.names["DeliveriesTable"])
    kept: list[Any] = [*before, began]
    table(endpoint, message.event_id).update(actions=[table.attempts.set(kept)])
    claimed = world.deliveries.claim(woken(message), now + HOUR)
    assert claimed is not None
    assert (claimed.attempts, claimed.began_at) == (1, moment(began["at"]))
    assert lines(world.delivery(endpoint, message.event_id)) == [*before[-49:], began]
    found, after = _found(world, endpoint), 2 * HOUR
    world.endpoints.note(found, found.disabled("failed for three days: answered 503", now))
    for number in range(30):
        assert attempt(world, replace(woken(message), probe=True), after, sender=Refusing(Outcome(http_status=500 + number)))
        after += HOUR
        assert len(world.delivery(endpoint, message.event_id).attempts) <= 61
    assert lines(world.delivery(endpoint, message.event_id))[-1]["http_status"] == 529


def test_an_attempt_that_was_killed_before_it_was_recorded_is_not_counted(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    now = datetime.now(UTC)
    for minutes in range(20):
        assert world.deliveries.claim(message, now + timedelta(minutes=2 * minutes)) is not None
    assert attempt(world, message, timedelta(minutes=60)) != "exhausted"
    assert world.delivery(endpoint, message.event_id).attempt_count == 1


def test_a_delivery_that_succeeds_writes_nothing_of_an_endpoint_that_is_well(world: World) -> None:
    endpoint, meter = world.add_endpoint(), Meter()
    metered = Endpoints(world.names["EndpointsTable"], meter)
    for name in ("one", "two"):
        attempt(world, ring(world, name)[endpoint], endpoints=metered)
    assert meter.writes == 0


def test_a_claim_and_a_wait_whose_answers_were_lost_are_ours_all_the_same(world: World) -> None:
    endpoint = world.add_endpoint()
    message, now = ring(world)[endpoint], datetime.now(UTC)
    other, sent = replace(message, event_id="evt_other"), []

    def lose_first_answer(request: AWSPreparedRequest, **_: Any) -> None:
        sent.append(request)
        if len(sent) % 2:
            URLLib3Session().send(request)
            raise ConnectionClosedError(endpoint_url=request.url)  # which botocore takes for a reason to send it again

    client = world.deliveries._row._get_connection().connection.client
    client.meta.events.register("before-send.dynamodb.UpdateItem", lose_first_answer)
    assert world.deliveries.claim(message, now) is not None
    assert world.deliveries.put_off(other, now + HOUR, now)
    assert world.deliveries.claim(message, now + timedelta(microseconds=1)) is None, "to all others it is taken"
    assert not world.deliveries.put_off(other, now + 2 * HOUR, now)
    assert len(sent) == 2 * 4


@pytest.mark.parametrize(("failures", "units"), [(0, 2), (1, 4), (2, 6), (3, 8)])
def test_a_delivery_costs_two_write_units_and_two_for_each_further_attempt(world: World, failures: int, units: int) -> None:
    endpoint = world.add_endpoint()
    meter = Meter()
    metered = Deliveries(world.names["DeliveriesTable"], meter)
    message, after = ring(world)[endpoint], timedelta()
    for delay in DELAYS[:failures]:
        attempt(world, message, after, deliveries=metered, sender=Refusing(Outcome(http_status=500, answer="out of order")))
        after += delay * 1.3
    attempt(world, message, after, deliveries=metered, sender=Refusing(Outcome(http_status=200, answer="ok")))
    assert world.delivery(endpoint, message.event_id).status == "delivered"
    assert meter.writes == units
