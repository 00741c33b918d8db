"""The audit shows that every event has its deliveries, and makes those that are missing, each once."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from renderbell.audit import Audit
from renderbell.deliveries import DeliveryStatus
from renderbell.queues import DeliveryMessage
from renderbell.store.tables import DeliveryRow, opened
from renderbell.store.videos import MAX_HISTORY
from renderbell.transitions import Known, Transition
from renderbell.video import AccountName, Sighting, Status
from tests.integration.world import Context, World, video

LATER = timedelta(minutes=10)
NAMES = ("one", "two", "three")


def complete(world: World, *names: str) -> AccountName:
    account = world.add_account("tavus/main", first_look_done=True)
    world.library(account).add(*(video(name, born=time.time() - 5) for name in names))
    world.poll(account)
    return account


def audited(world: World, after: timedelta = LATER, hours: float = 24) -> dict[str, int]:
    audit: Audit = world.apps["audit"].audit
    now = datetime.now(UTC) + after
    return {word: count for word, count in audit.run(now, now - timedelta(hours=hours)).items() if count}


def queued(world: World) -> Sequence[DeliveryMessage]:
    return [DeliveryMessage.parse(body) for batch in world.batches("DeliveryQueue") for body in batch]


def test_events_that_a_stream_lost_are_made_and_each_receiver_hears_once(world: World) -> None:
    world.add_endpoint(created_at=datetime.now(UTC) - timedelta(days=1))
    complete(world, *NAMES)
    assert len(world.stream_records()) == 3, "the consumer was down and the stream let them go"
    assert audited(world) == {"missing": 6}
    world.drain("DeliveryQueue", "deliver")
    assert audited(world) == {"delivered": 6}
    assert queued(world) == []
    assert len({one.webhook_id for one in world.receiver.events()}) == len(world.receiver.events()) == 3
    assert len({ring["id"] for ring in world.rings()}) == 3


def test_what_the_audit_makes_is_byte_for_byte_what_the_stream_would_have_brought(world: World) -> None:
    complete(world, "one")
    world.notify()
    (usual,) = queued(world)
    assert audited(world) == {"missing": 1}
    assert queued(world) == [usual]


def test_what_came_by_both_ways_is_delivered_once(world: World) -> None:
    complete(world, *NAMES)
    audited(world)
    world.notify()
    world.drain("DeliveryQueue", "deliver")
    assert len(world.rings()) == 3


def test_an_end_that_was_lost_before_the_video_was_deleted_is_told_too(world: World) -> None:
    account = complete(world, "one")
    world.stream_records()
    found = world.videos.known(account, ["one"])["one"]
    assert found.sequence == 1
    row = world.row(account, "one")
    row.update(
        actions=[
            type(row).status.set("deleted"),
            type(row).sequence.set(2),
            type(row).history.set(
                type(row).history.append(
                    [{"status": "deleted", "provider_status": "", "at": "2026-11-24T00:00:00Z", "sequence": 2, "rings": True}]
                )
            ),
        ]
    )
    now = datetime.now(UTC) + LATER
    types = {event.type for _, event in world.videos.told_since(account, now - timedelta(days=1))}
    assert types == {"video.completed", "video.deleted"}


def test_whoever_came_after_the_event_did_not_want_it(world: World) -> None:
    complete(world, "one")
    world.add_endpoint(created_at=datetime.now(UTC) + timedelta(seconds=1))
    assert audited(world) == {"missing": 1}
    assert [one.endpoint_id for one in queued(world)] == ["topic"]


def test_what_the_first_look_saw_is_not_audited_for_nobody_was_to_hear_of_it(world: World) -> None:
    account = world.add_account("tavus/main", video("old"))
    world.poll(account)
    assert audited(world) == {}


def test_what_is_on_its_way_is_left_alone(world: World) -> None:
    complete(world, "one")
    assert audited(world, after=timedelta()) == {}
    world.notify()
    assert audited(world, after=timedelta(minutes=1.5)) == {}


def test_a_pending_delivery_whose_message_was_lost_is_woken(world: World) -> None:
    complete(world, "one")
    world.notify()
    (message,) = queued(world)
    assert world.deliveries.claim(message, datetime.now(UTC)) is not None, "and then the function died for good"
    assert audited(world) == {"stuck": 1}
    assert [one.event_id for one in queued(world)] == [message.event_id]


@pytest.mark.parametrize("damage", ["deleted", "strange status", "no next attempt", "no body"])
def test_rows_that_somebody_edited_are_put_right(world: World, damage: str) -> None:
    complete(world, "one")
    world.notify()
    (message,) = queued(world)
    world.deliveries.claim(message, datetime.now(UTC) - timedelta(hours=1))
    table = opened(DeliveryRow, world.names["DeliveriesTable"])
    row = table.get(message.endpoint_id, message.event_id)
    if damage == "deleted":
        row.delete()
    elif damage == "strange status":
        row.update(actions=[table.status.set("done"), table.next_attempt_at.remove()])
    elif damage == "no next attempt":
        row.update(actions=[table.next_attempt_at.remove()])
    else:
        row.update(actions=[table.body.remove()])
    assert sum(audited(world).values()) == 1
    world.apps["audit"].audit.run(datetime.now(UTC), datetime.now(UTC) - timedelta(hours=1))
    for again in queued(world):
        table(again.endpoint_id, again.event_id).update(
            actions=[table.next_attempt_at.set(datetime.now(UTC) - timedelta(seconds=1))], condition=table.status == "pending"
        ) if damage in {"strange status", "no next attempt"} else None
        event = {
            "Records": [
                {"messageId": "1", "receiptHandle": "r", "body": again.dump(), "attributes": {}, "messageAttributes": {}}
            ]
        }
        world.apps["deliver"].handler(event, Context())
    assert len(world.rings()) == 1
    assert world.delivery(message.endpoint_id, message.event_id).status == "delivered"


def test_what_is_held_though_its_endpoint_does_not_know_is_noted(world: World) -> None:
    endpoint = world.add_endpoint(created_at=datetime.now(UTC) - timedelta(days=1))
    complete(world, "one")
    world.notify()
    (message,) = (one for one in queued(world) if one.endpoint_id == endpoint)
    world.deliveries.set_aside(message, DeliveryStatus.HELD, "paused", datetime.now(UTC))
    audited(world, after=timedelta(minutes=1))
    found = world.endpoints.get(endpoint)
    assert found is not None
    assert found.held_at is not None


def test_an_audit_that_mends_nothing_only_counts(world: World) -> None:
    complete(world, *NAMES)
    now = datetime.now(UTC) + LATER
    counts = world.apps["audit"].audit.run(now, now - timedelta(hours=1), mends=False)
    assert counts["missing"] == 3
    assert queued(world) == []


LONG: Final = MAX_HISTORY + 31


def wavering(world: World, moves: int, *, stalls: int, after: timedelta = timedelta(minutes=2), ends: bool = False) -> None:
    """Record a video that changes its mind `moves` times, five minutes apart, and is noted as stalled `after` one of them.

    With `ends` the last change is its end.
    """
    account = world.add_account("tavus/main", first_look_done=True)
    began = datetime.now(UTC) - timedelta(hours=10)
    known: Known | None = None
    for sequence in range(1, moves + 1):
        status = Status.COMPLETED if ends and sequence == moves else (Status.QUEUED, Status.GENERATING)[sequence % 2]
        at, previous = began + sequence * timedelta(minutes=5), known.status if known else None
        seen = Sighting(video_id="v", status=status, provider_status=status.value)
        change = Transition(seen=seen, previous=previous, sequence=sequence, at=at, rings=status.final)
        assert world.videos.record(account, change)
        known = Known(status=status, sequence=sequence)
        if sequence == stalls:
            assert world.videos.note_stalled(account, "v", known, at + after)


@pytest.mark.parametrize(("moves", "stalls"), [(1, 1), (3, 2), (LONG, 30), (MAX_HISTORY + 1, MAX_HISTORY), (LONG, LONG)])
def test_a_stall_that_a_stream_lost_has_the_id_that_the_stream_would_have_brought(
    world: World, moves: int, stalls: int
) -> None:
    wavering(world, moves, stalls=stalls)
    assert audited(world) == {"missing": 1}
    (made,) = queued(world)
    world.notify()
    (usual,) = queued(world)
    assert (made.event_id, made.event_type) == (usual.event_id, "video.stalled")
    assert made == usual or stalls < moves, "what is on record still is told byte for byte"


@pytest.mark.parametrize("stalls", [MAX_HISTORY, MAX_HISTORY + 1, LONG - 1])
def test_a_stall_of_which_the_history_does_not_say_when_it_was_is_left_alone(world: World, stalls: int) -> None:
    wavering(world, LONG, stalls=stalls)
    assert audited(world) == {}
    assert queued(world) == []


@pytest.mark.parametrize("ends", [False, True])
def test_a_video_that_wavers_for_long_is_told_as_stalled_once(world: World, *, ends: bool) -> None:
    wavering(world, LONG + ends, stalls=LONG, ends=ends)
    world.flow()
    assert [ring["type"] for ring in world.rings()] == ["video.stalled", "video.completed"][: 1 + ends]
    assert audited(world) == {"delivered": 1}
    assert queued(world) == []


@pytest.mark.parametrize("late", [timedelta(milliseconds=-1), timedelta(), timedelta(seconds=1)])
def test_a_stall_within_seconds_of_a_change_that_another_poll_saw_is_told_once(world: World, late: timedelta) -> None:
    """The other poll decides by its own clock, and may write after the stall was noted what it saw before."""
    wavering(world, 3, stalls=2, after=timedelta(minutes=5) + late)
    world.flow()
    assert [ring["type"] for ring in world.rings()] == ["video.stalled"]
    assert audited(world) == {}
    assert queued(world) == []
