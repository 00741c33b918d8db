"""`renderbell wait`: blocks until one video has ended."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from time import sleep
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from renderbell.errors import BadInputError
from renderbell.events import VideoRecord, video_data
from renderbell.messages import spoken_duration
from renderbell.video import AccountName, Status
from renderbell_cli.advice import check_watched
from renderbell_cli.arguments import AccountOfVideo
from renderbell_cli.looks import look_every, looks, standing, trouble_words
from renderbell_cli.show import hints, json_lines, plain
from renderbell_cli.stack import LocalFlag, Stack, StackName
from renderbell_cli.times import seconds_of

EXIT_CODES: Final = {Status.COMPLETED: 0, Status.FAILED: 1, Status.DELETED: 2}
TIMED_OUT: Final = 3


def wait(
    context: typer.Context,
    account: AccountOfVideo,
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="The provider's id of it. It may be too new to be on record.")],
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Give up after so long: 90 (seconds), 30m, 2h. 0 looks once.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the video as one JSON object, however it ended.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Block until a video has ended; then print its URL and nothing else: url=$(renderbell wait heygen/marketing 6a7647)

    Exit codes: 0 completed, 1 failed, 2 deleted, 3 not ended in time.

    As with every command, 1 is also trouble with AWS, and 2 also a wrong word,
    such as an account that is not watched: stderr says which.
    """  # noqa: D400 - ends in an example
    name, patience = AccountName.parse(account), math.inf if timeout is None else seconds_of(timeout)
    if not video:
        raise BadInputError("VIDEO is empty: give the id by which its provider knows it")
    opened = Stack.open(context, local=local, name=stack)
    check_watched_once = cache(lambda: check_watched(opened.parameters, name))

    def look() -> VideoRecord | None:
        found = opened.videos.get(name, video)
        if not _ended(found):  # one that has ended is answered even when its account was removed since
            check_watched_once()
        return found

    progress = Progress(hints, name, video)
    with hints.status(progress) if hints.is_interactive else nullcontext():
        found = until_ended(look, progress, every=look_every(opened), timeout=patience, sleep=sleep)
    if json and found is not None:
        json_lines([video_data(found)])
    elif found is not None and found.status is Status.COMPLETED and found.url:
        typer.echo(plain(found.url))
    _say_how_it_ended(found, name, video)
    raise typer.Exit(exit_code(found))


class Progress:
    """What is said on stderr meanwhile: on a terminal a line that lives, else one whenever the status changes."""

    def __init__(self, console: Console, name: AccountName, video_id: str, clock: Callable[[], float] = time.time) -> None:
        self._console, self._name, self._video_id, self._clock = console, name, video_id, clock
        self._began, self._told = clock(), False
        self._video: VideoRecord | None = None

    def tell(self, video: VideoRecord | None) -> None:
        before, self._video = self._video and self._video.status, video
        is_first, self._told = not self._told, True
        if video is None:
            if is_first:
                words = "is not on record yet: a new video is within a minute of the next look at its provider. Waiting for it."
                self._print(plain(f"{self._name} {self._video_id} {words}"))
        elif video.status is not before and not video.status.final and not self._console.is_interactive:
            self._print(self.__rich__())

    def trouble(self, error: Exception) -> None:
        self._print(trouble_words(error))

    def __rich__(self) -> Text:
        """Return how it stands at this moment: a spinner asks several times a second."""
        video, now = self._video, self._clock()
        if not self._told:
            return Text("looking")
        if video is None:
            return Text(f"not on record yet, waiting for {spoken_duration(now - self._began)}")
        since = video.began.timestamp()
        return Text.assemble(standing(video), f", in flight for {spoken_duration(max(0.0, now - since))}")

    def _print(self, words: Text) -> None:
        self._console.print(words, soft_wrap=True)


def until_ended(
    look: Callable[[], VideoRecord | None],
    progress: Progress,
    *,
    every: float,
    timeout: float,
    sleep: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
) -> VideoRecord | None:
    """Return the video as soon as it has ended, or as it stands when the time is up: after a last look."""
    deadline = clock() + timeout

    def pause() -> bool:
        left = deadline - clock()
        if left > 0:
            sleep(min(every, left))
        return left > 0

    found = None
    for found in looks(look, pause, progress.trouble):
        progress.tell(found)
        if _ended(found):
            break
    return found


def exit_code(video: VideoRecord | None) -> int:
    return TIMED_OUT if video is None else EXIT_CODES.get(video.status, TIMED_OUT)


def _say_how_it_ended(video: VideoRecord | None, name: AccountName, video_id: str) -> None:
    match video.status if video else None:
        case Status.COMPLETED if video and video.url:
            return
        case Status.COMPLETED:
            words = "is completed, but its provider gave no link: find it there."
        case Status.FAILED:
            words = f"failed: {(video and video.error) or 'its provider gave no reason.'}"
        case Status.DELETED:
            words = "was deleted at its provider."
        case None:
            words = "is not on record: is this its id? `renderbell account list` shows how its account fares."
        case status:
            words = f"has not ended in time: it is {status}."
    hints.print(plain(f"{name} {video_id} {words}"), soft_wrap=True)


def _ended(video: VideoRecord | None) -> bool:
    return video is not None and video.status.final
