"""A link in a notification leads to its video for weeks, to no other video, and tells nobody anything."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from renderbell.fresh import Fresh
from renderbell.providers import PROVIDERS
from renderbell.tokens import Tokens
from renderbell.values import moment
from renderbell.video import AccountName
from renderbell_cli.simulator import http_error
from tests.integration.world import LINK_URL, Context, World, video

WITH_URLS = [name for name in PROVIDERS if name != "memories"]


def completed(world: World, name: str = "heygen/main", **options: Any) -> dict[str, Any]:
    """Let a video complete and return what the world was told of it."""
    account = world.add_account(name, first_look_done=True, **options)
    world.library(account).add(video("v", born=time.time()))
    world.poll(account)
    world.flow()
    [ring] = world.rings()
    return dict(ring["data"])


def follow(world: World, link: str, *, after: timedelta = timedelta(), method: str = "GET") -> dict[str, Any]:
    """Open a link as a browser does, and return the answer."""
    path = "/" + link.removeprefix(LINK_URL)
    app: Any = world.apps["link"]

    def ask(account: Any, video_id: str) -> Fresh:
        return Fresh.read(world.apps["fetch"].handler({"account": str(account), "video_id": video_id}, Context()))

    app.link = replace(app.link, fetch=ask, now=lambda: datetime.now(UTC) + after)
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "example"},
        "requestContext": {"http": {"method": method, "path": path}},
        "isBase64Encoded": False,
    }
    return dict(app.handler(event, Context()))


@pytest.mark.parametrize("provider", WITH_URLS)
def test_a_link_leads_to_the_video_as_its_provider_has_it_now(provider: str, world: World) -> None:
    data = completed(world, f"{provider}/main")
    assert data["link"].startswith(LINK_URL)
    before = len(world.simulator.requests)
    answer = follow(world, data["link"])
    assert (answer["statusCode"], answer["headers"]["location"][:4]) == (302, "http")
    assert len(world.simulator.requests) > before


def test_a_link_opens_for_thirty_days_and_then_says_that_it_is_over(world: World) -> None:
    data = completed(world)
    end = moment(data["link_expires_at"])
    assert end is not None
    assert timedelta(days=29, hours=23) < end - datetime.now(UTC) <= timedelta(days=30)
    assert follow(world, data["link"], after=timedelta(days=29, hours=23))["statusCode"] == 302
    over = follow(world, data["link"], after=timedelta(days=30, minutes=1))
    assert over["statusCode"] == 410
    assert "over" in over["body"]


def test_a_link_holds_nothing_that_a_stranger_should_know(world: World) -> None:
    account = world.add_account("pixverse/main", first_look_done=True)
    name = "user:1-pixverse:someone@team.example-video:2"
    world.library(account).add(video(name, born=time.time()))
    world.poll(account)
    world.flow()
    [ring] = world.rings()
    link = ring["data"]["link"]
    assert not any(word in link for word in ("someone", "pixverse", "team", "main", "@", ":2"))
    assert follow(world, link)["statusCode"] == 302


def test_a_link_that_was_altered_leads_nowhere_and_costs_nothing(world: World) -> None:
    mine = completed(world)["link"].removeprefix(LINK_URL)
    event_id, end, mac = mine.split("/")
    world.apps["link"].link.deliveries.standing = None  # nothing may come that far
    altered = [
        f"{event_id}/{int(end) + 1}/{mac}",
        f"evt_{'0' * 32}/{end}/{mac}",
        f"{event_id}/{end}/{mac[:-1]}",
        f"{event_id}/{end}",
        Tokens("guessed").link(event_id, datetime.now(UTC) + timedelta(days=1)),
        "",
        "favicon.ico",
        "../../etc/passwd",
    ]
    for path in altered:
        answer = follow(world, path)
        assert (answer["statusCode"], "location" in answer["headers"]) == (404, False), path


def test_a_deleted_video_is_said_to_be_gone(world: World) -> None:
    data = completed(world)
    [library] = world.libraries.values()
    library.remove("v")
    assert follow(world, data["link"])["statusCode"] == 410


def test_while_the_provider_is_down_the_url_that_was_told_will_do_until_it_ends(world: World) -> None:
    data = completed(world, "videogen/main")
    world.simulator.faults.add(http_error(500), provider="videogen", times=100)
    assert follow(world, data["link"])["headers"]["location"] == data["url"]


def test_an_account_that_is_no_longer_watched_is_asked_for_nothing(world: World) -> None:
    data = completed(world)
    world.parameters.remove_account(AccountName("heygen", "main"))
    assert follow(world, data["link"])["headers"]["location"] == data["url"]


def test_many_who_open_a_link_cause_one_question_a_minute(world: World) -> None:
    link = completed(world)["link"]
    follow(world, link)
    before = len(world.simulator.requests)
    for _ in range(20):
        assert follow(world, link)["statusCode"] == 302
    assert len(world.simulator.requests) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_link_is_opened_by_get_alone(method: str, world: World) -> None:
    assert follow(world, completed(world)["link"], method=method)["statusCode"] == 405


def test_no_cache_and_no_next_page_learns_of_a_link(world: World) -> None:
    headers = follow(world, completed(world)["link"])["headers"]
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_a_failed_video_has_no_link(world: World) -> None:
    account = world.add_account("heygen/main", first_look_done=True)
    world.library(account).add(video("v", born=time.time(), outcome="failed"))
    world.poll(account)
    world.flow()
    [ring] = world.rings()
    assert (ring["data"]["link"], ring["data"]["link_expires_at"]) == (None, None)


def test_links_can_be_switched_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_DAYS", "0")
    assert completed(world)["link"] is None


def test_an_event_that_the_audit_makes_anew_has_the_very_bytes_of_the_first(world: World) -> None:
    endpoint_id = world.add_endpoint()
    completed(world)
    first = world.receiver.wait_for(1)[0]
    world.apps["deliver"].deliver.deliveries._row(endpoint_id, first.webhook_id).delete()
    app: Any = world.apps["audit"]
    app.audit.run(datetime.now(UTC) + timedelta(minutes=3), datetime.now(UTC) - timedelta(hours=1))
    world.drain("DeliveryQueue", "deliver")
    again = world.receiver.wait_for(2)[1]
    assert (again.webhook_id, again.body) == (first.webhook_id, first.body)
    assert json.loads(again.body)["data"]["link"]
