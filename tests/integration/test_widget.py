"""The widget over real tables and the real queue: what it reads is bounded, and a retry is one message."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from renderbell.deliver import Deliver
from renderbell.deliveries import DELAYS, LEASE, DeliveryStatus, Outcome, packed
from renderbell.endpoints import PROBE_EVERY
from renderbell.events import trial_event
from renderbell.glance import MOST_ENDED, MOST_FLYING, MOST_LOOKED_THROUGH, MOST_OF_ENDPOINT, Glance
from renderbell.queues import DeliveryMessage
from renderbell.store.tables import DeliveryRow, VideoRow, opened
from renderbell.store.videos import FINISHED, IN_FLIGHT, phase
from renderbell.video import AccountName
from renderbell.view import View
from tests.integration.delivering import Refusing, attempt, queued, ring
from tests.integration.world import Context, World, video

REFUSED = Refusing(Outcome(http_status=500))
HOUR = timedelta(hours=1)


def ask(world: World, **event: Any) -> str:
    answer = world.apps["widget"].handler({"widgetContext": {"theme": "light", "width": 600}, **event}, Context())
    assert isinstance(answer, str)
    return answer


def view(world: World, after: timedelta = timedelta()) -> View:
    glance: Glance = world.apps["widget"].glance
    return glance.view(datetime.now(UTC) + after)


def retry(world: World, endpoint: str, event: str) -> str:
    return ask(world, retry={"endpoint": endpoint, "event": event})


def fail(world: World, message: DeliveryMessage, times: int) -> timedelta:
    """Let an endpoint refuse a delivery so many times; return how much later it is then."""
    after = timedelta()
    for delay in DELAYS[:times]:
        assert attempt(world, message, after, sender=REFUSED) == "pending"
        after += delay * 1.3
    queued(world)
    return after


# What it shows.


def test_it_describes_itself_without_asking_anybody(world: World) -> None:
    app: Any = world.apps["widget"]
    app.glance = None
    assert world.apps["widget"].handler({"describe": True}, Context()).startswith("## Renderbell")


def test_before_the_first_account_it_says_how_to_add_one(world: World) -> None:
    assert "renderbell --local account set heygen/marketing" in ask(world)


def test_in_aws_its_commands_name_the_stack(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMETERS_PREFIX", "/renderbell/studio")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert world.apps["widget"].glance.command == "renderbell --stack studio"


def test_it_shows_what_is_made_what_ended_and_how_the_account_fares(world: World) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    now = time.time()
    world.library(account).add(
        video("made", born=now - 90),
        video("broken", born=now - 60, outcome="failed", error="the script was <refused>"),
        video("under way", born=now - 30, generating=1000),
    )
    world.poll(account)
    shown = ask(world)
    assert all(f"Title of {name}" in shown for name in ("made", "broken", "under way"))
    assert "the script was &lt;refused&gt;" in shown
    assert "tavus/main" in shown
    assert "1 of 1 ok" in shown


def test_how_long_it_takes_is_learnt_from_what_completed(world: World) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    now = time.time()
    world.library(account).add(*(video(f"v{n}", born=now - seconds) for n, seconds in enumerate((100, 200, 300))))
    world.library(account).add(video("flying", born=now, generating=1000), video("bad", born=now - 9, outcome="failed"))
    world.poll(account)
    assert view(world).usual == {"tavus": pytest.approx(200, abs=10)}


def test_what_a_first_look_found_done_is_neither_shown_as_an_end_nor_counted_as_usual(world: World) -> None:
    account = world.add_account("tavus/main", video("old"))
    world.poll(account)
    world.library(account).add(video("flying", born=time.time(), generating=1000))
    world.poll(account)
    seen = view(world)
    assert [one.video_id for one in seen.flying] == ["flying"]
    assert (seen.ended, seen.usual) == ([], {})


def test_an_endpoint_that_fails_is_shown_with_what_does_not_arrive(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    after = fail(world, message, 4)
    [line] = view(world, after - 20 * timedelta(minutes=1)).endpoints
    assert (line.endpoint_id, line.word, line.words) == (endpoint, "failing", "answered 500")
    [one] = line.waiting
    assert (one.event_id, one.title, one.attempts, one.can_retry) == (message.event_id, "Title of v", 4, True)


def test_what_waits_for_its_turn_at_an_endpoint_that_fails_is_counted_and_a_persons_test_is_not(world: World) -> None:
    endpoint = world.add_endpoint()
    fail(world, ring(world)[endpoint], 1)
    trial = trial_event(endpoint, datetime.now(UTC))
    tested = DeliveryMessage(endpoint_id=endpoint, event_id=trial.event_id, event_type=trial.type, body=trial.body)
    given_up(world, tested)
    [line] = view(world).endpoints
    assert (len(line.waiting), line.more) == (1, False)
    waits = replace(tested, event_id="evt_waits", event_type="video.completed")
    assert world.deliveries.put_off(waits, datetime.now(UTC) + timedelta(minutes=5), datetime.now(UTC))
    [line] = view(world).endpoints
    assert (len(line.waiting), line.more) == (1, True)


def test_what_arrives_and_what_is_tried_again_at_once_has_no_button(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    fail(world, message, 1)
    [line] = view(world).endpoints
    assert [one.can_retry for one in line.waiting] == [False]
    assert attempt(world, replace(message, body=None), DELAYS[0] * 2) == "delivered"
    assert view(world).endpoints == []


def test_a_resting_endpoint_says_so_and_shows_what_is_held(world: World) -> None:
    paused = world.add_endpoint("/paused")
    disabled = world.add_endpoint("/disabled", disabled_at=datetime.now(UTC), disabled_reason="answered 410 Gone")
    messages = ring(world)
    world.endpoints.note(found := world.endpoints.get(paused), replace(found, paused_at=datetime.now(UTC)))  # type: ignore[arg-type, type-var]
    assert [attempt(world, messages[name]) for name in (paused, disabled)] == ["held", "held"]
    lines = {line.endpoint_id: line for line in view(world).endpoints}
    assert f"`renderbell --local endpoint resume {paused}`" in lines[paused].words
    assert {name: (line.word, [one.can_retry for one in line.waiting]) for name, line in lines.items()} == {
        paused: ("paused", [False]),
        disabled: ("disabled", [True]),
    }


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "secret"}}, "Scan"),
        RuntimeError("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_without_aws_it_says_so_in_a_sentence(world: World, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(world.apps["widget"].glance.endpoints), "all", fails)
    shown = ask(world)
    assert "The dashboard cannot be shown just now" in shown
    assert not any(word in shown for word in ("Traceback", "secret", "Error", "https://dynamodb"))


def test_a_table_that_is_not_there_is_said_in_a_sentence_too(world: World) -> None:
    boto3.client("dynamodb").delete_table(TableName=world.names["EndpointsTable"])
    assert "The dashboard cannot be shown just now" in ask(world)


# What it reads.


@dataclass(slots=True)
class Reads:
    """The requests to DynamoDB and the rows that came back, by table and index."""

    requests: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def ask(self, **_: Any) -> None:
        self.requests += 1

    def count(self, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        self.rows[model.name] += int(parsed.get("Count", 0)) + sum(map(len, parsed.get("Responses", {}).values()))


@contextmanager
def counting(glance: Glance) -> Iterator[Reads]:
    reads = Reads()
    for store in (glance.videos, glance.deliveries, glance.endpoints, glance.accounts, glance.spending):
        events = store._row._get_connection().connection.client.meta.events
        events.register("after-call.dynamodb", reads.count)
        events.register("provide-client-params.dynamodb", reads.ask)
    yield reads


def fill(world: World, account: AccountName, name: str, count: int, **more: Any) -> None:
    """Put many videos of one phase on record at once."""
    now = datetime.now(UTC)
    with opened(VideoRow, world.names["VideosTable"]).batch_write() as batch:
        for n in range(count):
            at = now - timedelta(seconds=n)
            status, end = ("completed", at) if name == FINISHED else ("generating", None)
            given: dict[str, Any] = {"status": status, "sequence": 2, "rings": True, **more}
            times: dict[str, Any] = {"since": at, "first_seen_at": at, "changed_at": at, "finished_at": end}
            batch.save(VideoRow(str(account), f"{name}-{n}", phase=phase(account, name), title=f"{n}", **given, **times))


def test_however_much_is_on_record_one_look_reads_a_bounded_part(world: World) -> None:
    for name in ("tavus/a", "tavus/b", "heygen/c"):
        account = world.add_account(name)
        fill(world, account, IN_FLIGHT, 400)
        fill(world, account, FINISHED, 600)
    endpoint = world.add_endpoint(failing_since=datetime.now(UTC), held_at=datetime.now(UTC))
    now = datetime.now(UTC)
    with opened(DeliveryRow, world.names["DeliveriesTable"]).batch_write() as batch:
        for n in range(500):
            given: dict[str, Any] = {
                "status": "held",
                "waiting": f"held {endpoint}",
                "event_type": "video.completed",
                "attempt_count": 0,
                "body": packed("{}"),
            }
            batch.save(DeliveryRow(endpoint, f"evt_{n}", next_attempt_at=now, created_at=now, expires_at=now, **given))
    glance: Glance = world.apps["widget"].glance
    with counting(glance) as first:
        seen = glance.view(datetime.now(UTC))
    assert (len(seen.flying), seen.more_flying, len(seen.ended)) == (MOST_FLYING, True, MOST_ENDED)
    assert [(len(line.waiting), line.more) for line in seen.endpoints] == [(20, True)]
    accounts, providers = 3, 2
    at_once = 2  # rows that are fetched ahead, for each that is shown, when accounts are merged
    videos = at_once * (MOST_FLYING + MOST_LOOKED_THROUGH + providers * 50) + accounts * 50
    assert first.rows["Query"] <= videos + MOST_OF_ENDPOINT + 21
    assert first.requests <= 60
    with counting(glance) as second:
        glance.view(datetime.now(UTC))
    assert second.rows["Query"] < first.rows["Query"], "what is usual is remembered for some minutes"


def test_behind_a_long_first_look_it_does_not_read_on_and_on_for_an_end_that_rang(world: World) -> None:
    account = world.add_account("tavus/a")
    fill(world, account, FINISHED, 1000, rings=False)
    with counting(world.apps["widget"].glance) as reads:
        assert view(world).ended == []
    assert reads.rows["Query"] <= 2 * MOST_LOOKED_THROUGH + 5


# What a retry does.


def test_a_retry_puts_exactly_one_message_and_writes_nothing(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    fail(world, message, 4)
    before = world.delivery(endpoint, message.event_id).serialize()
    assert "It is being sent once more" in retry(world, endpoint, message.event_id)
    assert queued(world) == [DeliveryMessage(endpoint_id=endpoint, event_id=message.event_id, turn=True, again=True)]
    assert world.delivery(endpoint, message.event_id).serialize() == before


def test_a_retried_delivery_arrives_with_the_same_bytes_though_it_was_not_due_for_hours(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    fail(world, message, 1)
    wait(world, message, 4 * HOUR)
    assert attempt(world, replace(message, body=None)) is None, "not due yet"
    [wish] = _wishes(world, endpoint, message.event_id)
    assert attempt(world, wish) == "delivered"
    [got] = world.receiver.wait_for(1)
    assert (got.webhook_id, got.body.decode()) == (message.event_id, message.body)


def test_a_retry_that_fails_begins_the_whole_schedule_anew_so_that_nobody_wears_it_out(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    fail(world, message, 1)
    for _ in range(len(DELAYS) + 1):
        wait(world, message, 9 * HOUR)
        [wish] = _wishes(world, endpoint, message.event_id)
        assert attempt(world, wish, sender=REFUSED) == "pending"
        row = world.delivery(endpoint, message.event_id)
        assert (int(row.attempt_count), row.next_attempt_at <= datetime.now(UTC) + DELAYS[0] * 1.3) == (1, True)
        assert attempt(world, wish, sender=REFUSED) is None, "its message came twice"


def test_what_was_given_up_is_taken_up_again(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    given_up(world, message)
    [wish] = _wishes(world, endpoint, message.event_id)
    assert wish.again
    assert attempt(world, wish) == "delivered"
    assert attempt(world, wish) is None, "its message came twice"
    assert len(world.receiver.events()) == 1


def test_what_is_being_attempted_is_not_attempted_beside_it(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    claimed = world.deliveries.claim(message, datetime.now(UTC))
    assert claimed is not None
    wish = DeliveryMessage(endpoint_id=endpoint, event_id=message.event_id, again=True)
    for late in (timedelta(), LEASE * 0.9, -LEASE * 0.9):
        assert attempt(world, wish, late) is None
    assert "on its way already" in retry(world, endpoint, message.event_id)


def test_a_wish_that_is_put_off_until_its_turn_does_not_begin_the_schedule_anew_once_more(world: World) -> None:
    endpoint = world.add_endpoint(gap=60.0)
    message = ring(world)[endpoint]
    given_up(world, message)
    wish = DeliveryMessage(endpoint_id=endpoint, event_id=message.event_id, again=True)
    world.endpoints.take_turn(world.endpoints.get(endpoint), datetime.now(UTC))  # type: ignore[arg-type]
    sent: list[DeliveryMessage] = []
    made: Deliver = world.apps["deliver"].deliver
    assert asyncio.run(replace(made, queue=_Kept(sent)).attempt(wish)) is None
    [later] = sent
    assert (later.turn, later.again) == (True, False)


def test_a_pressed_button_is_not_put_off_until_the_turn_of_a_slow_endpoint(world: World) -> None:
    endpoint = world.add_endpoint(gap=60.0)
    message = ring(world)[endpoint]
    given_up(world, message)
    world.endpoints.take_turn(world.endpoints.get(endpoint), datetime.now(UTC))  # type: ignore[arg-type]
    [wish] = _wishes(world, endpoint, message.event_id)
    assert attempt(world, wish) == "delivered"


def test_killed_right_after_the_wish_was_taken_the_delivery_is_woken_by_the_schedule(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    given_up(world, message)
    assert world.deliveries.renew(message, datetime.now(UTC))
    assert [one.event_id for one in world.deliveries.due(datetime.now(UTC), 10)] == [message.event_id]


def test_a_retry_at_a_disabled_endpoint_is_a_probe_that_opens_it_when_it_arrives(world: World) -> None:
    endpoint = world.add_endpoint(disabled_at=datetime.now(UTC) - PROBE_EVERY, disabled_reason="failed for three days")
    message = ring(world)[endpoint]
    assert attempt(world, message) == "held"
    [wish] = _wishes(world, endpoint, message.event_id)
    assert (wish.probe, wish.again) == (True, False)
    assert attempt(world, wish, sender=REFUSED) == "held"
    assert attempt(world, wish) == "delivered"
    found = world.endpoints.get(endpoint)
    assert found is not None
    assert found.rests is None


def test_a_paused_endpoint_gets_nothing_and_the_page_says_how_to_resume_it(world: World) -> None:
    endpoint = world.add_endpoint(paused_at=datetime.now(UTC))
    message = ring(world)[endpoint]
    assert attempt(world, message) == "held"
    assert f"renderbell --local endpoint resume {endpoint}" in retry(world, endpoint, message.event_id)
    assert queued(world) == []


def test_what_arrived_meanwhile_is_not_sent_again(world: World) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    assert attempt(world, message) == "delivered"
    assert "It has arrived meanwhile" in retry(world, endpoint, message.event_id)
    assert queued(world) == []
    wish = DeliveryMessage(endpoint_id=endpoint, event_id=message.event_id, again=True)
    assert attempt(world, wish) is None


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "evt",
        [],
        {},
        {"endpoint": "ep_foreign", "event": "EVENT"},
        {"endpoint": "operators", "event": "EVENT"},
        {"endpoint": "ENDPOINT", "event": "evt_of_nobody"},
        {"endpoint": "ENDPOINT", "event": ""},
        {"endpoint": ["ENDPOINT"], "event": {"S": "EVENT"}},
        {"endpoint": "<script>", "event": "EVENT"},
    ],
    ids=str,
)
def test_a_retry_of_what_there_is_not_is_refused_and_nothing_is_sent(world: World, asked: Any) -> None:
    endpoint = world.add_endpoint()
    message = ring(world)[endpoint]
    given_up(world, message)
    names = {"ENDPOINT": endpoint, "EVENT": message.event_id}
    wish = {name: names.get(str(value), value) for name, value in asked.items()} if isinstance(asked, dict) else asked
    shown = ask(world, retry=wish)
    assert "Nothing was sent: " in shown
    assert "<script>" not in shown
    assert queued(world) == []


class _Kept:
    def __init__(self, sent: list[DeliveryMessage]) -> None:
        self.sent = sent

    def send(self, messages: Any, *, delay: int = 0) -> int:
        del delay
        self.sent += messages
        return len(messages)


def wait(world: World, message: DeliveryMessage, long: timedelta) -> None:
    """Let a delivery's next attempt be so far ahead."""
    row = world.delivery(message.endpoint_id, message.event_id)
    row.update(actions=[DeliveryRow.next_attempt_at.set(datetime.now(UTC) + long)])


def given_up(world: World, message: DeliveryMessage) -> None:
    """Let a delivery be exhausted."""
    now = datetime.now(UTC)
    assert world.deliveries.set_aside(message, DeliveryStatus.SKIPPED, "answered 500", now)
    row = world.delivery(message.endpoint_id, message.event_id)
    row.update(actions=[DeliveryRow.status.set("exhausted")])


def _wishes(world: World, endpoint: str, event: str) -> list[DeliveryMessage]:
    """Press the button and return what it put on the queue."""
    queued(world)
    retry(world, endpoint, event)
    return list(queued(world))
