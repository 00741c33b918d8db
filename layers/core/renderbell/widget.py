"""Draws the widget of the CloudWatch dashboard: what is in flight, what ended, how accounts fare, what does not arrive.

The rules of custom widgets: HTML and CSS alone, no script; a button is an element with a `cwdb-action` behind it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Final
from urllib.parse import urlsplit

from renderbell.deliveries import DeliveryStatus
from renderbell.events import PROVIDER_NAMES, VideoRecord, masked, video_data
from renderbell.messages import one_line, spoken_duration, web_address
from renderbell.video import AccountName, Status
from renderbell.widget_style import STYLE

MAX_BYTES: Final = 64 * 1024
"""How much a page may be. AWS names no limit of its own beside that of Lambda (6 MB); a page is read at a glance."""
ROWS: Final = (12, 6, 3, 1)
"""Rows of each list: the first number with which the page is small enough, which the last always is."""
MAX_DELIVERIES: Final = 20
MAX_TITLE: Final = 160
MAX_TYPE: Final = 40
MAX_REASON: Final = 240
MAX_PICTURE: Final = 1500
MAX_LINK: Final = 2500

TONES: Final[Mapping[str, str]] = {
    "queued": "cyan",
    "generating": "yellow",
    "completed": "green",
    "failed": "red",
    "deleted": "grey",
    "unknown": "magenta",
    "pending": "yellow",
    "held": "cyan",
    "exhausted": "red",
}
"""The colours of statuses, as the command line has them."""
LONGER: Final = 1.25
LATE: Final = 2.0
"""How many times the usual makes "longer than usual", and when that is nothing to be calm about."""
DAY: Final = 86400
UNITS: Final = (("h", 3600), ("min", 60))

PLAY: Final = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2.5v11l9-5.5z"/></svg>'
BELL: Final = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9"/>'
    '<path d="M10 20a2.2 2.2 0 0 0 4 0"/></svg>'
)
CLOUD: Final = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 18a4.5 4.5 0 0 1-.6-8.96A6 6 0 0 1 18 9.5a4.2 4.2 0 0 1-.5 8.5z"/>'
    '<path d="M12 11v3"/><path d="M12 16.2v.1"/></svg>'
)

DOCUMENTATION: Final = """## Renderbell

Shows, at a glance, the AI videos that are in flight and when each will about be done, those that ended last, how the accounts
fare, and which deliveries do not arrive and why. *Retry* sends such a delivery once more, by the delivery queue.

It reads the stack's tables within bounds: at most 200 videos in flight, the latest ends, and the deliveries of endpoints that
fail or hold events. `renderbell videos`, `renderbell account list` and `renderbell deliveries` show the rest.

### Widget parameters
It needs none.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """How one account fares. `well` is None as long as it was not looked at."""

    name: AccountName
    words: str
    well: bool | None
    polled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery that does not arrive."""

    endpoint_id: str
    event_id: str
    event_type: str
    title: str | None
    status: DeliveryStatus
    reason: str | None
    attempts: int
    next_attempt_at: datetime | None
    can_retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverLine:
    """An endpoint that fails, rests or holds events. `word` is its state in one."""

    endpoint_id: str
    url: str
    word: str
    words: str
    since: datetime | None
    waiting: Sequence[Waiting]
    more: bool = False
    """Whether there are more deliveries than these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All that a page shows."""

    now: datetime
    flying: Sequence[VideoRecord] = ()
    more_flying: bool = False
    """Whether more are in flight than were read."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """Seconds that a video usually takes, by provider."""
    ended: Sequence[VideoRecord] = ()
    accounts: Sequence[AccountLine] = ()
    receivers: Sequence[ReceiverLine] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What came of a button."""

    words: str
    good: bool


def page(look: Look, *, theme: str | None = None, function: str = "", notice: Notice | None = None) -> str:
    """Return the widget's HTML. `theme` is `light` or `dark`; None asks the browser. `function` is called by the buttons."""
    for rows in ROWS:
        drawn = _framed(_note(notice) + _body(look, function, rows), theme)
        if len(drawn.encode()) <= MAX_BYTES:
            break
    return drawn


