"""Draws the widget of the CloudWatch dashboard: four numbers, and a box each for what they count.

The rules of custom widgets: HTML and CSS alone, no script; a button is an element with a `cwdb-action` behind it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
"""

from datetime import datetime
from typing import Final

from renderbell.deliveries import DeliveryStatus
from renderbell.events import VideoRecord
from renderbell.markup import NOTHING, Html, bold, code, div, element, join, span, text
from renderbell.messages import one_line, spoken_duration
from renderbell.video import Status
from renderbell.view import AccountLine, EndpointLine, Notice, View, Waiting
from renderbell.widget_parts import (
    BELL,
    CLOUD,
    MAX_REASON,
    MAX_TITLE,
    TONES,
    ago,
    bar,
    box,
    calm,
    facts_of,
    frame,
    in_one_unit,
    label,
    more,
    note,
    picture_of,
    place_of,
    provider_of,
    retry_button,
    row,
    sign,
    tile,
    title_of,
    watch_link,
    why,
)

MAX_BYTES: Final = 64 * 1024
"""How much a page may be. AWS names no limit of its own beside that of Lambda (6 MB); a page is read at a glance."""
ROWS: Final = (12, 6, 3, 1)
"""Rows of each list: the first number with which the page is small enough, which the last always is."""
MAX_DELIVERIES: Final = 20
MAX_TYPE: Final = 40
LONGER: Final = 1.25
LATE: Final = 2.0
"""How many times the usual makes "longer than usual", and when that is nothing to be calm about."""

DOCUMENTATION: Final = """## Renderbell

Shows, at a glance, the AI videos that are in flight and when each will about be done, those that ended last, how the accounts
fare, and which deliveries do not arrive and why. *Retry* sends such a delivery once more, by the delivery queue.

It reads the stack's tables within bounds: at most 200 videos in flight, the latest ends, and the deliveries of endpoints that
fail or hold events. `renderbell videos`, `renderbell account list` and `renderbell deliveries` show the rest.

### Widget parameters
It needs none.
"""


def page(view: View, *, theme: str | None = None, function: str = "", notice: Notice | None = None) -> Html:
    """Return the widget's HTML. `theme` is `light` or `dark`; None asks the browser. `function` is called by the buttons."""
    said = note(notice.words, "green" if notice.good else "red") if notice else NOTHING
    for rows in ROWS:
        drawn = frame(theme, said, _body(view, function, rows))
        if len(drawn.encode()) <= MAX_BYTES:
            break
    return drawn


def trouble(words: str, *, theme: str | None = None) -> Html:
    """Return a page that says in a sentence why there is no other."""
    said = text(words), text("Videos are watched all the same.")
    return frame(theme, sign(CLOUD, "The dashboard cannot be shown just now", *said, tone="rb-red"))


def _body(view: View, function: str, rows: int) -> Html:
    if not view.accounts and not view.flying and not view.ended:
        below = [div("", style="height:12px"), _deliveries(view, function, rows)] if view.endpoints else []
        return join(_hello(view), *below)
    left = div("", _flying(view, rows), _deliveries(view, function, rows))
    right = div("", _ended(view, rows), _accounts(view, rows))
    tiles = div("rb-tiles", _flying_tile(view), _ended_tile(view), _accounts_tile(view), _deliveries_tile(view))
    return join(tiles, div("rb-cols", left, right))


def _hello(view: View) -> Html:
    return sign(
        BELL,
        "Nothing is watched yet",
        text("Add the first account. Its API key is asked for and kept encrypted in Parameter Store:"),
        code(f"{view.command} account set heygen/marketing"),
        text("Within a minute its videos in flight are shown here, and the next one that is done rings."),
    )


# The four numbers.


def _flying_tile(view: View) -> Html:
    if not view.flying:
        return tile("grey", "In flight", "0", "nothing is being made")
    left = [seconds for video in view.flying if (seconds := view.seconds_left(video)) is not None and seconds > 0]
    below = f"next done in about {in_one_unit(min(left), up=True)}" if left else "being made"
    if any(_is_due(video, view) for video in view.flying):
        below = "next done any moment"
    return tile("amber", "In flight", f"{len(view.flying)}{'+' if view.more_flying else ''}", below)


def _ended_tile(view: View) -> Html:
    if not view.ended:
        return tile("grey", "Last end", "none yet", "since Renderbell watches")
    last = view.ended[0]
    return tile(TONES[last.status], "Last end", ago(_end(last), view.now), f"{last.status} at {provider_of(last)}")


