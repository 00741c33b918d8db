"""Reads a listing page by page. A reading can be put down and, in another poll, taken up again."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx

from renderbell.errors import BadResponseError
from renderbell.http import Answer
from renderbell.page import Cursor, Page, Place
from renderbell.values import moment

if TYPE_CHECKING:
    from renderbell.providers.base import Provider

MAX_EMPTY_PAGES: Final = 3
"""Pages without a row that may follow each other before a listing is called endless."""

TOTAL_SLACK: Final = 2
"""Pages beyond the total's that are still no lie: videos are born while we read, and Tavus's first page comes twice."""

LAST_NOTICES: Final = ("sunset", "deprecation")
"""Headers by which an API announces its end (RFC 8594, RFC 9745)."""


class Reading:
    """One pass over a listing, each page once, until the provider's own end of list."""

    def __init__(
        self,
        provider: "Provider",
        client: httpx.Client,
        place: Place | None = None,
        *,
        counted: Iterable[str] = (),
        trusts_total: bool = True,
    ) -> None:
        """Take a reading up at `place`; `counted` are rows that were counted by then, as far as they are known."""
        self.ended = False
        self.total: int | None = None
        self._provider = provider
        self._client = client
        self._place = place or Place()
        self._asked: set[Cursor] = set()
        self._seen: set[str] = set(counted)
        self._trusts_total = trusts_total
        self._empty = 0

    @property
    def place(self) -> Place:
        """Where the next page begins. `rows` counts those of the whole pass, each once, but for what shifted in between."""
        return self._place

    def next(self) -> Page:
        """Ask for the next page and return it.

        Raises ProviderError, and then stands where it stood. A page or cursor that comes again, or more pages than the
        total allows, is BadResponseError.
        """
        self._refuse_to_go_on()
        at = self._place
        answer = self._provider.send(self._client, self._provider.page_request(at.cursor))
        page = self._provider.page(answer, at.cursor)
        fresh = set(page.ids) - self._seen
        self._refuse_repeats(page, fresh)
        self._asked.add(at.cursor)
        self._seen |= fresh
        self._place = Place(
            cursor=page.next,
            pages=at.pages + 1,
            rows=at.rows + len(fresh),
            longest=max(at.longest, len(page.ids)),
        )
        self.total = page.total
        self.ended = page.next is None or (self._trusts_total and self._provider.reached(self._place.rows, page))
        return replace(page, at=moment(answer.headers.get("date")), notice=_notice(answer))

    def _refuse_to_go_on(self) -> None:
        """Raise when no honest listing has a next page here. The page before was good and has been handed out."""
        at = self._place
        if at.cursor in self._asked:
            raise BadResponseError(f"page {at.pages} points back to a page that was read already")
        if self._trusts_total and self.total is not None and at.pages >= math.ceil(self.total / at.longest) + TOTAL_SLACK:
            raise BadResponseError(f"{at.pages} pages and no end, though the total says {self.total}")

    def _refuse_repeats(self, page: Page, fresh: set[str]) -> None:
        self._empty = 0 if page.ids else self._empty + 1
        if self._empty > MAX_EMPTY_PAGES:
            raise BadResponseError(f"{self._empty} pages in a row are empty and still point on")
        if page.ids and not fresh and not self._provider.may_repeat(self._place.cursor):
            raise BadResponseError(f"page {self._place.pages + 1} repeats what earlier pages showed")


def _notice(answer: Answer) -> str | None:
    said = [f"{name}: {answer.headers[name]}" for name in LAST_NOTICES if answer.headers.get(name)]
    return ", ".join(said)[:200] or None
