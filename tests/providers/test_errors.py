"""What every provider's errors become, and that an error is never an empty list and never shows the key."""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell import http
from renderbell.account import Account
from renderbell.errors import (
    AuthError,
    BadResponseError,
    NotFoundError,
    ProviderError,
    ProviderFaultError,
    RateLimitedError,
)
from renderbell.http import Answer, Request
from renderbell.providers import PROVIDERS, provider_for
from renderbell.video import AccountName
from tests.providers.fakes import KEY, KINDS, PAGES, Server, account, always, in_turn, kind_of, provider, saved
from tests.providers.test_pages import listing

ERROR_PAGES: Final[Mapping[str, tuple[int, type[ProviderError], str]]] = {
    "tavus-error-400": (400, ProviderFaultError, "HTTP 400: Invalid video_id"),
    "tavus-error-401": (401, AuthError, "HTTP 401: Invalid access token"),
    "heygen-error-401": (401, AuthError, "HTTP 401, code unauthorized: invalid API key"),
    "heygen-error-402": (402, ProviderFaultError, "HTTP 402, code insufficient_credit: Not enough credits"),
    "heygen-error-404": (404, NotFoundError, "HTTP 404, code not_found: video not found"),
    "heygen-error-429": (429, RateLimitedError, "HTTP 429, code rate_limit_exceeded: Too many requests"),
    "heygen-v1-error-404": (404, NotFoundError, "HTTP 404, code 40104: Video not found"),
    "heygen-v1-error-429": (429, RateLimitedError, "HTTP 429, code 400123: Exceed rate limit"),
    "heygen-v1-error-200-forbidden": (200, AuthError, "HTTP 200, code 400562: forbidden"),
    "heygen-v1-error-200-null-data": (
        200,
        BadResponseError,
        "there is no list of videos at 'data.videos': no explanation",
    ),
    "memories-error-200-auth": (200, AuthError, "HTTP 200, code 0401: Unauthorized"),
    "memories-error-200-disabled": (200, AuthError, "HTTP 200, code 0403: Account disabled"),
    "memories-error-200-permission": (200, AuthError, "HTTP 200, code 9009: Permission denied"),
    "memories-error-200-busy-text": (
        200,
        RateLimitedError,
        "HTTP 200, code 0429: Request has exceeded the limit.",
    ),
    "memories-error-200-busy-integer": (
        200,
        RateLimitedError,
        "HTTP 200, code 429: Request has exceeded the limit.",
    ),
    "memories-error-200-parameters": (200, ProviderFaultError, "HTTP 200, code 0001: Invalid parameters"),
    "memories-error-200-credits": (200, ProviderFaultError, "HTTP 200, code 0402: Insufficient credits"),
    "memories-error-200-failed-flag": (200, ProviderFaultError, "HTTP 200, code 0000: success"),
    "memories-error-503": (503, ProviderFaultError, "HTTP 503: Service Unavailable"),
    "videogen-error-401": (401, AuthError, "HTTP 401, code invalid_api_key: Invalid API key"),
    "videogen-error-404": (404, NotFoundError, "HTTP 404, code not_found: File not found"),
    "videogen-error-429": (429, RateLimitedError, "HTTP 429, code rate_limited: Too many requests"),
    "videogen-error-429-credits": (429, ProviderFaultError, "HTTP 429, code insufficient_credits: Out of credits"),
    "pixverse-error-200": (200, ProviderFaultError, "HTTP 200, code 400: Account is busy"),
    "pixverse-error-400": (400, ProviderFaultError, "HTTP 400, code 400: Parameter email is required"),
    "pixverse-error-401": (401, AuthError, "HTTP 401, code 401: Unauthorized"),
    "pixverse-error-404": (404, NotFoundError, "HTTP 404, code 404: Video not found"),
}


def error_of(kind: str, server: Server) -> ProviderError:
    """Return the error in which reading the listing ends. No page comes before it."""
    with pytest.raises(ProviderError) as caught:
        next(provider(kind).pages(server.client))
    return caught.value


def redacted(key: str, status: int, body: bytes) -> ProviderError:
    """Return the error that an account with this key makes of an answer."""
    speaking = provider_for(Account.of(AccountName("tavus"), key, {}))
    with pytest.raises(ProviderError) as caught:
        speaking.page(Answer(status=status, body=body))
    return caught.value


