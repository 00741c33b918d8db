"""The parts that the widget's page is put together from, and the words it has for videos, places and times."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from renderbell.events import PROVIDER_NAMES, VideoRecord, masked
from renderbell.markup import NOTHING, Html, bold, code, div, element, join, span, text
from renderbell.messages import one_line, web_address
from renderbell.video import AccountName, Status
from renderbell.widget_style import STYLE

MAX_TITLE: Final = 160
MAX_REASON: Final = 240
MAX_PICTURE: Final = 1500
MAX_LINK: Final = 2500

TONES: Final[Mapping[Status, str]] = {
    Status.QUEUED: "cyan",
    Status.GENERATING: "yellow",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.DELETED: "grey",
    Status.UNKNOWN: "magenta",
}
"""The colours of statuses, as the command line has them."""
DAY: Final = 86400
UNITS: Final = (("h", 3600), ("min", 60))

PLAY: Final = Html('<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2.5v11l9-5.5z"/></svg>')
BELL: Final = Html(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9"/>'
    '<path d="M10 20a2.2 2.2 0 0 0 4 0"/></svg>'
)
CLOUD: Final = Html(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 18a4.5 4.5 0 0 1-.6-8.96A6 6 0 0 1 18 9.5a4.2 4.2 0 0 1-.5 8.5z"/>'
    '<path d="M12 11v3"/><path d="M12 16.2v.1"/></svg>'
)


# Parts of the page.


def frame(theme: str | None, *inner: Html) -> Html:
    mode = {"dark": "rb-dark", "light": "rb-light"}.get(theme or "", "rb-auto")
    return join(element("style", "", Html(STYLE)), div(f"rb {mode} cwdb-no-default-styles", *inner))


def sign(icon: Html, heading: str, *paragraphs: Html, tone: str = "") -> Html:
    """Return what stands on a page that has little else to show."""
    said = [element("p", "", inner) for inner in paragraphs]
    return div(f"rb-hello {tone}".rstrip(), icon, element("h2", "", text(heading)), *said)


def note(words: str, tone: str) -> Html:
    return div(f"rb-note rb-{tone}", text(words), role="status")


def tile(tone: str, heading: str, value: str, below: str) -> Html:
    """Return one of the numbers at the top. What stands below it may be cut off, and is told whole to who points at it."""
    small = element("small", "", text(below), title=below)
    return div(f"rb-tile rb-{tone}", span("rb-cap", text(heading)), bold(value), small)


def box(heading: str, beside: str, *inner: Html) -> Html:
    return div("rb-box", element("h3", "", text(heading), span("", text(beside))), *inner)


def calm(words: str) -> Html:
    return div("rb-calm", text(words))


def more(count: int, what: str, command: str, *, plus: bool = False) -> Html:
    """Return the line that counts what is left out, if anything is; `plus` says that it is at least so much."""
    if count <= 0 and not plus:
        return NOTHING
    said = f"… and {'at least ' if plus else ''}{max(1, count)} more {what}: "
    return div("rb-more", text(said), code(command))


def row(body: Html, beside: Html, *, kind: str = "", picture: Html = NOTHING) -> Html:
    return div(f"rb-row {kind}".rstrip(), picture, div("rb-b", body), div("rb-when", beside))


def label(said: str, direction: str) -> Html:
    """Return what a row is called. It may be cut off, as below a tile."""
    return div("rb-t", text(said), dir=direction, title=said)


def why(reason: str) -> Html:
    """Return what a provider says of a failure, in whatever language."""
    return div("rb-why", text(one_line(reason, MAX_REASON)), dir="auto")


def bar(percent: float | None, tone: str) -> Html:
    """Return how much of the usual time is over; None where nobody knows what is usual."""
    if percent is None:
        return div(f"rb-bar rb-none rb-{tone}")
    return div(f"rb-bar rb-{tone}", element("i", style=f"width:{min(100, max(2, round(percent)))}%"))


def retry_button(wish: Mapping[str, Any], question: str, function: str) -> Html:
    """Return a button that, after a question, calls `function` with a wish."""
    asked = text(json.dumps({"retry": wish}), quote=False)
    call = {"action": "call", "display": "widget", "endpoint": function, "confirmation": question}
    return join(element("a", "btn rb-btn", text("Retry")), element("cwdb-action", "", asked, **call))


# Videos.


def title_of(video: VideoRecord) -> Html:
    return label(one_line(video.title or "", MAX_TITLE) or one_line(f"untitled, {masked(video.video_id)}", MAX_TITLE), "auto")


def facts_of(video: VideoRecord, about: Iterable[str], after: Html = NOTHING) -> Html:
    status = span(f"rb-s rb-{TONES[video.status]}", text(video.status))
    said = [text(f" · {part}") for part in (provider_of(video), _account_of(video), *about) if part]
    return div("rb-m", status, *said, after)


def picture_of(video: VideoRecord) -> Html:
    kind = video.account.provider if video.account.provider in PROVIDER_NAMES else "other"
    address = _secure(video.thumbnail_url, MAX_PICTURE)
    image = element("img", src=address, alt="", loading="lazy", referrerpolicy="no-referrer") if address else NOTHING
    return div(f"rb-pic rb-{kind}", PLAY, image)


def watch_link(video: VideoRecord, now: datetime) -> Html:
    """Return the link to a completed video, as long as its URL opens."""
    over = video.url_expires_at is not None and video.url_expires_at <= now
    address = None if over or video.status is not Status.COMPLETED else _secure(video.url, MAX_LINK)
    if address is None:
        return NOTHING
    return join(text(" · "), element("a", "", text("Watch"), href=address, target="_blank", rel="noopener noreferrer"))


def provider_of(video: VideoRecord) -> str:
    return PROVIDER_NAMES.get(video.account.provider, video.account.provider)


def _account_of(video: VideoRecord) -> str:
    return "" if video.account.name == AccountName(video.account.provider).name else video.account.name


def _secure(url: str | None, longest: int) -> str | None:
    address = web_address(url, longest)
    return address if address is not None and address.startswith("https://") and len(text(address)) <= longest else None


# Places and times.


def place_of(url: str) -> str:
    """Return an endpoint's address as a shared dashboard may show it: what a query or a user's name holds is not for all."""
    parts = urlsplit(url)
    return one_line(f"{parts.netloc.rpartition('@')[2]}{parts.path}" or url, MAX_TITLE)


def ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return "just now" if seconds < 5 else f"{in_one_unit(seconds)} ago"  # noqa: PLR2004 - too short a time to name


def in_one_unit(seconds: float, *, up: bool = False) -> str:
    """Return a length of time: `40 s`, `3 min`, `5 h`, `2 days`; rounded up where it is a time to wait."""
    turn = math.ceil if up else math.floor
    if seconds >= 2 * DAY:
        return f"{turn(seconds / DAY)} days"
    unit, length = next(((unit, length) for unit, length in UNITS if seconds >= length), ("s", 1))
    return f"{turn(max(0.0, seconds) / length)} {unit}"
