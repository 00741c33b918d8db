"""What every provider has in common: one paging loop, one way to read an answer, one table of errors.

A provider's own file says only what is peculiar to it: its table of statuses, how it asks for a page, how it reads
a row.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import httpx

from renderbell import http
from renderbell.account import Account
from renderbell.errors import (
    AuthError,
    BadInputError,
    BadResponseError,
    NotFoundError,
    ProviderError,
    ProviderFaultError,
    RateLimitedError,
)
from renderbell.http import Answer, Request
from renderbell.page import Cursor, Page
from renderbell.providers.hooks import Hook
from renderbell.providers.reading import Reading
from renderbell.values import Json, integer, retry_after_seconds, text
from renderbell.video import Sighting, Status

HTTP_ERRORS: Final[Mapping[int, type[ProviderError]]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    410: NotFoundError,
    429: RateLimitedError,
}
"""HTTP statuses that mean the same at all five. Every other error is the provider's own fault: try again later."""

GONE: Final = 410
"""What a retired endpoint answers. No provider documents it for a video, so it makes none `deleted`."""

LONGEST_ID: Final = 1024
"""Bytes; the longest that DynamoDB takes for the second part of a key."""


class Provider(ABC):
    """One account at one provider."""

    name: ClassVar[str]
    base_url: ClassVar[str]
    page_size: ClassVar[int]
    statuses: ClassVar[Mapping[str, Status]]
    newest_first: ClassVar[bool] = False
    """True where the provider documents the order of its listing: most recently made, or updated, first."""
    blind: ClassVar[bool] = False
    """True where the listing shows an end only after a look-up: each change moves a video to the top instead."""
    seconds_between_pages: ClassVar[float] = 0.0
    """How long to wait between two pages, where the provider documents how often its listing may be asked."""
    bulk: ClassVar[int] = 1
    """Videos that one look-up request asks for."""
    ends_at_total: ClassVar[bool] = False
    """True where a listing ends where its total says, and nothing else says so."""
    restarts: ClassVar[bool] = False
    """True where a finished video is known to be rendered again under the same id."""
    hooks: ClassVar[bool] = False
    """True where the provider has an API to register a webhook for the whole account."""
    signs_hints: ClassVar[bool] = False
    """True where the provider signs its calls, by a scheme that it documents."""
    hint_help: ClassVar[str]
    """What a person does with the account's hint URL at this provider, in a sentence or two."""

    def __init__(self, account: Account) -> None:
        self.account = account

    # What each provider says of itself.

    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Return the headers that carry the key."""

    @abstractmethod
    def page_request(self, cursor: Cursor) -> Request:
        """Return the request for the page at `cursor`."""

    @abstractmethod
    def read_page(self, body: Json, cursor: Cursor) -> Page:
        """Read the body of a good answer to `page_request(cursor)`."""

    @abstractmethod
    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        """Ask for videos by id, in bulk where the provider can.

        A video the provider says it does not have comes back `deleted`, with `not_found`. One it says nothing conclusive
        about is left out. Raises ProviderError.
        """

    def error_in(self, answer: Answer, body: Json) -> type[ProviderError] | None:
        """Name the error in a body, for providers that have codes of their own or send errors inside HTTP 200.

        None leaves the judgement to the HTTP status.
        """
        del answer, body
        return None

    def complete(self, client: httpx.Client, seen: Sighting) -> Sighting:
        """Add what the listing lacks to a video that just completed (its URL), asking once. Raises ProviderError."""
        del client
        return seen

    def hook(self, client: httpx.Client, url: str) -> Hook:
        """Register `url` for the whole account and every event. Raises ProviderError, or BadInputError without such an API."""
        del client, url
        raise self._no_hooks()

    def unhook(self, client: httpx.Client, hook_id: str) -> None:
        """Take a registered webhook back; one that is gone already is no error. Raises as `hook` does."""
        del client, hook_id
        raise self._no_hooks()

    # What all share.

    def status(self, word: Any) -> Status:
        """Return what the provider's word means; unknown words are UNKNOWN, whatever they look like."""
        return self.statuses.get((text(word) or "").lower(), Status.UNKNOWN)

    def limit(self) -> int:
        return int(self.account.option("page_size") or self.page_size)

    def ask(self, client: httpx.Client, request: Request) -> Json:
        """Send one request and return the JSON object of a good answer. Raises ProviderError."""
        return self.read(self.send(client, request))

    def send(self, client: httpx.Client, request: Request) -> Answer:
        return http.ask(client, self.account.option("base_url") or self.base_url, self.headers(), request)

    def take_back(self, client: httpx.Client, request: Request) -> None:
        """Send a deletion. What the provider says it does not have is deleted; a bare 404 of some gateway is raised."""
        answer = self.send(client, request)
        if answer.ok and not answer.body:
            return
        try:
            self.read(answer)
        except NotFoundError as error:
            if not error.by_provider:
                raise

    def _no_hooks(self) -> BadInputError:
        return BadInputError(f"{self.name} has no API to register a webhook for an account. {self.hint_help}")

    def page(self, answer: Answer, cursor: Cursor = None) -> Page:
        """Read a listing's answer: the code of the poll and of `renderbell normalize`. Raises ProviderError."""
        return self._guard(lambda: self.read_page(self.read(answer), cursor))

    def pages(self, client: httpx.Client) -> Iterator[Page]:
        """Yield the listing page by page, from its head to its end. Raises ProviderError as `Reading.next` does."""
        reading = Reading(self, client)
        while not reading.ended:
            yield reading.next()

    def may_repeat(self, cursor: Cursor) -> bool:
        """Say whether the page at `cursor` may honestly show nothing new."""
        del cursor
        return False

    def reached(self, rows: int, page: Page) -> bool:
        """Say whether `rows` rows, up to this page, are the whole list: by its total, where that is how its end is found."""
        # A full page says that there may be more, whatever the total says.
        return self.ends_at_total and page.total is not None and rows >= page.total and len(page.ids) < self.limit()

    def read(self, answer: Answer) -> Json:
        """Return the JSON object of a good answer. Raises ProviderError for any other."""
        body = json_object(answer.body)
        named = self._guard(lambda: None if body is None else self.error_in(answer, body))
        kind = named or (None if answer.ok else _kind_of(answer.status))
        if kind is not None:
            raise self._redacted(_error(kind, answer, body))
        if body is None:
            raise BadResponseError("the answer is not a JSON object", http_status=answer.status)
        return body

    def _guard[T](self, read: Callable[[], T]) -> T:
        """Run the reading of a body: whatever shape surprises the provider's file is a bad response, never a crash."""
        try:
            return read()
        except ProviderError as error:
            raise self._redacted(error) from None
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise BadResponseError(f"the answer is not shaped as documented ({type(error).__name__})") from error

    def _redacted(self, error: ProviderError) -> ProviderError:
        """Take the key out of an error's words: some servers echo what they refuse."""
        error.args = tuple(_without(self.account.key, str(part)) for part in error.args)
        return error


