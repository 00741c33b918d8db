"""An endpoint hears what its filters let through, and filters that let nothing through are refused."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from renderbell.endpoints import Endpoint, check_filters
from renderbell.errors import BadInputError
from renderbell.events import EVENT_TYPES, Event
from renderbell.video import AccountName, Status

EVENT: Final = Event(
    event_id="evt_1",
    type="video.completed",
    account=AccountName("heygen", "marketing"),
    video_id="v",
    status=Status.COMPLETED,
    at=datetime(2026, 11, 24, tzinfo=UTC),
    data={},
)
KNOWN: Final = frozenset({"heygen", "tavus"})
NONE: Final = frozenset[str]()


def endpoint(*, events: str = "", providers: str = "", accounts: str = "") -> Endpoint:
    return Endpoint(
        endpoint_id="ep_1",
        url="https://team.example",
        events=frozenset(events.split()),
        providers=frozenset(providers.split()),
        accounts=frozenset(accounts.split()),
    )


@pytest.mark.parametrize(
    "wanting",
    [
        endpoint(),
        endpoint(events="video.completed"),
        endpoint(events="video.failed video.completed"),
        endpoint(providers="heygen"),
        endpoint(providers="tavus heygen"),
        endpoint(accounts="heygen/marketing"),
        endpoint(events="video.completed", providers="heygen", accounts="heygen/marketing tavus/default"),
    ],
)
def test_an_event_that_passes_every_filter_is_wanted(wanting: Endpoint) -> None:
    assert wanting.wants(EVENT)


@pytest.mark.parametrize(
    "unwilling",
    [
        endpoint(events="video.failed"),
        endpoint(providers="tavus"),
        endpoint(accounts="heygen/default"),
        endpoint(accounts="tavus/marketing"),
        endpoint(events="video.failed", providers="heygen", accounts="heygen/marketing"),
        endpoint(events="video.completed", providers="tavus", accounts="heygen/marketing"),
        endpoint(events="video.completed", providers="heygen", accounts="heygen/default"),
    ],
)
def test_an_event_that_one_filter_stops_is_not_wanted(unwilling: Endpoint) -> None:
    assert not unwilling.wants(EVENT)


def test_a_disabled_endpoint_still_wants_because_its_events_are_held() -> None:
    assert replace(endpoint(), disabled_reason="answered 410 Gone").wants(EVENT)


@pytest.mark.parametrize(
    ("events", "providers", "accounts"),
    [
        (NONE, NONE, NONE),
        (frozenset(EVENT_TYPES), KNOWN, frozenset({"heygen/marketing", "tavus"})),
    ],
)
def test_filters_that_name_what_exists_are_taken(
    events: frozenset[str], providers: frozenset[str], accounts: frozenset[str]
) -> None:
    check_filters(events, providers, accounts, KNOWN)


@pytest.mark.parametrize(
    ("events", "providers", "accounts", "reason"),
    [
        (frozenset({"video.queued"}), NONE, NONE, "no event 'video.queued': video.completed, video.failed, video.deleted"),
        (frozenset({"video.completed", "completed"}), NONE, NONE, "no event 'completed'"),
        (NONE, frozenset({"sora"}), NONE, "no provider 'sora': heygen, tavus"),
        (NONE, frozenset({"heygen", "HeyGen"}), NONE, "no provider 'HeyGen'"),
        (NONE, NONE, frozenset({"sora/marketing"}), "'sora/marketing' is at no known provider: heygen, tavus"),
        (NONE, NONE, frozenset({"marketing"}), "'marketing' is at no known provider"),
        (NONE, NONE, frozenset({"heygen/a b"}), "is not an account"),
    ],
)
def test_filters_that_name_what_does_not_exist_are_refused(
    events: frozenset[str], providers: frozenset[str], accounts: frozenset[str], reason: str
) -> None:
    with pytest.raises(BadInputError, match=reason):
        check_filters(events, providers, accounts, KNOWN)