def trouble(words: str, *, theme: str | None = None) -> str:
    """Return a page that says in a sentence why there is no other."""
    inner = f"<h2>The dashboard cannot be shown just now</h2><p>{escape(words)}</p><p>Videos are watched all the same.</p>"
    return _framed(f'<div class="rb-hello rb-red">{CLOUD}{inner}</div>', theme)


def _framed(inner: str, theme: str | None) -> str:
    mode = {"dark": "rb-dark", "light": "rb-light"}.get(theme or "", "rb-auto")
    return f'<style>{STYLE}</style><div class="rb {mode} cwdb-no-default-styles">{inner}</div>'


def _note(notice: Notice | None) -> str:
    if notice is None:
        return ""
    return f'<div class="rb-note rb-{"green" if notice.good else "red"}" role="status">{escape(notice.words)}</div>'


def _body(look: Look, function: str, rows: int) -> str:
    if not look.accounts and not look.flying and not look.ended:
        return _hello() + (f'<div style="height:12px"></div>{_receivers(look, function, rows)}' if look.receivers else "")
    left = _flying(look, rows) + _receivers(look, function, rows)
    right = _ended(look, rows) + _accounts(look, rows)
    return f'{_tiles(look)}<div class="rb-cols"><div>{left}</div><div>{right}</div></div>'


def _hello() -> str:
    return (
        f'<div class="rb-hello">{BELL}<h2>Nothing is watched yet</h2>'
        "<p>Add the first account. Its API key is asked for and kept encrypted in Parameter Store:</p>"
        "<p><code>renderbell account set heygen/marketing</code></p>"
        "<p>Within a minute its videos in flight are shown here, and the next one that is done rings.</p></div>"
    )


# The four numbers.


def _tiles(look: Look) -> str:
    return f'<div class="rb-tiles">{_flying_tile(look)}{_ended_tile(look)}{_accounts_tile(look)}{_receivers_tile(look)}</div>'


def _tile(tone: str, name: str, value: str, below: str) -> str:
    words = escape(below)
    return (
        f'<div class="rb-tile rb-{tone}"><span class="rb-cap">{name}</span><b>{escape(value)}</b>'
        f'<small title="{words}">{words}</small></div>'
    )


def _flying_tile(look: Look) -> str:
    left = [seconds for video in look.flying if (seconds := _seconds_left(video, look)) is not None and seconds > 0]
    below = (
        f"next done in about {_about(min(left), up=True)}" if left else "being made" if look.flying else "nothing is being made"
    )
    count = f"{len(look.flying)}{'+' if look.more_flying else ''}"
    return _tile("amber" if look.flying else "grey", "In flight", count, below)


def _ended_tile(look: Look) -> str:
    if not look.ended:
        return _tile("grey", "Last end", "none yet", "since Renderbell watches")
    last = look.ended[0]
    return _tile(TONES[last.status], "Last end", _ago(_end(last), look.now), f"{last.status} at {_provider(last)}")


def _accounts_tile(look: Look) -> str:
    bad = [one for one in look.accounts if one.well is False]
    well = sum(one.well is True for one in look.accounts)
    below = f"{bad[0].name}: {bad[0].words}" if bad else "all are well" if well == len(look.accounts) else "not looked at yet"
    value = f"{well} of {len(look.accounts)} ok"
    return _tile("red" if bad else "green" if well else "grey", "Accounts", value, one_line(below, MAX_TITLE))


def _receivers_tile(look: Look) -> str:
    failing = [one for one in look.receivers if one.word in {"failing", "disabled"}]
    if failing:
        return _tile("red", "Deliveries", f"{len(failing)} failing", _place(failing[0].url))
    if look.receivers:
        return _tile("cyan", "Deliveries", "some are held", _place(look.receivers[0].url))
    return _tile("green", "Deliveries", "all arrive", "nothing fails, nothing is held")


# In flight.


