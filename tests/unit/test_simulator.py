"""The simulator answers as the providers' documents say, traps included."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import pytest

from renderbell_cli.simulator import (
    PROVIDERS,
    Library,
    Outcome,
    SimulatedVideo,
    Simulator,
    error_in_200,
    html,
    http_error,
    repeated_page,
    slow,
    truncated,
)

NOW: Final = 1_764_000_000.0
KEY: Final = "sk-right"
PIXVERSE_ID: Final = "user:1234-pixverse:ana@example.com-video:"
MEMORIES_LIST: Final = "/serve/api/v1/list_videos"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def video(video_id: str, age: float = 1000, outcome: Outcome = "completed", **fields: Any) -> SimulatedVideo:
    """Return a video born `age` seconds ago, 5 s in the queue and 20 s at work."""
    return SimulatedVideo(video_id, f"Title {video_id}", NOW - age, 5, 20, outcome, **fields)


LIFE: Final = (
    video("unborn", -10),
    video("waiting", 1),
    video("working", 15),
    video("done", 100),
    video("broken", 200, "failed", error="The script was rejected."),
    video("gone", 300, "deleted"),
)
"""One video in each state."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def libraries() -> dict[str, Library]:
    return {provider: Library() for provider in PROVIDERS}


@pytest.fixture
def simulator(clock: Clock, libraries: Mapping[str, Library]) -> Iterator[Simulator]:
    with Simulator({(provider, KEY): library for provider, library in libraries.items()}, clock) as running:
        yield running


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url) as client:
        yield client


X_API_KEY: Final = {"x-api-key": KEY}
BEARER: Final = {"authorization": f"Bearer {KEY}"}
RAW: Final = {"authorization": KEY}

LISTINGS: Final[Mapping[str, Callable[[httpx.Client], httpx.Response]]] = {
    "tavus": lambda http: http.get("/v2/videos", headers=X_API_KEY),
    "heygen": lambda http: http.get("/v3/videos", headers=X_API_KEY),
    "heygen v1": lambda http: http.get("/v1/video.list", headers=X_API_KEY),
    "memories": lambda http: http.post(MEMORIES_LIST, headers=RAW, json={}),
    "videogen": lambda http: http.get("/v1/files", headers=BEARER),
    "pixverse": lambda http: http.get("/v2/pixverse/videos/", headers=BEARER),
}


# A video, and a library.


def test_a_videos_state_is_a_function_of_the_clock_alone() -> None:
    one = SimulatedVideo("a", "A", 100.0, 5, 20, "failed")

    assert [one.state_at(at) for at in (99.9, 100, 104.9, 105, 124.9, 125, 1e9)] == [
        None,
        "queued",
        "queued",
        "generating",
        "generating",
        "failed",
        "failed",
    ]
    assert [one.changed_at(at) for at in (101, 106, 126)] == [100, 105, 125]
    assert [one.progress_at(at) for at in (101, 115, 125)] == [0, 50, 100]


def test_a_library_lists_newest_first_unless_told_otherwise() -> None:
    videos = [video("old", 30), video("new", 10), video("middle", 20), video("unborn", -1)]

    assert [v.id for v in Library(videos).videos(NOW)] == ["new", "middle", "old"]
    assert [v.id for v in Library(videos, newest_first=False).videos(NOW)] == ["old", "middle", "new"]


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_place_in_a_listing_stays_good_while_videos_are_born_and_removed(newest_first: bool) -> None:  # noqa: FBT001
    library = Library(
        [video(name, age) for name, age in (("a", 40), ("b", 30), ("c", 30), ("d", 20))], newest_first=newest_first
    )
    place = (NOW - 30, "b")
    rest = [v.id for v in library.videos(NOW, after=place)]
    assert rest == (["a"] if newest_first else ["c", "d"])

    library.remove("b")
    library.add(video("z", 1))

    assert [v.id for v in library.videos(NOW, after=place)] == rest + ([] if newest_first else ["z"])


def test_adding_a_video_again_replaces_it() -> None:
    library = Library([video("a", 100)])
    library.hydrate("a", NOW)

    library.add(video("a", 1))

    assert [v.state_at(NOW) for v in library.videos(NOW)] == ["queued"]
    assert library.hydrated_at("a") is None
    with pytest.raises(KeyError):
        library.remove("b")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_demo_shows_six_videos_done_and_twenty_to_come(provider: str) -> None:
    library = Library.demo(1, NOW, provider)
    at_first, at_last = library.videos(NOW - 0.001), library.videos(NOW + 61)

    assert len(at_first) == 6
    assert all(v.finished(NOW) for v in at_first)
    assert len(at_last) == 26
    assert len({v.id for v in at_last}) == len({v.title for v in at_last}) == 26
    assert all(2 <= v.queued_seconds <= 6 and 4 <= v.generating_seconds <= 25 for v in at_last)
    assert sum(v.outcome == "completed" for v in at_last) >= 20
    failed = [v for v in at_last if v.outcome == "failed"]
    assert len(failed) >= 3
    assert all(v.error for v in failed)
    assert all(v.error is None for v in at_last if v.outcome == "completed")


