"""`renderbell watch`: what is in flight and how it ends, as it happens."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import accumulate, chain
from time import sleep
from typing import Annotated, Any, Final, Protocol

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.style import Style
from rich.text import Text

from renderbell.errors import BadInputError
from renderbell.events import VideoRecord, video_data
from renderbell.values import iso
from renderbell.video import AccountName, Status
from renderbell_cli.advice import NO_ACCOUNT, check_watched
from renderbell_cli.arguments import OnlyAccount, OnlyProvider, check_provider
from renderbell_cli.looks import look_every, looks, standing, trouble_words
from renderbell_cli.show import ago, console, hints, json_lines, one_line, plain, status_text, table
from renderbell_cli.stack import LocalFlag, Stack, StackName
from renderbell_cli.times import seconds_of

ACCOUNTS_EVERY: Final = timedelta(minutes=1)
LOOK_BACK: Final = timedelta(hours=1)
"""So old may an end be that the first picture shows."""
OVERLAP: Final = timedelta(minutes=2)
"""So much of what was looked at is looked at again: the index lags, this machine's clock may go before that of AWS."""
ENDS_SHOWN: Final = 15
TITLE_SHOWN: Final = 44
ERROR_SHOWN: Final = 90
SHORTEST: Final = 0.5
WEB: Final = ("https://", "http://")
NOTHING: Final = "Nothing is in flight. A new video is seen within a minute or so."

type Key = tuple[AccountName, str]
type Standings = Mapping[Key, VideoRecord]


