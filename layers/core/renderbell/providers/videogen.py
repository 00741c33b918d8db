"""VideoGen: GET /v1/files, cursors, most recently updated first, Bearer key.

https://docs.videogen.io and PyPI videogen 2.5.3. A file has no status: each of its renditions ("sources") has one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import quote

import httpx

from renderbell.errors import BadResponseError, NotFoundError, ProviderError, ProviderFaultError
from renderbell.http import Answer, Request
from renderbell.page import Cursor, Page
from renderbell.providers.base import Provider, gone, hook_of, id_of, message_of, rows_of
from renderbell.providers.hooks import Hook
from renderbell.values import Json, moment, number, text
from renderbell.video import Sighting, Status

DOWNLOAD: Final = "downloadSource"
PLAYABLE: Final = (DOWNLOAD, "previewSource", "hlsSource", "staticPublicPreviewSource")
SOURCES: Final = (*PLAYABLE, "thumbnailSource")
STATES: Final = frozenset({None, "pending", "ready", "failed", "skipped"})
"""All that a source's state is known to be: an open enum (PyPI videogen-apimatic 1.0.0: file_source_status.py)."""
ENDED: Final = frozenset({None, "failed", "skipped"})
"""States of a source that will never be ready. Any other, a word nobody knows yet included, may still become so."""

EVENTS: Final = (  # PyPI videogen-apimatic 1.0.0: webhook_event_name.py
    *(
        f"{what}.{end}"
        for what in ("tool_execution", "workflow_run", "project_export", "assistant_message")
        for end in ("succeeded", "failed", "cancelled")
    ),
    "file.upload.completed",
    "file.upload.failed",
    "file.playback_ready",
    "file.download_ready",
    "file.analysis_completed",
    "file.analysis_failed",
)
"""All that a webhook can be told of. A registration must name its events: unlike at HeyGen, naming none is not all."""


