"""HeyGen: GET /v3/videos, or GET /v1/video.list with `api_version: v1`; opaque tokens, key in x-api-key.

https://developers.heygen.com/reference/list-videos and https://docs.heygen.com/reference/video-list
HeyGen announced the end of v1 and v2 for 2026-10-31; what v1 answers since then is not documented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import batched
from typing import ClassVar, Final
from urllib.parse import quote

import httpx

from renderbell.account import Account
from renderbell.errors import (
    AuthError,
    BadResponseError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
)
from renderbell.http import Answer, Request
from renderbell.page import Cursor, Page
from renderbell.providers.base import Provider, by_code, gone, hook_of, id_of, rows_of
from renderbell.providers.hooks import Hook
from renderbell.values import Json, creation, integer, number, text
from renderbell.video import Sighting, Status


def heygen(account: Account) -> Provider:
    """Return the HeyGen of the account's `api_version`: v3, unless it says v1."""
    return HeyGenV1(account) if account.option("api_version") == "v1" else HeyGenV3(account)


class HeyGen(Provider):
    """What both versions have in common."""

    name = "heygen"
    base_url = "https://api.heygen.com"
    page_size = 100
    statuses: ClassVar[Mapping[str, Status]] = {
        "draft": Status.QUEUED,  # v1, older documents: not submitted yet
        "waiting": Status.QUEUED,
        "pending": Status.QUEUED,
        "queued": Status.QUEUED,  # v3 bulk statuses only
        "processing": Status.GENERATING,
        "completed": Status.COMPLETED,
        "failed": Status.FAILED,
        "not_found": Status.DELETED,  # v3 bulk statuses only: an unknown or unowned id
    }
    hooks = True
    hint_help = (
        "`renderbell account hook heygen/NAME` registers it for the whole account; "
        "or give it as `callback_url` of a single job."
    )
    listing: ClassVar[str]

    def headers(self) -> Mapping[str, str]:
        return {"x-api-key": self.account.key}

    def page_request(self, cursor: Cursor) -> Request:
        token = {} if cursor is None else {"token": cursor}
        folder = self.account.option("folder_id")
        return Request(path=self.listing, query={"limit": self.limit(), **token, **({"folder_id": folder} if folder else {})})


class HeyGenV3(HeyGen):
    listing = "/v3/videos"
    bulk = 100

    def read_page(self, body: Json, cursor: Cursor) -> Page:
        del cursor
        rows = rows_of(body, "data")
        following = text(body.get("next_token"))
        if body.get("has_more") and following is None:
            raise BadResponseError("has_more is true but there is no next_token")
        return Page(
            sightings=[self.sighting(row) for row in rows],
            ids=[id_of(row, "id") for row in rows],
            next=following if body.get("has_more") else None,
        )

    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        """One request for each hundred ids; the bulk answer has statuses only, see `complete`."""
        found: dict[str, Sighting] = {}
        for batch in batched(video_ids, self.bulk, strict=False):
            body = self.ask(client, Request(path="/v3/videos/statuses", query={"video_ids": ",".join(batch)}))
            for row in rows_of(body, "data"):
                if row.get("video_id") in batch:
                    found[row["video_id"]] = self._bulk_sighting(row)
        return found

    def complete(self, client: httpx.Client, seen: Sighting) -> Sighting:
        """Ask for the video itself: one that was seen in a bulk answer has no URL there."""
        if seen.url is not None:
            return seen
        body = self.ask(client, Request(path=f"/v3/videos/{seen.video_id}"))
        data = _data(body)
        detail = self._guard(lambda: self.sighting(data))
        return detail if detail.status is Status.COMPLETED else seen

    def hook(self, client: httpx.Client, url: str) -> Hook:
        """POST /v3/webhooks/endpoints; without `events` it gets all of them (heygen-cli gen/webhook.go)."""
        body = self.ask(client, Request(method="POST", path="/v3/webhooks/endpoints", json={"url": url}))
        return hook_of(_data(body), "endpoint_id", "secret")

    def unhook(self, client: httpx.Client, hook_id: str) -> None:
        """DELETE /v3/webhooks/endpoints/{endpoint_id} (heygen-cli gen/webhook.go)."""
        self.take_back(client, Request(method="DELETE", path=f"/v3/webhooks/endpoints/{quote(hook_id, safe='')}"))

    def sighting(self, row: Json) -> Sighting:
        status = self.status(row.get("status"))
        return Sighting(
            video_id=id_of(row, "id"),
            status=status,
            provider_status=text(row.get("status")),
            title=text(row.get("title")),
            url=text(row.get("video_url")) if status is Status.COMPLETED else None,
            thumbnail_url=text(row.get("thumbnail_url")) or text(row.get("gif_url")),
            error=text(row.get("failure_message")) or text(row.get("failure_code")),
            duration_seconds=number(row.get("duration")),
            created_at=creation(row.get("created_at")),
        )

    def _bulk_sighting(self, row: Json) -> Sighting:
        error = row.get("error")
        return Sighting(
            video_id=id_of(row, "video_id"),
            not_found=text(row.get("status")) == "not_found",
            status=self.status(row.get("status")),
            provider_status=text(row.get("status")),
            error=text(error.get("message")) if isinstance(error, Mapping) else None,
        )


