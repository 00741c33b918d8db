"""What an endpoint that rests does not get: held, released, probed with, and skipped when it is removed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest

from renderbell.deliveries import DELAYS, GONE_REASON, DeliveryStatus, Outcome
from renderbell.endpoints import AT_ONCE, PROBE_EVERY, UNPROVEN_GAP
from renderbell.events import trial_event
from renderbell.queues import DeliveryMessage
from renderbell_cli.receiver import Answer
from tests.integration.delivering import (
    HOUR,
    Refusing,
    attempt,
    delayed,
    fail,
    found_endpoint,
    lines,
    queued,
    resume,
    ring,
    send_again,
    tick,
    unreadable,
    woken,
)
from tests.integration.world import Context, World, sqs_event

BODY: Final = '{"type": "video.completed", "timestamp": "2026-11-26T10:00:00Z", "data": {}}'


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


@pytest.mark.parametrize("meanwhile", [False, True])
def test_what_is_held_for_an_endpoint_that_is_removed_is_skipped_within_minutes(world: World, *, meanwhile: bool) -> None:
    endpoint = world.add_endpoint(paused_at=datetime.now(UTC))
    message = ring(world)[endpoint]
    if meanwhile:
        world.endpoints.remove(endpoint, datetime.now(UTC))
        world.deliveries.set_aside(message, DeliveryStatus.HELD, "by an attempt that knew nothing of it", datetime.now(UTC))
        world.endpoints.note_held(endpoint, datetime.now(UTC))
    else:
        assert attempt(world, message) == "held"
        world.endpoints.remove(endpoint, datetime.now(UTC))
    assert tick(world) == []
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, row.reason) == ("skipped", "the endpoint was removed")
    assert tick(world, timedelta(minutes=2)) == []
    [removed] = world.endpoints.with_removed()
    assert removed.held_at is None, "so that nobody looks for more"


def test_what_is_held_for_a_removed_endpoint_without_its_knowing_is_found_by_the_audit(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    world.deliveries.set_aside(message, DeliveryStatus.HELD, "by an attempt that was killed", datetime.now(UTC))
    world.endpoints.remove(endpoint, datetime.now(UTC))
    world.apps["audit"].audit.run(datetime.now(UTC), datetime.now(UTC) - HOUR)
    tick(world)
    assert world.delivery(endpoint, message.event_id).status == "skipped"


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


def hold(world: World, endpoint: str, number: int) -> None:
    for place in range(number):
        message = DeliveryMessage(endpoint_id=endpoint, event_id=f"evt_{place:03}", event_type="video.completed", body=BODY)
        world.deliveries.set_aside(message, DeliveryStatus.HELD, "paused", datetime.now(UTC))
    world.endpoints.note_held(endpoint, datetime.now(UTC))


@pytest.mark.parametrize(("gap", "released"), [(0.0, 40), (UNPROVEN_GAP, AT_ONCE), (10.0, 6), (60.0, 1)])
def test_an_endpoint_that_is_slow_or_not_proven_yet_is_sent_no_more_at_once_than_it_is_known_to_bear(
    world: World, gap: float, released: int
) -> None:
    endpoint = world.add_endpoint(gap=gap)
    hold(world, endpoint, 40)
    assert len(tick(world)) + delayed(world) == released
    due = sorted(row.next_attempt_at for row in world.all_deliveries() if row.status == "pending")
    apart = gap if gap > UNPROVEN_GAP else 0.0
    assert all(after - before >= timedelta(seconds=int(apart)) for before, after in pairwise(due))


def test_an_endpoint_that_wants_less_than_one_a_minute_gets_no_more_of_what_was_held(world: World) -> None:
    endpoint, taking = world.add_endpoint(rate=0.002), Refusing(Outcome(http_status=200))
    hold(world, endpoint, 5)
    for minute in range(5):
        for message in tick(world, timedelta(minutes=minute)):
            attempt(world, message, timedelta(minutes=minute, seconds=1), sender=taking)
    assert taking.posts == 1


def test_what_a_person_sends_again_after_thirty_days_is_held_as_long_as_anything_else(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta(days=31)
    assert attempt(world, message) == "delivered"
    found = found_endpoint(world, endpoint)
    world.endpoints.note(found, replace(found, paused_at=datetime.now(UTC)))
    send_again(world, message, after)
    (again,) = queued(world)
    assert attempt(world, again, after + timedelta(seconds=1)) == "held"
    resume(world, endpoint)
    assert [one.event_id for one in tick(world, after + timedelta(minutes=1))] == [message.event_id]
    assert world.delivery(endpoint, message.event_id).status == "pending"


def test_a_disabled_endpoint_that_says_it_is_gone_is_asked_less_often(world: World) -> None:
    endpoint = world.add_endpoint()
    found = found_endpoint(world, endpoint)
    world.endpoints.note(found, found.disabled("failed for three days: answered 500", datetime.now(UTC)))
    attempt(world, ring(world)[endpoint])
    gone = Refusing(Outcome(http_status=410))
    for hours in range(1, 12):
        for message in tick(world, hours * PROBE_EVERY * 1.01):
            attempt(world, message, hours * PROBE_EVERY * 1.01, sender=gone)
    assert gone.posts == 1
    assert found_endpoint(world, endpoint).disabled_reason == GONE_REASON


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
    found = found_endpoint(world, endpoint)
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
    assert found_endpoint(world, endpoint).rests is None
    assert [one.event_id for one in tick(world, after)] == [refused.event_id], "and is sent the one it refuses as well"


def test_each_probe_tries_another_of_the_held_events_from_both_ends_and_leaves_their_order_alone(world: World) -> None:
    endpoint = world.add_endpoint()
    found = found_endpoint(world, endpoint)
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


def test_our_own_trouble_in_a_probe_leaves_the_event_held_and_its_message_does_not_come_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = world.add_endpoint()
    found = found_endpoint(world, endpoint)
    world.endpoints.note(found, found.disabled("failed for three days: answered 500", datetime.now(UTC)))
    message = ring(world)[endpoint]
    attempt(world, message)
    unreadable(world, endpoint)
    probe = replace(woken(message), probe=True)
    assert world.apps["deliver"].handler(sqs_event([probe.dump()]), Context()) == {"batchItemFailures": []}
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, len(row.attempts)) == ("held", 1)
    assert "JSONDecodeError: Expecting value" in caplog.text, "the log says why, and where"
