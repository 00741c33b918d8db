"""The live view of `renderbell local`: videos, their statuses, and the rings as they arrive on both channels."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from renderbell.events import VideoRecord, event_id
from renderbell.store.videos import FINISHED, IN_FLIGHT
from renderbell_cli.local.feed import TopicFeed
from renderbell_cli.receiver import Receiver
from renderbell_cli.show import ago, one_line, plain, status_text, table
from renderbell_cli.stack import Stack
from renderbell_cli.trouble import AWS_ERRORS

REFRESH: float = 1.0
MAX_FINISHED_ACCOUNT = 30
TITLE_SHOWN = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the view looks at."""

    stack: Stack
    receiver: Receiver
    feed: TopicFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What there is to see now."""

    videos: Sequence[VideoRecord]
    topic: frozenset[str]
    webhook: frozenset[str]


def watch(console: Console, watched: Watched, stopping: threading.Event) -> None:
    """Show the stack until `stopping`: a live table in a terminal, else one line for each change."""
    if console.is_terminal:
        _live(console, watched, stopping)
    else:
        _lines(console, watched, stopping)


def _live(console: Console, watched: Watched, stopping: threading.Event) -> None:
    with Live(console=console, refresh_per_second=4, screen=False) as live:
        while not stopping.wait(REFRESH):
            moment = look(watched)
            if moment is not None:
                live.update(_picture(moment, max(10, console.height - 6)))


def _lines(console: Console, watched: Watched, stopping: threading.Event) -> None:
    told: set[tuple[str, str, str]] = set()
    while not stopping.wait(REFRESH):
        moment = look(watched)
        for video in reversed(moment.videos if moment else ()):
            for word in _news(video, moment):
                key = (str(video.account), video.video_id, word)
                if key not in told:
                    told.add(key)
                    stamp = time.strftime("%H:%M:%S")
                    title = plain(video.title or video.video_id)
                    console.print(Text.assemble(f"{stamp}  {video.account!s:<17} {word:<22} ", title), soft_wrap=True)


def _news(video: VideoRecord, moment: Moment | None) -> Sequence[str]:
    rung = event_id(video.account, video.video_id, video.sequence)
    topic = [f"{video.status} → SNS"] if moment and rung in moment.topic else []
    webhook = [f"{video.status} → webhook"] if moment and rung in moment.webhook else []
    return [video.status.value, *topic, *webhook]


def look(watched: Watched) -> Moment | None:
    """Return what there is to see, None when the engine was too busy to say."""
    try:
        names = watched.stack.parameters.account_names()
        in_flight = [v for name in names for v in watched.stack.videos.in_account(name, IN_FLIGHT)]
        finished = [v for name in names for v in islice(watched.stack.videos.in_account(name, FINISHED), MAX_FINISHED_ACCOUNT)]
    except AWS_ERRORS:
        return None
    done = {(video.account, video.video_id) for video in finished}  # one that ended between the two questions
    in_flight = [video for video in in_flight if (video.account, video.video_id) not in done]
    in_flight.sort(key=lambda video: video.first_seen_at)
    finished.sort(key=lambda video: video.finished_at or video.first_seen_at, reverse=True)
    return Moment(
        videos=[*in_flight, *finished],
        topic=frozenset(message.event_id for message in watched.feed.messages()),
        webhook=frozenset(received.webhook_id for received in watched.receiver.events()),
    )


def _picture(moment: Moment, rows: int) -> RenderableType:
    shown = table("PROVIDER", "TITLE", "STATUS", "SINCE", "SNS", "WEBHOOK", give_way=("TITLE",))
    for video in moment.videos[:rows]:
        rung = event_id(video.account, video.video_id, video.sequence)
        shown.add_row(
            video.account.provider,
            one_line(video.title or video.video_id, TITLE_SHOWN),
            status_text(video.status),
            ago(video.finished_at or video.first_seen_at),
            _tick(rung in moment.topic),
            _tick(rung in moment.webhook),
        )
    flying = sum(not video.status.final for video in moment.videos)
    counts = f"{flying} in flight · {len(moment.topic)} SNS messages · {len(moment.webhook)} webhooks, every signature good"
    hint = "Before the first ring: videos that were done at the first look stay silent." if not moment.topic else ""
    return Group(shown, Text(""), Text(counts, style="bold"), Text(hint, style="dim"))


def _tick(there: bool) -> Text:  # noqa: FBT001 - a tick is there or not
    return Text("✓", style="green") if there else Text("")
