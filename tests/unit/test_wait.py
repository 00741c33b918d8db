"""`renderbell wait`, its pure parts: how long it waits, what it says meanwhile, with what it exits."""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import botocore.exceptions as aws
import pytest
from pynamodb.exceptions import GetError, TableDoesNotExist
from rich.console import Console

from renderbell.errors import BadInputError
from renderbell.events import VideoRecord
from renderbell.video import Status
from renderbell_cli import trouble
from renderbell_cli.commands import wait
from renderbell_cli.times import seconds_of
from tests import records
from tests.records import MARKETING as ACCOUNT
from tests.records import NOON


def record(status: Status = Status.GENERATING, **more: Any) -> VideoRecord:
    return records.record("v", status, **{"title": "Spring", "finished_at": None, **more})


@dataclass
class Days:
    """A clock that only sleep moves."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def looking(*answers: VideoRecord | Exception | None) -> Callable[[], VideoRecord | None]:
    """Return a look that gives these answers in turn, the last again and again."""

    def answer() -> Iterator[VideoRecord | Exception | None]:
        yield from answers
        while True:
            yield answers[-1]

    coming = answer()

    def look() -> VideoRecord | None:
        found = next(coming)
        if isinstance(found, Exception):
            raise found
        return found

    return look


def said_of(
    look: Callable[[], VideoRecord | None], days: Days, timeout: float = math.inf, *, terminal: bool = False
) -> tuple[VideoRecord | None, Sequence[str]]:
    out = io.StringIO()
    progress = wait.Progress(
        Console(file=out, force_terminal=terminal, force_interactive=terminal, color_system=None, width=80),
        ACCOUNT,
        "v",
        lambda: NOON.timestamp() + 90,
    )
    found = wait.until_ended(look, progress, every=5, timeout=timeout, sleep=days.sleep, clock=days.clock)
    return found, out.getvalue().splitlines()


def throttled(code: str = "ThrottlingException", http_status: int = 400) -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": http_status}}, "GetItem")  # type: ignore[typeddict-item]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.DELETED])
def test_what_has_ended_already_is_answered_without_waiting_or_words(status: Status) -> None:
    days = Days()
    found, said = said_of(looking(record(status)), days)
    assert found == record(status)
    assert (days.slept, said) == ([], [])


def test_it_looks_again_until_the_video_has_ended() -> None:
    days = Days()
    found, _ = said_of(looking(record(), record(), record(Status.UNKNOWN), record(Status.COMPLETED)), days)
    assert found == record(Status.COMPLETED)
    assert days.slept == [5, 5, 5]


def test_a_video_that_is_not_on_record_is_waited_for_and_that_is_said_once() -> None:
    found, said = said_of(looking(None, None, None, record(Status.COMPLETED)), Days())
    assert found is not None
    assert len(said) == 1
    assert "heygen/marketing v is not on record yet" in said[0]
    assert "within a minute" in said[0]


def test_without_a_terminal_a_line_comes_only_when_the_status_changes() -> None:
    look = looking(
        record(Status.QUEUED), record(Status.QUEUED), record(provider_status="processing"), record(), record(Status.FAILED)
    )
    _, said = said_of(look, Days())
    assert said == ["queued, in flight for 1 min 30 s", "generating (processing), in flight for 1 min 30 s"]


def test_on_a_terminal_the_spinner_says_how_it_stands_and_nothing_else_is_printed() -> None:
    _, said = said_of(looking(record(Status.QUEUED), record(), record(Status.FAILED)), Days(), terminal=True)
    assert said == []


def test_the_spinner_tells_the_time_since_the_provider_made_it() -> None:
    progress = wait.Progress(Console(file=io.StringIO()), ACCOUNT, "v", lambda: NOON.timestamp() + 90)
    assert str(progress.__rich__()) == "looking"
    progress.tell(None)
    assert str(progress.__rich__()) == "not on record yet, waiting for 0 s"
    progress.tell(record(created_at=NOON - timedelta(hours=1), provider_status="[red]processing\x1b[2J"))
    assert str(progress.__rich__()) == "generating ([red]processing [2J), in flight for 1 h 1 min"


def test_a_clock_that_goes_behind_makes_no_negative_time() -> None:
    progress = wait.Progress(Console(file=io.StringIO()), ACCOUNT, "v", lambda: NOON.timestamp() - 90)
    progress.tell(record())
    assert str(progress.__rich__()) == "generating, in flight for 0 s"


def test_when_the_time_is_up_it_looks_a_last_time_and_tells_how_it_stands() -> None:
    days = Days()
    found, _ = said_of(looking(record()), days, timeout=12)
    assert found == record()
    assert days.slept == [5, 5, 2]
    ended, _ = said_of(looking(record(), record(), record(), record(Status.COMPLETED)), Days(), timeout=12)
    assert ended == record(Status.COMPLETED)


def test_a_timeout_of_nothing_looks_once() -> None:
    days = Days()
    assert said_of(looking(record(), record(Status.COMPLETED)), days, timeout=0)[0] == record()
    assert days.slept == []


def test_passing_trouble_is_told_once_until_it_is_over() -> None:
    lost = GetError("wrapped", aws.EndpointConnectionError(endpoint_url="https://dynamodb"))
    look = looking(record(), lost, lost, throttled(), record(), lost, record(Status.COMPLETED))
    found, said = said_of(look, Days())
    assert found == record(Status.COMPLETED)
    assert len(said) == 3
    assert [("trying again" in line and "https://dynamodb" in line) for line in said[1:]] == [True, True]


def test_trouble_at_the_first_look_is_raised_as_the_error_of_aws_that_it_is() -> None:
    lost = aws.EndpointConnectionError(endpoint_url="https://dynamodb")
    with pytest.raises(aws.EndpointConnectionError):
        said_of(looking(GetError("wrapped", lost)), Days())


def test_what_does_not_pass_ends_the_waiting() -> None:
    with pytest.raises(aws.ClientError, match="AccessDenied"):
        said_of(looking(record(), GetError("wrapped", throttled("AccessDeniedException"))), Days())
    with pytest.raises(TableDoesNotExist):
        said_of(looking(record(), TableDoesNotExist("Videos")), Days())


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (throttled(), True),
        (throttled("ProvisionedThroughputExceededException"), True),
        (throttled("InternalServerError", 500), True),
        (throttled("ServiceUnavailable", 503), True),
        (throttled("AccessDeniedException"), False),
        (throttled("ExpiredTokenException"), False),
        (throttled("ResourceNotFoundException"), False),
        (aws.EndpointConnectionError(endpoint_url="x"), True),
        (aws.ReadTimeoutError(endpoint_url="x"), True),
        (aws.ConnectionClosedError(endpoint_url="x"), True),
        (aws.CredentialRetrievalError(provider="x", error_msg="y"), True),
        (aws.NoCredentialsError(), False),
        (aws.NoRegionError(), False),
        (aws.UnauthorizedSSOTokenError(), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_which_trouble_passes(error: Exception, passes: bool) -> None:  # noqa: FBT001
    assert trouble.passes(error) is passes


@pytest.mark.parametrize(
    ("video", "code"),
    [
        (record(Status.COMPLETED), 0),
        (record(Status.FAILED), 1),
        (record(Status.DELETED), 2),
        (record(Status.QUEUED), 3),
        (record(Status.UNKNOWN), 3),
        (None, 3),
    ],
)
def test_the_exit_code_says_how_it_ended(video: VideoRecord | None, code: int) -> None:
    assert wait.exit_code(video) == code


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("0.5", 0.5), ("90s", 90), ("30m", 1800), ("2h", 7200), (" 1d ", 86400)]
)
def test_a_length_of_time_is_seconds_or_has_a_unit(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1 h", "nan", "inf", "٣", "2w", "1e3", "9999999"])
def test_what_is_no_length_of_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadInputError, match="30m, 2h"):
        seconds_of(text)
