"""VideoGen: GET /v1/files, GET /v1/files/{id}, POST /v1/files/{id}/hydrate, GET /v1/tools/executions/{id}; Bearer key.

Webhooks: POST and GET /v1/webhooks/endpoints, DELETE /v1/webhooks/endpoints/{id}.
https://docs.videogen.io and the packages videogen 2.5.3 and videogen-apimatic 1.0.0 on PyPI.
A file has no status. Each of its sources has one, and it stays `pending` until somebody hydrates the finished file.
"""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from renderbell_cli.simulator.api import (
    WEEK,
    Api,
    bearer,
    cursor,
    first,
    json_answer,
    place_of,
    segments,
    signed,
    whole,
)
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call
from renderbell_cli.simulator.videos import SimulatedVideo, State

FILES: Final = "/v1/files"
EXECUTIONS: Final = "/v1/tools/executions"
WEBHOOKS: Final = "/v1/webhooks/endpoints"
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
FILE_ID: Final = "vg_file_"
EXECUTION_ID: Final = "vg_tool_"

SOURCES: Final[Mapping[str, frozenset[str]]] = {
    "thumbnailSource": frozenset({"VIDEO", "IMAGE"}),
    "previewSource": frozenset({"VIDEO", "IMAGE", "AUDIO"}),
    "downloadSource": frozenset({"VIDEO", "IMAGE", "AUDIO"}),
    "hlsSource": frozenset({"VIDEO", "AUDIO"}),
}
"""Each source, and the kinds of file it applies to; for the others it is `skipped`."""
TOOLS: Final = {"VIDEO": "GENERATE_VIDEO_CLIP", "IMAGE": "GENERATE_IMAGE", "AUDIO": "TEXT_TO_SPEECH"}
JOB_WORDS: Final[Mapping[State, str]] = {
    "queued": "pending",
    "generating": "running",
    "completed": "succeeded",
    "failed": "failed",
    "deleted": "cancelled",
}
CODES: Final[Mapping[int, str]] = {
    400: "invalid_request",
    401: "invalid_api_key",
    403: "not_authorized",
    404: "not_found",
    429: "rate_limited",  # or insufficient_credits: 429 has two meanings
}


def error(status: int, words: str = "Something went wrong") -> Answer:
    return json_answer(_error_body(CODES.get(status), words), status, {"x-request-id": "req_simulated"})


def _error_body(code: str | None, words: str | None) -> Mapping[str, Any]:
    return {"message": words, "code": code, "requirement": None, "internalErrorCode": None}


def _answer(call: Call, library: Library, now: float) -> Answer:
    if call.path.startswith(WEBHOOKS):
        return _webhooks(call, library.webhooks, now)
    if call.path.startswith(EXECUTIONS):
        return _execution_answer(call, library, now)
    match (call.method, *segments(call, FILES)):
        case ("GET",):
            return _list(call, library, now)
        case ("GET", file_id):
            return _file_answer(file_id, library, now)
        case ("POST", file_id, "hydrate"):
            if library.find(file_id, now) is not None:
                library.hydrate(file_id, now)
            return _file_answer(file_id, library, now)
        case _:
            return error(404, "Not found")


def _webhooks(call: Call, registered: dict[str, dict[str, Any]], now: float) -> Answer:
    match (call.method, *segments(call, WEBHOOKS)):
        case ("POST",):
            return _register(call, registered, now)
        case ("GET",):  # one page holds them all; the secret is told on creation only
            rows = [{name: value for name, value in row.items() if name != "signingSecret"} for row in registered.values()]
            return json_answer({"endpoints": rows, "hasMore": False, "nextCursor": None})
        case ("DELETE", hook_id):
            return error(404, "Webhook endpoint not found") if registered.pop(hook_id, None) is None else Answer(status=204)
        case _:
            return error(404, "Not found")


def _register(call: Call, registered: dict[str, dict[str, Any]], now: float) -> Answer:
    try:
        asked = json.loads(call.body)
    except ValueError:
        asked = None
    url, events = (asked.get("url"), asked.get("events")) if isinstance(asked, dict) else (None, None)
    if not isinstance(url, str) or not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return error(400, "url must be an HTTPS URL")  # this machine's own pass: tests live there
    if not isinstance(events, list) or not events:
        return error(400, "events must name at least one event")
    hook_id = f"ep_{uuid4().hex}"
    secret = f"whsec_{base64.b64encode(os.urandom(24)).decode()}"
    row = {
        "endpointId": hook_id,
        "url": url,
        "events": events,
        "description": asked.get("description"),
        "createdAt": int(now),
        "signingSecret": secret,
        "signingSecretLast4": secret[-4:],
    }
    registered[hook_id] = row
    return json_answer(row, 201)


def _file_answer(file_id: str, library: Library, now: float) -> Answer:
    video = library.find(file_id, now)
    # An archived file leaves the list; what a look-up by id says of it is not documented. We say it is gone.
    if video is None or video.state_at(now) == "deleted":
        return error(404, "File not found")
    return json_answer(_file(video, library.hydrated_at(file_id), now))


