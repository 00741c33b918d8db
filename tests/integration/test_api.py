"""The HTTP API over the real engine: what each route answers, and what it says when it cannot."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from renderbell.api.app import as_in_aws
from renderbell.fresh import Fresh
from renderbell.providers import PROVIDERS
from renderbell.video import AccountName
from renderbell_cli.simulator import http_error
from tests.integration.world import Context, World, video

ODD_IDS = [
    "user:1-pixverse:someone@team.example-video:2",
    "a/b",
    "a%2Fb",
    "50%",
    "é✓😀",
    'a"b#c?d',
    "x/link",
    "..",
    "a b+c",
]


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: Any
    headers: Mapping[str, str]


def ask(world: World, method: str, target: str, body: Any = None, **headers: str) -> Answered:
    """Ask the API as its function URL does."""
    url = urlsplit(target)
    sent = {"body": body if isinstance(body, str) else json.dumps(body)} if body is not None else {}
    event = {
        "version": "2.0",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "queryStringParameters": dict(parse_qsl(url.query)),
        "headers": {"host": "example", **({"content-type": "application/json"} if sent else {}), **headers},
        "requestContext": {"stage": "$default", "http": {"method": method, "path": url.path}},
        "isBase64Encoded": False,
        **sent,
    }
    app: Any = world.apps["api"]
    object.__setattr__(app.desk, "fetch", _fetching(world))
    object.__setattr__(app.desk.subscribe, "sleep", lambda _: world.drain("DeliveryQueue", "deliver"))
    answer = app.handler(event, Context())
    return Answered(answer["statusCode"], json.loads(answer["body"]), answer["headers"])


def _fetching(world: World) -> Any:
    return lambda account, video_id: Fresh.read(
        world.apps["fetch"].handler({"account": str(account), "video_id": video_id}, Context())
    )


def get(world: World, target: str) -> Any:
    answer = ask(world, "GET", target)
    assert answer.status == 200, answer
    return answer.body


def problem(answer: Answered, status: int) -> str:
    """Check that an answer is a problem document, and return its detail."""
    assert answer.status == answer.body["status"] == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["type"] == "about:blank"
    return str(answer.body["detail"])


def completed(world: World, name: str, *ids: str) -> AccountName:
    """Let videos complete, one after the other."""
    account = world.add_account(name, first_look_done=True)
    for video_id in ids:
        world.library(account).add(video(video_id, born=time.time()))
        world.poll(account)
    world.flow()
    return account


def paging(world: World, what: str, limit: int) -> list[dict[str, Any]]:
    """Return all of a listing, page by page."""
    found, cursor = [], ""
    while True:
        page = get(world, f"/{what}?limit={limit}{cursor}")
        found += page[what]
        if page["cursor"] is None:
            return found
        cursor = f"&cursor={page['cursor']}"


# Videos.


def test_videos_of_all_accounts_come_in_one_list_the_newest_first(world: World) -> None:
    for number, provider in enumerate(PROVIDERS):
        completed(world, f"{provider}/main", f"v{number}")
    found = get(world, "/videos")["videos"]
    assert [one["provider"] for one in found] == list(PROVIDERS)[::-1]
    assert {frozenset(one) for one in found} == {frozenset(found[0])}, "one shape over all providers"


def test_what_is_in_flight_comes_first(world: World) -> None:
    account = completed(world, "heygen/main", "done")
    world.library(account).add(video("going", born=time.time() - 100, generating=600))
    world.poll(account)
    assert [one["video_id"] for one in get(world, "/videos")["videos"]] == ["going", "done"]


def test_videos_are_filtered_by_provider_account_status_and_time(world: World) -> None:
    completed(world, "heygen/main", "a")
    completed(world, "heygen/other", "b")
    completed(world, "tavus/main", "c")
    middle = get(world, "/videos?account=heygen/other")["videos"][0]["finished_at"]

    def ids(query: str) -> list[str]:
        return [one["video_id"] for one in get(world, f"/videos?{query}")["videos"]]

    assert ids("provider=heygen") == ["b", "a"]
    assert ids("account=heygen%2Fmain") == ["a"]
    assert ids("status=completed&provider=tavus") == ["c"]
    assert ids("status=failed") == []
    assert ids(f"since={middle}") == ["c", "b"]
    assert ids("provider=tavus&account=heygen/main") == []


def test_page_after_page_brings_each_video_once_in_order(world: World) -> None:
    accounts = [world.add_account(f"{name}/main", *[video(f"{name}{n}") for n in range(4)]) for name in ("heygen", "tavus")]
    for account in accounts:
        world.poll(account)  # first looks: many videos of one moment
    completed(world, "pixverse/main", "late")
    whole = [one["video_id"] for one in get(world, "/videos?limit=100")["videos"]]
    for limit in (1, 2, 3, 7):
        paged = [one["video_id"] for one in paging(world, "videos", limit)]
        assert paged == whole
        assert len(paged) == len(set(paged)) == 9


def test_a_cursor_that_no_page_gave_is_refused_in_words(world: World) -> None:
    for cursor in ("x", "e30", "eyJwaGFzZSI6ICJ4In0", "%F0%9F%98%80", "W10"):
        assert "begin without one" in problem(ask(world, "GET", f"/videos?cursor={cursor}"), 400)
        assert "begin without one" in problem(ask(world, "GET", f"/deliveries?cursor={cursor}"), 400)


def test_a_video_comes_with_its_history_and_how_each_transition_was_seen(world: World) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    world.library(account).add(video("v", born=time.time(), generating=60))
    world.poll(account)
    world.clock.ahead = 120
    world.poll(account)
    found = get(world, "/videos/tavus/main/v")
    assert [(line["status"], line["seen"], line["rang"], line["sequence"]) for line in found["history"]] == [
        ("generating", "listing", False, 1),
        ("completed", "listing", True, 2),
    ]
    assert found["history"][-1]["at"] == found["finished_at"]


def test_an_id_survives_the_path_as_aws_sends_it(world: World) -> None:
    completed(world, "pixverse/main", *ODD_IDS)
    for video_id in ODD_IDS:
        path = f"/videos/pixverse/main/{quote(video_id, safe='')}"
        assert get(world, path)["video_id"] == video_id
        assert ask(world, "POST", f"{path}/announce").status == 202


def test_an_id_survives_the_path_as_the_local_engine_sends_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHS_COME_DECODED", "true")
    completed(world, "pixverse/main", *ODD_IDS)
    app: Any = world.apps["api"]
    for video_id in ODD_IDS:
        path = f"/videos/pixverse/main/{video_id}"
        assert as_in_aws({"rawPath": f"{path}/link"})["rawPath"] == f"/videos/pixverse/main/{quote(video_id, safe='')}/link"
        http = {"stage": "$default", "http": {"method": "GET", "path": path}}
        event = {"rawPath": path, "headers": {}, "requestContext": http, "isBase64Encoded": False}
        answer = json.loads(app.handler(event, Context())["body"])
        assert ("video_id" in answer) == (video_id != "x/link"), "an id that ends like a path of ours is taken for it here"


def test_a_video_that_is_not_on_record_is_told_apart_from_a_path_that_there_is_not(world: World) -> None:
    completed(world, "heygen/main", "v")
    assert "is on record" in problem(ask(world, "GET", "/videos/heygen/main/other"), 404)
    assert "openapi.json" in problem(ask(world, "GET", "/vidoes"), 404)


def test_announced_again_a_video_rings_under_its_own_id_at_everyone(world: World) -> None:
    world.add_endpoint()
    completed(world, "heygen/main", "v")
    [first] = world.rings()
    rung = ask(world, "POST", "/videos/heygen/main/v/announce")
    assert (rung.status, rung.body) == (202, {"event_id": first["id"], "sent": 2, "on_their_way": 0})
    world.drain("DeliveryQueue", "deliver")
    assert [ring["id"] for ring in world.rings()] == [first["id"]]
    one, other = world.receiver.wait_for(2)
    assert (one.webhook_id, one.body) == (other.webhook_id, other.body)


def test_an_endpoint_that_came_later_hears_of_it_when_it_is_announced_again(world: World) -> None:
    completed(world, "heygen/main", "v")
    world.add_endpoint()
    assert ask(world, "POST", "/videos/heygen/main/v/announce").body["sent"] == 2
    world.drain("DeliveryQueue", "deliver")
    assert len(world.receiver.wait_for(1)) == 1


def test_a_video_that_was_silent_at_the_first_look_can_be_announced(world: World) -> None:
    account = world.add_account("heygen/main", video("old"))
    world.poll(account)
    world.flow()
    assert world.rings() == []
    assert ask(world, "POST", "/videos/heygen/main/old/announce").status == 202
    world.drain("DeliveryQueue", "deliver")
    assert [ring["data"]["video_id"] for ring in world.rings()] == ["old"]


def test_a_video_in_flight_cannot_be_announced(world: World) -> None:
    account = world.add_account("heygen/main", video("v", born=time.time(), generating=60), first_look_done=True)
    world.poll(account)
    assert "generating" in problem(ask(world, "POST", "/videos/heygen/main/v/announce"), 409)


def test_a_fresh_url_is_asked_of_the_provider(world: World) -> None:
    completed(world, "heygen/main", "v")
    assert get(world, "/videos/heygen/main/v/link")["url"].startswith("http")


def test_why_there_is_no_fresh_url_is_said(world: World) -> None:
    account = completed(world, "heygen/main", "v", "w")
    world.simulator.faults.add(http_error(429, retry_after="7"), provider="heygen")
    late = ask(world, "GET", "/videos/heygen/main/v/link")
    problem(late, 503)
    assert late.headers["Retry-After"] == "7"
    assert problem(ask(world, "GET", "/videos/heygen/main/v/link"), 503), "which is obeyed"
    world.simulator.faults.add(http_error(500), provider="heygen")
    problem(ask(world, "GET", "/videos/heygen/main/w/link"), 502)
    world.apps.pop("fetch")
    world.library(account).remove("v")
    problem(ask(world, "GET", "/videos/heygen/main/v/link"), 410)
    problem(ask(world, "GET", "/videos/heygen/main/none/link"), 404)
    world.parameters.remove_account(account)
    world.apps.pop("fetch")
    assert "not watched" in problem(ask(world, "GET", "/videos/heygen/main/w/link"), 404)


# Endpoints.


def added(world: World, **more: Any) -> Any:
    answer = ask(world, "POST", "/endpoints", {"url": f"{world.receiver.url}/hook", "allow_http": True, **more})
    assert answer.status == 201, answer
    world.secrets["/hook"] = answer.body["secret"]
    return answer.body


def test_an_endpoint_is_added_tried_paused_resumed_rotated_and_removed(world: World) -> None:
    one = added(world, description="ours", events=["video.completed"], headers={"x-team": "a"}, rate=5)
    path = f"/endpoints/{one['id']}"
    assert one["secret"].startswith("whsec_")
    assert [each["id"] for each in get(world, "/endpoints")["endpoints"]] == [one["id"]]
    assert "secret" not in get(world, path)
    trial = ask(world, "POST", f"{path}/test").body
    assert (trial["delivered"], trial["http_status"]) == (True, 200)
    assert ask(world, "POST", f"{path}/pause").body["state"] == "paused"
    assert ask(world, "POST", f"{path}/resume").body["state"] == "active"
    assert ask(world, "POST", f"{path}/rotate").body["secret"] != one["secret"]
    assert ask(world, "DELETE", path).status == 200
    for method, target in [("GET", path), ("DELETE", path), *(("POST", f"{path}/{w}") for w in ("pause", "test", "rotate"))]:
        assert "there is no endpoint" in problem(ask(world, method, target), 404)


REFUSED: Final[Sequence[tuple[Mapping[str, Any], int]]] = [
    ({}, 422),
    ({"url": 7}, 422),
    ({"url": "https://example.com", "evnets": ["video.completed"]}, 422),
    ({"url": "https://example.com", "rate": -1}, 422),
    ({"url": "http://93.184.216.34/"}, 400),
    ({"url": "https://169.254.169.254/"}, 400),
    ({"url": "https://93.184.216.34", "format": "teams"}, 400),
    ({"url": "https://93.184.216.34", "events": ["video.done"]}, 400),
    ({"url": "https://93.184.216.34", "accounts": ["sora/main"]}, 400),
    ({"url": "https://93.184.216.34", "headers": {"host": "x"}}, 400),
]


def test_an_endpoint_that_could_not_work_is_refused_and_nothing_is_kept(world: World) -> None:
    for given, status in REFUSED:
        assert problem(ask(world, "POST", "/endpoints", given), status)
    assert get(world, "/endpoints") == {"endpoints": []}


def test_what_was_sent_is_not_sent_back(world: World) -> None:
    answer = ask(world, "POST", "/endpoints", {"url": ["https://hooks.slack.com/services/SECRET"]})
    assert "SECRET" not in json.dumps(answer.body)


def test_a_body_that_is_no_object_is_refused(world: World) -> None:
    for body in ("", "{", "[]", "null", '"x"', "\ud83d"):
        problem(ask(world, "POST", "/endpoints", body), 422)


# Deliveries.


def test_deliveries_are_paged_filtered_and_shown_with_their_attempts(world: World) -> None:
    endpoint_id = world.add_endpoint()
    completed(world, "heygen/main", "a", "b", "c")
    everything = get(world, "/deliveries?limit=100")["deliveries"]
    assert len(everything) == 6
    assert paging(world, "deliveries", 2) == everything
    of_endpoint = get(world, f"/deliveries?endpoint={endpoint_id}&status=delivered")["deliveries"]
    assert len(of_endpoint) == 3
    assert get(world, f"/deliveries?endpoint={endpoint_id}&status=pending")["deliveries"] == []
    event_id = of_endpoint[0]["event_id"]
    assert {one["endpoint"] for one in get(world, f"/deliveries/{event_id}")["deliveries"]} == {endpoint_id, "topic"}
    assert of_endpoint[0]["attempts"][0]["http_status"] == 200
    problem(ask(world, "GET", "/deliveries?endpoint=ep_none"), 404)
    problem(ask(world, "GET", "/deliveries/evt_none"), 404)


def test_deliveries_are_summed_up(world: World) -> None:
    completed(world, "heygen/main", "a")
    app: Any = world.apps["api"]
    object.__setattr__(app.desk, "now", lambda: datetime.now(UTC) + timedelta(minutes=5))
    assert get(world, "/deliveries/summary") | {"delivered": 1} == get(world, "/deliveries/summary")
    assert get(world, "/deliveries/summary")["missing"] == 0


def test_deliveries_are_counted_and_sent_again(world: World) -> None:
    endpoint_id = world.add_endpoint()
    completed(world, "heygen/main", "a", "b")
    order = {"endpoint": endpoint_id, "since": "2026-01-01T00:00:00Z"}
    assert ask(world, "POST", "/deliveries/replay", {**order, "dry_run": True}).body["would_send"] == 2
    assert ask(world, "POST", "/deliveries/replay", order).body == {"sent": 2, "would_send": 2, "left": 0, "on_their_way": 0}
    world.drain("DeliveryQueue", "deliver")
    assert len(world.receiver.wait_for(4)) == 4
    problem(ask(world, "POST", "/deliveries/replay", {}), 400)
    problem(ask(world, "POST", "/deliveries/replay", {"event_id": "evt_none"}), 404)


# Accounts and statistics.


def test_accounts_say_how_they_fare_when_they_were_polled_and_what_that_cost(world: World) -> None:
    world.add_account("heygen/main", video("v"))
    world.poll(AccountName("heygen", "main"))
    world.add_account("tavus/new")
    heygen, tavus = get(world, "/accounts")["accounts"]
    assert (heygen["account"], heygen["health"], heygen["last_day"]["polls"]) == ("heygen/main", "ok", 1)
    assert heygen["last_day"]["requests"] >= 1
    assert heygen["polled_at"] == heygen["polled_well_at"] is not None
    assert heygen["next_poll_by"] > heygen["polled_at"]
    assert (tavus["health"], tavus["polled_at"]) == (None, None)


def test_an_account_is_looked_at_on_demand(world: World) -> None:
    account = world.add_account("heygen/main")
    assert ask(world, "POST", "/accounts/heygen/main/poll").status == 202
    [batch] = world.batches("PollQueue")
    assert json.loads(batch[0]) == {"account": str(account)}
    problem(ask(world, "POST", "/accounts/heygen/none/poll"), 404)
    problem(ask(world, "POST", "/accounts/sora/main/poll"), 422)
    problem(ask(world, "POST", "/accounts/heygen/a%20b/poll"), 422)


def test_statistics_count_what_was_seen_to_end_and_not_what_was_done_before(world: World) -> None:
    world.poll(world.add_account("heygen/before", video("old")))
    now, account = time.time(), world.add_account("heygen/main", first_look_done=True)
    world.library(account).add(
        video("a", born=now - 60),
        video("b", born=now - 20),
        video("f", born=now - 5, outcome="failed"),
        video("g", born=now, generating=999),
    )
    world.poll(account)
    [heygen] = [one for one in get(world, "/stats")["providers"] if one["provider"] == "heygen"]
    assert heygen["by_status"] == {"generating": 1, "completed": 2, "failed": 1}
    assert 19 < heygen["completed_median_seconds"] < heygen["completed_p95_seconds"] < 70
    assert heygen["failure_rate"] == 0.3333
    [tavus] = [one for one in get(world, "/stats")["providers"] if one["provider"] == "tavus"]
    assert (tavus["by_status"], tavus["completed_median_seconds"], tavus["failure_rate"]) == ({}, None, None)


# HTTP.


@pytest.mark.parametrize(
    "path", ["/videos", "/videos/heygen/main/v", "/endpoints", "/deliveries/summary", "/accounts", "/stats"]
)
def test_another_method_is_refused_with_those_that_there_are(path: str, world: World) -> None:
    answer = ask(world, "PATCH", path)
    problem(answer, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "status=done", "provider=sora", "since=yesterday"])
def test_a_query_that_means_nothing_is_refused_and_says_where(query: str, world: World) -> None:
    answer = ask(world, "GET", f"/videos?{query}")
    problem(answer, 422)
    assert answer.body["errors"][0]["where"] == f"query/{query.split('=', maxsplit=1)[0]}"


def test_the_document_says_of_every_route_what_it_answers(world: World) -> None:
    document = get(world, "/openapi.json")
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations) == 19
    assert all(one["summary"] and one["responses"].keys() >= {"422", "500"} for one in operations)
    assert document["security"] == [{"sigv4": []}]
