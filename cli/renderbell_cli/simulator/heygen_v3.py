"""HeyGen v3: GET /v3/videos, /v3/videos/{id} and /v3/videos/statuses, opaque tokens, key in X-Api-Key or as Bearer.

Webhooks: POST and GET /v3/webhooks/endpoints, DELETE /v3/webhooks/endpoints/{id}.
Shapes from HeyGen's own command line, github.com/heygen-com/heygen-cli gen/video.go and gen/webhook.go.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from renderbell_cli.simulator.api import (
    Api,
    bearer,
    cursor,
    first,
    iso,
    json_answer,
    place_of,
    segments,
    signed,
    whole,
)
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call
from renderbell_cli.simulator.videos import SimulatedVideo, State

PATH: Final = "/v3/videos"
WEBHOOKS: Final = "/v3/webhooks/endpoints"
DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 100
MAX_BULK: Final = 100

# The listing's enum. A deleted video has no word: its row vanishes.
WORDS: Final[Mapping[State, str]] = {
    "queued": "pending",
    "generating": "processing",
    "completed": "completed",
    "failed": "failed",
}
# The bulk statuses' own words: "queued" where the listing says "pending", and "not_found" for what is gone.
BULK_WORDS: Final[Mapping[State, str]] = {**WORDS, "queued": "queued", "deleted": "not_found"}
DOC_URL: Final = "https://developers.heygen.com/docs/error-codes"
CODES: Final[Mapping[int, str]] = {
    400: "invalid_parameter",
    401: "unauthorized",
    402: "insufficient_credit",
    403: "forbidden",
    404: "not_found",
    429: "rate_limit_exceeded",
}


def error(status: int, words: str = "something went wrong") -> Answer:
    body = {"code": CODES.get(status, "internal_error"), "message": words, "param": None, "doc_url": DOC_URL}
    return json_answer({"error": body}, status, {"x-request-id": "req_simulated"})


def _answer(call: Call, library: Library, now: float) -> Answer:
    if call.path.startswith(WEBHOOKS):
        return _webhooks(call, library.webhooks, now)
    match (call.method, *segments(call, PATH)):
        case ("GET",):
            return _list(call, library, now)
        case ("GET", "statuses"):
            return _statuses(call, library, now)
        case ("GET", video_id):
            video = library.find(video_id, now)
            if video is None or video.state_at(now) not in WORDS:
                return error(404, "video not found")
            return json_answer({"data": _row(video, now)})
        case _:
            return error(404, "not found")


def _webhooks(call: Call, registered: dict[str, dict[str, Any]], now: float) -> Answer:
    match (call.method, *segments(call, WEBHOOKS)):
        case ("POST",):
            return _register(call, registered, now)
        case ("GET",):  # one page holds them all; the secret is told on creation only
            rows = [{**row, "secret": None} for row in registered.values()]
            return json_answer({"data": rows, "has_more": False, "next_token": None})
        case ("DELETE", hook_id):
            found = registered.pop(hook_id, None)
            return error(404, "webhook endpoint not found") if found is None else json_answer({"data": {}})
        case _:
            return error(404, "not found")


def _register(call: Call, registered: dict[str, dict[str, Any]], now: float) -> Answer:
    asked = json_in(call)
    url, events = asked.get("url"), asked.get("events")
    if not isinstance(url, str) or not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return error(400, "url must be a publicly accessible HTTPS URL")  # this machine's own pass: tests live there
    if not isinstance(events, list | None):
        return error(400, "events must be a list")
    hook_id = uuid4().hex
    row = {
        "endpoint_id": hook_id,
        "url": url,
        "status": "enabled",
        "created_at": iso(now),
        "events": events,  # null means all
        "secret": f"whsec_{uuid4().hex}",
    }
    registered[hook_id] = row
    return json_answer({"data": row})


def json_in(call: Call) -> Mapping[str, Any]:
    """Return the JSON object that a call carries; an empty one for anything else."""
    try:
        asked = json.loads(call.body)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _list(call: Call, library: Library, now: float) -> Answer:
    limit = whole(call.query.get("limit"), DEFAULT_LIMIT)
    if limit is None or not 1 <= limit <= MAX_LIMIT:
        return error(400, "limit must be between 1 and 100")
    token = call.query.get("token")
    after = place_of(PATH, token) if token else None
    if token and after is None:
        return error(400, "token is not valid")
    title = call.query.get("title", "")
    matching = (
        video
        for video in library.videos(now, after)
        # Simulated videos lie in no folder, so a folder holds none of them.
        if video.state_at(now) in WORDS and title in video.title and not call.query.get("folder_id")
    )
    page, more = first(matching, limit)
    following = cursor(PATH, (page[-1].born_at, page[-1].id)) if more else None
    return json_answer({"data": [_row(video, now) for video in page], "has_more": more, "next_token": following})


def _statuses(call: Call, library: Library, now: float) -> Answer:
    asked = [video_id for video_id in call.query.get("video_ids", "").split(",") if video_id]
    if len(asked) > MAX_BULK:
        return error(400, "at most 100 ids")
    data = [_bulk_row(video_id, library.find(video_id, now), now) for video_id in asked]
    return json_answer({"data": data, "has_more": False, "next_token": None})


def _bulk_row(video_id: str, video: SimulatedVideo | None, now: float) -> Mapping[str, Any]:
    state = "deleted" if video is None else video.state_at(now) or "deleted"
    return {
        "video_id": video_id,
        "status": BULK_WORDS[state],
        # Documented as "an object, details when failed"; its fields are not. These are the ones of v1's detail.
        "error": None if video is None or state != "failed" else failure(video),
        "batch_id": None,
        "item_index": None,
    }


def failure(video: SimulatedVideo) -> Mapping[str, Any]:
    """Return why a video failed, as v1's video_status.get says it (40119 is the code of its documented example)."""
    return {"code": 40119, "detail": video.error, "message": video.error}


def _row(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    state = video.state_at(now) or "queued"
    done, failed = state == "completed", state == "failed"
    return {
        "id": video.id,
        "status": WORDS[state],
        "title": video.title,
        "created_at": int(video.born_at),
        "completed_at": int(video.finished_at) if done else None,
        "duration": video.duration_seconds if done else None,
        # Presigned: the same video has another URL at every look.
        "video_url": signed(f"heygen/{video.id}.mp4", now) if done else None,
        "captioned_video_url": None,
        "subtitle_url": None,
        "thumbnail_url": signed(f"heygen/{video.id}.jpg", now) if done else None,
        "gif_url": None,
        "folder_id": None,
        "video_page_url": None,
        **({"failure_code": None, "failure_message": video.error} if failed else {}),  # only present when failed
    }


API: Final = Api(
    provider="heygen",
    paths=(PATH, WEBHOOKS),
    key=lambda call: call.headers.get("x-api-key") or bearer(call),
    refuse=lambda _: error(401, "invalid API key"),
    error=error,
    answer=_answer,
)