V1_OK: Final = 100
V1_ERRORS: Final[Mapping[int, type[ProviderError]]] = {
    40009: AuthError,  # invalid credentials
    400112: AuthError,  # unauthorized
    400562: AuthError,  # forbidden
    400123: RateLimitedError,
    40104: NotFoundError,  # video not found
}


class HeyGenV1(HeyGen):
    listing = "/v1/video.list"

    def error_in(self, answer: Answer, body: Json) -> type[ProviderError] | None:
        # `code` is text in the schema and a number in the example; 100 is success, even with `data: null`.
        if "code" not in body or integer(body["code"]) == V1_OK:
            return None
        return by_code(V1_ERRORS, answer, body["code"])

    def read_page(self, body: Json, cursor: Cursor) -> Page:
        del cursor
        rows = rows_of(body, "data", "videos")
        data = body["data"]
        return Page(
            sightings=[self.sighting(row) for row in rows],
            ids=[id_of(row, "video_id") for row in rows],
            next=text(data.get("token")) if rows else None,  # an empty page may still carry a token: it is the end
            total=integer(data.get("total")),
        )

    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        return {video_id: self._detail(client, video_id) for video_id in video_ids}

    def complete(self, client: httpx.Client, seen: Sighting) -> Sighting:
        """Ask `video_status.get`: only there is a URL, signed anew at each call for 7 days."""
        detail = self._detail(client, seen.video_id)
        return seen if detail.status is not Status.COMPLETED else _merged(seen, detail)

    def hook(self, client: httpx.Client, url: str) -> Hook:
        """POST /v1/webhook/endpoint.add; without `events` it gets all of them.

        https://docs.heygen.com/reference/add-a-webhook-endpoint. HeyGen first asks the URL with OPTIONS, and
        waits a second for it at most.
        """
        body = self.ask(client, Request(method="POST", path="/v1/webhook/endpoint.add", json={"url": url}))
        return hook_of(_data(body), "endpoint_id", "secret")

    def unhook(self, client: httpx.Client, hook_id: str) -> None:
        """DELETE /v1/webhook/endpoint.delete, the id in the query: docs.heygen.com/reference/delete-a-webhook-endpoint."""
        request = Request(method="DELETE", path="/v1/webhook/endpoint.delete", query={"endpoint_id": hook_id})
        self.take_back(client, request)

    def _detail(self, client: httpx.Client, video_id: str) -> Sighting:
        try:
            body = self.ask(client, Request(path="/v1/video_status.get", query={"video_id": video_id}))
        except NotFoundError as error:
            return gone(video_id, error)
        return self._guard(lambda: self._detail_sighting(video_id, body["data"]))

    def _detail_sighting(self, video_id: str, data: Json) -> Sighting:
        status = self.status(data.get("status"))
        error = data.get("error")
        words = (error.get("detail") or error.get("message")) if isinstance(error, Mapping) else error
        return Sighting(
            video_id=video_id,
            status=status,
            provider_status=text(data.get("status")),
            url=text(data.get("video_url")) if status is Status.COMPLETED else None,
            thumbnail_url=text(data.get("thumbnail_url")) or text(data.get("gif_url")),
            error=text(words),
            duration_seconds=number(data.get("duration")),
            created_at=creation(data.get("created_at")),
        )

    def sighting(self, row: Json) -> Sighting:
        status = self.status(row.get("status"))
        return Sighting(
            video_id=id_of(row, "video_id"),
            status=status,
            provider_status=text(row.get("status")),
            title=text(row.get("video_title")),
            # Not in the documented row; a community client has seen them there.
            url=text(row.get("video_url")) if status is Status.COMPLETED else None,
            thumbnail_url=text(row.get("thumbnail_url")),
            duration_seconds=number(row.get("duration")),
            created_at=creation(row.get("created_at")),
        )


def _data(body: Json) -> Json:
    """Return what an answer wraps in `data`, or the answer itself where it wraps nothing."""
    data = body.get("data")
    return data if isinstance(data, Mapping) else body


def _merged(seen: Sighting, detail: Sighting) -> Sighting:
    return replace(
        seen,
        url=detail.url,
        thumbnail_url=detail.thumbnail_url or seen.thumbnail_url,
        duration_seconds=detail.duration_seconds or seen.duration_seconds,
        created_at=seen.created_at or detail.created_at,
    )
