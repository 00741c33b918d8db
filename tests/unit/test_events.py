"""What the world is told: an id that repeats and gives nothing away, one body for every provider."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.events import EVENT_TYPES, TRIAL, VideoRecord, event_id, event_of, masked, trial_event
from renderbell.video import AccountName, Status
from tests.records import COMPLETED, NOON

PIXVERSE_ID: Final = "user:1234-pixverse:someone@team.example-video:11223344"
VIDEO: Final = COMPLETED
BARE: Final = replace(
    VIDEO,
    previous_status=None,
    provider_status=None,
    title=None,
    url=None,
    thumbnail_url=None,
    url_expires_at=None,
    duration_seconds=None,
    created_at=None,
)
FAILED: Final = replace(BARE, status=Status.FAILED, title="Spring sale", error="the script is too long")
TITLES: Final = st.none() | st.text(max_size=300)


def body_of(video: VideoRecord) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event_of(video).body)
    return body


def test_the_body_is_exactly_what_the_design_says() -> None:
    assert body_of(VIDEO) == {
        "type": "video.completed",
        "timestamp": "2026-11-24T12:00:00Z",
        "data": {
            "provider": "heygen",
            "account": "marketing",
            "video_id": "v-1",
            "title": "Spring sale",
            "status": "completed",
            "provider_status": "completed",
            "previous_status": "generating",
            "url": "https://cdn.example/v-1.mp4?a=1&b=2",
            "thumbnail_url": "https://cdn.example/v-1.jpg",
            "url_expires_at": "2026-12-01T12:00:00Z",
            "error": None,
            "duration_seconds": 61.5,
            "created_at": "2026-11-24T11:56:40Z",
            "first_seen_at": "2026-11-24T11:57:00Z",
            "finished_at": "2026-11-24T12:00:00Z",
            "seconds_in_flight": 200.0,
            "sequence": 2,
            "link": None,
            "link_expires_at": None,
        },
    }


def test_what_is_not_known_is_null_and_never_left_out() -> None:
    data = body_of(BARE)["data"]

    assert data.keys() == body_of(VIDEO)["data"].keys()
    assert {name for name, value in data.items() if value is None} == {
        *("title", "provider_status", "previous_status", "url", "thumbnail_url", "url_expires_at"),
        *("error", "duration_seconds", "created_at", "link", "link_expires_at"),
    }


def test_an_event_carries_what_it_is_filtered_by() -> None:
    event = event_of(FAILED)

    assert (event.type, event.account, event.status) == ("video.failed", FAILED.account, Status.FAILED)
    assert event.event_id == event_id(FAILED.account, FAILED.video_id, FAILED.sequence)


@pytest.mark.parametrize("status", [status for status in Status if status.final])
def test_every_end_is_an_event_that_endpoints_can_ask_for(status: Status) -> None:
    assert event_of(replace(VIDEO, status=status)).type in EVENT_TYPES


@given(title=TITLES, video_id=st.text(min_size=1), error=st.none() | st.text())
def test_a_body_is_one_line_of_json_that_keeps_every_character(title: str | None, video_id: str, error: str | None) -> None:
    video = replace(FAILED, title=title, video_id=video_id, error=error)

    data = body_of(video)["data"]

    assert (data["title"], data["video_id"], data["error"]) == (title, video_id, error)
    assert "\n" not in event_of(video).body
    assert event_of(video) == event_of(video)


def test_a_body_is_written_in_the_title_s_own_letters() -> None:
    assert '"title":"Überraschung 🎉"' in event_of(replace(VIDEO, title="Überraschung 🎉")).body


@pytest.mark.parametrize(
    ("created", "seen", "finished", "seconds"),
    [
        (NOON - timedelta(minutes=2), NOON - timedelta(minutes=1), NOON, 120.0),
        (None, NOON - timedelta(minutes=1), NOON, 60.0),
        (NOON - timedelta(milliseconds=1234), NOON, NOON, 1.2),
        (NOON + timedelta(minutes=5), NOON, NOON, 0.0),  # the provider's clock is ahead of ours
        (NOON, NOON, None, None),
    ],
)
def test_the_time_in_flight_runs_from_creation_or_from_our_first_sight(
    created: datetime | None, seen: datetime, finished: datetime | None, seconds: float | None
) -> None:
    video = replace(VIDEO, created_at=created, first_seen_at=seen, finished_at=finished)

    assert body_of(video)["data"]["seconds_in_flight"] == seconds


# The id.


def test_an_id_is_the_same_in_every_release() -> None:
    # Receivers know it: a repeat after a deploy must carry it again.
    assert event_id(AccountName("heygen", "marketing"), "v-1", 2) == "evt_cbc6701bbc539af530f93fa4e74a1090"


@given(
    changes=st.fixed_dictionaries(
        {"title": TITLES, "url": st.none() | st.text(), "changed_at": st.datetimes(timezones=st.just(UTC))}
    )
)
def test_an_id_depends_on_account_video_and_sequence_alone(changes: dict[str, Any]) -> None:
    assert event_of(replace(VIDEO, **changes)).event_id == event_of(VIDEO).event_id


IDENTITIES = st.tuples(st.sampled_from(["a", "b"]), st.text("12\n/", max_size=4), st.integers(0, 30))


@given(one=IDENTITIES, other=IDENTITIES)
def test_two_transitions_share_an_id_only_when_they_are_the_same(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    ids = [event_id(AccountName("tavus", name), video_id, sequence) for name, video_id, sequence in (one, other)]

    assert (ids[0] == ids[1]) == (one == other)


@given(video_id=st.text() | st.emails())
def test_an_id_is_a_hash_that_a_header_can_carry_and_gives_nothing_away(video_id: str) -> None:
    assert re.fullmatch("evt_[0-9a-f]{32}", event_id(AccountName("pixverse"), video_id, 1))


# The masked id.


@pytest.mark.parametrize(
    ("video_id", "shown"),
    [
        (PIXVERSE_ID, "user:1234-pixverse:s***@***:11223344"),
        ("someone@team.example", "s***@***"),
        ("a@b", "a***@***"),
        ("a@b@c", "a***@***"),
        ("@handle", "@handle"),
        ("v-1", "v-1"),
        ("user:1:2", "user:1:2"),
        ("", ""),
    ],
)
def test_an_address_inside_an_id_is_masked(video_id: str, shown: str) -> None:
    assert masked(video_id) == shown


@given(email=st.emails())
def test_no_address_of_any_form_is_left_in_a_masked_pixverse_id(email: str) -> None:
    shown = masked(f"user:1234-pixverse:{email}-video:11223344")

    assert email not in shown
    assert email.partition("@")[2] not in shown
    assert shown.startswith("user:1234-pixverse:")
    assert shown.endswith(":11223344"), "the number still tells videos apart"


@given(video_id=st.text())
def test_masking_twice_masks_no_more(video_id: str) -> None:
    assert masked(masked(video_id)) == masked(video_id)


# The test event.


def test_a_test_event_has_the_shape_of_a_video_s_and_says_that_it_is_a_test() -> None:
    event = trial_event("ep_1", NOON)
    body = json.loads(event.body)

    assert event.type == body["type"] == TRIAL
    assert body.keys() == body_of(VIDEO).keys()
    assert body["data"].keys() == body_of(VIDEO)["data"].keys()
    assert body["data"]["status"] == "completed"
    assert TRIAL not in EVENT_TYPES, "filters do not name it"


@pytest.mark.parametrize(("endpoint_id", "at"), [("ep_2", NOON), ("ep_1", NOON + timedelta(microseconds=1))])
def test_a_test_of_another_endpoint_or_time_is_another_event(endpoint_id: str, at: datetime) -> None:
    event = trial_event(endpoint_id, at)

    assert event.event_id != trial_event("ep_1", NOON).event_id
    assert event == trial_event(endpoint_id, at)
    assert re.fullmatch("evt_test_[0-9a-f]{32}", event.event_id)
