"""Memories.ai: POST /serve/api/v1/list_videos, page and filters in a JSON body, bare key in Authorization.

https://memories.ai/docs/API/Utils/List-videos/
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from renderbell_cli.simulator.api import Api, json_answer, whole
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call
from renderbell_cli.simulator.videos import SimulatedVideo, State

PATH: Final = "/serve/api/v1/list_videos"
DEFAULT_SIZE: Final = 20
MAX_SIZE: Final = 200

# There is no word for "waiting": a video is being indexed from the moment it is there. A deleted video's row vanishes.
WORDS: Final[Mapping[State, str]] = {
    "queued": "UNPARSE",
    "generating": "UNPARSE",
    "completed": "PARSE",
    "failed": "FAILED",
}


def problem(code: str, words: str) -> Answer:
    """Return an error as the API itself gives it: HTTP 200, and no `data` in the body."""
    return json_answer({"code": code, "msg": words, "success": False, "failed": True})


def error(status: int) -> Answer:
    """Return an HTTP error, which only what stands before the API gives, in a shape of its own."""
    body = {"timestamp": 0, "path": PATH, "status": status, "error": "Something went wrong", "requestId": "simulated"}
    return json_answer(body, status)


def _refuse(call: Call) -> Answer:
    # A missing key is documented as HTTP 401, a wrong one (or one with "Bearer " before it) as code 0401 inside 200.
    return problem("0401", "Unauthorized") if call.headers.get("authorization") else error(401)


def _answer(call: Call, library: Library, now: float) -> Answer:
    if call.method != "POST" or call.path != PATH:
        return error(404)
    try:
        asked = json.loads(call.body or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return problem("0001", "The body is not a JSON object")
    page, size = whole(asked.get("page"), 1), whole(asked.get("size"), DEFAULT_SIZE)
    if page is None or page < 1 or size is None or not 1 <= size <= MAX_SIZE:
        return problem("0001", "page or size is out of range")
    found = [video for video in library.videos(now) if _matches(asked, video, now)]
    start = (page - 1) * size
    data = {
        "videos": [_row(video, now) for video in found[start : start + size]],
        "current_page": page,
        "page_size": size,
        "total_count": str(len(found)),
    }
    return json_answer({"code": "0000", "msg": "success", "data": data, "success": True, "failed": False})


def _matches(asked: Mapping[str, Any], video: SimulatedVideo, now: float) -> bool:
    # unique_id is a namespace: one that does not exist reads as "no videos", never as an error.
    word = WORDS.get(video.state_at(now) or "deleted")
    return (
        word is not None
        and video.namespace == (asked.get("unique_id") or "default")
        and (asked.get("status") or word) == word
        and (asked.get("video_no") or video.id) == video.id
        and video.id in (asked.get("video_nos") or (video.id,))
        and str(asked.get("video_name") or "") in video.title
    )


def _row(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    state = video.state_at(now) or "queued"
    return {
        "video_no": video.id,
        "video_name": video.title,
        "status": WORDS[state],
        "cause": (video.error or "null") if state == "failed" else "null",  # the text "null"
        "duration": str(int(video.duration_seconds)),  # numbers come as text
        "size": str(int(video.duration_seconds * 90_000)),
        "create_time": str(int(video.born_at * 1000)),  # milliseconds
    }


API: Final = Api(
    provider="memories",
    paths=("/serve/api/v1/",),
    key=lambda call: call.headers.get("authorization"),
    refuse=_refuse,
    error=error,
    answer=_answer,
    error_in_200={"code": "0429", "msg": "Request has exceeded the limit."},
)
