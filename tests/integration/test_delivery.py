"""Deliveries over the real handler, engine and receiver: what is attempted, what is retried, what is on record."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from renderbell.deliver import Deliver
from renderbell.deliveries import DELAYS, LEASE, Outcome
from renderbell.egress import Sender
from renderbell.endpoints import UNPROVEN_GAP, Endpoint
from renderbell.queues import DeliveryMessage
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.meter import Meter
from renderbell.store.tables import DeliveryRow, opened
from renderbell.values import moment
from renderbell_cli.receiver import Answer
from tests.integration.delivering import (
    HOUR,
    Refusing,
    answering,
    attempt,
    delayed,
    found_endpoint,
    lines,
    queued,
    ring,
    tick,
    woken,
)
from tests.integration.world import World, video


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
    world.endpoints.remove(endpoint, datetime.now(UTC))
    assert attempt(world, message) == "skipped"
    assert world.delivery(endpoint, message.event_id).reason == "the endpoint was removed"


class RemovedMeanwhile(Endpoints):
    """Endpoints, each of which a person removes just after it was read."""

    def get(self, endpoint_id: str) -> Endpoint | None:
        found = super().get(endpoint_id)
        self.remove(endpoint_id, datetime.now(UTC))
        return found


@pytest.mark.parametrize("gap", [UNPROVEN_GAP, 20.0, 0.0])
def test_an_endpoint_removed_during_a_delivery_stays_as_it_was_and_the_delivery_is_skipped(world: World, gap: float) -> None:
    endpoint = world.add_endpoint(gap=gap)
    message = ring(world)[endpoint]
    before = world.endpoints.get(endpoint)
    removing = RemovedMeanwhile(world.names["EndpointsTable"])
    attempt(world, message, endpoints=removing, sender=Refusing(Outcome(http_status=503)))
    [after] = world.endpoints.with_removed()
    assert (world.endpoints.all(), replace(after, removed_at=None)) == ([], before)
    assert attempt(world, replace(message, body=None), timedelta(minutes=15)) == "skipped"
    assert world.delivery(endpoint, message.event_id).reason == "the endpoint was removed"


def test_an_endpoint_that_is_not_proven_is_called_once_until_it_answers(world: World) -> None:
    endpoint = world.add_endpoint(gap=UNPROVEN_GAP)
    one, two, three = (ring(world, name)[endpoint] for name in ("one", "two", "three"))
    silent = Refusing(Outcome(error="no answer"))
    assert world.apps["deliver"].deliver.endpoints.take_turn(found_endpoint(world, endpoint), datetime.now(UTC)) is not None
    assert [attempt(world, message, sender=silent) for message in (one, two)] == [None, None]
    assert silent.posts == 0
    rows = [row for row in world.all_deliveries() if row.endpoint_id == endpoint]
    assert {row.status for row in rows} == {"pending"}, "they wait on record"
    assert {row.next_attempt_at - row.created_at < timedelta(seconds=6) for row in rows} == {True}
    again = replace(woken(one), turn=False)
    assert attempt(world, again, timedelta(seconds=10), sender=Refusing(Outcome(http_status=200))) == "delivered"
    assert found_endpoint(world, endpoint).gap == 0
    assert attempt(world, three, timedelta(seconds=10), sender=Refusing(Outcome(http_status=200))) == "delivered"


def test_at_an_endpoint_that_is_silent_each_delivery_has_a_turn_of_its_own(world: World) -> None:
    endpoint = world.add_endpoint(gap=20.0)  # and after the first it is 40
    messages = [ring(world, name)[endpoint] for name in ("one", "two", "three")]
    silent = Refusing(Outcome(error="no answer"))
    assert [attempt(world, message, sender=silent) for message in messages] == ["pending", None, None]
    turns = sorted(row.next_attempt_at for row in world.all_deliveries() if row.status == "pending")[1:]
    assert (turns[1] - turns[0]).total_seconds() == pytest.approx(40, abs=0.01)
    assert found_endpoint(world, endpoint).gap == 40


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
    told = kept + str(found_endpoint(world, endpoint)) + str(queued(world))
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
    found, after = found_endpoint(world, endpoint), 2 * HOUR
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
