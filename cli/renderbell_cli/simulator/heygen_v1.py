"""HeyGen v1: GET /v1/video.list and GET /v1/video_status.get, code 100 in every good body, key in x-api-key.

Webhooks: POST /v1/webhook/endpoint.add, GET /v1/webhook/endpoint.list, DELETE /v1/webhook/endpoint.delete?endpoint_id=
https://docs.heygen.com/reference/video-list and https://docs.heygen.com/reference/video-status
https://docs.heygen.com/reference/add-a-webhook-endpoint, /list-webhook-endpoints and /delete-a-webhook-endpoint
HeyGen announced its end for 2026-10-31; what it answers since then is not known. This is what it answered before.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from renderbell_cli.simulator.api import Api, cursor, first, iso, json_answer, place_of, signed, whole
from renderbell_cli.simulator.heygen_v3 import failure, json_in
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call
from renderbell_cli.simulator.videos import SimulatedVideo, State

LIST: Final = "/v1/video.list"
DETAIL: Final = "/v1/video_status.get"
WEBHOOKS: Final = "/v1/webhook/endpoint."
MAX_LIMIT: Final = 100  # and the default, which is not documented
OK: Final = 100

# A deleted video has no word: its row vanishes.
WORDS: Final[Mapping[State, str]] = {
    "queued": "pending",
    "generating": "processing",
    "completed": "completed",
    "failed": "failed",
}
ERRORS: Final[Mapping[int, tuple[int, str]]] = {
    400: (400, "Invlid parameters"),  # misspelt so in the collection it was read from
    401: (40009, "Invalid credentials provided"),
    403: (400562, "forbidden"),
    404: (40104, "Video not found"),
    429: (400123, "Exceed rate limit"),
}
# Seen on every v1 and v2 answer in September 2026.
SUNSET: Final = {"deprecation": "true", "sunset": "Sat, 31 Oct 2026 00:00:00 GMT"}


def error(status: int) -> Answer:
    code, words = ERRORS.get(status, (status, "Something went wrong"))
    return json_answer({"code": code, "message": words}, status, SUNSET)


def _answer(call: Call, library: Library, now: float) -> Answer:
    if call.path.startswith(WEBHOOKS):
        return _webhooks(call, library.webhooks, now)
    match call.method, call.path:
        case "GET", "/v1/video.list":
            return _list(call, library, now)
        case "GET", "/v1/video_status.get":
            video = library.find(call.query.get("video_id", ""), now)
            if video is None or video.state_at(now) not in WORDS:
                return error(404)
            return json_answer({"code": OK, "data": _detail(video, now), "message": "Success"}, headers=SUNSET)
        case _:
            return error(404)


def _webhooks(call: Call, registered: dict[str, dict[str, Any]], now: float) -> Answer:
    match call.method, call.path.removeprefix(WEBHOOKS):
        case "POST", "add":
            return _register(call, registered, now)
        case "GET", "list":
            return _good([*registered.values()])
        case "DELETE", "delete":
            # What is answered to an id it does not know is not documented: here, what it says of such a video.
            found = registered.pop(call.query.get("endpoint_id", ""), None)
            return error(404) if found is None else _good(None)
        case _:
            return error(404)


def _register(call: Call, registered: dict[str, dict[str, Any]], now: float) -> Answer:
    # HeyGen asks the URL with OPTIONS, for a second at most, and refuses one that does not answer. This one asks nobody.
    asked = json_in(call)
    url, events = asked.get("url"), asked.get("events")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")) or not isinstance(events, list | None):
        return error(400)
    hook_id = uuid4().hex
    registered[hook_id] = {
        "endpoint_id": hook_id,
        "username": "simulated",
        "url": url,
        "status": "enabled",
        "events": events,  # none means all
        "secret": uuid4().hex,
        "created_at": iso(now),
    }
    return _good(registered[hook_id])


def _good(data: object) -> Answer:
    return json_answer({"code": OK, "data": data, "msg": None, "message": None}, headers=SUNSET)


def _list(call: Call, library: Library, now: float) -> Answer:
    limit = whole(call.query.get("limit"), MAX_LIMIT)
    token = call.query.get("token")
    after = place_of(LIST, token) if token else None
    if limit is None or not 0 <= limit <= MAX_LIMIT or (token and after is None):  # 0 is allowed: "0 to 100"
        return error(400)
    total = sum(_matches(call, video, now) for video in library.videos(now))
    rest = (video for video in library.videos(now, after) if _matches(call, video, now))
    page, more = first(rest, limit)
    following = cursor(LIST, (page[-1].born_at, page[-1].id)) if more and page else None
    data = {"videos": [_row(video, now) for video in page], "token": following, "total": total}
    return _good(data)


def _matches(call: Call, video: SimulatedVideo, now: float) -> bool:
    # Simulated videos lie in no folder, so a folder holds none of them.
    title, folder = call.query.get("title", ""), call.query.get("folder_id", "")
    return video.state_at(now) in WORDS and title in video.title and not folder


def _row(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    # No URL, no error, no duration: for these one asks video_status.get.
    return {
        "video_id": video.id,
        "status": WORDS[video.state_at(now) or "queued"],
        "video_title": video.title,
        "created_at": int(video.born_at),
        "type": "GENERATED",
        "folder_id": "null",  # the text, as in the documented example
    }


def _detail(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    state = video.state_at(now) or "queued"
    done = state == "completed"
    return {
        "id": video.id,
        "status": WORDS[state],
        "callback_id": None,
        "caption_url": None,
        "created_at": int(video.born_at),
        "duration": video.duration_seconds if done else None,
        "error": failure(video) if state == "failed" else None,
        "gif_url": signed(f"heygen/{video.id}.gif", now) if done else None,
        "thumbnail_url": signed(f"heygen/{video.id}.jpg", now) if done else None,
        "video_url": signed(f"heygen/{video.id}.mp4", now) if done else None,  # signed anew at every call, for 7 days
        "video_url_caption": None,
    }


API: Final = Api(
    provider="heygen",
    paths=(LIST, DETAIL, WEBHOOKS),
    key=lambda call: call.headers.get("x-api-key"),
    refuse=lambda _: error(401),
    error=error,
    answer=_answer,
    error_in_200={"code": 400123, "message": "Exceed rate limit"},
)
