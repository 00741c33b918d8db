"""The sample events are what AWS really sends, and the code reads them. Together they tell one story: one video's end."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent, SQSEvent

from renderbell.events import VideoRecord, event_id, event_of
from renderbell.providers import PROVIDERS
from renderbell.queues import DeliveryMessage, PollMessage
from renderbell.store.tables import VideoRow
from renderbell.store.videos import Videos, news_in, record_of
from renderbell.transitions import Transition
from renderbell.video import AccountName, Sighting, Status
from tests.template.stack import Json, Stack
from tests.template.world import EVENTS, World, aws_environment, sample
from tests.template.world import world as opened

ACCOUNT: Final = AccountName("heygen", "marketing")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with opened() as here:
        for name, value in aws_environment(here.url).items():
            monkeypatch.setenv(name, value)
        yield here


def stream_record() -> dict[str, Any]:
    return dict(sample("notify.json")["Records"][0])


def told() -> VideoRecord:
    row = VideoRow()
    row.deserialize(stream_record()["dynamodb"]["NewImage"])
    return record_of(row)


def test_every_function_has_a_sample_that_is_named_after_it(stack: Stack) -> None:
    functions = {name.removesuffix("Function").lower() for name in stack.functions}
    assert {path.stem.partition("-")[0] for path in EVENTS.glob("*.json")} == functions


def test_the_ticks_are_those_that_the_schedules_send(stack: Stack) -> None:
    events = stack.functions["DispatchFunction"]["Events"].values()
    sent = [json.loads(stack.resolve(event["Properties"]["Input"])) for event in events]
    assert sample("dispatch-provider.json") in sent
    assert sample("dispatch-deliveries.json") in sent
    assert sample("dispatch-provider.json")["provider"] in PROVIDERS


def test_the_polls_message_names_an_account() -> None:
    [record] = SQSEvent(sample("poll.json")).records
    assert PollMessage.parse(record.body) == PollMessage(account=ACCOUNT)


@pytest.mark.parametrize("name", ["poll.json", "deliver.json"])
def test_a_message_comes_as_the_queue_sends_it(name: str) -> None:
    for record in SQSEvent(sample(name)).records:
        message = PollMessage.parse(record.body) if name == "poll.json" else DeliveryMessage.parse(record.body)
        assert record.body == message.dump()
        assert record.raw_event["attributes"]["MessageGroupId"] == message.group
        assert record.md5_of_body == hashlib.md5(record.body.encode(), usedforsecurity=False).hexdigest()


def test_the_stream_record_is_a_video_that_completed_and_rings() -> None:
    assert told().status is Status.COMPLETED
    assert told().previous_status is Status.GENERATING
    assert (told().account, told().video_id, told().sequence) == (ACCOUNT, "c7d1e0a2f3b44c5d8e9f0a1b2c3d4e5f", 2)


def test_the_deliveries_are_those_of_that_videos_event() -> None:
    messages = [DeliveryMessage.parse(record.body) for record in SQSEvent(sample("deliver.json")).records]
    assert {message.event_id for message in messages} == {event_of(told()).event_id}
    assert {message.event_id for message in messages} == {event_id(ACCOUNT, told().video_id, 2)}
    assert [message.endpoint_id for message in messages] == ["topic", "ep_5f0c2a9d41e7b836"]


def test_the_stream_record_has_the_keys_and_both_images_as_the_table_keeps_them() -> None:
    [record] = DynamoDBStreamEvent(sample("notify.json")).records
    change = record.raw_event["dynamodb"]
    for image in (change["OldImage"], change["NewImage"]):
        row = VideoRow()
        row.deserialize(json.loads(json.dumps(image)))
        assert row.serialize() == image
        assert {name: image[name] for name in change["Keys"]} == change["Keys"]


def test_the_stream_record_is_what_recording_the_transition_writes(world: World) -> None:
    video, image = told(), stream_record()["dynamodb"]["NewImage"]
    seen = Sighting(
        video_id=video.video_id,
        status=video.status,
        provider_status=video.provider_status,
        title=video.title,
        url=video.url,
        thumbnail_url=video.thumbnail_url,
        duration_seconds=video.duration_seconds,
        created_at=video.created_at,
    )
    change = Transition(seen=seen, previous=Status.GENERATING, sequence=2, at=video.changed_at, rings=True)
    assert Videos("videos").record(ACCOUNT, change)
    [call] = world.aws.calls
    written = _written(call.parameters)
    assert set(written) | set(call.parameters["Key"]) == set(image)
    assert {name: value for name, value in written.items() if value is not None} == {
        name: image[name] for name, value in written.items() if value is not None
    }


def _written(asked: Json) -> dict[str, Json | None]:
    """Return what an update sets; None where that depends on what the item held before."""
    names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
    sets = re.search(r"SET (.*?)(?= REMOVE|$)", asked["UpdateExpression"])
    assert sets is not None
    found = re.findall(r"(#\d+) = (?:(:\d+)|\w+ \(.*?\)(?=, #|$))", sets[1])
    return {names[name]: values[value] if value else None for name, value in found}


def test_the_stream_record_passes_the_filter_of_the_event_source_and_its_old_image_would_not(stack: Stack) -> None:
    filters = stack.functions["NotifyFunction"]["Events"]["Transitions"]["Properties"]["FilterCriteria"]["Filters"]
    pattern, stalls = (json.loads(one["Pattern"]) for one in filters)
    assert stalls == {"dynamodb": {"NewImage": {"stalled_at": {"S": [{"exists": True}]}}}}
    silent = stream_record()
    silent["dynamodb"]["NewImage"] = silent["dynamodb"]["OldImage"]
    assert matches(stream_record(), pattern)
    assert not matches(silent, pattern)


def matches(event: Any, pattern: Any) -> bool:
    """Say whether an event passes a filter of Lambda, of the kind that lists values."""
    if isinstance(pattern, list):
        return event in pattern
    return isinstance(event, dict) and all(name in event and matches(event[name], part) for name, part in pattern.items())


def test_the_same_write_again_does_not_ring_again() -> None:
    change = stream_record()["dynamodb"]
    assert news_in({**change, "OldImage": change["NewImage"]}) is None


def test_the_videos_times_are_read_to_the_millisecond() -> None:
    row = VideoRow()
    row.deserialize(stream_record()["dynamodb"]["NewImage"])
    assert record_of(row).finished_at == datetime(2026, 11, 24, 10, 15, 16, 207_000, tzinfo=UTC)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.name)
def test_a_sample_holds_nothing_secret_and_no_real_account(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"\b\d{12}\b", text)) <= {"123456789012"}
    assert "whsec_" not in text
