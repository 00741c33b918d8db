"""A link is put into the event of a video that can be watched, the same one every time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from renderbell.events import Event, event_of
from renderbell.links import Links
from renderbell.tokens import Tokens
from renderbell.video import AccountName, Status
from tests.records import record

NOON = datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=UTC)
URL = "https://link.example/"
VIDEO = record(
    "user:1-pixverse:someone@example.com-video:7",
    Status.COMPLETED,
    account=AccountName("pixverse", "team"),
    title="Spring launch",
    url="https://cdn.example/v.mp4",
    changed_at=NOON,
    finished_at=NOON,
)


def linked(days: int = 30, **changes: Any) -> Event:
    return Links(base_url=URL, days=days, tokens=lambda: Tokens("key")).linked(event_of(replace(VIDEO, **changes)))


def test_a_completed_video_has_a_link_that_says_when_it_ends() -> None:
    event = linked(days=7)
    path = event.data["link"].removeprefix(URL)
    assert Tokens("key").linked(path) == (event.event_id, NOON.replace(microsecond=0) + timedelta(days=7))
    assert event.data["link_expires_at"] == "2026-12-01T12:00:00Z"


def test_the_same_event_has_the_same_link_whoever_makes_it() -> None:
    assert linked().body == linked().body


def test_a_link_holds_nothing_of_the_video() -> None:
    link = linked().data["link"]
    assert not any(word in link for word in ("someone", "pixverse", "team", "Spring", "cdn"))


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.FAILED, "url": None}, {"status": Status.DELETED, "url": None}, {"url": None}],
    ids=["failed", "deleted", "without a URL"],
)
def test_what_cannot_be_watched_has_none(changes: dict[str, Any]) -> None:
    assert linked(**changes).data["link"] is None


def test_with_links_off_no_key_is_asked_for() -> None:
    def nobody() -> Tokens:
        raise AssertionError

    event = event_of(VIDEO)
    assert Links(base_url=URL, days=0, tokens=nobody).linked(event) is event


def test_no_link_outlives_the_delivery_that_it_leads_by() -> None:
    assert linked(days=300).data["link_expires_at"] == linked(days=30).data["link_expires_at"]