# Error bodies, as they are documented.


@pytest.mark.parametrize("page", ERROR_PAGES)
def test_a_saved_error_is_of_its_kind_and_says_its_words(page: str) -> None:
    status, kind, words = ERROR_PAGES[page]
    error = error_of(kind_of(page), always(status, saved(page)))
    assert (type(error), str(error)) == (kind, words)


def test_every_saved_error_has_its_kind_here() -> None:
    assert {path.stem for path in PAGES.glob("*-error-[0-9]*.json")} == ERROR_PAGES.keys()


@pytest.mark.parametrize("code", [40009, "40009", 400112, 400562])
@pytest.mark.parametrize("status", [200, 400, 401])
def test_heygen_v1_says_by_code_that_a_key_is_refused(code: int | str, status: int) -> None:
    error = error_of("heygen-v1", always(status, {"code": code, "message": "no"}))
    assert (type(error), error.http_status) == (AuthError, status)


@pytest.mark.parametrize(
    ("kind", "code", "meaning"),
    [
        ("heygen-v1", 400123, RateLimitedError),
        ("heygen-v1", "400123", RateLimitedError),
        ("heygen-v1", 40104, NotFoundError),
        ("heygen-v1", 40012, ProviderFaultError),
        ("heygen-v1", "new_code", ProviderFaultError),
        ("heygen-v1", None, ProviderFaultError),
        ("heygen-v1", 0, ProviderFaultError),
        ("memories", "0401", AuthError),
        ("memories", 401, AuthError),
        ("memories", "0003", ProviderFaultError),
        ("memories", "0409", ProviderFaultError),
        ("memories", "9999", ProviderFaultError),
        ("memories", "error", ProviderFaultError),
        ("memories", None, ProviderFaultError),
    ],
)
def test_a_code_inside_http_200_is_an_error_even_beside_a_list_of_videos(
    kind: str, code: object, meaning: type[ProviderError]
) -> None:
    body = {**listing(kind, {"video_id": "v1", "video_no": "v1"}), "code": code, "message": "no", "msg": "no"}
    assert type(error_of(kind, always(200, body))) is meaning


@pytest.mark.parametrize(("kind", "code"), [("heygen-v1", 100), ("heygen-v1", "100"), ("memories", "0000"), ("memories", 0)])
def test_the_code_of_success_is_read_as_number_and_as_text(kind: str, code: object) -> None:
    body = {**listing(kind, {"video_id": "v1", "video_no": "v1"}), "code": code}
    assert next(provider(kind).pages(always(200, body).client)).ids == ["v1"]


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(401, AuthError), ("403", AuthError), (429, RateLimitedError), (500, ProviderFaultError), (None, ProviderFaultError)],
)
def test_a_pixverse_error_inside_http_200_is_never_a_page(code: object, meaning: type[ProviderError]) -> None:
    body = {"data": [], "total": 0, "error": "no", "code": code}
    assert type(error_of("pixverse", always(200, body))) is meaning


@pytest.mark.parametrize("nothing", [None, "", False])
def test_a_pixverse_page_whose_error_is_empty_is_a_page(nothing: object) -> None:
    body = {"data": [{"video_id": "v1"}], "error": nothing}
    assert next(provider("pixverse").pages(always(200, body).client)).ids == ["v1"]


# HTTP statuses, the same for all.


