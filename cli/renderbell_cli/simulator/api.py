"""What the simulated APIs have in common: an answer in JSON, a number from a query, an opaque cursor, a signed URL."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

from renderbell_cli.simulator.library import Library, Place
from renderbell_cli.simulator.serving import Answer, Call

WEEK: Final = 7 * 24 * 3600
MEDIA: Final = "https://media.example"
"""Where simulated videos pretend to lie. No such host can exist (RFC 2606)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One provider's API, as its documents describe it."""

    provider: str
    paths: tuple[str, ...]
    """What every path of it begins with."""
    key: Callable[[Call], str | None]
    """Finds the key in a call; None when there is none."""
    refuse: Callable[[Call], Answer]
    """Answers a call whose key is missing or wrong."""
    error: Callable[[int], Answer]
    """Answers any call with an HTTP error, in the provider's own shape."""
    answer: Callable[[Call, Library, float], Answer]
    """Answers a call with a good key, from its library, at this moment."""
    error_in_200: Mapping[str, Any] | None = None
    """The body of an error that comes with HTTP 200; None where no such thing is known."""


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    encoded = json.dumps(body, ensure_ascii=False).encode()
    return Answer(status=status, headers={"content-type": "application/json", **(headers or {})}, body=encoded)


def bearer(call: Call) -> str | None:
    scheme, _, key = call.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and key else None


def segments(call: Call, prefix: str) -> tuple[str, ...]:
    """Return the decoded parts of the path that follow `prefix`: () for the listing itself, (id,) for one item."""
    rest = call.path.removeprefix(prefix).removeprefix("/")
    return tuple(unquote(part) for part in rest.split("/")) if rest else ()


def whole(value: Any, default: int) -> int | None:
    """Return `value` as a whole number, `default` when there is no value, None when it is something else."""
    if value is None:
        return default
    text = str(value)
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() else None


def first[T](rows: Iterable[T], count: int) -> tuple[list[T], bool]:
    """Return the first `count` rows, and whether there are more."""
    taken = list(islice(rows, count + 1))
    return taken[:count], len(taken) > count


def cursor(endpoint: str, place: Place) -> str:
    """Return an opaque text that `place_of` turns back, for this endpoint only."""
    return base64.urlsafe_b64encode(json.dumps([endpoint, *place]).encode()).decode()


def place_of(endpoint: str, text: str) -> Place | None:
    """Return the place a cursor stands for; None when it is not one of this endpoint's."""
    try:
        name, moment, video_id = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, TypeError):
        return None
    known = name == endpoint and isinstance(moment, int | float) and isinstance(video_id, str)
    return (moment, video_id) if known else None


def signed(path: str, now: float) -> str:
    """Return a URL signed at `now` for a week. Another moment gives another signature for the same thing."""
    expires = int(now) + WEEK
    signature = hashlib.sha256(f"{path} {now!r}".encode()).hexdigest()[:16]
    return f"{MEDIA}/{path}?Expires={expires}&Signature={signature}"


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
