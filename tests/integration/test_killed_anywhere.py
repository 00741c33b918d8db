"""A function may die between any two statements. Each of its statements is tried; the rest of the world goes on.

The functions are loaded anew in the process that dies: connections do not survive a fork.
"""

import asyncio
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from renderbell.deliver import Deliver
from renderbell.deliveries import DeliveryStatus, Outcome
from renderbell.queues import DeliveryMessage
from renderbell.store.tables import DeliveryRow
from renderbell.video import AccountName
from renderbell_cli.receiver import Answer
from tests.integration.delivering import NotingQueue, Refusing, attempt, delayed, fail, ring, woken
from tests.integration.killing import run_and_kill_before
from tests.integration.world import Context, World, load, sqs_event, video

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

STEP = int(os.environ.get("RENDERBELL_KILL_STEP", "97"))
"""A prime, so that statements of every kind are met; `make soak` sets it to 1 and tries them all."""


def test_poll_may_die_anywhere_and_each_end_is_told_once(world: World) -> None:
    tried = 0
    for statement in range(1, 10_000, STEP):
        account = world.add_account(f"tavus/s{statement}", first_look_done=True)
        world.library(account).add(video("known", born=time.time() - 50, generating=40), video("new", born=time.time() - 5))
        tried += 1
        if not run_and_kill_before(statement, partial(load_and_poll, account)):
            break
        world.poll(account)
    else:
        pytest.fail("the function never came to its end")
    assert tried > 5
    world.flow()
    rings = world.rings()
    assert len({ring["id"] for ring in rings}) == len(rings) == 2 * tried
    assert {ring["type"] for ring in rings} == {"video.completed"}


def test_poll_may_die_anywhere_during_the_first_look_and_the_old_stay_silent(world: World) -> None:
    for statement in range(1, 10_000, STEP):
        account = world.add_account(f"videogen/s{statement}", video("old"))
        done = not run_and_kill_before(statement, partial(load_and_poll, account))
        world.library(account).add(video("born", born=time.time() - 2))
        world.poll(account)
        assert set(world.statuses(account)) == {"old", "born"}
        if done:
            break
    world.flow()
    silent = [ring for ring in world.rings() if ring["data"]["video_id"].startswith("old")]
    assert silent == []


def test_notify_may_die_anywhere_and_each_receiver_hears_once(world: World) -> None:
    world.add_endpoint()
    tried = 0
    for statement in range(3, 10_000, STEP):
        account = world.add_account(f"tavus/s{statement}", first_look_done=True)
        world.library(account).add(video("v", born=time.time() - 5))
        world.poll(account)
        records = world.stream_records()
        event = {"Records": list(records)}
        tried += 1
        done = not run_and_kill_before(statement, partial(load_and_handle, "notify", event))
        world.apps["notify"].handler(event, Context())
        if done:
            break
    world.flow()
    rings, received = world.rings(), world.receiver.events()
    assert len({ring["id"] for ring in rings}) == len(rings) == tried > 3
    assert len({one.webhook_id for one in received}) == len(received) == tried


def test_deliver_may_die_anywhere_and_each_receiver_hears_of_one_event(world: World) -> None:
    endpoint = world.add_endpoint()
    account = world.add_account("tavus/main", first_look_done=True)
    tried = 0
    for statement in range(2, 10_000, STEP):
        world.library(account).add(video(f"v{statement}", born=time.time() - 5))
        world.poll(account)
        world.notify()
        bodies = [body for batch in world.batches("DeliveryQueue") for body in batch]
        tried += 1
        deaths = [run_and_kill_before(statement, partial(load_and_handle, "deliver", sqs_event([body]))) for body in bodies]
        for body in bodies:
            attempt_when_the_lease_is_over(world, body)
        if not any(deaths):
            break
    rings, received = world.rings(), world.receiver.events()
    # A receiver that answered just before the death hears again, under the same id: that is what the id is for.
    assert len({ring["id"] for ring in rings}) == tried > 3
    assert {one.webhook_id for one in received} == {ring["id"] for ring in rings}
    assert {row.status for row in world.all_deliveries()} == {"delivered"}
    assert len(world.all_deliveries()) == 2 * tried
    assert world.deliveries.claim(DeliveryMessage(endpoint_id=endpoint, event_id=rings[0]["id"]), datetime.now(UTC)) is None