def watch(
    context: typer.Context,
    provider: OnlyProvider = None,
    account: OnlyAccount = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a change: appeared, moved, ended.")] = False,
    every: Annotated[str | None, typer.Option(metavar="SECONDS", help="Time between looks [5; local 2].")] = None,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Follow videos live, until Ctrl-C: what is in flight, and how it ends.

    A terminal shows a picture; a pipe, or --json, a line for each change.
    These begin with what is in flight now, and tell of no end before that.
    """
    if provider is not None:
        check_provider(provider)
    only = AccountName.parse(account) if account is not None else None
    seconds = None if every is None else seconds_of(every)
    if seconds is not None and seconds < SHORTEST:
        raise BadInputError(f"--every takes {SHORTEST:g} seconds or more")
    opened = Stack.open(context, local=local, name=stack)
    if only is not None:
        check_watched(opened.parameters, only)

    def accounts() -> Sequence[AccountName]:
        found = opened.parameters.account_names(only.provider if only else provider)
        return [name for name in found if only in {None, name} and provider in {None, name.provider}]

    following = Following(opened.videos, accounts)
    pause = _pause(look_every(opened) if seconds is None else seconds)
    if console.is_interactive and not json:
        _picture_live(following, pause)
    else:
        _lines(following, pause, print_json if json else print_lines)


# What changed between two looks.


class What(StrEnum):
    APPEARED = "appeared"
    MOVED = "moved"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    what: What
    video: VideoRecord


def changes(known: Standings, seen: Standings) -> Sequence[Change]:
    """Return what `seen` tells beyond `known`, in the order in which it came on record.

    Each transition of a video has its number: an older one, from an index that lags, tells nothing, nor does one told before.
    """
    news = [(key, video) for key, video in seen.items() if key not in known or video.sequence > known[key].sequence]
    news.sort(key=lambda one: one[1].changed_at)
    return [Change(_what(video, is_new=key not in known), video) for key, video in news]


def _what(video: VideoRecord, *, is_new: bool) -> What:
    if video.status.final:
        return What.ENDED
    return What.APPEARED if is_new else What.MOVED


def newest(videos: Iterable[VideoRecord]) -> dict[Key, VideoRecord]:
    """Return each video as its latest transition left it: one that ended between two questions is in both answers."""
    found: dict[Key, VideoRecord] = {}
    for video in videos:
        key = (video.account, video.video_id)
        if key not in found or video.sequence > found[key].sequence:
            found[key] = video
    return found


# Looking.


class Records(Protocol):
    """The Videos table, as far as it is asked here."""

    def in_account(self, account: AccountName, phase_name: str) -> Iterator[VideoRecord]: ...
    def ended_since(self, account: AccountName, since: datetime) -> Iterator[VideoRecord]: ...
    def get(self, account: AccountName, video_id: str) -> VideoRecord | None: ...


class Following:
    """What was seen so far. A look that fails changes none of it, so the next one finds what that one missed."""

    def __init__(
        self,
        videos: Records,
        accounts: Callable[[], Sequence[AccountName]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.accounts: Sequence[AccountName] = ()
        self.ends: deque[VideoRecord] = deque(maxlen=ENDS_SHOWN)
        self._videos, self._ask_accounts, self._now = videos, accounts, now
        self._accounts_asked: datetime | None = None
        self._since: datetime | None = None
        self._known: Standings = {}

    @property
    def in_flight(self) -> Sequence[VideoRecord]:
        return sorted((one for one in self._known.values() if not one.status.final), key=lambda one: one.first_seen_at)

    def look(self) -> Sequence[Change]:
        """Return what changed since the last look. At the first it is what is in flight."""
        now = self._now()
        if self._accounts_asked is None or now - self._accounts_asked >= ACCOUNTS_EVERY:
            self.accounts, self._accounts_asked = self._ask_accounts(), now
        since = self._since or now - LOOK_BACK
        seen = self._seen(since)
        known = self._known if self._since else {key: video for key, video in seen.items() if video.status.final}
        found = changes(known, seen)
        ended = (one.video for one in found if one.what is What.ENDED)
        self.ends.extend(ended if self._since else sorted(known.values(), key=lambda one: one.changed_at))
        # Older ends are never read again. What is in flight was seen just now, or is gone with its account.
        kept = (one for key, one in known.items() if key in seen or (one.status.final and one.changed_at >= since))
        self._known = newest(chain(kept, seen.values()))
        self._since = max(since, now - OVERLAP)
        return found

    def _seen(self, since: datetime) -> Standings:
        from renderbell.store.videos import IN_FLIGHT

        seen = newest(
            video
            for name in self.accounts
            for video in chain(self._videos.in_account(name, IN_FLIGHT), self._videos.ended_since(name, since))
        )
        gone = [key for key, one in self._known.items() if not one.status.final and key not in seen and key[0] in self.accounts]
        asked = (self._videos.get(*key) for key in gone)  # on its way from one part of the index to the other
        return newest(chain(seen.values(), (one for one in asked if one is not None)))


def _pause(seconds: float) -> Callable[[], bool]:
    def pause() -> bool:
        sleep(seconds)
        return True

    return pause


# Showing.


def _lines(following: Following, pause: Callable[[], bool], tell: Callable[[Sequence[Change]], None]) -> None:
    has_looked = False
    for found in looks(following.look, pause, lambda error: hints.print(trouble_words(error), soft_wrap=True)):
        if not has_looked and not found:
            hints.print(_why_empty(following))
        has_looked = True
        tell(found)


def print_json(found: Sequence[Change]) -> None:
    json_lines(fields(one) for one in found)
    sys.stdout.flush()  # or a pipe would hold it back


def print_lines(found: Sequence[Change]) -> None:
    for one in found:
        console.print(line(one, datetime.now(UTC)), soft_wrap=True)


def fields(change: Change) -> dict[str, Any]:
    return {"at": iso(change.video.changed_at), "change": change.what.value, **video_data(change.video)}


def line(change: Change, now: datetime) -> Text:
    """Return a change as one line, the columns of `renderbell local` first."""
    video = change.video
    word = standing(video)
    word.pad_right(max(0, 24 - word.cell_len))
    told = Text.assemble(f"{now.astimezone():%H:%M:%S}  {video.account!s:<17} ", word, " ", _title(video))
    how = _how_it_ended(video)
    return Text.assemble(told, "  ", how) if how.plain else told


def picture(following: Following, height: int, trouble: Text | None = None) -> RenderableType:
    """Return what a terminal of that height shows: what is in flight above the last ends."""
    ends = _fitting(reversed(following.ends), max(3, height // 2 - 4))
    in_flight = following.in_flight
    rows = max(3, height - sum(map(_lines_of, ends)) - 7)
    parts: list[RenderableType] = [_in_flight_table(in_flight[:rows]) if in_flight else Text(_why_empty(following))]
    if len(in_flight) > rows:
        parts.append(Text(f"... and {len(in_flight) - rows} more", style="dim"))
    parts += [Text(""), _ends_table(ends)] if ends else []
    accounts = len(following.accounts)
    counts = f"{len(in_flight)} in flight · {accounts} account{'' if accounts == 1 else 's'} · Ctrl-C stops"
    return Group(*parts, Text(""), trouble or Text(counts, style="bold", no_wrap=True, overflow="ellipsis"))


def _in_flight_table(videos: Sequence[VideoRecord]) -> RenderableType:
    shown = table("ACCOUNT", "TITLE", "STATUS", "PROVIDER SAYS", "SINCE", give_way=("TITLE", "PROVIDER SAYS"))
    for video in videos:
        says = one_line(video.provider_status, TITLE_SHOWN)
        shown.add_row(str(video.account), _title(video), status_text(video.status.value), says, ago(video.first_seen_at))
    return shown


def _ends_table(videos: Sequence[VideoRecord]) -> RenderableType:
    """Show each end in a line. What went wrong has a line of its own, below the title: beside it there is no room for it."""
    shown = table("ENDED", "ACCOUNT", "TITLE", "STATUS", "LINK", give_way=("TITLE",))
    for video in videos:
        ended, status = ago(video.changed_at), status_text(video.status.value)
        shown.add_row(ended, str(video.account), _title(video), status, _to_click(video))
        if _lines_of(video) > 1:
            shown.add_row("", "", one_line(video.error, ERROR_SHOWN))
    return shown


def _fitting(videos: Iterable[VideoRecord], lines: int) -> Sequence[VideoRecord]:
    """Return the first of them, as many as fit into so many lines."""
    used = accumulate(map(_lines_of, videos := list(videos)))
    return [video for video, until in zip(videos, used, strict=True) if until <= lines]


def _lines_of(video: VideoRecord) -> int:
    return 2 if video.status is Status.FAILED and video.error else 1


def _how_it_ended(video: VideoRecord) -> Text:
    """Return the link, to be clicked on where a terminal can, or the error."""
    if video.status is Status.FAILED:
        return plain(video.error)
    url = plain(video.url)
    if url.plain.startswith(WEB):
        url.stylize(Style(link=url.plain))
    return url


def _to_click(video: VideoRecord) -> Text:
    """Return a word to click on in place of an address, of which a picture has no room for more than its beginning."""
    url = "" if video.status is Status.FAILED else plain(video.url).plain
    return Text("Watch", style=Style(link=url, underline=True)) if url.startswith(WEB) else Text("")


def _title(video: VideoRecord) -> Text:
    return one_line(video.title or video.video_id, TITLE_SHOWN)


def _why_empty(following: Following) -> str:
    return NOTHING if following.accounts else hints.spelt(NO_ACCOUNT)


def _picture_live(following: Following, pause: Callable[[], bool]) -> None:
    with Live(console=console, refresh_per_second=4) as live:

        def trouble(error: Exception) -> None:
            live.update(picture(following, console.height, trouble_words(error)))

        for _ in looks(following.look, pause, trouble):
            live.update(picture(following, console.height))
