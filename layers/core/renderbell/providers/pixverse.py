"""PixVerse through useapi.net: GET /v2/pixverse/videos/, offsets, Bearer token.

https://useapi.net/docs/api-pixverse-v2/get-pixverse-videos. Ids contain the account's e-mail address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

import httpx

from renderbell.errors import BadResponseError, NotFoundError, ProviderError, ProviderFaultError
from renderbell.http import Answer, Request
from renderbell.page import Cursor, Page
from renderbell.providers.base import (
    HTTP_ERRORS,
    Provider,
    by_code,
    id_of,
    json_object,
    message_of,
    rows_of,
)
from renderbell.values import Json, creation, integer, number, text
from renderbell.video import Sighting, Status

NUMBERS: Final[Mapping[int, Status]] = {
    1: Status.COMPLETED,
    2: Status.QUEUED,
    3: Status.GENERATING,
    # useapi.net documents 5 as QUEUED and final. PixVerse says "keep polling", off-peak videos wait here for hours, and
    # clients that believed the flag reported failures that were none: the number decides, never the flag.
    5: Status.QUEUED,
    6: Status.DELETED,
    7: Status.FAILED,  # moderated
    8: Status.FAILED,
    9: Status.GENERATING,
    10: Status.GENERATING,
}

NOT_FOUND: Final = 404
MODERATED: Final = 422


class PixVerse(Provider):
    name = "pixverse"
    base_url = "https://api.useapi.net"
    page_size = 40  # The documented default; no maximum is.
    statuses: ClassVar[Mapping[str, Status]] = {
        "queued": Status.QUEUED,
        "generating": Status.GENERATING,
        "completed": Status.COMPLETED,
        "failed": Status.FAILED,
        "moderated": Status.FAILED,
    }
    hint_help = (
        "Give it as `replyUrl` of each create call (at most 1024 characters), or once as the account's value at useapi.net."
    )

    def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.account.key}"}

    def page_request(self, cursor: Cursor) -> Request:
        email = self.account.option("email")
        return Request(
            path="/v2/pixverse/videos/",
            query={**({"email": email} if email else {}), "limit": self.limit(), "offset": cursor or "0"},
        )

    def error_in(self, answer: Answer, body: Json) -> type[ProviderError] | None:
        return by_code(HTTP_ERRORS, answer, body.get("code")) if answer.ok and body.get("error") else None

    def read_page(self, body: Json, cursor: Cursor) -> Page:
        rows = rows_of(body, "data")
        total = integer(body.get("total"))
        offset, following = int(cursor or 0), integer(body.get("next_offset"))
        if following is not None and following <= offset and total is not None and offset + len(rows) < total:
            raise BadResponseError(f"next_offset {following} does not lead on from offset {offset}")
        # What the last page says is not documented: nothing, the total or its own offset all end the list.
        # A full page says that there may be more, whatever the total says.
        at_the_total = total is not None and following is not None and following >= total and len(rows) < self.limit()
        ends = not rows or following is None or following <= offset or at_the_total
        return Page(
            sightings=[self.sighting(row) for row in rows],
            ids=[id_of(row, "video_id") for row in rows],
            next=None if ends else str(following),
            total=total,
        )

    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        """404 is left out: at useapi.net it means "still processing", never "deleted"."""
        found = {}
        for video_id in video_ids:
            # The id stands raw in the path: with ':' and '@' percent-encoded useapi.net answers 400.
            answer = self.send(client, Request(path=f"/v2/pixverse/videos/{video_id}"))
            if answer.status == NOT_FOUND:
                continue
            try:
                found[video_id] = self._detail(self.read(answer), video_id)
            except NotFoundError:
                continue
            except ProviderFaultError:
                if not answer.ok:
                    raise
                body = json_object(answer.body) or {}
                if body.get("video_id") or integer(body.get("code")) == MODERATED:
                    found[video_id] = self._with_error(body, video_id)
        return found

    def _detail(self, body: Json, video_id: str) -> Sighting:
        return self._guard(lambda: replace(self.sighting(body), video_id=video_id))

    def _with_error(self, body: Json, video_id: str) -> Sighting:
        """Read an `error` inside HTTP 200: it is the video's own failure (useapi.net's script pixverse.mjs).

        Only where the body is the video's, or says that it was moderated: failed is for good, and any trouble of useapi.net
        has an `error` too. And only where no known number stands beside it: the number comes first, and a video that is
        generating or completed has not failed.
        """
        error = (message_of(body) or "").replace(self.account.key, "***") or None
        if _by_number(body) is None:
            return Sighting(video_id=video_id, status=Status.FAILED, provider_status="error", error=error)
        seen = self._detail({**body, "video_id": video_id}, video_id)
        return replace(seen, error=error if seen.status is Status.FAILED else None)

    def sighting(self, row: Json) -> Sighting:
        status = self._status(row)
        return Sighting(
            video_id=id_of(row, "video_id"),
            status=status,
            provider_status=text(row.get("video_status_name")) or text(row.get("video_status")),
            title=text(row.get("prompt")),
            # `url` is filled on GENERATING rows too.
            url=text(row.get("url")) if status is Status.COMPLETED else None,
            thumbnail_url=text(row.get("img_url")) or text(row.get("first_frame")),
            error=text(row.get("error")) if status is Status.FAILED else None,
            duration_seconds=number(row.get("duration")) or number(row.get("video_duration")),
            created_at=creation(row.get("created_at")),
        )

    def _status(self, row: Json) -> Status:
        """Let the number decide. A name stands in for an unknown number, a final one only together with the flag."""
        by_number = _by_number(row)
        if by_number is not None:
            return by_number
        by_name = self.status(row.get("video_status_name"))
        return Status.UNKNOWN if by_name.final and row.get("video_status_final") is not True else by_name


def _by_number(row: Json) -> Status | None:
    return NUMBERS.get(integer(row.get("video_status")) or 0)
