"""What becomes of an endpoint that fails, and of what it refuses: disabled, held, given up, and told to operators."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import boto3

from renderbell.deliveries import DELAYS, LEASE, Outcome
from renderbell.endpoints import Endpoint
from renderbell.events import trial_event
from renderbell.queues import DeliveryMessage
from renderbell.store.endpoints import Endpoints
from renderbell_cli.receiver import Answer
from tests.integration.delivering import (
    HOUR,
    Refusing,
    attempt,
    fail,
    found_endpoint,
    queued,
    resume,
    ring,
    send_again,
    tick,
    unreadable,
    woken,
)
from tests.integration.world import World

BODY: Final = '{"type": "video.completed", "timestamp": "2026-11-26T10:00:00Z", "data": {}}'


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


def refused_among_others(world: World) -> tuple[DeliveryMessage, timedelta]:
    """Let a delivery fail at every attempt but its last, and another be taken; return it, and when the last is due."""
    endpoint = world.add_endpoint()
    message, good, after = ring(world, "bad")[endpoint], ring(world, "good")[endpoint], timedelta()
    for delay in DELAYS:
        attempt(world, message, after, sender=Refusing(Outcome(http_status=400)))
        after += delay * 1.25
    attempt(world, good, after, sender=Refusing(Outcome(http_status=200)))
    return message, after


def test_one_delivery_that_is_refused_among_others_that_are_taken_is_given_up_and_told(world: World) -> None:
    message, after = refused_among_others(world)
    queued(world)
    assert attempt(world, message, after, sender=Refusing(Outcome(http_status=400))) == "exhausted"
    assert world.delivery(message.endpoint_id, message.event_id).reason == "answered 400"
    assert [one.event_type for one in queued(world)] == ["endpoint.delivery_exhausted"]


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


def test_an_old_event_sent_again_to_an_endpoint_that_is_down_by_now_is_held(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta(days=10)
    assert attempt(world, message) == "delivered"
    send_again(world, message, after)
    assert fail(world, woken(message), after + LEASE)[0] == "held"
    assert found_endpoint(world, endpoint).disabled_at is not None


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


def told_for_three_days(world: World, after: timedelta = timedelta()) -> list[str]:
    queued(world)
    for hours in (1.1, 24.5, 72.5):
        world.apps["dispatch"].dispatch.tend_endpoints(datetime.now(UTC) + after + hours * HOUR)
    return [one.event_type for one in queued(world)]


def test_a_trial_that_fails_makes_no_endpoint_fail_for_days(world: World) -> None:
    endpoint = world.add_endpoint()
    assert attempt(world, ring(world)[endpoint]) == "delivered"
    trial = replace(DeliveryMessage.of(endpoint, trial_event(endpoint, datetime.now(UTC))), probe=True)
    assert attempt(world, trial, sender=Refusing(Outcome(http_status=500))) == "skipped"
    assert told_for_three_days(world) == []


def test_the_last_refusal_of_an_event_that_is_given_up_makes_no_endpoint_fail(world: World) -> None:
    message, after = refused_among_others(world)
    assert attempt(world, message, after, sender=Refusing(Outcome(http_status=400))) == "exhausted"
    assert told_for_three_days(world, after) == []
    assert found_endpoint(world, message.endpoint_id).rests is None


def test_a_tick_disables_none_that_answered_since_it_began(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta(hours=72, minutes=1)
    attempt(world, message, sender=Refusing(Outcome(http_status=503)))
    queued(world)
    dispatch = world.apps["dispatch"].dispatch
    before = world.endpoints.with_removed()
    assert attempt(world, woken(message), after, sender=Refusing(Outcome(http_status=200))) == "delivered"

    class Earlier(Endpoints):
        def with_removed(self) -> Sequence[Endpoint]:
            return before

    replace(dispatch, endpoints=Earlier(world.names["EndpointsTable"])).tend_endpoints(datetime.now(UTC) + after)
    assert found_endpoint(world, endpoint).rests is None
    assert queued(world) == []


def test_our_own_trouble_for_three_days_holds_the_event_and_is_told(world: World) -> None:
    endpoint = world.add_endpoint()
    message, after = ring(world)[endpoint], timedelta()
    unreadable(world, endpoint)
    for delay in (*DELAYS, timedelta()):
        attempt(world, replace(message, turn=True), after)
        after += delay * 1.25
    row = world.delivery(endpoint, message.event_id)
    assert (row.status, row.attempt_count) == ("held", len(DELAYS) + 1)
    assert "could not prepare it: JSONDecodeError" in str(found_endpoint(world, endpoint).disabled_reason)
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