def _flying(look: Look, rows: int) -> str:
    if not look.flying:
        return _box(
            "In flight", "", '<div class="rb-calm">Nothing is being made. What begins shows here within a minute.</div>'
        )
    ordered = sorted(look.flying, key=lambda video: _soonest(video, look))
    drawn = "".join(_flying_row(video, look) for video in ordered[:rows])
    return _box("In flight", "the next to end first", drawn + _more(len(ordered) - rows, "videos", plus=look.more_flying))


def _soonest(video: VideoRecord, look: Look) -> tuple[bool, bool, float]:
    """Sort what takes very long first, then what ends soonest, and last what nobody can tell of."""
    left = _seconds_left(video, look)
    return (video.stalled_at is None, left is None, -_age(video, look) if left is None else left)


def _flying_row(video: VideoRecord, look: Look) -> str:
    usual, age, words = look.usual.get(video.account.provider), _age(video, look), _outlook(video, look)
    about = [f"since {_about(age)}", *([f"usually {_about(usual)}"] if usual else [])]
    late = video.stalled_at is not None or (usual is not None and age > usual * LATE)
    share = "" if usual is None else f'<i style="width:{min(100, max(2, round(100 * age / usual)))}%"></i>'
    bar = f'<div class="rb-bar{"" if usual else " rb-none"} rb-{"red" if late else "amber"}">{share}</div>'
    return _row(_title(video) + _facts(video, about) + bar, words, picture=_picture(video))


def _outlook(video: VideoRecord, look: Look) -> str:
    left, age = _seconds_left(video, look), _age(video, look)
    if video.stalled_at is not None:
        return "taking<b>very long</b>"
    if left is None:
        return "no estimate<br>yet"
    if left > 0:
        return f"about<b>{_about(left, up=True)} left</b>"
    return "<b>any moment</b>now" if age <= (age + left) * LONGER else "<b>longer</b>than usual"


def _seconds_left(video: VideoRecord, look: Look) -> float | None:
    usual = look.usual.get(video.account.provider)
    return None if usual is None else usual - _age(video, look)


def _age(video: VideoRecord, look: Look) -> float:
    return max(0.0, (look.now - (video.created_at or video.first_seen_at)).total_seconds())


# Ended.


def _ended(look: Look, rows: int) -> str:
    if not look.ended:
        calm = "No video has ended since Renderbell watches. Those that were done before are not shown."
        return _box("Last ends", "", f'<div class="rb-calm">{calm}</div>')
    drawn = "".join(_ended_row(video, look.now) for video in look.ended[:rows])
    older = '<div class="rb-more">Older ones: <code>renderbell videos</code></div>' if len(look.ended) > rows else ""
    return _box("Last ends", "", drawn + older)


def _ended_row(video: VideoRecord, now: datetime) -> str:
    took = None if video.status is Status.DELETED else video_data(video)["seconds_in_flight"]
    about = [f"took {spoken_duration(took)}"] if took else []
    link = _link(video, now)
    play = f' · <a href="{escape(link)}" target="_blank" rel="noopener noreferrer">Watch</a>' if link else ""
    reason = one_line(video.error or "the provider gave no reason", MAX_REASON) if video.status is Status.FAILED else ""
    why = f'<div class="rb-why" dir="auto">{escape(reason)}</div>' if reason else ""
    return _row(_title(video) + _facts(video, about, play) + why, _ago(_end(video), now), picture=_picture(video))


def _link(video: VideoRecord, now: datetime) -> str | None:
    """Return where to watch a completed video, as long as its URL opens."""
    over = video.url_expires_at is not None and video.url_expires_at <= now
    return None if over or video.status is not Status.COMPLETED else _secure(video.url, MAX_LINK)


def _end(video: VideoRecord) -> datetime:
    # A video that was deleted ended before, but it is its deletion that is told here.
    return video.changed_at if video.status is Status.DELETED else video.finished_at or video.changed_at


# Accounts.


