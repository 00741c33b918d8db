"""Memories.ai: POST /serve/api/v1/list_videos, page and size in a JSON body, bare key in Authorization (no "Bearer").

https://memories.ai/docs/API/Utils/List-videos/ and https://api-tools.memories.ai/visual-search/list-videos
"""

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any, ClassVar, Final

import httpx

from renderbell.errors import AuthError, ProviderError, RateLimitedError
from renderbell.http import Answer, Request
from renderbell.page import Cursor, Page
from renderbell.providers.base import Provider, by_code, id_of, rows_of
from renderbell.values import Json, creation, integer, number, text
from renderbell.video import Sighting, Status

OK: Final = 0
ERRORS: Final[Mapping[int, type[ProviderError]]] = {
    401: AuthError,
    403: AuthError,  # account disabled
    9009: AuthError,  # no permission
    429: RateLimitedError,  # "0429" in some documents, the number 429 in others; HTTP may say 200
}


class Memories(Provider):
    name = "memories"
    base_url = "https://api.memories.ai"
    page_size = 200
    bulk = 100
    ends_at_total = True
    seconds_between_pages = 0.25  # five listings a second are documented
    statuses: ClassVar[Mapping[str, Status]] = {
        "unparse": Status.GENERATING,
        # One page says PARSE is "being processed"; five newer sources and every client treat it as finished.
        "parse": Status.COMPLETED,
        "done": Status.COMPLETED,
        "parse_error": Status.FAILED,
        "fail": Status.FAILED,
        "failed": Status.FAILED,
        # Only seen in a third party's client.
        "pending": Status.QUEUED,
        "uploading": Status.QUEUED,
        "processing": Status.GENERATING,
    }
    hint_help = "Give it as `callback` of each upload, or as `callback_url` of an import."

    def headers(self) -> Mapping[str, str]:
        return {"authorization": self.account.key}

    def page_request(self, cursor: Cursor) -> Request:
        return self._listing({"page": int(cursor or 1), "size": self.limit()})

    def _listing(self, filters: Mapping[str, Any]) -> Request:
        # A namespace that does not exist is created and reads as "no videos", not as an error.
        unique_id = self.account.option("unique_id")
        return Request(method="POST", path="/serve/api/v1/list_videos", json={"unique_id": unique_id, **filters})

    def error_in(self, answer: Answer, body: Json) -> type[ProviderError] | None:
        # Errors come with HTTP 200, and an error has no `data`: read as an empty list it would delete everything.
        if integer(body.get("code", OK)) == OK and body.get("failed") is not True:
            return None
        return by_code(ERRORS, answer, body.get("code"))

    def read_page(self, body: Json, cursor: Cursor) -> Page:
        rows = rows_of(body, "data", "videos")
        return Page(
            sightings=[self.sighting(row) for row in rows],
            ids=[id_of(row, "video_no") for row in rows],
            next=str(int(cursor or 1) + 1) if rows else None,
            total=integer(body["data"].get("total_count")),
        )

    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        """One request for each hundred ids, by the `video_nos` filter of the newer listing.

        An id that is not among the rows is left out: a listing that does not show a video is no "not found".
        """
        found: dict[str, Sighting] = {}
        for batch in batched(video_ids, self.bulk, strict=False):
            request = self._listing({"page": 1, "size": self.bulk * 2, **_named(batch)})
            page = self.page(self.send(client, request))
            found |= {seen.video_id: seen for seen in page.sightings if seen.video_id in batch}
        return found

    def sighting(self, row: Json) -> Sighting:
        status = self.status(row.get("status"))
        return Sighting(
            video_id=id_of(row, "video_no"),
            status=status,
            provider_status=text(row.get("status")),
            title=text(row.get("video_name")),
            # Most rows have none: Memories.ai hands a video out as a download, not as an address.
            url=text(row.get("video_url")) if status is Status.COMPLETED else None,
            error=text(row.get("cause")) if status is Status.FAILED else None,
            duration_seconds=number(row.get("duration")),
            created_at=creation(row.get("create_time")),
        )


def _named(video_ids: Sequence[str]) -> Mapping[str, Any]:
    return {"video_no": video_ids[0]} if len(video_ids) == 1 else {"video_nos": list(video_ids)}
