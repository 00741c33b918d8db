"""`renderbell wait`: blocks until one video has ended. And what looking again and again needs, in `renderbell watch`, too."""

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from time import sleep
from typing import Annotated, Final

import botocore.exceptions as aws
import typer
from pynamodb.exceptions import PynamoDBException
from rich.console import Console
from rich.text import Text

from renderbell.errors import BadInputError
from renderbell.events import VideoRecord, video_data
from renderbell.messages import spoken_duration
from renderbell.parameters import Parameters
from renderbell.providers import PROVIDERS
from renderbell.video import AccountName, Status
from renderbell_cli.commands.deliveries import UNITS
from renderbell_cli.show import hints, json_lines, plain, status_text
from renderbell_cli.stack import LocalFlag, Stack, StackName

EXIT_CODES: Final = {Status.COMPLETED: 0, Status.FAILED: 1, Status.DELETED: 2}
TIMED_OUT: Final = 3

LASTING: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.NoRegionError,
    aws.SSOError,
    aws.TokenRetrievalError,
)
"""What a person has to mend; all other trouble on the way to AWS passes."""
BUSY: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes with which AWS asks for patience: those that botocore itself tries again."""


def wait(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="PROVIDER/ACCOUNT", help="For example heygen/marketing.")],
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
        since = (video.created_at or video.first_seen_at).timestamp()
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


# What looking again and again needs.


def look_every(stack: Stack) -> float:
    """Return how many seconds to leave between two looks: AWS asks for money for each, the local engine does not."""
    return 2.0 if stack.is_local else 5.0


def seconds_of(text: str) -> float:
    """Read `90`, `90s`, `30m`, `2h` or `1d` as seconds. Raises BadInputError for anything else."""
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd]?)", text.strip(), re.ASCII)
    if found is None:
        raise BadInputError(f"{text!r} is no length of time: write 90 for seconds, or 90s, 30m, 2h, 1d")
    return float(found[1]) * UNITS[found[2] or "s"]


def standing(video: VideoRecord) -> Text:
    """Return a video's status, and its provider's word where that is another: `generating (processing)`."""
    word = video.provider_status
    said = Text.assemble(" (", plain(word), ")") if word and word != video.status.value else Text("")
    return Text.assemble(status_text(video.status.value), said)


def check_watched(parameters: Parameters, name: AccountName) -> None:
    """Raise BadInputError, with what to do, for an account that nobody looks at."""
    check_provider(name.provider)
    if name not in parameters.account_names(name.provider):
        raise BadInputError(
            f"{name} is not watched: `renderbell account list` shows what is, `renderbell account set {name}` adds it"
        )


def check_provider(provider: str) -> None:
    if provider not in PROVIDERS:
        raise BadInputError(f"there is no provider {provider!r}: {', '.join(PROVIDERS)} are known")


def looks[T](look: Callable[[], T], pause: Callable[[], bool], trouble: Callable[[Exception], None]) -> Iterator[T]:
    """Yield what each look finds, until `pause` says that it was the last.

    Once a look succeeded, trouble with AWS that passes is told, once until it is over, and the next look made. What does not
    pass is raised as the error of AWS that it is, out of PynamoDB's wrapping.
    """
    succeeded, in_trouble = False, False
    while True:
        try:
            found = look()
        except (PynamoDBException, aws.BotoCoreError, aws.ClientError) as error:
            cause = error.cause if isinstance(error, PynamoDBException) and error.cause else error
            if not succeeded or not passes(cause):
                raise cause from None
            if not in_trouble:
                trouble(cause)
            in_trouble = True
        else:
            succeeded, in_trouble = True, False
            yield found
        if not pause():
            return


def passes(error: Exception) -> bool:
    """Say whether trouble with AWS passes by itself: a lost connection, throttling, its own fault. Access denied does not."""
    if isinstance(error, aws.ClientError):
        http_status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in BUSY or http_status >= 500  # noqa: PLR2004 - faults of the server
    return isinstance(error, aws.BotoCoreError) and not isinstance(error, LASTING)


def trouble_words(error: Exception) -> Text:
    return Text.assemble(f"{datetime.now(UTC).astimezone():%H:%M:%S}  AWS does not answer, trying again: ", plain(error))
