"""Deliveries over the real handler, engine and receiver: what is retried, what is held, what is on record."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from renderbell.deliver import Deliver
from renderbell.deliveries import DELAYS, LEASE
from renderbell.queues import DeliveryMessage
from renderbell_cli.receiver import Answer
from tests.integration.world import Context, World, video


def ring(world: World, video_id: str = "v") -> str:
    """Let one video complete and announce it; return the event's id. Nothing is delivered yet."""
    account = world.add_account(f"tavus/{video_id}", first_look_done=True)
    world.library(account).add(video(video_id, born=time.time() - 5))
    world.poll(account)
    world.notify()
    ids = {json.loads(body)["event_id"] for batch in world.batches("DeliveryQueue") for body in batch}
    assert len(ids) == 1
    return str(ids.pop())


def attempt(world: World, endpoint_id: str, event_id: str, after: timedelta = timedelta()) -> str | None:
    """Attempt a delivery as if `after` had passed; return its verdict."""
    made: Deliver = world.apps["deliver"].deliver
    later = replace(made, now=lambda: datetime.now(UTC) + after)
    verdict = asyncio.run(later.attempt(DeliveryMessage(endpoint_id=endpoint_id, event_id=event_id)))
    return verdict.status.value if verdict else None


def test_a_failed_attempt_is_recorded_and_repeated_with_the_same_bytes(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    world.receiver.answers.add("/hook", Answer(status=500, body=b"out of order"))
    assert attempt(world, endpoint, event_id) == "pending"
    assert attempt(world, endpoint, event_id) is None, "not due yet"
    assert attempt(world, endpoint, event_id, DELAYS[0] * 2) == "delivered"
    first, second = world.receiver.events()
    assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
    row = world.delivery(endpoint, event_id)
    assert row.status == "delivered"
    lines = [dict(line.attribute_values) if hasattr(line, "attribute_values") else dict(line) for line in row.attempts]
    assert [(line["number"], line["http_status"]) for line in lines] == [(1, 500), (2, 200)]
    assert lines[0]["answer"] == "out of order"


def test_a_short_wait_is_woken_by_a_delayed_message_and_a_lost_one_by_dispatch(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    world.receiver.answers.add("/hook", Answer(status=503))
    attempt(world, endpoint, event_id)
    attributes = world.sqs.get_queue_attributes(
        QueueUrl=world.names["DeliveryQueue"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
    due = [one.endpoint_id for one in world.deliveries.due(datetime.now(UTC) + timedelta(minutes=1), 10)]
    assert endpoint in due


def test_dispatch_wakes_what_is_due_and_nothing_else(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)  # its messages were taken from the queue and lost
    world.apps["dispatch"].handler({"deliveries": True}, Context())
    woken = [json.loads(body) for batch in world.batches("DeliveryQueue") for body in batch]
    assert {one["endpoint_id"] for one in woken} == {"topic", endpoint}
    assert {one["event_id"] for one in woken} == {event_id}
    for one in woken:
        attempt(world, one["endpoint_id"], event_id)
    world.apps["dispatch"].handler({"deliveries": True}, Context())
    assert [*world.batches("DeliveryQueue")] == []


def test_a_claimed_attempt_keeps_others_away_until_its_lease_ends(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    now = datetime.now(UTC)
    assert world.deliveries.claim(endpoint, event_id, now) is not None
    assert world.deliveries.claim(endpoint, event_id, now + LEASE / 2) is None
    assert world.deliveries.claim(endpoint, event_id, now + LEASE * 2) is not None


def test_gone_disables_the_endpoint_and_holds_its_events(world: World) -> None:
    endpoint = world.add_endpoint()
    first = ring(world, "one")
    world.receiver.answers.add("/hook", Answer(status=410))
    assert attempt(world, endpoint, first) == "held"
    assert attempt(world, endpoint, ring(world, "two")) == "held"
    assert len(world.receiver.events()) == 1, "a disabled endpoint is not called"
    held = world.endpoints.get(endpoint)
    assert held is not None
    assert held.disabled_reason == "answered 410 Gone"


def test_a_removed_endpoint_is_skipped_with_that_reason(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    world.endpoints.remove(endpoint)
    assert attempt(world, endpoint, event_id) == "skipped"
    assert world.delivery(endpoint, event_id).reason == "the endpoint was removed"


def test_the_schedule_ends_after_three_days_with_the_reason_on_record(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    after, verdicts = timedelta(), []
    for delay in (*DELAYS, timedelta()):
        world.receiver.answers.add("/hook", Answer(status=500))
        verdicts.append(attempt(world, endpoint, event_id, after))
        after += delay * 1.3
    # Signatures of the future are refused by the receiver with 401: no success either way.
    assert verdicts == ["pending"] * len(DELAYS) + ["exhausted"]
    row = world.delivery(endpoint, event_id)
    assert row.status == "exhausted"
    assert str(row.reason).startswith("answered ")


def test_a_redirect_is_not_followed_and_says_where_to(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    world.receiver.answers.add("/hook", Answer(status=301, headers={"location": "https://www.example.com/hook"}))
    assert attempt(world, endpoint, event_id) == "pending"
    assert "www.example.com" in str(world.delivery(endpoint, event_id).attempts)


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
    event_id = ring(world)
    receivers = {row.endpoint_id for row in world.all_deliveries() if row.event_id == event_id}
    assert receivers == ({"topic", endpoint} if wanted else {"topic"})


def test_a_stack_in_aws_refuses_to_dial_this_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    monkeypatch.setattr(world.apps["deliver"], "deliver", replace(world.apps["deliver"].deliver, allow_local=False))
    assert attempt(world, endpoint, event_id) == "pending"
    assert len(world.receiver.events()) == 0
    assert "not a public address" in str(world.delivery(endpoint, event_id).attempts)


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


def test_our_own_trouble_before_sending_waits_its_turn_and_uses_no_attempt_up_unrecorded(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    path = f"{world.prefix}/endpoints/{endpoint}"
    ssm, made = boto3.client("ssm"), world.apps["deliver"].deliver
    secret = ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"]
    ssm.put_parameter(Name=path, Value="no JSON", Type="SecureString", Overwrite=True)
    with pytest.raises(json.JSONDecodeError):
        attempt(world, endpoint, event_id)
    assert attempt(world, endpoint, event_id) is None, "it waits like any failed attempt"
    row = world.delivery(endpoint, event_id)
    assert (row.status, row.attempt_count, len(row.attempts)) == ("pending", 1, 1)
    assert "JSONDecodeError" in str(row.attempts)
    ssm.put_parameter(Name=path, Value=secret, Type="SecureString", Overwrite=True)
    made.parameters.__init__(world.prefix, ssm)  # a cold start: nothing cached
    assert attempt(world, endpoint, event_id, DELAYS[0] * 2) == "delivered"


def test_an_attempt_that_was_killed_before_it_was_recorded_is_not_counted(world: World) -> None:
    endpoint = world.add_endpoint()
    event_id = ring(world)
    now = datetime.now(UTC)
    for minutes in range(20):
        assert world.deliveries.claim(endpoint, event_id, now + timedelta(minutes=2 * minutes)) is not None
    assert attempt(world, endpoint, event_id, timedelta(minutes=60)) != "exhausted"
    assert world.delivery(endpoint, event_id).attempt_count == 1
