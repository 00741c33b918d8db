"""How each provider's listing is asked for, page by page, and where it ends."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.errors import BadResponseError, ProviderError
from renderbell.providers import Page, Provider
from tests.providers.fakes import KEY, KINDS, Server, always, in_turn, provider
from tests.providers.listings import LISTINGS, ROWS, heygen, heygen_v1, memories, pixverse, rows, tavus, videogen
from tests.providers.test_pages import listing


def names(count: int) -> list[str]:
    return [f"user:1-pixverse:a@b.example-video:{number}" for number in range(count, 0, -1)]


def ids_of(pages: Sequence[Page]) -> list[str]:
    return [video_id for page in pages for video_id in page.ids]


def read_until_error(spoken: Provider, server: Server) -> tuple[list[Page], ProviderError | None]:
    """Return the pages that a poll would get to see, and the error that ended them."""
    pages = []
    try:
        for page in spoken.pages(server.client):
            pages.append(page)  # noqa: PERF402 - what was seen before an error counts
    except ProviderError as error:
        return pages, error
    return pages, None


def videos(kind: str, *video_ids: str, **beside: Any) -> Any:
    """Return the body of a page with these videos."""
    return listing(kind, *rows(kind, video_ids), **beside)


# Every provider.


@pytest.mark.parametrize("style", LISTINGS)
@given(count=st.integers(0, 40), size=st.integers(1, 9))
def test_every_video_is_seen_and_the_listing_ends_whatever_its_length_and_page_size(style: str, count: int, size: int) -> None:
    kind, serve = LISTINGS[style]
    server = Server(serve(names(count)))
    seen = ids_of(list(provider(kind, page_size=str(size)).pages(server.client)))
    assert list(dict.fromkeys(seen)) == names(count)
    assert len(server.requests) <= count // size + 3


@pytest.mark.parametrize("style", LISTINGS)
@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 10, 11])
def test_no_video_is_seen_twice_but_those_of_a_first_page_that_comes_again(style: str, count: int) -> None:
    kind, serve = LISTINGS[style]
    server = Server(serve(names(count)))
    seen = Counter(ids_of(list(provider(kind, page_size="5").pages(server.client))))
    repeated = {video_id for video_id, times in seen.items() if times > 1}
    assert repeated <= (set(names(count)[:5]) if "pages from 1" in style else set())


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_gives_its_first_page_for_ever_is_a_bad_response(kind: str) -> None:
    more = {"has_more": True, "next_token": "t", "token": "t", "hasMore": True, "nextCursor": "t", "next_offset": 2}
    server = always(body=videos(kind, "v2", "v1", **more))
    pages, error = read_until_error(provider(kind), server)
    assert isinstance(error, BadResponseError)
    assert set(ids_of(pages)) == {"v1", "v2"}
    assert len(server.requests) <= 3


@pytest.mark.parametrize("style", LISTINGS)
def test_an_error_on_a_later_page_comes_after_the_good_pages(style: str) -> None:
    kind, serve = LISTINGS[style]
    answer = serve(names(20))
    server = Server(lambda request: httpx.Response(502) if len(server.requests) == 3 else answer(request))
    pages, error = read_until_error(provider(kind, page_size="5"), server)
    assert error is not None
    assert error.http_status == 502
    assert ids_of(pages)[:5] == names(20)[:5]
    assert len(pages) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_asked_for_only_as_far_as_they_are_read(kind: str) -> None:
    serve = next(serve for whose, serve in LISTINGS.values() if whose == kind)
    server = Server(serve(names(100)))
    next(provider(kind, page_size="5").pages(server.client))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("kind", "size"),
    [("tavus", 50), ("heygen", 100), ("heygen-v1", 100), ("memories", 200), ("videogen", 200), ("pixverse", 40)],
)
def test_pages_are_as_long_as_the_provider_is_known_to_give_them(kind: str, size: int) -> None:
    request = provider(kind).page_request(None)
    assert (request.json or request.query)["size" if kind == "memories" else "limit"] == size


# Tavus


@pytest.mark.parametrize(("first_page", "last_page"), [(0, "2"), (1, "3")])
def test_tavus_names_no_page_at_first_and_then_counts_from_1(first_page: int, last_page: str) -> None:
    server = Server(tavus(names(5), first_page=first_page))
    list(provider("tavus", page_size="2").pages(server.client))
    asked = [("GET", "/v2/videos?limit=2"), *(("GET", f"/v2/videos?limit=2&page={page}") for page in "123")]
    assert server.asked == asked[: asked.index(("GET", f"/v2/videos?limit=2&page={last_page}")) + 1]
    assert {request.headers["x-api-key"] for request in server.requests} == {KEY}
    assert server.requests[0].url.host == "tavusapi.com"


def test_tavus_pages_from_0_give_every_video_exactly_once() -> None:
    pages = provider("tavus", page_size="2").pages(Server(tavus(names(5), first_page=0)).client)
    assert ids_of(list(pages)) == names(5)


def test_tavus_pages_from_1_give_every_video_once_but_for_the_first_page() -> None:
    pages = list(provider("tavus", page_size="2").pages(Server(tavus(names(5), first_page=1)).client))
    assert [page.ids for page in pages] == [names(5)[:2], names(5)[:2], names(5)[2:4], names(5)[4:]]


def test_tavus_ends_without_another_request_once_the_total_is_seen() -> None:
    server = in_turn({"data": rows("tavus", ["v2", "v1"]), "total_count": 2})
    assert ids_of(list(provider("tavus").pages(server.client))) == ["v2", "v1"]
    assert len(server.requests) == 1


def test_tavus_does_not_end_at_a_short_page_below_the_total() -> None:
    server = in_turn(
        {"data": rows("tavus", ["v4", "v3"]), "total_count": 4},
        {"data": rows("tavus", ["v2"]), "total_count": 4},
        {"data": rows("tavus", ["v1"]), "total_count": 4},
    )
    assert ids_of(list(provider("tavus").pages(server.client))) == ["v4", "v3", "v2", "v1"]


def test_tavus_ends_at_an_empty_page_when_its_total_counts_videos_it_does_not_list() -> None:
    server = in_turn({"data": rows("tavus", ["v1"]), "total_count": 3}, {"data": [], "total_count": 3})
    assert ids_of(list(provider("tavus").pages(server.client))) == ["v1"]


def test_tavus_may_repeat_its_first_page_once_and_no_more() -> None:
    server = always(body={"data": rows("tavus", ["v1"]), "total_count": 9})
    pages, error = read_until_error(provider("tavus"), server)
    assert [page.ids for page in pages] == [["v1"], ["v1"]]
    assert "repeats" in str(error)


def test_tavus_keeps_a_video_made_between_two_pages() -> None:
    server = in_turn(
        {"data": rows("tavus", ["v3", "v2"]), "total_count": 3},
        {"data": rows("tavus", ["v2", "v1"]), "total_count": 4},
        {"data": [], "total_count": 4},
    )
    assert set(ids_of(list(provider("tavus").pages(server.client)))) == {"v1", "v2", "v3"}


# HeyGen


def test_heygen_v3_is_asked_with_the_token_of_the_page_before() -> None:
    server = Server(heygen(names(5)))
    list(provider("heygen", page_size="2").pages(server.client))
    assert server.asked == [
        ("GET", "/v3/videos?limit=2"),
        ("GET", "/v3/videos?limit=2&token=after-2"),
        ("GET", "/v3/videos?limit=2&token=after-4"),
    ]
    assert {request.headers["x-api-key"] for request in server.requests} == {KEY}
    assert server.requests[0].url.host == "api.heygen.com"


def test_heygen_v1_is_asked_with_the_token_of_the_page_before() -> None:
    server = Server(heygen_v1(names(3)))
    list(provider("heygen-v1", page_size="2").pages(server.client))
    assert server.asked == [("GET", "/v1/video.list?limit=2"), ("GET", "/v1/video.list?limit=2&token=after-2")]
    assert {request.headers["x-api-key"] for request in server.requests} == {KEY}


def test_a_heygen_token_reaches_the_server_as_it_was_given() -> None:
    token = "fgT+/z9=&x=#%?"
    server = in_turn(
        videos("heygen", "v2", has_more=True, next_token=token), videos("heygen", "v1", has_more=False, next_token=None)
    )
    list(provider("heygen").pages(server.client))
    assert server.requests[1].url.params["token"] == token


@pytest.mark.parametrize("kind", ["heygen", "heygen-v1"])
def test_heygen_lists_one_folder_where_the_account_names_it(kind: str) -> None:
    server = always(body=videos(kind))
    list(provider(kind, folder_id="f1").pages(server.client))
    assert server.requests[0].url.params["folder_id"] == "f1"


def test_heygen_v3_ends_when_there_is_no_more_even_with_a_token() -> None:
    server = always(body=videos("heygen", "v1", has_more=False, next_token="t"))
    assert ids_of(list(provider("heygen").pages(server.client))) == ["v1"]


def test_heygen_v3_goes_on_after_an_empty_page_that_says_there_is_more() -> None:
    server = in_turn(videos("heygen", has_more=True, next_token="t"), videos("heygen", "v1"))
    assert ids_of(list(provider("heygen").pages(server.client))) == ["v1"]


@pytest.mark.parametrize(
    ("kind", "without_token"),
    [
        ("heygen", {"has_more": True}),
        ("heygen", {"has_more": True, "next_token": None}),
        ("heygen", {"has_more": True, "next_token": ""}),
        ("videogen", {"hasMore": True}),
        ("videogen", {"hasMore": True, "nextCursor": "null"}),
    ],
)
def test_more_to_come_without_a_token_is_a_bad_response_and_no_end(kind: str, without_token: Any) -> None:
    more = {"has_more": True, "next_token": "t", "hasMore": True, "nextCursor": "t"}
    server = in_turn(videos(kind, "v2", **more), videos(kind, "v1", **without_token))
    pages, error = read_until_error(provider(kind), server)
    assert ids_of(pages) == ["v2"]
    assert isinstance(error, BadResponseError)
    assert "there is no next" in str(error)


@pytest.mark.parametrize("token", [None, "", "null"])
def test_heygen_v1_ends_where_there_is_no_token(token: str | None) -> None:
    server = always(body=videos("heygen-v1", "v1", token=token, total=35))
    assert ids_of(list(provider("heygen-v1").pages(server.client))) == ["v1"]


def test_heygen_v1_ends_at_an_empty_page_even_with_a_token() -> None:
    server = in_turn(
        videos("heygen-v1", "v1", token="t1", total=35),
        videos("heygen-v1", token="t2", total=35),
    )
    assert ids_of(list(provider("heygen-v1").pages(server.client))) == ["v1"]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("heygen", {"has_more": True, "next_token": "t"}, {"has_more": True, "next_token": "t"}),
        ("heygen-v1", {"token": "t"}, {"token": "t"}),
        ("videogen", {"hasMore": True, "nextCursor": "t"}, {"hasMore": True, "nextCursor": "t"}),
    ],
)
def test_a_token_that_comes_again_is_a_bad_response_once_its_page_was_seen(kind: str, first: Any, second: Any) -> None:
    server = in_turn(videos(kind, "v2", **first), videos(kind, "v1", **second))
    pages, error = read_until_error(provider(kind), server)
    assert isinstance(error, BadResponseError)
    assert ids_of(pages) == ["v2", "v1"]
    assert len(server.requests) == 2


def test_tokens_that_go_round_in_a_circle_are_a_bad_response() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        token = {"": "a", "a": "b", "b": "a"}[request.url.params.get("token", "")]
        return httpx.Response(200, json=videos("heygen", f"v{len(server.requests)}", has_more=True, next_token=token))

    server = Server(answer)
    pages, error = read_until_error(provider("heygen"), server)
    assert isinstance(error, BadResponseError)
    assert ids_of(pages) == ["v1", "v2", "v3"]


@pytest.mark.parametrize(
    ("kind", "beside", "allowed"),
    [("heygen-v1", {"total": 4}, 4), ("tavus", {"total_count": 12}, 8), ("memories", {"total_count": "12"}, 8)],
)
def test_many_more_pages_than_the_total_allows_are_a_bad_response(kind: str, beside: Any, allowed: int) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        # Two videos on the first page, then one new one on each: the total stays out of reach.
        page = len(server.requests)
        ids = ["v0", "v1"] if page == 1 else [f"v{page}"]
        return httpx.Response(200, json=videos(kind, *ids, **beside, token=f"t{page}"))

    server = Server(answer)
    pages, error = read_until_error(provider(kind), server)
    assert isinstance(error, BadResponseError)
    assert "total" in str(error)
    assert len(pages) == len(server.requests) == allowed


# Memories.ai


def test_memories_is_asked_for_pages_from_1_in_a_json_body() -> None:
    server = Server(memories(names(3)))
    list(provider("memories", page_size="2").pages(server.client))
    assert server.asked == [("POST", "/serve/api/v1/list_videos")] * 2
    assert [json.loads(request.content) for request in server.requests] == [
        {"unique_id": "default", "page": 1, "size": 2},
        {"unique_id": "default", "page": 2, "size": 2},
    ]
    assert server.requests[0].headers["authorization"] == KEY
    assert server.requests[0].headers["content-type"] == "application/json"
    assert server.requests[0].url.host == "api.memories.ai"


def test_memories_lists_the_namespace_that_the_account_names() -> None:
    server = always(body=videos("memories"))
    list(provider("memories", unique_id="team-7").pages(server.client))
    assert json.loads(server.requests[0].content)["unique_id"] == "team-7"


# VideoGen


def test_videogen_is_asked_for_exports_too_with_the_cursor_of_the_page_before() -> None:
    server = Server(videogen(names(3)))
    list(provider("videogen", page_size="2").pages(server.client))
    assert server.asked == [
        ("GET", "/v1/files?limit=2&includeExportFiles=true"),
        ("GET", "/v1/files?limit=2&includeExportFiles=true&cursor=after-2"),
    ]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].url.host == "api.videogen.io"


@pytest.mark.parametrize(("option", "sent"), [("true", "true"), ("false", None)])
def test_videogen_lists_files_of_projects_only_where_the_account_says_so(option: str, sent: str | None) -> None:
    server = always(body=videos("videogen"))
    list(provider("videogen", include_project_files=option).pages(server.client))
    assert server.requests[0].url.params.get("includeProjectFiles") == sent


def test_videogen_pages_of_other_files_count_as_read() -> None:
    image = {"fileId": "i1", "type": "IMAGE"}
    server = in_turn(
        {"files": [image], "hasMore": True, "nextCursor": "c"},
        {"files": rows("videogen", ["v1"]), "hasMore": False, "nextCursor": None},
    )
    pages = list(provider("videogen").pages(server.client))
    assert ids_of(pages) == ["i1", "v1"]
    assert [seen.video_id for page in pages for seen in page.sightings] == ["v1"]


def test_an_older_videogen_listing_of_files_alone_is_one_page() -> None:
    server = in_turn({"files": rows("videogen", ["v1"])})
    assert ids_of(list(provider("videogen").pages(server.client))) == ["v1"]


# PixVerse


def test_pixverse_is_asked_from_offset_0_and_then_from_next_offset() -> None:
    server = Server(pixverse(names(3)))
    list(provider("pixverse", page_size="2").pages(server.client))
    assert server.asked == [
        ("GET", "/v2/pixverse/videos/?limit=2&offset=0"),
        ("GET", "/v2/pixverse/videos/?limit=2&offset=2"),
    ]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].url.host == "api.useapi.net"


def test_pixverse_is_asked_for_the_e_mail_that_the_account_names() -> None:
    server = always(body=videos("pixverse"))
    list(provider("pixverse", email="me+1@x.example").pages(server.client))
    assert server.requests[0].url.params["email"] == "me+1@x.example"


@pytest.mark.parametrize(
    "last",
    [
        {"next_offset": None, "total": 3},
        {"total": 3},
        {"next_offset": 3, "total": 3},
        {"next_offset": 80, "total": "3"},
        {"next_offset": 2, "total": 3},
        {"next_offset": 0, "total": 3},
        {"next_offset": 2},
        {"next_offset": None},
        {},
    ],
)
def test_pixverse_ends_at_whatever_its_last_page_says(last: Any) -> None:
    server = in_turn(videos("pixverse", "v3", "v2", next_offset=2, total=3), videos("pixverse", "v1", **last))
    assert ids_of(list(provider("pixverse").pages(server.client))) == ["v3", "v2", "v1"]


@pytest.mark.parametrize("stuck", [0, 1, 2])
def test_a_pixverse_next_offset_that_stands_still_below_the_total_is_a_bad_response(stuck: int) -> None:
    server = in_turn(
        videos("pixverse", "v9", "v8", next_offset=2, total=9), videos("pixverse", "v7", next_offset=stuck, total=9)
    )
    pages, error = read_until_error(provider("pixverse"), server)
    assert ids_of(pages) == ["v9", "v8"]
    assert isinstance(error, BadResponseError)


def test_pixverse_ends_at_an_empty_page() -> None:
    server = in_turn(videos("pixverse", "v1", next_offset=40), videos("pixverse", next_offset=80))
    assert ids_of(list(provider("pixverse").pages(server.client))) == ["v1"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_listing_has_a_server_and_a_row_here(kind: str) -> None:
    assert kind in {whose for whose, _ in LISTINGS.values()}
    assert kind in ROWS
