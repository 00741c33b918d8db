"""Asks a provider one question over HTTP and brings the answer back whole, or says why not."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from renderbell import USER_AGENT
from renderbell.errors import BadResponseError, ProviderFaultError

MAX_BODY: Final = 32 * 1024 * 1024
TIMEOUT: Final = httpx.Timeout(10.0, read=30.0)
MAX_REDIRECTS: Final = 3
MAX_SECONDS: Final = 60.0
"""How long an answer may take to come in, so that one that only drips does not hold a poll for its whole time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question. `path` is sent as it stands: useapi.net refuses ids whose ':' and '@' are percent-encoded."""

    method: str = "GET"
    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, complete. Header names are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx class


class Requests:
    """Counts requests as they leave. It only ever grows; take differences."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, request: httpx.Request) -> None:
        del request
        self.count += 1


def client(requests: Requests | None = None) -> httpx.Client:
    """Return the client for all providers: it keeps no cookies between accounts and follows nothing by itself."""
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [requests]} if requests else {}
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, headers={"user-agent": USER_AGENT}, event_hooks=hooks)


def ask(http: httpx.Client, base_url: str, headers: Mapping[str, str], request: Request) -> Answer:
    """Send `request` and read its answer, at most 32 MiB of it.

    A redirect is followed only within the same scheme, host and port, and only for GET: the key is in the headers.
    Raises ProviderFaultError when there is no connection or no answer in time, BadResponseError for an answer that is
    too large, cut short, or a redirect elsewhere, and for an id from an earlier answer that no URL can carry.
    """
    url = _url(base_url, request)
    for _ in range(MAX_REDIRECTS + 1):
        answer = _send(http, request.method, url, headers, request.json)
        location = answer.headers.get("location")
        if not (300 <= answer.status < 400 and location):  # noqa: PLR2004 - the 3xx class
            return answer
        target = _join(url, location)
        if request.method != "GET" or (target.scheme, target.netloc) != (url.scheme, url.netloc):
            raise BadResponseError(f"redirects to {target.host}: not followed with a key", http_status=answer.status)
        url = target
    raise BadResponseError(f"redirects more than {MAX_REDIRECTS} times", http_status=answer.status)


def _url(base_url: str, request: Request) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/") + request.path)
        query = {name: str(value) for name, value in request.query.items()}
        return url.copy_merge_params(query) if query else url
    except (httpx.InvalidURL, UnicodeError):
        raise BadResponseError("an id or a cursor that the provider gave cannot stand in a URL") from None


def _send(
    http: httpx.Client, method: str, url: httpx.URL, headers: Mapping[str, str], body: Mapping[str, Any] | None
) -> Answer:
    try:
        with http.stream(method, url, headers=dict(headers), json=body) as response:
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=_read(response),
            )
    except (httpx.DecodingError, httpx.RemoteProtocolError, httpx.InvalidURL) as error:
        # httpx reads a redirect's address even where it is told not to follow it.
        raise BadResponseError(f"the answer is broken off or garbled: {type(error).__name__}") from error
    except httpx.TransportError as error:
        # The words of httpx name the host at most; the key is in a header and never in a URL.
        raise ProviderFaultError(f"no answer from {url.host}: {str(error) or type(error).__name__}") from error
    finally:
        http.cookies.clear()


def _read(response: httpx.Response) -> bytes:
    body, until = bytearray(), time.monotonic() + MAX_SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > until:
            raise ProviderFaultError(f"the answer took longer than {MAX_SECONDS:.0f} s", http_status=response.status_code)
        if len(body) > MAX_BODY:
            raise BadResponseError("the answer is larger than 32 MiB", http_status=response.status_code)
    return bytes(body)


def _join(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return url.join(location)
    except (httpx.InvalidURL, UnicodeError):
        raise BadResponseError("redirects to an address that cannot be read") from None