def _accounts_tile(view: View) -> Html:
    bad = [one for one in view.accounts if one.well is False]
    well = sum(one.well is True for one in view.accounts)
    below = f"{bad[0].name}: {bad[0].words}" if bad else "all are well" if well == len(view.accounts) else "not looked at yet"
    value = f"{well} of {len(view.accounts)} ok"
    return tile("red" if bad else "green" if well else "grey", "Accounts", value, one_line(below, MAX_TITLE))


def _deliveries_tile(view: View) -> Html:
    failing = [one for one in view.endpoints if one.word in {"failing", "disabled"}]
    if failing:
        return tile("red", "Deliveries", f"{len(failing)} failing", place_of(failing[0].url))
    if view.endpoints:
        return tile("cyan", "Deliveries", "some are held", place_of(view.endpoints[0].url))
    return tile("green", "Deliveries", "all arrive", "nothing fails, nothing is held")


# In flight.


def _flying(view: View, rows: int) -> Html:
    if not view.flying:
        return box("In flight", "", calm("Nothing is being made. What begins shows here within a minute."))
    ordered = sorted(view.flying, key=lambda video: _soonest(video, view))
    drawn = [_flying_row(video, view) for video in ordered[:rows]]
    rest = more(len(ordered) - rows, "videos", f"{view.command} videos --status generating", plus=view.more_flying)
    return box("In flight", "the next to end first", *drawn, rest)


def _soonest(video: VideoRecord, view: View) -> tuple[bool, bool, float]:
    """Sort what takes very long first, then what ends soonest, and last what nobody can tell of."""
    left = view.seconds_left(video)
    return (video.stalled_at is None, left is None, -view.age(video) if left is None else left)


def _flying_row(video: VideoRecord, view: View) -> Html:
    usual, age = view.usual.get(video.account.provider), view.age(video)
    about = [f"since {in_one_unit(age)}", *([f"usually {in_one_unit(usual)}"] if usual else [])]
    late = video.stalled_at is not None or (usual is not None and age > usual * LATE)
    over = bar(100 * age / usual if usual else None, "red" if late else "amber")
    return row(join(title_of(video), facts_of(video, about), over), _outlook(video, view), picture=picture_of(video))


def _outlook(video: VideoRecord, view: View) -> Html:
    left = view.seconds_left(video)
    if video.stalled_at is not None:
        return join(text("taking"), bold("very long"))
    if left is None:
        return join(text("no estimate"), element("br"), text("yet"))
    if left > 0:
        return join(text("about"), bold(f"{in_one_unit(left, up=True)} left"))
    return join(bold("any moment"), text("now")) if _is_due(video, view) else join(bold("longer"), text("than usual"))


def _is_due(video: VideoRecord, view: View) -> bool:
    """Say whether a video takes as long as is usual, and not much longer."""
    left, age = view.seconds_left(video), view.age(video)
    return left is not None and left <= 0 and age <= (age + left) * LONGER


# Ended.


def _ended(view: View, rows: int) -> Html:
    if not view.ended:
        words = "No video has ended since Renderbell watches. Those that were done before are not shown."
        return box("Last ends", "", calm(words))
    drawn = [_ended_row(video, view.now) for video in view.ended[:rows]]
    older = div("rb-more", text("Older ones: "), code(f"{view.command} videos")) if len(view.ended) > rows else NOTHING
    return box("Last ends", "", *drawn, older)


def _ended_row(video: VideoRecord, now: datetime) -> Html:
    took = None if video.status is Status.DELETED else video.seconds_in_flight
    about = [f"took {spoken_duration(took)}"] if took else []
    reason = why(video.error or "the provider gave no reason") if video.status is Status.FAILED else NOTHING
    body = join(title_of(video), facts_of(video, about, watch_link(video, now)), reason)
    return row(body, text(ago(_end(video), now)), picture=picture_of(video))


def _end(video: VideoRecord) -> datetime:
    # A video that was deleted ended before, but it is its deletion that is told here.
    return video.changed_at if video.status is Status.DELETED else video.finished_at or video.changed_at


# Accounts.