class VideoGen(Provider):
    name = "videogen"
    base_url = "https://api.videogen.io"
    page_size = 200
    newest_first = True  # most recently updated first
    blind = True
    hooks = True
    signs_hints = True  # Standard Webhooks: PyPI videogen 2.5.3, verify_webhook_signature.py
    hint_help = "`renderbell account hook videogen/NAME` registers it for the whole account."
    statuses: ClassVar[Mapping[str, Status]] = {  # of tool executions: files have none
        "pending": Status.QUEUED,
        "running": Status.GENERATING,
        "awaiting_approval": Status.GENERATING,
        "succeeded": Status.COMPLETED,
        "failed": Status.FAILED,
        "cancelled": Status.FAILED,
    }

    def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.account.key}"}

    def page_request(self, cursor: Cursor) -> Request:
        projects = self.account.switch("include_project_files")
        return Request(
            path="/v1/files",
            query={
                "limit": self.limit(),
                "includeExportFiles": "true",  # without it the finished MP4s of project exports are not listed
                **({"includeProjectFiles": "true"} if projects else {}),
                **({} if cursor is None else {"cursor": cursor}),
            },
        )

    def error_in(self, answer: Answer, body: Json) -> type[ProviderError] | None:
        # 429 is a rate limit or an empty purse: only the first passes by waiting.
        return ProviderFaultError if not answer.ok and body.get("code") == "insufficient_credits" else None

    def read_page(self, body: Json, cursor: Cursor) -> Page:
        del cursor
        rows = rows_of(body, "files")
        following = text(body.get("nextCursor"))
        if body.get("hasMore") and following is None:
            raise BadResponseError("hasMore is true but there is no nextCursor")
        return Page(
            # The list holds images, audio and texts too. `type` is null while VideoGen does not know yet.
            sightings=[self.sighting(row) for row in rows if row.get("type") == "VIDEO"],
            ids=[id_of(row, "fileId") for row in rows],
            next=following if body.get("hasMore") else None,
        )

    def look_up(self, client: httpx.Client, video_ids: Sequence[str]) -> Mapping[str, Sighting]:
        return {video_id: self._hydrated(client, video_id) for video_id in video_ids}

    def _hydrated(self, client: httpx.Client, video_id: str) -> Sighting:
        """`pending` also means "nobody asked yet": only hydrating a file shows what is ready (SDK upload_file.py)."""
        try:
            body = self.ask(client, Request(method="POST", path=f"/v1/files/{video_id}/hydrate"))
        except NotFoundError as error:
            return gone(video_id, error)
        file = body["file"] if isinstance(body.get("file"), Mapping) else body
        seen = self._guard(lambda: self.sighting(file, hydrated=True))
        execution = text(file.get("sourceToolExecutionId"))
        return seen if seen.status.final or execution is None else self._executed(client, seen, execution)

    def _executed(self, client: httpx.Client, seen: Sighting, execution_id: str) -> Sighting:
        """Ask the tool that makes the file: where nothing is ready yet, the tool may have failed."""
        try:
            execution = self.ask(client, Request(path=f"/v1/tools/executions/{execution_id}"))
        except NotFoundError:
            return seen
        word = text(execution.get("status"))
        status = self.status(word)
        if status is Status.COMPLETED:
            return seen  # the tool is done: its file tells when there is something to play
        if status is Status.UNKNOWN:
            return replace(seen, strange=seen.strange | ({word} if word else set()))
        error = message_of(execution) if status is Status.FAILED else None
        return replace(seen, status=status, provider_status=word, error=error or seen.error)

    def hook(self, client: httpx.Client, url: str) -> Hook:
        """POST /v1/webhooks/endpoints (PyPI videogen-apimatic 1.0.0: create_webhook_endpoint_request.py)."""
        asked = {"url": url, "events": list(EVENTS), "description": "Renderbell"}
        body = self.ask(client, Request(method="POST", path="/v1/webhooks/endpoints", json=asked))
        return hook_of(body, "endpointId", "signingSecret")

    def unhook(self, client: httpx.Client, hook_id: str) -> None:
        """DELETE /v1/webhooks/endpoints/{endpointId}, answered by an empty 204 (PyPI videogen 2.5.3: resources/webhooks.py)."""
        self.take_back(client, Request(method="DELETE", path=f"/v1/webhooks/endpoints/{quote(hook_id, safe='')}"))

    def sighting(self, row: Json, *, hydrated: bool = False) -> Sighting:
        states = {name: _state(row, name) for name in SOURCES}
        status, word = self._derived(states, hydrated=hydrated)
        source = _first_ready(row, PLAYABLE)
        completed = status is Status.COMPLETED
        return Sighting(
            video_id=id_of(row, "fileId"),
            status=status,
            provider_status=word,
            title=text(row.get("displayName")),
            # `ready` can come with a null URL; newer answers carry one at the top as well.
            url=(text(source.get("url")) or text(row.get("downloadUrl"))) if completed else None,
            url_expires_at=moment(source.get("expiresAt") or row.get("downloadUrlExpiresAt")) if completed else None,
            thumbnail_url=text(_first_ready(row, ("thumbnailSource",)).get("url")) or text(row.get("thumbnailUrl")),
            duration_seconds=number(row.get("durationSeconds")),
            # What reads "pending" in a listing may long be ready, so that one failed rendition there proves nothing yet.
            strange=frozenset(state for state in states.values() if state not in STATES and state is not None),
            conclusive=hydrated or completed or (status is Status.FAILED and _nothing_to_come(states)),
        )

    def _derived(self, states: Mapping[str, str | None], *, hydrated: bool) -> tuple[Status, str | None]:
        """Return what the sources' states amount to, and the state that decided."""
        download = states[DOWNLOAD]
        if download == "ready":
            return Status.COMPLETED, download
        if any(states[name] == "ready" for name in PLAYABLE):
            # The SDK calls any ready source usable. The stricter reading waits for a download that is still being made.
            waits = download not in ENDED and self.account.option("usable_when") == "download"
            return (Status.GENERATING, download) if waits else (Status.COMPLETED, "ready")
        failed = _failed_for_good(states) if hydrated else _failed(states)
        return (Status.FAILED, "failed") if failed else (Status.GENERATING, download)


def _failed(states: Mapping[str, str | None]) -> bool:
    """Say whether a file of which nothing that plays is ready has failed, by what the listing shows of it.

    The SDK's rule: something failed and nothing is ready (PyPI videogen 2.5.3: upload_file.py). A failed thumbnail alone says
    nothing of the video, and beside a ready one all that plays must have failed.
    """
    return _nothing_to_come(states) if "ready" in states.values() else any(states[name] == "failed" for name in PLAYABLE)


def _failed_for_good(states: Mapping[str, str | None]) -> bool:
    """Say whether a hydrated file has failed. Stricter than the SDK's rule, since a failed video is never completed any more.

    What stands beside the download may fail by "a probe error" (same file) while the download is still being made, or is not
    there yet: one that never ends is told as stalled. Where a file has no download, all that plays must be over.
    """
    no_download = states[DOWNLOAD] == "skipped" and _all_over(states)
    return _failed(states) and (states[DOWNLOAD] == "failed" or no_download)


def _nothing_to_come(states: Mapping[str, str | None]) -> bool:
    return states[DOWNLOAD] == "failed" and _all_over(states)


def _all_over(states: Mapping[str, str | None]) -> bool:
    return all(states[name] in ENDED for name in PLAYABLE)


def _source(row: Json, name: str) -> Mapping[str, Any]:
    source = row.get(name)
    return source if isinstance(source, Mapping) else {}


def _state(row: Json, name: str) -> str | None:
    word = text(_source(row, name).get("status"))
    return None if word is None else word.lower()


def _first_ready(row: Json, names: Sequence[str]) -> Mapping[str, Any]:
    return next((_source(row, name) for name in names if _state(row, name) == "ready"), {})