def _accounts(look: Look, rows: int) -> str:
    if not look.accounts:
        return ""
    ordered = sorted(look.accounts, key=lambda one: (one.well is not False, one.well is True, str(one.name)))
    shown = ordered[: 2 * rows]
    bad = "".join(_account_row(one, look.now) for one in shown if one.well is not True)
    well = "".join(_account_cell(one, look.now) for one in shown if one.well is True)
    more = _more(len(ordered) - len(shown), "accounts", command="renderbell account list")
    return _box("Accounts", "when each was looked at", bad + (f'<div class="rb-well">{well}</div>' if well else "") + more)


def _account_row(one: AccountLine, now: datetime) -> str:
    tone, kind = ("grey", "rb-m") if one.well is None else ("red", "rb-why")
    words = f'<div class="{kind}">{escape(one_line(one.words, MAX_REASON))}</div>'
    return _row(_dotted(one, tone) + words, _polled(one, now), kind="rb-plain")


def _account_cell(one: AccountLine, now: datetime) -> str:
    return f'<div><div class="rb-t">{_dotted(one, "green")}</div><span class="rb-when">{_polled(one, now)}</span></div>'


def _dotted(one: AccountLine, tone: str) -> str:
    return f'<span class="rb-s rb-{tone}"></span>{escape(str(one.name))}'


def _polled(one: AccountLine, now: datetime) -> str:
    return _ago(one.polled_at, now) if one.polled_at else "never"


# Deliveries.


def _receivers(look: Look, function: str, rows: int) -> str:
    if not look.receivers:
        return _box("Deliveries", "", '<div class="rb-calm">Every event arrives. Nothing fails, nothing is held.</div>')
    drawn, left = "", min(MAX_DELIVERIES, 2 * rows)
    for place, one in enumerate(look.receivers[:rows]):
        shown = one.waiting[: max(1, left - (min(len(look.receivers), rows) - place - 1))]
        left -= len(shown)
        drawn += _receiver(one, shown, function, look.now)
    more = _more(len(look.receivers) - rows, "endpoints", command="renderbell endpoint list")
    return _box("Deliveries that do not arrive", "", drawn + more)


def _receiver(one: ReceiverLine, shown: Sequence[Waiting], function: str, now: datetime) -> str:
    tone = {"failing": "red", "disabled": "red", "paused": "cyan"}.get(one.word, "yellow")
    since = f"<div>since {_about((now - one.since).total_seconds())}</div>" if one.since else ""
    reason, place, hidden = one_line(one.words, MAX_REASON), _place(one.url), len(one.waiting) - len(shown)
    why = f'<div class="rb-m">{escape(reason)}</div>' if reason and reason != one.word else ""
    pill = f'<span class="rb-pill rb-{tone}">{escape(one.word)}</span>'
    rows = "".join(_waiting(each, place, function, now) for each in shown)
    if hidden > 0 or one.more:
        many = "and more" if one.more else f"and {hidden} more"
        command = escape(f"renderbell deliveries --endpoint {one.endpoint_id}")
        rows += _row(f'<span class="rb-m">… {many}: <code>{command}</code></span>', "", kind="rb-plain rb-sub")
    return _row(_name(place, "ltr") + why, pill + since, kind="rb-plain") + rows


def _waiting(one: Waiting, place: str, function: str, now: datetime) -> str:
    title = one_line(one.title or "", MAX_TITLE) or "untitled"
    about = [one_line(one.event_type, MAX_TYPE).removeprefix("video.")]
    if one.status is DeliveryStatus.HELD:
        about += ["held"]
    else:
        about += [one_line(one.reason or "", MAX_REASON), _tried(one.attempts), _next(one, now)]
    button = _retry(one, title, place, function) if one.can_retry and function else ""
    said = f'<div class="rb-m">{" · ".join(escape(part) for part in about if part)}</div>'
    return _row(_name(title, "auto") + said, button, kind="rb-plain rb-sub")


def _tried(attempts: int) -> str:
    return "" if attempts == 0 else "tried once" if attempts == 1 else f"tried {attempts} times"