def test_a_later_attempt_may_die_anywhere_and_is_followed_by_another(world: World) -> None:
    """Its message comes again after a minute, before the next attempt is due; neither a tick nor the audit helps."""
    endpoint, tried = world.add_endpoint(), 0
    for statement in range(2, 10_000, STEP):
        message = ring(world, f"s{statement}")[endpoint]
        fail(world, message, timedelta(), times=2)
        world.delivery(endpoint, message.event_id).update(actions=[DeliveryRow.next_attempt_at.set(datetime.now(UTC))])
        world.sqs.purge_queue(QueueUrl=world.names["DeliveryQueue"])
        world.receiver.answers.take("/hook")  # what one that died before its post has left
        world.receiver.answers.add("/hook", Answer(status=503))
        tried += 1
        died = run_and_kill_before(statement, partial(load_and_handle, "deliver", sqs_event([woken(message).dump()])))
        queue, taking = NotingQueue(), Refusing(Outcome(http_status=200))
        if died:
            attempt(world, woken(message), timedelta(seconds=61), queue=queue, sender=taking)
        row = world.delivery(endpoint, message.event_id)
        if row.status == "pending":
            assert delayed(world) or queue.sent, f"before statement {statement}: nothing wakes it"
            due = row.next_attempt_at - datetime.now(UTC) + timedelta(seconds=1)
            assert attempt(world, woken(message), due, sender=taking) == "delivered"
        if not died:
            break
    assert tried > 3
    assert {row.status for row in world.all_deliveries() if row.endpoint_id == endpoint} == {"delivered"}


def test_dispatch_may_die_anywhere_while_it_sends_what_was_held(world: World) -> None:
    endpoint = world.add_endpoint(created_at=datetime.now(UTC) - timedelta(days=1), held_at=datetime.now(UTC))
    tried = 0
    for statement in range(5, 10_000, STEP):
        account = world.add_account(f"tavus/s{statement}", first_look_done=True)
        world.library(account).add(video("v", born=time.time() - 5))
        world.poll(account)
        world.notify()
        for message in (DeliveryMessage.parse(body) for batch in world.batches("DeliveryQueue") for body in batch):
            if message.endpoint_id == endpoint:
                world.deliveries.set_aside(message, DeliveryStatus.HELD, "paused", datetime.now(UTC))
        tried += 1
        done = not run_and_kill_before(statement, partial(load_and_handle, "dispatch", {"deliveries": True}))
        world.tick_deliveries()
        if done:
            break
    assert tried > 3
    later = datetime.now(UTC) + timedelta(minutes=10)
    world.apps["audit"].audit.run(later, later - timedelta(hours=1))
    world.drain("DeliveryQueue", "deliver")
    rows = [row for row in world.all_deliveries() if row.endpoint_id == endpoint]
    assert {row.status for row in rows} == {"delivered"}
    assert len({one.webhook_id for one in world.receiver.events()}) == len(world.receiver.events()) == tried


def load_and_poll(account: AccountName) -> None:
    load_and_handle("poll", sqs_event([json.dumps({"account": str(account)})]))


def load_and_handle(function: str, event: dict[str, Any]) -> None:
    answer = load(function).handler(event, Context())
    assert function == "dispatch" or answer == {"batchItemFailures": []}


def attempt_when_the_lease_is_over(world: World, body: str) -> None:
    made: Deliver = world.apps["deliver"].deliver
    later = replace(made, now=lambda: datetime.now(UTC) + timedelta(seconds=61))
    asyncio.run(later.attempt(DeliveryMessage.parse(body)))