def _list(call: Call, library: Library, now: float) -> Answer:
    limit = whole(call.query.get("limit"), DEFAULT_LIMIT)
    token = call.query.get("cursor")
    after = place_of(FILES, token) if token else None
    if limit is None or limit < 1 or (token and after is None):
        return error(400, "limit or cursor is not valid")
    hidden = {
        scope
        for scope, option in (("EXPORT", "includeExportFiles"), ("PROJECT", "includeProjectFiles"))
        if call.query.get(option) != "true"
    }
    listed = [
        ((file.changed_at(now), file.id), file)
        for file in library.files(now)
        if file.scope not in hidden and file.state_at(now) != "deleted"
    ]
    # Most recently updated first: a row moves to the top while others page through the rest.
    listed.sort(key=lambda pair: pair[0], reverse=True)
    page, more = first((pair for pair in listed if after is None or pair[0] < after), min(limit, MAX_LIMIT))
    return json_answer(
        {
            "files": [_file(file, library.hydrated_at(file.id), now) for _, file in page],
            "hasMore": more,
            "nextCursor": cursor(FILES, page[-1][0]) if more else None,
        }
    )


def _file(video: SimulatedVideo, hydrated_at: float | None, now: float) -> Mapping[str, Any]:
    sources = {name: _source(name, video, hydrated_at, now) for name in SOURCES}
    download, thumbnail = sources["downloadSource"], sources["thumbnailSource"]
    return {
        "fileId": video.id,
        "type": None if video.state_at(now) == "queued" else video.kind,  # null while it is not yet determined
        "scope": video.scope,
        "displayName": video.title,
        "description": None,
        "durationSeconds": video.duration_seconds if video.finished(now) and video.kind != "IMAGE" else None,
        "transcript": None,
        "downloadUrl": download["url"],
        "downloadUrlExpiresAt": download["expiresAt"],
        "thumbnailUrl": thumbnail["url"],
        "thumbnailUrlExpiresAt": thumbnail["expiresAt"],
        **sources,
        "isPublicPreviewEnabled": False,
        **_origin(video),
    }


def _origin(video: SimulatedVideo) -> Mapping[str, str]:
    """Return what made the file: only what a tool made names its tool; an export was made by none."""
    if not _tool_made(video):
        return {}
    return {"sourceToolType": TOOLS[video.kind], "sourceToolExecutionId": _execution_id(video)}


def _source(name: str, video: SimulatedVideo, hydrated_at: float | None, now: float) -> Mapping[str, Any]:
    status, url, expires = "pending", None, None
    if hydrated_at is not None and video.kind not in SOURCES[name]:
        status = "skipped"
    elif hydrated_at is not None and video.outcome == "failed":
        status = "failed"
    elif hydrated_at is not None:
        status = "ready"  # and it stays so with a null url once the signature has run out, until the next hydration
        if now < hydrated_at + WEEK:
            url, expires = signed(f"videogen/{video.id}/{name}", hydrated_at), int(hydrated_at) + WEEK
    return {"status": status, "url": url, "expiresAt": expires, "width": None, "height": None, "fileBytes": None}


def _tool_made(video: SimulatedVideo) -> bool:
    return video.scope != "EXPORT"


def _execution_id(video: SimulatedVideo) -> str:
    return EXECUTION_ID + video.id.removeprefix(FILE_ID)


def _execution_answer(call: Call, library: Library, now: float) -> Answer:
    match (call.method, *segments(call, EXECUTIONS)):
        case ("GET", execution_id):
            return _execution(execution_id, library, now)
        case _:
            return error(404, "Not found")


def _execution(execution_id: str, library: Library, now: float) -> Answer:
    name = execution_id.removeprefix(EXECUTION_ID)
    video = library.find(FILE_ID + name, now) or library.find(name, now)
    if video is None or not _tool_made(video) or execution_id != _execution_id(video):
        return error(404, "Tool execution not found")
    state = video.state_at(now) or "queued"
    return json_answer(
        {
            "toolExecutionId": execution_id,
            "toolType": TOOLS[video.kind],
            "status": JOB_WORDS[state],
            "progressPercentage": video.progress_at(now),
            "attemptIndex": 0,
            "results": [_result(video, now)] if state == "completed" else [],
            "error": _error_body(None, video.error) if state == "failed" else None,
        }
    )


def _result(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    file = _file(video, now, now)  # signed for this answer; the file's own row does not change by it
    shared = ("fileId", "type", "downloadUrl", "downloadUrlExpiresAt", "thumbnailUrl", "thumbnailUrlExpiresAt")
    return {**{name: file[name] for name in shared}, "file": file}


API: Final = Api(
    provider="videogen",
    paths=(FILES, EXECUTIONS, WEBHOOKS),
    key=bearer,
    refuse=lambda _: error(401, "Invalid API key"),
    error=error,
    answer=_answer,
)
