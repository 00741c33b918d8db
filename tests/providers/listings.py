"""One small server for each way of paging: it lists `ids`, newest first, as the provider's documents say."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import httpx

from tests.providers.fakes import Handler

ROWS: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    "tavus": lambda video_id: {"video_id": video_id, "status": "ready"},
    "heygen": lambda video_id: {"id": video_id, "status": "completed"},
    "heygen-v1": lambda video_id: {"video_id": video_id, "status": "completed"},
    "memories": lambda video_id: {"video_no": video_id, "status": "PARSE"},
    "videogen": lambda video_id: {"fileId": video_id, "type": "VIDEO", "downloadSource": {"status": "ready"}},
    "pixverse": lambda video_id: {"video_id": video_id, "video_status": 1},
}


def tavus(ids: Sequence[str], *, first_page: int = 1, counts: bool = True) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        limit = int(request.url.params["limit"])
        start = (int(request.url.params.get("page", first_page)) - first_page) * limit
        total = {"total_count": len(ids)} if counts else {}
        return httpx.Response(200, json={"data": rows("tavus", ids[start : start + limit]), **total})

    return answer


def heygen(ids: Sequence[str]) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        start, limit = int(request.url.params.get("token", "after-0")[6:]), int(request.url.params["limit"])
        more = start + limit < len(ids)
        token = f"after-{start + limit}" if more else None
        page = rows("heygen", ids[start : start + limit])
        return httpx.Response(200, json={"data": page, "has_more": more, "next_token": token})

    return answer


def heygen_v1(ids: Sequence[str], *, token_at_end: bool = False) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        start, limit = int(request.url.params.get("token", "after-0")[6:]), int(request.url.params["limit"])
        token = f"after-{start + limit}" if start + limit < len(ids) or token_at_end else None
        data = {"videos": rows("heygen-v1", ids[start : start + limit]), "token": token, "total": str(len(ids))}
        return httpx.Response(200, json={"code": 100, "data": data})

    return answer


def memories(ids: Sequence[str], *, counts: bool = True) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        start = (asked["page"] - 1) * asked["size"]
        total = {"total_count": str(len(ids))} if counts else {}
        data = {"videos": rows("memories", ids[start : start + asked["size"]]), **total}
        return httpx.Response(200, json={"code": "0000", "data": data, "failed": False})

    return answer


def videogen(ids: Sequence[str]) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        start, limit = int(request.url.params.get("cursor", "after-0")[6:]), int(request.url.params["limit"])
        more = start + limit < len(ids)
        page = rows("videogen", ids[start : start + limit])
        cursor = f"after-{start + limit}" if more else None
        return httpx.Response(200, json={"files": page, "hasMore": more, "nextCursor": cursor})

    return answer


def pixverse(ids: Sequence[str], *, at_end: str = "goes on") -> Handler:
    """Answer what the last page's next_offset may be: beyond the end, null, absent, or its own offset again."""

    def answer(request: httpx.Request) -> httpx.Response:
        start, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        last = start + limit >= len(ids)
        ends: Mapping[str, Mapping[str, Any]] = {
            "goes on": {"next_offset": start + limit},
            "null": {"next_offset": None},
            "absent": {},
            "stays": {"next_offset": start},
        }
        following = ends[at_end if last else "goes on"]
        page = rows("pixverse", ids[start : start + limit])
        return httpx.Response(200, json={"data": page, "total": len(ids), **following})

    return answer


def rows(kind: str, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    return [ROWS[kind](video_id) for video_id in ids]


LISTINGS: Final[Mapping[str, tuple[str, Callable[[Sequence[str]], Handler]]]] = {
    "tavus, pages from 1": ("tavus", tavus),
    "tavus, pages from 0": ("tavus", partial(tavus, first_page=0)),
    "tavus, pages from 1, no total": ("tavus", partial(tavus, counts=False)),
    "tavus, pages from 0, no total": ("tavus", partial(tavus, first_page=0, counts=False)),
    "heygen v3": ("heygen", heygen),
    "heygen v1": ("heygen-v1", heygen_v1),
    "heygen v1, a token on every page": ("heygen-v1", partial(heygen_v1, token_at_end=True)),
    "memories": ("memories", memories),
    "memories, no total": ("memories", partial(memories, counts=False)),
    "videogen": ("videogen", videogen),
    "pixverse, next_offset goes on": ("pixverse", pixverse),
    "pixverse, next_offset null at the end": ("pixverse", partial(pixverse, at_end="null")),
    "pixverse, next_offset absent at the end": ("pixverse", partial(pixverse, at_end="absent")),
    "pixverse, next_offset stays at the end": ("pixverse", partial(pixverse, at_end="stays")),
}
"""Every paging style, with whose it is. Each function takes the ids to list."""
