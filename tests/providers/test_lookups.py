"""What is asked of one video, and what an answer about it decides."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from renderbell.errors import AuthError, BadResponseError, ProviderError, ProviderFaultError, RateLimitedError
from renderbell.video import Sighting, Status
from tests.providers.fakes import KEY, Server, always, in_turn, provider, saved
from tests.providers.test_pages import at

PIXVERSE_ID: Final = "user:12345-pixverse:some.one+x@example.com-video:112233445566"
IDS: Final = {
    "tavus": "1e30440cf9",
    "heygen": "v_abc123def458",
    "heygen-v1": "852adc6r4h584f409112337c1677a90a",
    "memories": "VI606404158946574336",
    "videogen": "vg_file_01",
    "pixverse": PIXVERSE_ID,
}


def look_up(kind: str, server: Server, *video_ids: str, **options: str) -> Mapping[str, Sighting]:
    return provider(kind, **options).look_up(server.client, video_ids or [IDS[kind]])


def one(kind: str, server: Server, **options: str) -> Sighting:
    return look_up(kind, server, **options)[IDS[kind]]


# Every provider.


@pytest.mark.parametrize("kind", IDS)
def test_nothing_is_asked_about_no_videos(kind: str) -> None:
    server = always(500)
    assert provider(kind).look_up(server.client, []) == {}
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthError), (403, AuthError), (429, RateLimitedError), (500, ProviderFaultError), (503, ProviderFaultError)],
)
@pytest.mark.parametrize("kind", IDS)
def test_an_error_decides_nothing_about_a_video(kind: str, status: int, error: type[ProviderError]) -> None:
    with pytest.raises(error):
        look_up(kind, always(status, {"message": "no"}))


@pytest.mark.parametrize("body", [b"<html>ok</html>", b"", b"[]", b'{"data": ['])
@pytest.mark.parametrize("kind", IDS)
def test_an_answer_that_cannot_be_read_decides_nothing_about_a_video(kind: str, body: bytes) -> None:
    with pytest.raises(BadResponseError):
        look_up(kind, always(200, body))


@pytest.mark.parametrize("kind", [kind for kind in IDS if kind != "heygen-v1"])
def test_an_empty_object_decides_nothing_about_a_video(kind: str) -> None:
    with pytest.raises(BadResponseError):
        look_up(kind, always(200, {}))


@pytest.mark.parametrize("body", [b"<html>404 Not Found</html>", b"", b"default backend - 404"])
@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("kind", IDS)
def test_a_gateways_own_404_deletes_no_video(kind: str, status: int, body: bytes) -> None:
    try:
        found = look_up(kind, always(status, body))
    except ProviderError:
        return
    assert (kind, found) == ("pixverse", {})


@pytest.mark.parametrize(
    ("kind", "page"),
    [("tavus", None), ("heygen-v1", "heygen-v1-error-404"), ("videogen", "videogen-error-404")],
)
def test_a_video_that_its_provider_does_not_find_is_deleted(kind: str, page: str | None) -> None:
    body = saved(page) if page else {"error": "no"}
    gone = Sighting(video_id=IDS[kind], status=Status.DELETED, provider_status="not_found", not_found=True)
    assert one(kind, always(404, body)) == gone


@pytest.mark.parametrize("kind", [kind for kind in IDS if kind != "heygen-v1"])
def test_a_completed_sighting_with_a_url_lacks_nothing(kind: str) -> None:
    server = always(500)
    seen = Sighting(video_id=IDS[kind], status=Status.COMPLETED, url="https://x.example/v.mp4")
    assert provider(kind).complete(server.client, seen) == seen
    assert server.requests == []


@pytest.mark.parametrize(
    ("kind", "server"),
    [
        ("tavus", always(400, saved("tavus-error-400"))),
        ("heygen", always(200, {"data": []})),
        ("memories", always(200, saved("memories-list-last"))),
        ("pixverse", always(404, saved("pixverse-error-404"))),
    ],
)
def test_an_answer_that_decides_nothing_about_a_video_leaves_it_out(kind: str, server: Server) -> None:
    assert look_up(kind, server) == {}


def test_tavus_refusing_an_id_means_deleted_where_the_account_says_so() -> None:
    server = always(400, saved("tavus-error-400"))
    found = provider("tavus", deleted_when="refused").look_up(server.client, ["v1"])
    assert (found["v1"].status, found["v1"].not_found) == (Status.DELETED, True)


# Tavus


def test_tavus_is_asked_for_each_video_by_its_path() -> None:
    server = in_turn(saved("tavus-detail-ready"), {**saved("tavus-detail-ready"), "video_id": "v2", "status": "queued"})
    found = look_up("tavus", server, "1e30440cf9", "v2")
    assert server.asked == [("GET", "/v2/videos/1e30440cf9"), ("GET", "/v2/videos/v2")]
    assert server.requests[0].headers["x-api-key"] == KEY
    assert {video_id: seen.status for video_id, seen in found.items()} == {
        "1e30440cf9": Status.COMPLETED,
        "v2": Status.QUEUED,
    }


def test_the_tavus_callback_body_reads_as_a_completed_video() -> None:
    mux = "https://stream.mux.com/H5H029h02tY7XDpNj8JFDbLleTyUpsJr5npddO8gRsiqY"
    assert one("tavus", always(body=saved("tavus-detail-ready"))) == Sighting(
        video_id="1e30440cf9",
        status=Status.COMPLETED,
        provider_status="ready",
        title="replica_id: r79e1c033f - August 28, 2024 - video: 1e30440cf9",
        url=f"{mux}/high.mp4?download=1e30440cf9",
        created_at=at(2024, 8, 28, 15, 27, 40, 824457),
    )


def test_a_tavus_id_refused_with_400_is_left_out_and_its_neighbours_are_answered() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/bad"):
            return httpx.Response(400, json=saved("tavus-error-400"))
        return httpx.Response(200, json={"video_id": request.url.path.rpartition("/")[2], "status": "ready"})

    found = look_up("tavus", Server(answer), "v1", "bad", "v2")
    assert found.keys() == {"v1", "v2"}


# HeyGen v3


def test_heygen_is_asked_for_a_hundred_videos_at_a_time() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        ids = request.url.params["video_ids"].split(",")
        data = [{"video_id": video_id, "status": "processing"} for video_id in ids]
        return httpx.Response(200, json={"data": data, "has_more": False, "next_token": None})

    server = Server(answer)
    names = [f"v{number}" for number in range(250)]
    found = look_up("heygen", server, *names)
    assert [request.url.path for request in server.requests] == ["/v3/videos/statuses"] * 3
    assert [len(request.url.params["video_ids"].split(",")) for request in server.requests] == [100, 100, 50]
    assert list(found) == names
    assert {seen.status for seen in found.values()} == {Status.GENERATING}


def test_heygen_bulk_statuses_mean_what_they_say_and_not_found_is_deleted() -> None:
    ids = [f"v_abc123def{number}" for number in range(456, 461)]
    found = look_up("heygen", always(body=saved("heygen-statuses")), *ids)
    assert [(seen.status, seen.provider_status, seen.error) for seen in found.values()] == [
        (Status.QUEUED, "queued", None),
        (Status.GENERATING, "processing", None),
        (Status.COMPLETED, "completed", None),
        (Status.FAILED, "failed", "Script rejected"),
        (Status.DELETED, "not_found", None),
    ]
    assert list(found) == ids


def test_a_heygen_video_that_the_bulk_answer_leaves_out_is_left_out() -> None:
    server = always(body={"data": [{"video_id": "another", "status": "completed"}], "has_more": False})
    assert look_up("heygen", server, "v1") == {}


def test_a_heygen_video_seen_completed_in_bulk_gets_its_url_from_its_own_page() -> None:
    server = always(body=saved("heygen-detail-completed"))
    seen = Sighting(video_id=IDS["heygen"], status=Status.COMPLETED, provider_status="completed")
    completed = provider("heygen").complete(server.client, seen)
    assert server.asked == [("GET", f"/v3/videos/{IDS['heygen']}")]
    assert completed.url == "https://files.heygen.ai/v_abc123def458.mp4?Expires=1764405300"
    assert completed.status is Status.COMPLETED


def test_a_heygen_page_that_lags_behind_the_bulk_answer_takes_nothing_back() -> None:
    server = always(body={"data": {"id": IDS["heygen"], "status": "processing"}})
    seen = Sighting(video_id=IDS["heygen"], status=Status.COMPLETED, title="kept")
    assert provider("heygen").complete(server.client, seen) == seen


# HeyGen v1


def test_heygen_v1_is_asked_for_a_video_by_its_query() -> None:
    server = always(body=saved("heygen-v1-detail-completed"))
    seen = one("heygen-v1", server)
    assert server.asked == [("GET", f"/v1/video_status.get?video_id={IDS['heygen-v1']}")]
    assert server.requests[0].headers["x-api-key"] == KEY
    assert seen == Sighting(
        video_id=IDS["heygen-v1"],
        status=Status.COMPLETED,
        provider_status="completed",
        url="https://files2.heygen.ai/aws_pacific/852a.mp4?Expires=1760165267",
        thumbnail_url="https://files2.heygen.ai/aws_pacific/852a.jpeg",
        duration_seconds=31.4,
        created_at=at(2025, 10, 4, 6, 47, 47),
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": 40119, "detail": "Video is too long", "message": "Failed"}, "Video is too long"),
        ({"code": 40119, "detail": None, "message": "Failed"}, "Failed"),
        ("Video is too long", "Video is too long"),
        (None, None),
    ],
)
def test_a_failed_heygen_v1_video_says_why(error: Any, words: str | None) -> None:
    body = saved("heygen-v1-detail-failed")
    seen = one("heygen-v1", always(body={**body, "data": {**body["data"], "error": error}}))
    assert (seen.status, seen.error, seen.url) == (Status.FAILED, words, None)


def test_heygen_v1_success_without_data_decides_nothing() -> None:
    with pytest.raises(BadResponseError):
        look_up("heygen-v1", always(body=saved("heygen-v1-error-200-null-data")))


def test_heygen_v1_not_found_inside_http_200_is_deleted() -> None:
    assert one("heygen-v1", always(200, saved("heygen-v1-error-404"))).status is Status.DELETED


@pytest.mark.parametrize("code", [400123, 40009, 40012])
def test_any_other_heygen_v1_code_decides_nothing(code: int) -> None:
    with pytest.raises(ProviderError):
        look_up("heygen-v1", always(200, {"code": code, "message": "no"}))


def test_a_completed_heygen_v1_video_gets_its_url_and_keeps_what_the_listing_said() -> None:
    seen = Sighting(
        video_id=IDS["heygen-v1"],
        status=Status.COMPLETED,
        provider_status="completed",
        title="My Title",
        created_at=at(2025, 10, 4),
    )
    server = always(body=saved("heygen-v1-detail-completed"))
    assert provider("heygen-v1").complete(server.client, seen) == Sighting(
        video_id=IDS["heygen-v1"],
        status=Status.COMPLETED,
        provider_status="completed",
        title="My Title",
        url="https://files2.heygen.ai/aws_pacific/852a.mp4?Expires=1760165267",
        thumbnail_url="https://files2.heygen.ai/aws_pacific/852a.jpeg",
        duration_seconds=31.4,
        created_at=at(2025, 10, 4),
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "server",
    [
        always(404, saved("heygen-v1-error-404")),
        always(body=saved("heygen-v1-detail-failed")),
        always(body={"code": 100, "data": {"status": "processing"}}),
    ],
    ids=["not found", "failed", "processing"],
)
def test_heygen_v1_detail_that_disagrees_takes_a_completion_not_back(server: Server) -> None:
    seen = Sighting(video_id=IDS["heygen-v1"], status=Status.COMPLETED, title="kept")
    assert provider("heygen-v1").complete(server.client, seen) == seen


# Memories.ai


def test_memories_is_asked_for_one_video_with_the_filter_of_old() -> None:
    server = always(body=saved("memories-list-documented"))
    assert one("memories", server).title == "182082-867762198_tiny"
    assert server.asked == [("POST", "/serve/api/v1/list_videos")]
    assert json.loads(server.requests[0].content) == {
        "unique_id": "default",
        "page": 1,
        "size": 200,
        "video_no": IDS["memories"],
    }


def test_memories_is_asked_for_a_hundred_videos_at_a_time() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        data = {"videos": [{"video_no": name, "status": "PARSE"} for name in asked["video_nos"]], "total_count": "1"}
        return httpx.Response(200, json={"code": "0000", "data": data})

    server = Server(answer)
    names = [f"VI{number}" for number in range(102)]
    found = look_up("memories", server, *names, unique_id="team-7")
    bodies = [json.loads(request.content) for request in server.requests]
    assert [len(body["video_nos"]) for body in bodies] == [100, 2]
    assert {body["unique_id"] for body in bodies} == {"team-7"}
    assert all(body["size"] >= len(body["video_nos"]) for body in bodies)
    assert list(found) == names


def test_a_memories_video_that_is_not_listed_is_left_out_and_not_deleted() -> None:
    found = look_up("memories", always(body=saved("memories-list-documented")), IDS["memories"], "VI1")
    assert found.keys() == {IDS["memories"]}


@pytest.mark.parametrize("page", ["memories-error-200-busy-text", "memories-error-200-auth"])
def test_a_memories_error_inside_http_200_decides_nothing(page: str) -> None:
    with pytest.raises(ProviderError):
        look_up("memories", always(200, saved(page)))


# VideoGen


def test_a_videogen_file_is_hydrated_and_then_conclusive() -> None:
    server = always(body=saved("videogen-detail-hydrated"))
    assert one("videogen", server) == Sighting(
        video_id="vg_file_01",
        status=Status.COMPLETED,
        provider_status="ready",
        title="Intro",
        url="https://cdn.videogen.io/01.mp4?sig=1",
        url_expires_at=at(2025, 11, 29, 7, 6, 40),
        thumbnail_url="https://cdn.videogen.io/01.jpg",
        duration_seconds=12.4,
    )
    assert server.asked == [("POST", "/v1/files/vg_file_01/hydrate")]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].content == b""


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", Status.QUEUED),
        ("running", Status.GENERATING),
        ("awaiting_approval", Status.GENERATING),
        ("cancelled", Status.FAILED),
        ("failed", Status.FAILED),
    ],
)
def test_a_videogen_file_with_nothing_ready_is_where_its_tool_is(word: str, status: Status) -> None:
    server = in_turn(saved("videogen-detail-waiting"), {"status": word, "error": None})
    seen = one("videogen", server)
    assert (seen.status, seen.provider_status, seen.conclusive, seen.title) == (status, word, True, "Intro")
    assert server.asked == [("POST", "/v1/files/vg_file_01/hydrate"), ("GET", "/v1/tools/executions/vg_tool_01")]


def test_a_failed_videogen_tool_says_why() -> None:
    seen = one("videogen", in_turn(saved("videogen-detail-waiting"), saved("videogen-execution-failed")))
    assert (seen.status, seen.error) == (Status.FAILED, "The prompt was rejected")


@pytest.mark.parametrize("word", ["succeeded", "archived", None])
def test_a_videogen_tool_that_is_done_or_says_a_new_word_leaves_it_to_the_file(word: str | None) -> None:
    seen = one("videogen", in_turn(saved("videogen-detail-waiting"), {"status": word}))
    assert (seen.status, seen.provider_status, seen.conclusive) == (Status.GENERATING, "pending", True)


def test_a_videogen_tool_that_is_not_found_leaves_it_to_the_file() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json=saved("videogen-detail-waiting"))
        return httpx.Response(404, json=saved("videogen-error-404"))

    assert one("videogen", Server(answer)).status is Status.GENERATING


def test_a_videogen_file_that_no_tool_made_is_asked_for_alone() -> None:
    body = {**saved("videogen-detail-waiting"), "sourceToolExecutionId": None}
    server = always(body=body)
    seen = one("videogen", server)
    assert (seen.status, seen.conclusive) == (Status.GENERATING, True)
    assert len(server.requests) == 1


def test_a_hydrated_videogen_file_whose_download_failed_while_nothing_is_ready_has_failed() -> None:
    server = always(body={**saved("videogen-detail-waiting"), "downloadSource": {"status": "failed"}})
    seen = one("videogen", server)
    assert (seen.status, seen.provider_status, seen.conclusive) == (Status.FAILED, "failed", True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("tool", [{"status": "running"}, {"status": "succeeded"}, {"status": "archived"}])
@pytest.mark.parametrize("failed", [["previewSource"], ["hlsSource"], ["previewSource", "hlsSource", "thumbnailSource"]])
def test_a_hydrated_videogen_file_whose_download_is_being_made_has_not_failed(failed: list[str], tool: Any) -> None:
    waiting = {**saved("videogen-detail-waiting"), **{name: {"status": "failed"} for name in failed}}
    seen = one("videogen", in_turn(waiting, tool))
    assert (seen.status, seen.conclusive, seen.error) == (Status.GENERATING, True, None)
    ready = {**waiting, "downloadSource": {"status": "ready", "url": "https://x.example/v.mp4"}}
    assert one("videogen", always(body=ready)).status is Status.COMPLETED


def test_a_hydrated_videogen_file_whose_tool_failed_has_failed_though_its_download_is_pending() -> None:
    waiting = {**saved("videogen-detail-waiting"), "previewSource": {"status": "failed"}}
    seen = one("videogen", in_turn(waiting, saved("videogen-execution-failed")))
    assert (seen.status, seen.error) == (Status.FAILED, "The prompt was rejected")


def test_a_failed_thumbnail_alone_fails_no_hydrated_videogen_file() -> None:
    server = always(body={**saved("videogen-detail-waiting"), "thumbnailSource": {"status": "failed"}})
    assert one("videogen", server).status is Status.GENERATING


def test_videogen_out_of_credits_is_no_rate_limit_to_wait_for() -> None:
    with pytest.raises(ProviderFaultError):
        look_up("videogen", always(429, saved("videogen-error-429-credits")))


# PixVerse


def test_a_pixverse_id_stands_raw_in_the_path() -> None:
    server = always(body={**saved("pixverse-detail-completed"), "video_id": PIXVERSE_ID})
    assert one("pixverse", server).status is Status.COMPLETED
    assert [request.url.raw_path for request in server.requests] == [b"/v2/pixverse/videos/" + PIXVERSE_ID.encode()]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_pixverse_video_is_named_as_it_was_asked_for() -> None:
    body = {**saved("pixverse-detail-completed"), "video_id": "user:12345-pixverse:x-video:1"}
    assert one("pixverse", always(body=body)).video_id == PIXVERSE_ID


@pytest.mark.parametrize("body", [b"", b"<html></html>", json.dumps(saved("pixverse-error-404")).encode()])
def test_a_pixverse_404_means_still_working_and_decides_nothing(body: bytes) -> None:
    assert look_up("pixverse", always(404, body)) == {}


def test_a_pixverse_404_says_nothing_of_its_neighbours() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(":1"):
            return httpx.Response(404, json=saved("pixverse-error-404"))
        return httpx.Response(200, json=saved("pixverse-detail-completed"))

    assert look_up("pixverse", Server(answer), "video:1", "video:2").keys() == {"video:2"}


def test_a_pixverse_error_inside_http_200_is_the_videos_own_failure() -> None:
    assert one("pixverse", always(200, saved("pixverse-detail-error-in-200"))) == Sighting(
        video_id=PIXVERSE_ID,
        status=Status.FAILED,
        provider_status="error",
        error="Moderated: the prompt was refused",
    )


@pytest.mark.parametrize(("code", "error"), [(401, AuthError), (403, AuthError), (429, RateLimitedError)])
def test_a_pixverse_error_of_the_account_inside_http_200_fails_no_video(code: int, error: type[ProviderError]) -> None:
    with pytest.raises(error):
        look_up("pixverse", always(200, {"error": "no", "code": code}))


def test_a_pixverse_error_of_useapi_inside_http_200_fails_no_video() -> None:
    assert look_up("pixverse", always(200, {"error": "Something went wrong", "code": 400})) == {}
    named = one("pixverse", always(200, {"error": "Something went wrong", "code": 400, "video_id": PIXVERSE_ID}))
    assert named.status is Status.FAILED


@pytest.mark.parametrize("code", [400, 422, None])
@pytest.mark.parametrize(
    ("number", "name", "status"),
    [
        (1, "COMPLETED", Status.COMPLETED),
        (5, "QUEUED", Status.QUEUED),
        ("10", "GENERATING", Status.GENERATING),
        (6, None, Status.DELETED),
    ],
)
def test_a_known_pixverse_number_decides_against_an_error_beside_it(
    number: Any, name: str | None, status: Status, code: int | None
) -> None:
    body = {
        **saved("pixverse-detail-completed"),
        "video_status": number,
        "video_status_name": name,
        "error": "no",
        "code": code,
    }
    seen = one("pixverse", always(200, body))
    assert (seen.video_id, seen.status, seen.provider_status) == (PIXVERSE_ID, status, name or str(number))
    assert seen.error is None
    assert (seen.url is not None) == (status is Status.COMPLETED)


@pytest.mark.parametrize(("number", "name"), [(7, "MODERATED"), (8, "FAILED")])
def test_a_pixverse_video_that_failed_by_its_number_says_why_without_the_key(number: int, name: str) -> None:
    body = {"video_id": PIXVERSE_ID, "video_status": number, "video_status_name": name, "error": f"refused for {KEY}"}
    seen = one("pixverse", always(200, body))
    assert (seen.status, seen.provider_status, seen.error) == (Status.FAILED, name, "refused for ***")


@pytest.mark.parametrize("number", [None, 0, 17, "x"])
def test_an_error_inside_http_200_beside_no_known_pixverse_number_is_the_videos_own_failure(number: Any) -> None:
    body = {**saved("pixverse-detail-completed"), "video_status": number, "error": "no"}
    seen = one("pixverse", always(200, body))
    assert (seen.status, seen.provider_status, seen.error, seen.url) == (Status.FAILED, "error", "no", None)


@pytest.mark.parametrize("body", [{"video_status": 10, "error": "no", "code": 422}, {"video_status": 10, "error": "no"}])
def test_a_pixverse_number_of_no_named_video_finishes_nothing(body: Mapping[str, Any]) -> None:
    assert {seen.status for seen in look_up("pixverse", always(200, body)).values()} <= {Status.GENERATING}


@pytest.mark.parametrize(("code", "error"), [(401, AuthError), (403, AuthError), (429, RateLimitedError)])
def test_a_pixverse_error_of_the_account_is_one_beside_a_number_too(code: int, error: type[ProviderError]) -> None:
    with pytest.raises(error):
        look_up("pixverse", always(200, {**saved("pixverse-detail-completed"), "error": "no", "code": code}))


def test_a_pixverse_not_found_inside_http_200_decides_nothing() -> None:
    assert look_up("pixverse", always(200, saved("pixverse-error-404"))) == {}