def rows_of(body: Json, *path: str) -> list[Json]:
    """Return the list at `path`. A missing or other thing is BadResponseError: never an empty list."""
    found: Any = body
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        words = message_of(body) or "no explanation"
        raise BadResponseError(f"there is no list of videos at {'.'.join(path)!r}: {words}")
    return found


def id_of(row: Json, name: str) -> str:
    """Return a row's id, unchanged. A row without one, or with one that nothing can hold, makes the page BadResponseError."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise BadResponseError(f"a row has no {name}")
    video_id = str(value)
    as_bytes = video_id.encode(errors="replace")
    if len(as_bytes) > LONGEST_ID or as_bytes.decode() != video_id:
        raise BadResponseError(f"a row's {name} is no id: it is cut within a character, or longer than {LONGEST_ID} bytes")
    return video_id


def hook_of(row: Json, id_name: str, secret_name: str) -> Hook:
    """Return the webhook that a good answer tells of. One without an id, which nobody could take back, is BadResponseError."""
    hook_id = text(row.get(id_name))
    if hook_id is None:
        raise BadResponseError(f"the answer to the registration has no {id_name}")
    return Hook(hook_id=hook_id, secret=text(row.get(secret_name)))


def message_of(body: Json) -> str | None:
    """Return the words of an error body, from the keys the five providers use for them."""
    error = body.get("error")
    nested = error.get("message") if isinstance(error, Mapping) else error
    return next((word for word in map(text, (body.get("message"), nested, body.get("msg"))) if word), None)


def by_code(codes: Mapping[int, type[ProviderError]], answer: Answer, code: Any) -> type[ProviderError] | None:
    """Look a provider's own error code up. An unknown one is the provider's fault, unless the HTTP status says more."""
    return codes.get(integer(code) or 0, ProviderFaultError if answer.ok else None)


def gone(video_id: str, error: NotFoundError) -> Sighting:
    """Return the sighting of a video that its provider says it does not have. A bare 404 of some gateway is raised again."""
    if not error.by_provider:
        raise error
    return Sighting(video_id=video_id, status=Status.DELETED, provider_status="not_found", not_found=True)


def _kind_of(status: int) -> type[ProviderError]:
    return HTTP_ERRORS.get(status, ProviderFaultError if status >= 400 else BadResponseError)  # noqa: PLR2004 - 4xx, 5xx


def _error(kind: type[ProviderError], answer: Answer, body: Json | None) -> ProviderError:
    given = body or {}
    nested = given.get("error")
    code = text(given.get("code")) or (text(nested.get("code")) if isinstance(nested, Mapping) else None)
    where = f"HTTP {answer.status}" + (f", code {code}" if code else "")
    message = f"{where}: {message_of(given) or 'no explanation'}"
    if kind is RateLimitedError:
        wait = retry_after_seconds(answer.headers.get("retry-after"), datetime.now(UTC))
        return RateLimitedError(message, http_status=answer.status, retry_after=wait)
    if kind is NotFoundError:
        return NotFoundError(message, http_status=answer.status, by_provider=body is not None and answer.status != GONE)
    return kind(message, http_status=answer.status)


OURS: Final = re.compile(r"(^HTTP [0-9]+(?:, code)?|^there is no list of videos at '[\w.]*'|(?<=: )no explanation$)")
"""What is ours in an error's words. To mask a key there would tell what it is."""
WORDS_KEPT: Final = 500
"""As long are the words of a ProviderError that were cut short."""
UNLIKELY: Final = 8
"""A key of so many characters stands in no words by chance."""


def _without(key: str, words: str) -> str:
    """Replace `key` in what the provider said, and what is left of it where ProviderError cut the words short.

    A short key, which no provider gives, may be a part of any word: it is replaced where it is a word of its own.
    """
    told = re.escape(key) if len(key) >= UNLIKELY else rf"(?<!\w){re.escape(key)}(?!\w)"
    parts = OURS.split(words)
    parts[::2] = [re.sub(told, "***", said) for said in parts[::2]]
    masked = "".join(parts)
    if len(words) < WORDS_KEPT:
        return masked
    left = next((key[:length] for length in range(len(key) - 1, 3, -1) if masked.endswith(key[:length])), None)
    return masked.removesuffix(left) + "***" if left else masked


def json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that `body` is, None when it is anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