def test_the_demo_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    def demo(seed: int) -> Sequence[SimulatedVideo]:
        return Library.demo(seed, NOW, "heygen").videos(NOW + 61)

    assert demo(1) == demo(1)
    assert demo(1) != demo(2)


# All providers.


@pytest.mark.parametrize("listing", LISTINGS)
def test_another_providers_key_opens_nothing(listing: str) -> None:
    provider = listing.partition(" ")[0]
    libraries = {(other, KEY): Library() for other in PROVIDERS if other != provider}
    with Simulator(libraries) as simulator, httpx.Client(base_url=simulator.url) as http:
        answer = LISTINGS[listing](http)

    assert answer.status_code == 401 or answer.json()["code"] == "0401"


def test_each_key_sees_its_own_library() -> None:
    libraries = {("tavus", name): Library([video(f"of-{name}")]) for name in ("ana", "bo")}
    with Simulator(libraries, Clock()) as simulator, httpx.Client(base_url=simulator.url) as http:
        seen = {
            name: [row["video_id"] for row in http.get("/v2/videos", headers={"x-api-key": name}).json()["data"]]
            for name in ("ana", "bo")
        }

    assert seen == {"ana": ["of-ana"], "bo": ["of-bo"]}


def test_a_library_for_an_unknown_provider_is_refused() -> None:
    with pytest.raises(ValueError, match="sora"):
        Simulator({("sora", "key"): Library()})


