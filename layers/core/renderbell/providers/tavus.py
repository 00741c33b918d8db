"""Tavus: GET /v2/videos, numbered pages, key in x-api-key.

https://docs.tavus.io/api-reference/video-request/get-videos
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import httpx

from renderbell.errors import NotFoundError, ProviderFaultError
from renderbell.http import Request
from renderbell.page import Cursor, Page
from renderbell.providers.base import Provider, gone, id_of, rows_of
from renderbell.values import Json, creation, integer, text
from renderbell.video import Sighting, Status

BAD_REQUEST: Final = 400


class Tavus(Provider):
    name = "tavus"
    base_url = "https://tavusapi.com"
    page_size = 50  # The documented default is 10 and no maximum is; Airbyte's tested connector asks for 50.
    ends_at_total = True
    statuses: ClassVar[Mapping[str, Status]] = {
        "queued": Status.QUEUED,
        "generating": Status.GENERATING,
        "ready": Status.COMPLETED,
        "error": Status.FAILED,
        "deleted": Status.DELETED,
    }
    hint_help = "Give it as `callback_url` of each POST /v2/videos: Tavus calls it when that video is done or has failed."

    def headers(self) -> Mapping[str, str]:
        return {"x-api-key": self.account.key}

    def page_request(self, cursor: Cursor) -> Request:
        page = {} if cursor is None else {"page": cursor}
        return Request(path="/v2/videos", query={"limit": self.limit(), **page})

    def read_page(self, body: Json, cursor: Cursor) -> Page:
        rows = rows_of(body, "data")
        ids = [id_of(row, "video_id") for row in rows]
        # Sources disagree whether pages count from 0 or from 1. So the first request names no page, the second asks for
        # page 1, and what page 1 turns out to be decides by itself: the first page again, or the second.
        following = str(int(cursor or 0) + 1) if rows else None
        return Page(
            sightings=[self.sighting(row) for row in rows],
            ids=ids,
            next=following,
            total=integer(body.get("total_count")),
        )

    def may_repeat(self, cursor: Cursor) -> bool:
        return cursor == "1"

    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        found = ((video_id, self._detail(client, video_id)) for video_id in video_ids)
        return {video_id: seen for video_id, seen in found if seen is not None}

    def _detail(self, client: httpx.Client, video_id: str) -> Sighting | None:
        try:
            return self.sighting(self.ask(client, Request(path=f"/v2/videos/{video_id}")))
        except NotFoundError as error:
            return gone(video_id, error)
        except ProviderFaultError as error:
            # "Invalid video_id" is the only refusal of an id that is documented. Whether it means "gone" is not, so it
            # decides nothing unless the account says so; raised, it would end every look while such an id is on record.
            if error.http_status != BAD_REQUEST:
                raise
            refused_is_gone = self.account.option("deleted_when") == "refused"
            return gone(video_id, NotFoundError(str(error))) if refused_is_gone else None

    def sighting(self, row: Json) -> Sighting:
        status = self.status(row.get("status"))
        failed, completed = status is Status.FAILED, status is Status.COMPLETED
        return Sighting(
            video_id=id_of(row, "video_id"),
            status=status,
            provider_status=text(row.get("status")),
            title=text(row.get("video_name")),
            # hosted_url is filled from the first moment on, for failed videos too: it says nothing about the status.
            url=(text(row.get("download_url")) or text(row.get("hosted_url"))) if completed else None,
            thumbnail_url=text(row.get("still_image_thumbnail_url")) or text(row.get("gif_thumbnail_url")),
            # On failure the words stand in status_details while error_details may be null.
            error=(text(row.get("error_details")) or text(row.get("status_details"))) if failed else None,
            created_at=creation(row.get("created_at")),
        )