def _next(one: Waiting, now: datetime) -> str:
    if one.status is DeliveryStatus.EXHAUSTED:
        return "given up"
    if one.next_attempt_at is None:
        return ""
    seconds = (one.next_attempt_at - now).total_seconds()
    return "being tried" if seconds <= 0 else f"next try in {_about(seconds, up=True)}"


def _retry(one: Waiting, title: str, place: str, function: str) -> str:
    asked = json.dumps({"retry": {"endpoint": one.endpoint_id, "event": one.event_id}})
    question = escape(f"Send “{title}” to {place} once more?")
    return (
        f'<a class="btn rb-btn">Retry</a><cwdb-action action="call" display="widget" endpoint="{escape(function)}" '
        f'confirmation="{question}">{escape(asked, quote=False)}</cwdb-action>'
    )


# Parts of all of them.


def _box(name: str, beside: str, inner: str) -> str:
    return f'<div class="rb-box"><h3>{name}<span>{beside}</span></h3>{inner}</div>'


def _more(count: int, what: str, *, command: str = "renderbell videos --status generating", plus: bool = False) -> str:
    if count <= 0 and not plus:
        return ""
    said = f"and {'at least ' if plus else ''}{max(1, count)} more"
    return f'<div class="rb-more">… {said} {what}: <code>{escape(command)}</code></div>'


def _row(body: str, beside: str, *, kind: str = "", picture: str = "") -> str:
    classes = f"rb-row {kind}".rstrip()
    return f'<div class="{classes}">{picture}<div class="rb-b">{body}</div><div class="rb-when">{beside}</div></div>'


def _name(said: str, direction: str) -> str:
    words = escape(said)
    return f'<div class="rb-t" dir="{direction}" title="{words}">{words}</div>'


def _title(video: VideoRecord) -> str:
    return _name(one_line(video.title or "", MAX_TITLE) or one_line(f"untitled, {masked(video.video_id)}", MAX_TITLE), "auto")


def _facts(video: VideoRecord, about: Iterable[str], after: str = "") -> str:
    status = f'<span class="rb-s rb-{TONES[video.status]}">{video.status}</span>'
    said = "".join(f" · {escape(part)}" for part in (_provider(video), _account(video), *about) if part)
    return f'<div class="rb-m">{status}{said}{after}</div>'


def _picture(video: VideoRecord) -> str:
    kind = video.account.provider if video.account.provider in PROVIDER_NAMES else "other"
    address = _secure(video.thumbnail_url, MAX_PICTURE)
    image = f'<img src="{escape(address)}" alt="" loading="lazy" referrerpolicy="no-referrer">' if address else ""
    return f'<div class="rb-pic rb-{kind}">{PLAY}{image}</div>'


def _secure(url: str | None, longest: int) -> str | None:
    address = web_address(url, longest)
    return address if address is not None and address.startswith("https://") and len(escape(address)) <= longest else None


def _provider(video: VideoRecord) -> str:
    return PROVIDER_NAMES.get(video.account.provider, video.account.provider)


def _account(video: VideoRecord) -> str:
    return "" if video.account.name == AccountName(video.account.provider).name else video.account.name


def _place(url: str) -> str:
    """Return an endpoint's address as a shared dashboard may show it: what a query or a user's name holds is not for all."""
    parts = urlsplit(url)
    return one_line(f"{parts.netloc.rpartition('@')[2]}{parts.path}" or url, MAX_TITLE)


def _ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return "just now" if seconds < 5 else f"{_about(seconds)} ago"  # noqa: PLR2004 - too short a time to name


def _about(seconds: float, *, up: bool = False) -> str:
    """Return a length of time in one unit: `40 s`, `3 min`, `5 h`, `2 days`; rounded up where it is a time to wait."""
    turn = math.ceil if up else math.floor
    if seconds >= 2 * DAY:
        return f"{turn(seconds / DAY)} days"
    unit, length = next(((unit, length) for unit, length in UNITS if seconds >= length), ("s", 1))
    return f"{turn(max(0.0, seconds) / length)} {unit}"