def _accounts(view: View, rows: int) -> Html:
    if not view.accounts:
        return NOTHING
    ordered = sorted(view.accounts, key=lambda one: (one.well is not False, one.well is True, str(one.name)))
    shown = ordered[: 2 * rows]
    bad = [_account_row(one, view.now) for one in shown if one.well is not True]
    well = [_account_cell(one, view.now) for one in shown if one.well is True]
    rest = more(len(ordered) - len(shown), "accounts", f"{view.command} account list")
    return box(
        "Accounts", "the last look on record, noted every five minutes", *bad, div("rb-well", *well) if well else NOTHING, rest
    )


def _account_row(one: AccountLine, now: datetime) -> Html:
    tone, kind = ("grey", "rb-m") if one.well is None else ("red", "rb-why")
    body = join(_dotted(one, tone), div(kind, text(one_line(one.words, MAX_REASON))))
    return row(body, _polled(one, now), kind="rb-plain")


def _account_cell(one: AccountLine, now: datetime) -> Html:
    return div("", div("rb-t", _dotted(one, "green")), span("rb-when", _polled(one, now)))


def _dotted(one: AccountLine, tone: str) -> Html:
    return join(span(f"rb-s rb-{tone}"), text(str(one.name)))


def _polled(one: AccountLine, now: datetime) -> Html:
    return text(ago(one.polled_at, now) if one.polled_at else "never")


# Deliveries.


def _deliveries(view: View, function: str, rows: int) -> Html:
    if not view.endpoints:
        return box("Deliveries", "", calm("Every event arrives. Nothing fails, nothing is held."))
    shown, left = view.endpoints[:rows], min(MAX_DELIVERIES, 2 * rows)
    drawn = []
    for place, one in enumerate(shown, start=1):
        waiting = one.waiting[: max(1, left - (len(shown) - place))]  # one each is left for those behind
        left -= len(waiting)
        drawn += [_endpoint_row(one, view), *(_waiting_row(each, one, function, view.now) for each in waiting)]
        drawn += [_hidden(one, len(one.waiting) - len(waiting), view.command)]
    rest = more(len(view.endpoints) - rows, "endpoints", f"{view.command} endpoint list")
    return box("Deliveries that do not arrive", "", *drawn, rest)


def _endpoint_row(one: EndpointLine, view: View) -> Html:
    tone = {"failing": "red", "disabled": "red", "paused": "cyan"}.get(one.word, "yellow")
    since = div("", text(f"since {in_one_unit((view.now - one.since).total_seconds())}")) if one.since else NOTHING
    reason = one_line(one.words, MAX_REASON)
    words = div("rb-m", text(reason)) if reason and reason != one.word else NOTHING
    pill = span(f"rb-pill rb-{tone}", text(one.word))
    return row(join(label(place_of(one.url), "ltr"), words), join(pill, since), kind="rb-plain")


def _waiting_row(one: Waiting, endpoint: EndpointLine, function: str, now: datetime) -> Html:
    named = one_line(one.title or "", MAX_TITLE) or "untitled"
    about = [one_line(one.event_type, MAX_TYPE).removeprefix("video.")]
    if one.status is DeliveryStatus.HELD:
        about += ["held"]
    else:
        about += [one_line(one.reason or "", MAX_REASON), _tried(one.attempts), _next(one, now)]
    said = div("rb-m", text(" · ".join(part for part in about if part)))
    wish = {"endpoint": one.endpoint_id, "event": one.event_id}
    question = f"Send “{named}” to {place_of(endpoint.url)} once more?"
    button = retry_button(wish, question, function) if one.can_retry and function else NOTHING
    return row(join(label(named, "auto"), said), button, kind="rb-plain rb-sub")


def _hidden(one: EndpointLine, count: int, command: str) -> Html:
    """Return the row that says how many deliveries of an endpoint are not shown, if any."""
    if count <= 0 and not one.more:
        return NOTHING
    many = "and more" if one.more else f"and {count} more"
    said = span("rb-m", text(f"… {many}: "), code(f"{command} deliveries --endpoint {one.endpoint_id}"))
    return row(said, NOTHING, kind="rb-plain rb-sub")


def _tried(attempts: int) -> str:
    return "" if attempts == 0 else "tried once" if attempts == 1 else f"tried {attempts} times"


def _next(one: Waiting, now: datetime) -> str:
    if one.status is DeliveryStatus.EXHAUSTED:
        return "given up"
    if one.next_attempt_at is None:
        return ""
    seconds = (one.next_attempt_at - now).total_seconds()
    return "being tried" if seconds <= 0 else f"next try in {in_one_unit(seconds, up=True)}"