@pytest.mark.parametrize("body", [{"message": "no"}, {"error": "no"}, {"msg": "no"}, {"error": {"message": "no"}}])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderFaultError),
        (401, AuthError),
        (402, ProviderFaultError),
        (403, AuthError),
        (404, NotFoundError),
        (410, NotFoundError),
        (429, RateLimitedError),
        (500, ProviderFaultError),
        (503, ProviderFaultError),
        (596, ProviderFaultError),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_an_http_status_means_the_same_at_every_provider(name: str, status: int, kind: type[ProviderError], body: Any) -> None:
    error = error_of(name, always(status, body))
    assert (type(error), error.http_status, str(error)) == (kind, status, f"HTTP {status}: no")


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'"no"', b"{"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (410, NotFoundError),
        (429, RateLimitedError),
        (500, ProviderFaultError),
        (503, ProviderFaultError),
        (300, BadResponseError),
        (304, BadResponseError),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_an_error_status_counts_without_a_readable_body(name: str, status: int, kind: type[ProviderError], body: bytes) -> None:
    error = error_of(name, always(status, body))
    assert (type(error), error.http_status) == (kind, status)


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><html><body>Log in</body></html>",
        b"",
        b" ",
        b'{"data": [{"video_id"',
        b"[]",
        b'[{"video_id": "v1"}]',
        b"null",
        b'"ok"',
        b"{}",
        b'{"data": null}',
        b'{"data": {}, "files": {}}',
        b'{"data": {"videos": null}}',
        b'{"data": {"videos": {"v1": {}}}}',
        b'{"data": "none", "files": "none"}',
        b"\xff\xfe\x00",
        b'{"data": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b'{"data": ' + b'{"data": ' * 200_000,
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
@pytest.mark.parametrize("name", KINDS)
def test_an_answer_that_is_no_listing_is_a_bad_response_and_never_an_empty_list(name: str, body: bytes) -> None:
    error = error_of(name, always(200, body))
    assert type(error) is BadResponseError


# Retry-After


@pytest.mark.parametrize("name", KINDS)
def test_the_seconds_of_retry_after_are_kept(name: str) -> None:
    error = error_of(name, always(429, {"message": "slow"}, **{"Retry-After": "17"}))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 17


@pytest.mark.parametrize("name", KINDS)
def test_the_date_of_retry_after_becomes_seconds_from_now(name: str) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = error_of(name, always(429, {"message": "slow"}, **{"Retry-After": later}))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == pytest.approx(90, abs=5)


@pytest.mark.parametrize("header", [{}, {"Retry-After": ""}, {"Retry-After": "soon"}])
@pytest.mark.parametrize("name", KINDS)
def test_without_a_readable_retry_after_the_wait_is_left_open(name: str, header: Mapping[str, str]) -> None:
    error = error_of(name, always(429, {"message": "slow"}, **header))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after is None


def test_retry_after_is_heard_with_a_rate_limit_inside_http_200_too() -> None:
    error = error_of("memories", always(200, saved("memories-error-200-busy-text"), **{"Retry-After": "3"}))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 3


# Transport


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), ProviderFaultError, "Name or service not known"),
        (httpx.ConnectTimeout("timed out"), ProviderFaultError, "timed out"),
        (httpx.ReadTimeout(""), ProviderFaultError, "ReadTimeout"),
        (httpx.ReadError("reset by peer"), ProviderFaultError, "reset by peer"),
        (httpx.RemoteProtocolError("Server disconnected"), BadResponseError, "RemoteProtocolError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@pytest.mark.parametrize("name", KINDS)
def test_no_answer_is_an_error_that_says_why(name: str, raised: Exception, kind: type[ProviderError], words: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise raised

    error = error_of(name, Server(answer))
    assert type(error) is kind
    assert str(error).endswith(words)


def test_an_answer_that_breaks_off_is_a_bad_response() -> None:
    def half() -> Iterator[bytes]:
        yield b'{"data": ['
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    error = error_of("tavus", Server(lambda _: httpx.Response(200, content=half())))
    assert type(error) is BadResponseError


def test_an_answer_that_cannot_be_unpacked_is_a_bad_response() -> None:
    garbled = gzip.compress(b'{"data": []}')[:-12]
    server = Server(lambda _: httpx.Response(200, content=iter([b"no", garbled]), headers={"content-encoding": "gzip"}))
    assert type(error_of("tavus", server)) is BadResponseError


@pytest.mark.parametrize("name", KINDS)
def test_an_answer_beyond_32_mib_is_given_up_while_it_is_read(name: str) -> None:
    sent = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b" " * 1024 * 1024

    error = error_of(name, Server(lambda _: httpx.Response(200, content=endless())))
    assert type(error) is BadResponseError
    assert "32 MiB" in str(error)
    assert len(sent) == 33


def test_a_small_answer_that_unpacks_to_gigabytes_is_given_up() -> None:
    bomb = gzip.compress(b" " * (33 * 1024 * 1024))
    chunks = (bomb[start : start + 1024] for start in range(0, len(bomb), 1024))
    server = Server(lambda _: httpx.Response(200, content=chunks, headers={"content-encoding": "gzip"}))
    assert "32 MiB" in str(error_of("tavus", server))


# Redirects: the key is in the headers.

GETS: Final = [name for name in KINDS if name != "memories"]


def redirect(to: str, status: int = 302) -> httpx.Response:
    return httpx.Response(status, headers={"location": to})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["https://evil.example/v2/videos", "//evil.example/", "http://{host}/x", "https://{host}:444/x"])
@pytest.mark.parametrize("name", KINDS)
def test_a_redirect_to_another_host_scheme_or_port_is_not_followed(name: str, to: str, status: int) -> None:
    server = Server(lambda request: redirect(to.format(host=request.url.host), status))
    error = error_of(name, server)
    assert type(error) is BadResponseError
    assert error.http_status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("to", ["/moved?page=2", "https://{host}/moved?page=2", "https://{host}:443/moved?page=2"])
@pytest.mark.parametrize("name", GETS)
def test_a_redirect_within_the_host_is_followed_with_the_key(name: str, to: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/moved":
            return httpx.Response(200, json=listing(name))
        return redirect(to.format(host=request.url.host))

    server = Server(answer)
    assert next(provider(name).pages(server.client)).ids == []
    assert server.asked[1] == ("GET", "/moved?page=2")
    for header, value in provider(name).headers().items():
        assert server.requests[1].headers[header] == value


@pytest.mark.parametrize("status", [200, 201])
def test_an_address_beside_a_good_answer_is_no_redirect(status: int) -> None:
    server = always(status, listing("tavus"), location="/elsewhere")
    assert next(provider("tavus").pages(server.client)).ids == []
    assert len(server.requests) == 1


def test_a_redirected_post_is_not_sent_again() -> None:
    server = Server(lambda _: redirect("/moved", 307))
    assert type(error_of("memories", server)) is BadResponseError
    assert len(server.requests) == 1


@pytest.mark.parametrize("to", ["https://[::1/x", "https://\u2603\u2603..example/", "https://h:port/", "\x00", "mailto:x@y"])
@pytest.mark.parametrize("status", [300, 302])
def test_a_redirect_to_an_unreadable_address_is_a_bad_response(to: str, status: int) -> None:
    location = [(b"location", to.encode())]
    server = Server(lambda _: httpx.Response(status, headers=location))
    assert type(error_of("tavus", server)) is BadResponseError


@given(location=st.text() | st.from_regex(r"(https?:)?//[^ ]{0,20}(:\w*)?/[^ ]{0,9}"))
def test_wherever_a_redirect_points_it_is_followed_within_the_host_or_an_error_of_ours(location: str) -> None:
    raw = [(b"location", location.encode(errors="replace"))]
    server = Server(lambda _: httpx.Response(302, headers=raw))
    with pytest.raises(ProviderError):
        next(provider("tavus").pages(server.client))
    assert {request.url.host for request in server.requests} == {"tavusapi.com"}


def test_redirects_without_end_are_a_bad_response() -> None:
    server = Server(lambda request: redirect(f"{request.url.path}x"))
    assert "redirects more than 3 times" in str(error_of("tavus", server))
    assert len(server.requests) == 4


# The client


def test_the_client_for_all_providers_follows_nothing_by_itself_and_waits_for_a_bounded_time() -> None:
    with http.client() as client:
        assert not client.follow_redirects
        assert client.headers["user-agent"].startswith("Renderbell/")
        assert None not in client.timeout.as_dict().values()


def test_a_cookie_of_one_account_is_not_sent_with_another() -> None:
    server = Server(lambda _: httpx.Response(200, json=listing("tavus"), headers={"set-cookie": "session=1; Path=/"}))
    client = server.client
    for _ in range(2):
        list(provider("tavus").pages(client))
    assert len(server.requests) == 2
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("name", KINDS)
def test_another_base_url_is_asked_instead_of_the_providers_own(name: str) -> None:
    server = always(body=listing(name))
    list(provider(name, base_url="http://127.0.0.1:4567/mock/").pages(server.client))
    assert (server.requests[0].url.host, server.requests[0].url.port) == ("127.0.0.1", 4567)
    assert server.requests[0].url.path.startswith("/mock/")
    assert "//" not in server.requests[0].url.path


@pytest.mark.parametrize(
    "request_",
    [
        Request(path="/videos/\n"),
        Request(path="/videos/\x00"),
        Request(path="/videos/\ud800"),
        Request(path="/videos/" + "x" * 70_000),
        Request(path="/videos", query={"token": "\ud800"}),
        Request(path="/videos", query={"token": "x" * 70_000}),
    ],
    ids=lambda request: repr(request)[:60],
)
def test_an_id_or_a_token_that_no_url_can_carry_is_a_bad_response(request_: Request) -> None:
    server = always(body={})
    with pytest.raises(BadResponseError):
        http.ask(server.client, "https://provider.example", {}, request_)
    assert server.requests == []


# The key


@pytest.mark.parametrize(
    "body",
    [
        {"message": f"the key {KEY} is not known"},
        {"error": f"Bearer {KEY}"},
        {"error": {"code": KEY, "message": KEY}},
        {"code": KEY, "msg": f"{KEY}{KEY}"},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
@pytest.mark.parametrize("name", KINDS)
def test_a_key_that_a_server_echoes_is_not_in_the_error(name: str, status: int, body: Any) -> None:
    error = error_of(name, always(status, body))
    for shown in (str(error), repr(error), str(error.args)):
        assert KEY not in shown
    assert "***" in str(error)


@pytest.mark.parametrize("before", range(440, 500))
@pytest.mark.parametrize("status", [200, 400])
def test_half_a_key_is_not_left_where_an_errors_words_are_cut_short(before: int, status: int) -> None:
    error = error_of("tavus", always(status, {"message": "x" * before + KEY}))
    assert KEY[:4] not in str(error)


@pytest.mark.parametrize("key", ["x", "no", "404", "HTTP", "nation", "explanation", "no explanation", "nationwide"])
def test_a_key_is_not_told_by_a_hole_in_our_own_words(key: str) -> None:
    error = redacted(key, 404, b"")
    assert str(error) == "HTTP 404: no explanation"
    assert "there is no list of videos at 'data': ***" in str(redacted("data", 200, b'{"message": "data"}'))


@pytest.mark.parametrize(
    ("key", "said", "told"),
    [
        ("x", "the key x is not known, nor 'x': exit", "the key *** is not known, nor '***': exit"),
        ("404", "404 is no key", "*** is no key"),
        ("no", "no", "***"),
        ("a.c", "abc or a.c", "abc or ***"),
        ("secret7", "Bearer:secret7, secret77", "Bearer:***, secret77"),
        ("secret78", "Bearer:secret78, xsecret789", "Bearer:***, x***9"),
    ],
)
def test_a_short_key_is_masked_where_it_is_a_word_and_a_key_of_8_characters_anywhere(key: str, said: str, told: str) -> None:
    body = json.dumps({"code": key, "message": said}).encode()
    assert str(redacted(key, 400, body)) == f"HTTP 400, code ***: {told}"


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_key_is_in_no_form_of_an_account_or_a_provider(name: str) -> None:
    shown = account(name, base_url="https://gateway.example/with-a-token")
    for form in (repr(shown), str(shown), f"{shown}", repr(provider(name)), repr([shown])):
        assert KEY not in form
        assert "with-a-token" not in form


@pytest.mark.parametrize("name", KINDS)
def test_the_key_travels_in_a_header_and_never_in_a_url_or_a_body(name: str) -> None:
    server = in_turn(listing(name))
    list(provider(name).pages(server.client))
    [request] = server.requests
    assert KEY not in str(request.url)
    assert KEY.encode() not in request.content
    assert sum(KEY in value for value in request.headers.values()) == 1


def test_an_error_is_one_short_line_whatever_the_server_says() -> None:
    error = error_of("tavus", always(500, {"message": "a\n\tb " * 1000}))
    assert "\n" not in str(error)
    assert len(str(error)) <= 500


def test_saved_pages_are_valid_json_objects() -> None:
    for path in PAGES.iterdir():
        assert isinstance(json.loads(path.read_bytes()), dict), path.name
