"""A slow or dead endpoint does not slow the others: ten thousand deliveries to twenty endpoints, in virtual time."""

import asyncio
from typing import Final

from renderbell.deliveries import DeliveryStatus
from renderbell.endpoints import AT_ONCE
from renderbell.queues import DeliveryMessage
from tests.model.delivering import Delivering

EACH: Final = 500
HEALTHY: Final = {f"healthy-{n}": 0.1 for n in range(10)}
SLOW: Final = {f"slow-{n}": 8.0 for n in range(5)}
DEAD: Final = {f"dead-{n}": 60.0 for n in range(5)}
BACK_AFTER: Final = 120.0
MUST_BE_DONE: Final = len(HEALTHY) * EACH


def messages(*urls: str) -> list[DeliveryMessage]:
    """Return the deliveries of 500 events to each of these, event by event, as they come when videos complete."""
    body = '{"type": "video.completed", "data": {}}'
    return [
        DeliveryMessage(endpoint_id=url, event_id=f"evt_{n}", event_type="t", body=body) for n in range(EACH) for url in urls
    ]


def test_the_healthy_are_done_within_one_and_a_half_times_what_they_need_alone_and_nothing_is_lost() -> None:
    alone = Delivering(HEALTHY)
    seconds_alone = alone.run(messages(*HEALTHY), lambda: alone.receivers.taken.total() == MUST_BE_DONE, 600)

    together = Delivering({**HEALTHY, **SLOW, **DEAD})
    taken = together.receivers.taken
    seconds = together.run(messages(*together.seconds), lambda: sum(taken[url] for url in HEALTHY) == MUST_BE_DONE, 600)

    assert seconds <= 1.5 * seconds_alone, f"alone {seconds_alone:.1f} s, among slow and dead ones {seconds:.1f} s"
    assert max(together.receivers.most[url] for url in (*SLOW, *DEAD)) <= AT_ONCE + 1
    rows = together.deliveries.rows
    # What is not done is on record with its next attempt, or still lies on the queue with its event.
    queued = {(message.endpoint_id, message.event_id) for _, _, message in together.queue.waiting if message.body is not None}
    assert len(rows.keys() | queued) == EACH * 20
    unfinished = [row for row in rows.values() if row.status is not DeliveryStatus.DELIVERED]
    assert {row.status for row in unfinished} <= {DeliveryStatus.PENDING}
    assert all(row.next_attempt_at is not None for row in unfinished)


def test_an_endpoint_that_is_removed_in_the_midst_of_its_deliveries_has_all_of_them_skipped_within_a_quarter_of_an_hour() -> (
    None
):
    world = Delivering({"slow": 8.0})
    over = {DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED}

    def all_are_over() -> bool:
        if asyncio.get_running_loop().time() > BACK_AFTER:
            world.endpoints.known.clear()
        rows = world.deliveries.rows
        return len(rows) == EACH and all(row.status in over for row in rows.values())

    assert world.run(messages("slow"), all_are_over, 3600) <= BACK_AFTER + 15 * 60
    assert world.endpoints.known == {}


def test_an_endpoint_that_is_back_has_all_that_waited_for_its_turn_within_a_quarter_of_an_hour() -> None:
    world = Delivering({"back": 60.0})

    def all_are_taken() -> bool:
        if asyncio.get_running_loop().time() > BACK_AFTER:
            world.seconds["back"] = 0.1
        return world.receivers.taken["back"] == EACH

    assert world.run(messages("back"), all_are_taken, 3600) <= BACK_AFTER + 15 * 60
