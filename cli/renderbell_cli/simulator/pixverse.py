"""PixVerse through useapi.net: GET /v2/pixverse/videos/ and GET /v2/pixverse/videos/{id}, offsets, key as Bearer.

https://useapi.net/docs/api-pixverse-v2/get-pixverse-videos
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from renderbell_cli.simulator.api import MEDIA, Api, bearer, iso, json_answer, whole
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call
from renderbell_cli.simulator.videos import SimulatedVideo, State

PATH: Final = "/v2/pixverse/videos/"
DEFAULT_LIMIT: Final = 40  # no maximum is documented
ACCOUNT: Final = re.compile(r"user:[^:]*-pixverse:(?P<email>.+)-video:")

# QUEUED says it is final. It is not: PixVerse's own documents say to keep polling.
STATUSES: Final[Mapping[State, Mapping[str, Any]]] = {
    "queued": {"video_status": 5, "video_status_name": "QUEUED", "video_status_final": True},
    "generating": {"video_status": 10, "video_status_name": "GENERATING", "video_status_final": False},
    "completed": {"video_status": 1, "video_status_name": "COMPLETED", "video_status_final": True},
    "failed": {"video_status": 8, "video_status_name": "FAILED", "video_status_final": True},
    # 6 is PixVerse's own number; useapi.net documents no name for it (all fields of its model are optional).
    "deleted": {"video_status": 6},
}
WORDS: Final[Mapping[int, str]] = {401: "Unauthorized", 404: "Video not found"}


def error(status: int, words: str | None = None) -> Answer:
    return json_answer({"error": words or WORDS.get(status, "Something went wrong"), "code": status}, status)


def _answer(call: Call, library: Library, now: float) -> Answer:
    video_id = call.path.removeprefix(PATH)
    if call.method != "GET":
        return error(404)
    return _list(call, library, now) if not video_id else _detail(video_id, library, now)


def _detail(video_id: str, library: Library, now: float) -> Answer:
    if "%" in video_id:  # the id goes into the path as it is, ':' and '@' and all
        return error(400, "Invalid video_id")
    video = library.find(video_id, now)
    if video is None or not video.finished(now):  # 404 is what a video still at work gets, too
        return error(404)
    row = _row(video, now)
    # The listing gives no reason; a look-up by id says `error`, inside HTTP 200.
    return json_answer({**row, "error": video.error or "failed"} if video.outcome == "failed" else row)


def _list(call: Call, library: Library, now: float) -> Answer:
    limit, offset = whole(call.query.get("limit"), DEFAULT_LIMIT), whole(call.query.get("offset"), 0)
    if limit is None or limit < 1 or offset is None or offset < 0:
        return error(400, "limit or offset is not valid")
    videos = library.videos(now)
    email, accounts = call.query.get("email"), {_email(video) for video in videos} - {None}
    if email is None and len(accounts) > 1:
        return error(400, "email is required: more than one account is configured")
    if email is not None and accounts and email not in accounts:
        return error(400, "email is not configured")
    mine = [video for video in videos if email is None or _email(video) in {email, None}]
    # next_offset of the last page is not documented: here it points past the end, and `total` tells.
    rows = [_row(video, now) for video in mine[offset : offset + limit]]
    return json_answer({"data": rows, "next_offset": offset + limit, "total": len(mine)})


def _email(video: SimulatedVideo) -> str | None:
    found = ACCOUNT.match(video.id)
    return found["email"] if found else None


def _row(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    state = video.state_at(now) or "queued"
    done, begun = state == "completed", state in {"generating", "completed"}
    media = f"{MEDIA}/pixverse/{video.id.rpartition(':')[2]}"  # without the e-mail address that is in the id
    return {
        "video_id": video.id,
        **STATUSES[state],
        "created_at": iso(video.born_at),
        "url": f"{media}.mp4" if begun else "",  # filled long before there is anything to see
        "img_url": f"{media}.webp" if begun else "",
        "first_frame": f"{media}.jpg" if done else "",
        "output_width": 2560 if done else 0,  # 0 until the video is done
        "output_height": 1472 if done else 0,
        "duration": int(video.duration_seconds),
        "video_duration": int(video.duration_seconds),
        "prompt": video.title,
        "model": "v3",
        "quality": "540p",
        "motion_mode": "normal",
        "aspect_ratio": "3:4",
        "seed": 123456,
        "original_video_id": 0,
        "upscaled": 0,
        "extended": 0,
        "asset_id": 0,
        "lip_sync": {},
        "queue_data": {"queue_time": 1, "queue_count": 0},
        "customer_paths": None,
    }


API: Final = Api(
    provider="pixverse",
    paths=(PATH,),
    key=bearer,
    refuse=lambda _: error(401),
    error=error,
    answer=_answer,
    error_in_200={"error": "Something went wrong", "code": 400},
)