def test_requests_are_recorded_with_path_and_status_but_never_with_the_key(simulator: Simulator, http: httpx.Client) -> None:
    http.get("/v3/videos", headers=X_API_KEY, params={"limit": 5})
    http.post(MEMORIES_LIST, headers=RAW, json={"page": 2})
    http.get("/v2/videos", headers={"x-api-key": "sk-wrong"})
    http.get("/elsewhere")

    assert [(r.method, r.path, r.provider, r.status) for r in simulator.requests] == [
        ("GET", "/v3/videos?limit=5", "heygen", 200),
        ("POST", MEMORIES_LIST, "memories", 200),
        ("GET", "/v2/videos", "tavus", 401),
        ("GET", "/elsewhere", "", 404),
    ]
    assert json.loads(simulator.requests[1].body) == {"page": 2}
    assert "sk-" not in repr(simulator.requests)
    simulator.forget_requests()
    assert not simulator.requests


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_listing_at_rest_is_the_same_at_every_look(
    listing: str, http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries[listing.partition(" ")[0]].add(*LIFE)

    assert LISTINGS[listing](http).json() == LISTINGS[listing](http).json()


# Tavus.


def tavus_page(http: httpx.Client, **params: int) -> tuple[list[str], int]:
    body = http.get("/v2/videos", headers=X_API_KEY, params=params).json()
    return [row["video_id"] for row in body["data"]], body["total_count"]


@pytest.mark.parametrize("first_page", [0, 1])
def test_tavus_counts_pages_from_one_or_on_request_from_zero(first_page: Literal[0, 1], clock: Clock) -> None:
    library = Library(video(f"{n:02}", 100 + n) for n in range(13))
    with (
        Simulator({("tavus", KEY): library}, clock, tavus_first_page=first_page) as simulator,
        httpx.Client(base_url=simulator.url) as http,
    ):
        unnamed = tavus_page(http)
        pages = [tavus_page(http, page=first_page + n) for n in range(3)]
        fives = [tavus_page(http, limit=5, page=first_page + n)[0] for n in range(3)]

    assert unnamed == pages[0]
    assert pages == [([f"{n:02}" for n in range(10)], 13), (["10", "11", "12"], 13), ([], 13)]
    assert fives == [["00", "01", "02", "03", "04"], ["05", "06", "07", "08", "09"], ["10", "11", "12"]]


def test_tavus_names_its_states_and_keeps_deleted_rows(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["tavus"].add(*LIFE)
    body = http.get("/v2/videos", headers=X_API_KEY).json()

    assert [(row["video_id"], row["status"]) for row in body["data"]] == [
        ("waiting", "queued"),
        ("working", "generating"),
        ("done", "ready"),
        ("broken", "error"),
        ("gone", "deleted"),
    ]
    assert body["total_count"] == 5
    rows = {row["video_id"]: row for row in body["data"]}
    assert rows["working"]["generation_progress"] == "50/100"
    assert rows["working"]["download_url"] == ""
    assert rows["done"]["download_url"].startswith("https://")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", rows["done"]["created_at"])


def test_tavus_puts_the_reason_in_status_details_and_fills_hosted_url_always(
    http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["tavus"].add(*LIFE)
    broken = http.get("/v2/videos/broken", headers=X_API_KEY).json()

    assert broken["status_details"] == "The script was rejected."
    assert broken["error_details"] is None
    assert broken["hosted_url"]
    assert http.get("/v2/videos/waiting", headers=X_API_KEY).json()["hosted_url"]


def test_tavus_has_two_keys_for_error_words(http: httpx.Client) -> None:
    refused = http.get("/v2/videos", headers={"x-api-key": "wrong"})
    unknown = http.get("/v2/videos/nothing", headers=X_API_KEY)
    senseless = http.get("/v2/videos", headers=X_API_KEY, params={"page": "x"})

    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid access token"})
    assert (unknown.status_code, unknown.json()) == (400, {"error": "Invalid video_id"})
    assert senseless.status_code == 400


# HeyGen v3.


def heygen_pages(http: httpx.Client, limit: int) -> Iterator[list[str]]:
    token = None
    while True:
        params = {"limit": limit} | ({"token": token} if token else {})
        body = http.get("/v3/videos", headers=X_API_KEY, params=params).json()
        yield [row["id"] for row in body["data"]]
        token = body["next_token"]
        assert body["has_more"] == (token is not None)
        if token is None:
            return


def test_heygen_pages_by_token_to_the_end(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*(video(f"{n:02}", 100 + n) for n in range(12)))

    assert [len(page) for page in heygen_pages(http, 5)] == [5, 5, 2]
    assert [len(page) for page in heygen_pages(http, 6)] == [6, 6]
    assert len(http.get("/v3/videos", headers=X_API_KEY).json()["data"]) == 10


def test_heygens_token_holds_its_place_while_videos_are_born(
    http: httpx.Client, libraries: Mapping[str, Library], clock: Clock
) -> None:
    libraries["heygen"].add(*(video(f"{n}", 100 + n) for n in range(4)), video("new", -5))
    pages = heygen_pages(http, 2)
    assert next(pages) == ["0", "1"]

    clock.now += 10

    assert list(pages) == [["2", "3"]]
    assert next(heygen_pages(http, 2)) == ["new", "0"]


def test_heygen_drops_the_rows_of_deleted_videos(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*LIFE)
    rows = http.get("/v3/videos", headers=X_API_KEY).json()["data"]

    assert [(row["id"], row["status"]) for row in rows] == [
        ("waiting", "pending"),
        ("working", "processing"),
        ("done", "completed"),
        ("broken", "failed"),
    ]
    assert rows[3]["failure_message"] == "The script was rejected."
    assert "failure_message" not in rows[2]
    assert [row["video_url"] is not None for row in rows] == [False, False, True, False]


def test_heygens_bulk_statuses_say_queued_and_not_found(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*LIFE)
    ids = "waiting,working,done,broken,gone,never,unborn"
    body = http.get("/v3/videos/statuses", headers=X_API_KEY, params={"video_ids": ids}).json()

    assert {row["video_id"]: row["status"] for row in body["data"]} == {
        "waiting": "queued",
        "working": "processing",
        "done": "completed",
        "broken": "failed",
        "gone": "not_found",
        "never": "not_found",
        "unborn": "not_found",
    }
    assert {row["video_id"] for row in body["data"] if row["error"]} == {"broken"}


def test_heygens_bulk_statuses_take_a_hundred_ids(http: httpx.Client) -> None:
    def ask(count: int) -> int:
        ids = ",".join(map(str, range(count)))
        return http.get("/v3/videos/statuses", headers=X_API_KEY, params={"video_ids": ids}).status_code

    assert [ask(100), ask(101)] == [200, 400]


def test_heygen_signs_its_urls_anew_at_every_look(http: httpx.Client, libraries: Mapping[str, Library], clock: Clock) -> None:
    libraries["heygen"].add(*LIFE)
    before = http.get("/v3/videos/done", headers=X_API_KEY).json()["data"]["video_url"]
    clock.now += 1
    after = http.get("/v3/videos/done", headers=X_API_KEY).json()["data"]["video_url"]

    assert before != after
    assert before.partition("?")[0] == after.partition("?")[0]


def test_heygens_errors_are_nested_and_carry_a_code(http: httpx.Client) -> None:
    refused = http.get("/v3/videos", headers={"x-api-key": "wrong"})
    missing = http.get("/v3/videos/nothing", headers=X_API_KEY)
    too_many = http.get("/v3/videos", headers=X_API_KEY, params={"limit": 101})
    forged = http.get("/v3/videos", headers=X_API_KEY, params={"token": "bm9uc2Vuc2U="})

    answers = (refused, missing, too_many, forged)
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [
        (401, "unauthorized"),
        (404, "not_found"),
        (400, "invalid_parameter"),
        (400, "invalid_parameter"),
    ]
    assert all("x-request-id" in a.headers for a in answers)


def test_heygen_takes_its_key_as_bearer_too_and_filters_by_title(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*LIFE)
    body = http.get("/v3/videos", headers=BEARER, params={"title": "do"}).json()

    assert [row["id"] for row in body["data"]] == ["done"]


# HeyGen v1.


def test_heygen_v1_pages_by_token_within_code_100(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*(video(f"{n}", 100 + n) for n in range(5)), video("gone", 300, "deleted"))
    first = http.get("/v1/video.list", headers=X_API_KEY, params={"limit": 3}).json()
    token = first["data"]["token"]
    last = http.get("/v1/video.list", headers=X_API_KEY, params={"limit": 3, "token": token}).json()

    assert first["code"] == last["code"] == 100
    assert [row["video_id"] for row in (*first["data"]["videos"], *last["data"]["videos"])] == ["0", "1", "2", "3", "4"]
    assert (last["data"]["token"], first["data"]["total"]) == (None, 5)


def test_heygen_v1_has_no_url_in_the_row_but_in_the_detail(
    http: httpx.Client, libraries: Mapping[str, Library], clock: Clock
) -> None:
    libraries["heygen"].add(video("done"))
    row = http.get("/v1/video.list", headers=X_API_KEY).json()["data"]["videos"][0]
    detail, clock.now = http.get("/v1/video_status.get", headers=X_API_KEY, params={"video_id": "done"}), NOW + 1
    again = http.get("/v1/video_status.get", headers=X_API_KEY, params={"video_id": "done"})

    assert set(row) == {"video_id", "status", "video_title", "created_at", "type", "folder_id"}
    assert row["folder_id"] == "null"
    assert detail.json()["data"]["video_url"] != again.json()["data"]["video_url"]
    assert detail.headers["sunset"]


def test_heygen_v1_tells_why_a_video_failed_only_in_the_detail(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*LIFE)
    body = http.get("/v1/video_status.get", headers=X_API_KEY, params={"video_id": "broken"}).json()

    assert body["code"] == 100
    assert body["data"]["status"] == "failed"
    assert body["data"]["error"]["detail"] == "The script was rejected."


def test_heygen_v1_answers_errors_with_a_code_of_its_own(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["heygen"].add(*LIFE)
    refused = http.get("/v1/video.list", headers=BEARER)  # v1 knows x-api-key only
    gone = http.get("/v1/video_status.get", headers=X_API_KEY, params={"video_id": "gone"})
    senseless = http.get("/v1/video.list", headers=X_API_KEY, params={"limit": 101})

    assert [(a.status_code, a.json()["code"]) for a in (refused, gone, senseless)] == [
        (401, 40009),
        (404, 40104),
        (400, 400),
    ]


# Memories.ai.


def memories(http: httpx.Client, **asked: Any) -> Any:
    return http.post(MEMORIES_LIST, headers=RAW, json=asked).json()


def memories_ids(http: httpx.Client, **asked: Any) -> list[str]:
    return [row["video_no"] for row in memories(http, **asked)["data"]["videos"]]


def test_memories_pages_from_one_by_its_json_body(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["memories"].add(*(video(f"VI{n:02}", 100 + n) for n in range(25)))

    assert len(memories_ids(http)) == 20
    assert memories_ids(http, page=3, size=10) == ["VI20", "VI21", "VI22", "VI23", "VI24"]
    assert memories_ids(http, page=4, size=10) == []
    data = memories(http, page=2, size=10)["data"]
    assert (data["current_page"], data["page_size"], data["total_count"]) == (2, 10, "25")


def test_memories_sends_numbers_as_text_and_null_as_text(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["memories"].add(*LIFE)
    rows = {row["video_no"]: row for row in memories(http)["data"]["videos"]}

    assert {name: row["status"] for name, row in rows.items()} == {
        "waiting": "UNPARSE",
        "working": "UNPARSE",
        "done": "PARSE",
        "broken": "FAILED",
    }
    assert all(isinstance(value, str) for row in rows.values() for value in row.values())
    assert rows["done"]["cause"] == "null"
    assert rows["broken"]["cause"] == "The script was rejected."
    assert rows["done"]["create_time"] == str(int((NOW - 100) * 1000))


def test_memories_filters_by_status_id_ids_name_and_namespace(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["memories"].add(*LIFE, video("theirs", 50, namespace="theirs"))

    assert memories_ids(http, status="UNPARSE") == ["waiting", "working"]
    assert memories_ids(http, video_no="done") == ["done"]
    assert memories_ids(http, video_nos=["done", "broken", "gone", "theirs"]) == ["done", "broken"]
    assert memories_ids(http, video_name="Title b") == ["broken"]
    assert memories_ids(http, unique_id="theirs") == ["theirs"]
    assert memories(http, unique_id="nobody")["data"]["total_count"] == "0"


def test_memories_errors_come_with_http_200_and_without_data(http: httpx.Client) -> None:
    wrong_key = http.post(MEMORIES_LIST, headers=BEARER, json={})  # "Bearer" makes a good key a wrong one
    wrong_page = http.post(MEMORIES_LIST, headers=RAW, json={"page": 0})
    no_json = http.post(MEMORIES_LIST, headers=RAW, content=b"page=1")

    answers = (wrong_key, wrong_page, no_json)
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(200, "0401"), (200, "0001"), (200, "0001")]
    assert all("data" not in a.json() and a.json()["failed"] is True for a in answers)


def test_memories_answers_a_missing_key_with_http_401(http: httpx.Client) -> None:
    assert http.post(MEMORIES_LIST, json={}).status_code == 401


# VideoGen.


def files(http: httpx.Client, **params: Any) -> Any:
    return http.get("/v1/files", headers=BEARER, params=params).json()


def file_ids(http: httpx.Client, **params: Any) -> list[str]:
    return [row["fileId"] for row in files(http, **params)["files"]]


def statuses(file: Mapping[str, Any]) -> dict[str, str]:
    return {name: source["status"] for name, source in file.items() if name.endswith("Source")}


def test_videogen_pages_by_cursor_to_the_end(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["videogen"].add(*(video(f"vg_file_{n}", 100 + n) for n in range(5)))
    first = files(http, limit=3)
    last = files(http, limit=3, cursor=first["nextCursor"])

    assert [row["fileId"] for row in (*first["files"], *last["files"])] == [f"vg_file_{n}" for n in range(5)]
    assert (first["hasMore"], last["hasMore"], last["nextCursor"]) == (True, False, None)


def test_videogen_lists_the_most_recently_updated_first(
    http: httpx.Client, libraries: Mapping[str, Library], clock: Clock
) -> None:
    libraries["videogen"].add(video("early", 20), video("late", 7))
    assert file_ids(http) == ["late", "early"]  # late began to render 2 s ago, early 15 s ago

    clock.now += 6

    assert file_ids(http) == ["early", "late"]  # early was done 1 s ago


def test_videogen_keeps_a_finished_files_sources_pending_until_it_is_hydrated(
    http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["videogen"].add(video("vg_file_1"))
    pending = dict.fromkeys(("thumbnailSource", "previewSource", "downloadSource", "hlsSource"), "pending")
    assert statuses(files(http)["files"][0]) == pending
    assert statuses(http.get("/v1/files/vg_file_1", headers=BEARER).json()) == pending

    hydrated = http.post("/v1/files/vg_file_1/hydrate", headers=BEARER).json()

    assert set(statuses(hydrated).values()) == {"ready"}
    assert hydrated["downloadUrl"] == hydrated["downloadSource"]["url"]
    assert hydrated["downloadUrlExpiresAt"] == int(NOW) + 7 * 24 * 3600
    assert files(http)["files"][0] == http.get("/v1/files/vg_file_1", headers=BEARER).json() == hydrated


def test_videogen_hydrates_nothing_before_the_file_is_done(
    http: httpx.Client, libraries: Mapping[str, Library], clock: Clock
) -> None:
    libraries["videogen"].add(video("vg_file_1", 10))
    early = http.post("/v1/files/vg_file_1/hydrate", headers=BEARER).json()
    clock.now += 100

    assert set(statuses(early).values()) == {"pending"}
    assert set(statuses(files(http)["files"][0]).values()) == {"pending"}


def test_videogen_signatures_run_out_after_a_week_and_leave_ready_without_a_url(
    http: httpx.Client, libraries: Mapping[str, Library], clock: Clock
) -> None:
    libraries["videogen"].add(video("vg_file_1"))
    http.post("/v1/files/vg_file_1/hydrate", headers=BEARER)
    clock.now += 7 * 24 * 3600

    download = files(http)["files"][0]["downloadSource"]

    assert (download["status"], download["url"]) == ("ready", None)


def test_videogen_shows_a_failure_in_the_sources_and_its_reason_only_in_the_execution(
    http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["videogen"].add(video("vg_file_1", outcome="failed", error="No credits left."))
    row = http.post("/v1/files/vg_file_1/hydrate", headers=BEARER).json()
    execution = http.get(f"/v1/tools/executions/{row['sourceToolExecutionId']}", headers=BEARER).json()

    assert set(statuses(row).values()) == {"failed"}
    assert "No credits left." not in json.dumps(row)
    assert (execution["status"], execution["error"]["message"], execution["results"]) == (
        "failed",
        "No credits left.",
        [],
    )


@pytest.mark.parametrize(("age", "status"), [(1, "pending"), (10, "running"), (100, "succeeded")])
def test_videogen_executions_have_the_status_that_files_lack(
    age: float, status: str, http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["videogen"].add(video("vg_file_1", age))
    execution = http.get("/v1/tools/executions/vg_tool_1", headers=BEARER).json()

    assert execution["status"] == status
    assert len(execution["results"]) == (status == "succeeded")
    assert set(statuses(files(http)["files"][0]).values()) == {"pending"}


def test_videogen_lists_images_and_audio_and_types_that_are_not_known_yet(
    http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["videogen"].add(
        video("image", 100, kind="IMAGE"), video("audio", 200, kind="AUDIO"), video("film", 300), video("young", 1)
    )
    assert [(row["fileId"], row["type"]) for row in files(http)["files"]] == [
        ("young", None),
        ("image", "IMAGE"),
        ("audio", "AUDIO"),
        ("film", "VIDEO"),
    ]
    assert statuses(http.post("/v1/files/audio/hydrate", headers=BEARER).json())["thumbnailSource"] == "skipped"


def test_videogen_hides_exports_and_project_files_unless_asked(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["videogen"].add(video("plain", 100), video("export", 200, scope="EXPORT"), video("inside", 300, scope="PROJECT"))

    assert file_ids(http) == ["plain"]
    assert file_ids(http, includeExportFiles="true") == ["plain", "export"]
    assert file_ids(http, includeProjectFiles="true") == ["plain", "inside"]
    exported = files(http, includeExportFiles="true")["files"][1]
    assert "sourceToolExecutionId" not in exported
    assert http.get("/v1/tools/executions/vg_tool_export", headers=BEARER).status_code == 404


def test_videogen_errors_carry_a_code(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["videogen"].add(video("gone", outcome="deleted"))
    libraries["heygen"].add(video("1"), video("2"))
    foreign = http.get("/v3/videos", headers=X_API_KEY, params={"limit": 1}).json()["next_token"]
    refused = http.get("/v1/files", headers=RAW)  # without "Bearer"
    gone = http.get("/v1/files/gone", headers=BEARER)
    never = http.post("/v1/files/never/hydrate", headers=BEARER)
    misused = http.get("/v1/files", headers=BEARER, params={"cursor": foreign})

    assert [(a.status_code, a.json()["code"]) for a in (refused, gone, never, misused)] == [
        (401, "invalid_api_key"),
        (404, "not_found"),
        (404, "not_found"),
        (400, "invalid_request"),
    ]
    assert file_ids(http) == []


# PixVerse.


def pixverse(http: httpx.Client, **params: Any) -> Any:
    return http.get("/v2/pixverse/videos/", headers=BEARER, params=params).json()


def test_pixverse_pages_by_offset(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["pixverse"].add(*(video(f"{PIXVERSE_ID}{n:02}", 100 + n) for n in range(55)))
    first, last = pixverse(http), pixverse(http, offset=40)

    assert (len(first["data"]), first["next_offset"], first["total"]) == (40, 40, 55)
    assert (len(last["data"]), last["total"]) == (15, 55)
    assert last["next_offset"] >= last["total"]
    assert {row["video_id"] for row in first["data"]}.isdisjoint(row["video_id"] for row in last["data"])


def test_pixverse_says_queued_is_final_and_fills_the_url_while_generating(
    http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["pixverse"].add(*LIFE)
    rows = {row["video_id"]: row for row in pixverse(http)["data"]}

    assert {
        name: (row["video_status"], row.get("video_status_name"), row.get("video_status_final")) for name, row in rows.items()
    } == {
        "waiting": (5, "QUEUED", True),
        "working": (10, "GENERATING", False),
        "done": (1, "COMPLETED", True),
        "broken": (8, "FAILED", True),
        "gone": (6, None, None),
    }
    assert rows["working"]["url"]
    assert [rows[name]["output_width"] > 0 for name in ("waiting", "working", "done")] == [False, False, True]
    assert "The script was rejected." not in json.dumps(rows)


def test_pixverse_answers_404_for_a_video_still_at_work(
    http: httpx.Client, libraries: Mapping[str, Library], clock: Clock
) -> None:
    libraries["pixverse"].add(video(f"{PIXVERSE_ID}1", 10))
    path = f"/v2/pixverse/videos/{PIXVERSE_ID}1"
    working = http.get(path, headers=BEARER)
    clock.now += 100
    done = http.get(path, headers=BEARER)

    assert (working.status_code, working.json()["code"]) == (404, 404)
    assert (done.status_code, done.json()["video_status_name"]) == (200, "COMPLETED")


def test_pixverse_refuses_a_percent_encoded_id(
    simulator: Simulator, http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["pixverse"].add(video(f"{PIXVERSE_ID}1"))
    encoded = f"{PIXVERSE_ID}1".replace(":", "%3A").replace("@", "%40")

    assert http.get(f"/v2/pixverse/videos/{encoded}", headers=BEARER).status_code == 400
    assert http.get(f"/v2/pixverse/videos/{PIXVERSE_ID}1", headers=BEARER).status_code == 200
    assert simulator.requests[-1].path == f"/v2/pixverse/videos/{PIXVERSE_ID}1"


def test_pixverse_tells_a_failure_by_an_error_inside_http_200(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    libraries["pixverse"].add(video("broken", outcome="failed", error="Moderated."))
    answer = http.get("/v2/pixverse/videos/broken", headers=BEARER)

    assert (answer.status_code, answer.json()["error"]) == (200, "Moderated.")


def test_pixverse_needs_the_email_when_there_are_several_accounts(http: httpx.Client, libraries: Mapping[str, Library]) -> None:
    other = "user:1234-pixverse:bo@example.com-video:"
    libraries["pixverse"].add(video(f"{PIXVERSE_ID}1"), video(f"{other}1"))

    assert pixverse(http)["code"] == 400
    assert [row["video_id"] for row in pixverse(http, email="bo@example.com")["data"]] == [f"{other}1"]
    assert pixverse(http, email="nobody@example.com")["code"] == 400


def test_pixverse_refuses_a_wrong_key_flatly(http: httpx.Client) -> None:
    refused = http.get("/v2/pixverse/videos/", headers={"authorization": "Bearer wrong"})

    assert (refused.status_code, refused.json()) == (401, {"error": "Unauthorized", "code": 401})


# Faults.


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_fault_strikes_once_at_any_provider(listing: str, simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(http_error(503))

    assert [LISTINGS[listing](http).status_code for _ in range(2)] == [503, 200]
    assert len(simulator.faults) == 0
    assert [r.status for r in simulator.requests] == [503, 200]


def test_a_fault_strikes_only_its_provider_and_path_so_many_times_and_after_so_many(
    simulator: Simulator, http: httpx.Client
) -> None:
    simulator.faults.add(http_error(500), provider="heygen", path="/v3/videos/statuses", times=2, after=1)

    assert [LISTINGS[name](http).status_code for name in ("tavus", "heygen")] == [200, 200]
    bulk = [http.get("/v3/videos/statuses?video_ids=a", headers=X_API_KEY).status_code for _ in range(4)]
    assert bulk == [200, 500, 500, 200]


def test_a_repeated_fault_strikes_until_it_is_cleared(simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(http_error(500), times=None)
    assert {LISTINGS["tavus"](http).status_code for _ in range(5)} == {500}

    simulator.faults.clear()

    assert LISTINGS["tavus"](http).status_code == 200


@pytest.mark.parametrize("retry_after", ["7", "Wed, 25 Nov 2026 10:00:00 GMT"])
def test_a_rate_limit_names_its_wait_and_speaks_the_providers_language(
    retry_after: str, simulator: Simulator, http: httpx.Client
) -> None:
    simulator.faults.add(http_error(429, retry_after=retry_after), times=None)
    heygen, videogen = LISTINGS["heygen"](http), LISTINGS["videogen"](http)

    assert heygen.headers["retry-after"] == videogen.headers["retry-after"] == retry_after
    assert heygen.json()["error"]["code"] == "rate_limit_exceeded"
    assert videogen.json()["code"] == "rate_limited"


def test_an_error_may_carry_a_body_of_the_tests_own(simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(http_error(429, body={"message": "Buy more", "code": "insufficient_credits"}))

    assert LISTINGS["videogen"](http).json()["code"] == "insufficient_credits"


def test_a_web_page_may_come_with_http_200(simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(html())
    answer = LISTINGS["tavus"](http)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_a_truncated_body_ends_before_its_content_length(
    simulator: Simulator, http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    libraries["tavus"].add(*LIFE)
    simulator.faults.add(truncated())

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        LISTINGS["tavus"](http)
    assert LISTINGS["tavus"](http).json()["total_count"] == 5


def test_a_slow_answer_outlasts_an_impatient_client(simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(slow(0.3), times=2)

    with pytest.raises(httpx.ReadTimeout):
        http.get("/v2/videos", headers=X_API_KEY, timeout=0.05)
    began = time.monotonic()
    assert LISTINGS["tavus"](http).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_repeated_page_is_the_first_one_again(
    simulator: Simulator, http: httpx.Client, libraries: Mapping[str, Library]
) -> None:
    for library in libraries.values():
        library.add(*(video(f"{n}", 100 + n) for n in range(4)))
    token = http.get("/v3/videos", headers=X_API_KEY, params={"limit": 2}).json()["next_token"]
    simulator.faults.add(repeated_page(), times=None)
    heygen = http.get("/v3/videos", headers=X_API_KEY, params={"limit": 2, "token": token}).json()

    assert [row["id"] for row in heygen["data"]] == ["0", "1"]
    assert heygen["next_token"] == token
    assert tavus_page(http, limit=2, page=2)[0] == ["0", "1"]
    assert memories_ids(http, size=2, page=2) == ["0", "1"]
    assert [row["video_id"] for row in pixverse(http, limit=2, offset=2)["data"]] == ["0", "1"]


@pytest.mark.parametrize(
    ("listing", "body"),
    [
        ("memories", {"code": "0429", "msg": "Request has exceeded the limit."}),
        ("heygen v1", {"code": 400123, "message": "Exceed rate limit"}),
        ("pixverse", {"error": "Something went wrong", "code": 400}),
    ],
)
def test_an_error_may_come_with_http_200_where_that_is_known(
    listing: str, body: object, simulator: Simulator, http: httpx.Client
) -> None:
    simulator.faults.add(error_in_200())
    answer = LISTINGS[listing](http)

    assert (answer.status_code, answer.json()) == (200, body)


def test_an_error_in_200_that_no_document_knows_must_be_given_by_the_test(simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(error_in_200({"message": "sorry"}))
    simulator.faults.add(error_in_200())

    assert LISTINGS["tavus"](http).json() == {"message": "sorry"}
    with pytest.raises(httpx.RemoteProtocolError):
        LISTINGS["tavus"](http)
    with pytest.raises(ValueError, match="give a body"):
        simulator.stop()


# The server.


def test_many_clients_are_served_at_once(simulator: Simulator, libraries: Mapping[str, Library]) -> None:
    def work(name: str) -> None:
        with httpx.Client(base_url=simulator.url) as http:
            for n in range(20):
                libraries["tavus"].add(video(f"{name}-{n}"))
                statuses_seen.append(LISTINGS["tavus"](http).status_code)

    statuses_seen: list[int] = []
    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses_seen == [200] * 160
    assert len(simulator.requests) == 160
    assert len(libraries["tavus"].videos(NOW)) == 160


def test_stopping_is_quick_with_connections_open_and_an_answer_overdue() -> None:
    with Simulator({("tavus", KEY): Library()}) as simulator, httpx.Client(base_url=simulator.url) as http:
        LISTINGS["tavus"](http)  # this connection stays open
        simulator.faults.add(slow(3600))
        broken = threading.Thread(target=_expect_broken, args=(simulator.url,))
        broken.start()
        while len(simulator.requests) < 2:
            time.sleep(0.01)
        began = time.monotonic()
        simulator.stop()
        took = time.monotonic() - began
        broken.join()

    assert took < 1
    with pytest.raises(RuntimeError):
        _ = simulator.url


def _expect_broken(url: str) -> None:
    with httpx.Client(base_url=url) as http, pytest.raises(httpx.RemoteProtocolError):
        LISTINGS["tavus"](http)


def test_a_request_body_over_one_mebibyte_is_refused(http: httpx.Client) -> None:
    answer = http.post(MEMORIES_LIST, headers=RAW, content=b" " * (1024 * 1024 + 1))

    assert answer.status_code == 413


def test_a_request_without_a_length_is_refused(http: httpx.Client) -> None:
    assert http.post(MEMORIES_LIST, headers=RAW, content=iter([b"{}"])).status_code == 411


def test_a_port_that_is_taken_is_an_error(simulator: Simulator) -> None:
    taken = int(simulator.base_url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        Simulator({}, port=taken).start()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_module_serves_demo_libraries_until_it_is_told_to_stop(ending: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-m", "renderbell_cli.simulator", "--port", "0", "--seed", "7"]
    package = Path(sys.modules["renderbell_cli.simulator"].__path__[0]).parents[1]
    with subprocess.Popen(
        [*command, "--since", f"{time.time() - 3600}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package)},
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url) as http:
            body = http.get("/v3/videos", params={"limit": 100}, headers={"x-api-key": "demo"}).json()
        welcome = process.stdout.readline()
        process.send_signal(ending)
        watchdog = threading.Timer(20, process.kill)
        watchdog.start()
        errors = process.communicate()[1]
        watchdog.cancel()

    assert len(body["data"]) == 26
    assert {row["status"] for row in body["data"]} == {"completed", "failed"}
    assert "'demo'" in welcome
    assert (process.returncode, errors) == (0, "")
