"""Tavus: GET /v2/videos and GET /v2/videos/{id}, numbered pages, key in x-api-key.

https://docs.tavus.io/api-reference/video-request/get-videos
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from renderbell_cli.simulator.api import MEDIA, Api, json_answer, segments, whole
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call
from renderbell_cli.simulator.videos import SimulatedVideo, State

PATH: Final = "/v2/videos"
DEFAULT_LIMIT: Final = 10  # no maximum is documented
UNAUTHORIZED: Final = 401
WORDS: Final[Mapping[State, str]] = {
    "queued": "queued",
    "generating": "generating",
    "completed": "ready",
    "failed": "error",
    "deleted": "deleted",  # a soft-deleted video stays in the list
}


def api(first_page: int) -> Api:
    """Return Tavus with pages counted from `first_page`: older documents say 1, newer ones and a tested connector 0."""
    return Api(
        provider="tavus",
        paths=(PATH,),
        key=lambda call: call.headers.get("x-api-key"),
        refuse=lambda _: error(UNAUTHORIZED, "Invalid access token"),
        error=error,
        answer=partial(_answer, first_page),
    )


def error(status: int, words: str = "Something went wrong") -> Answer:
    # Two keys for the same thing: `message` with 401, `error` with 400. Other statuses are not documented.
    return json_answer({"message" if status == UNAUTHORIZED else "error": words}, status)


def _answer(first_page: int, call: Call, library: Library, now: float) -> Answer:
    match (call.method, *segments(call, PATH)):
        case ("GET",):
            return _list(first_page, call, library, now)
        case ("GET", video_id):
            video = library.find(video_id, now)
            # 400 is what is documented for an id it does not know; a 404 is not.
            return error(400, "Invalid video_id") if video is None else json_answer(_row(video, now))
        case _:
            return error(404, "Not found")


def _list(first_page: int, call: Call, library: Library, now: float) -> Answer:
    limit, page = whole(call.query.get("limit"), DEFAULT_LIMIT), whole(call.query.get("page"), first_page)
    if limit is None or limit < 1 or page is None or page < first_page:
        return error(400, "Invalid limit or page")
    videos = library.videos(now)
    start = (page - first_page) * limit
    rows = [_row(video, now) for video in videos[start : start + limit]]
    return json_answer({"data": rows, "total_count": len(videos)})


def _row(video: SimulatedVideo, now: float) -> Mapping[str, Any]:
    state = video.state_at(now) or "queued"
    done, failed = state == "completed", state == "failed"
    media = f"{MEDIA}/tavus/{video.id}"
    return {
        "video_id": video.id,
        "video_name": video.title,
        "status": WORDS[state],
        "data": {"script": f"{video.title}."},
        "generation_progress": f"{video.progress_at(now)}/100",
        "download_url": f"{media}/high.mp4?download={video.id}" if done else "",
        "hosted_url": f"{media}/watch",  # filled from the first moment on, whatever becomes of the video
        "stream_url": f"{media}.m3u8" if done else "",
        # On failure the words stand here, and error_details is null.
        "status_details": (video.error or "") if failed else "Your request has processed successfully!" if done else "",
        "error_details": None if failed else "",
        "background_url": "",
        "background_source_url": "",
        "still_image_thumbnail_url": f"{media}/still.jpg" if done else "",
        "gif_thumbnail_url": f"{media}/preview.gif" if done else "",
        "created_at": _naive(video.born_at),
        "updated_at": _naive(video.changed_at(now)),
    }


def _naive(moment: float) -> str:
    """Return a time as Tavus writes it in videos: with microseconds and without a zone."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
