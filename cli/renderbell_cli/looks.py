"""Looking again and again, as `renderbell watch` and `renderbell wait` do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from renderbell.errors import BadInputError, NotOnRecordError
from renderbell.events import VideoRecord
from renderbell.video import AccountName
from renderbell_cli.arguments import check_provider
from renderbell_cli.show import plain, status_text
from renderbell_cli.stack import Stack

if TYPE_CHECKING:
    from renderbell.parameters import Parameters

NO_ACCOUNT: Final = "No account yet. Add one: renderbell account set heygen/marketing"
ENDPOINTS_LISTED: Final = "`renderbell endpoint list` shows them"
LOCAL_EVERY: Final = 2.0
AWS_EVERY: Final = 5.0
"""Seconds between two looks: AWS asks for money for each, the local engine does not."""


def look_every(stack: Stack) -> float:
    return LOCAL_EVERY if stack.is_local else AWS_EVERY


def looks[T](look: Callable[[], T], pause: Callable[[], bool], trouble: Callable[[Exception], None]) -> Iterator[T]:
    """Yield what each look finds, until `pause` says that it was the last.

    Once a look succeeded, trouble with AWS that passes is told, once until it is over, and the next look made. What does not
    pass is raised as the error of AWS that it is.
    """
    from renderbell_cli.trouble import AWS_ERRORS, cause_of, passes

    succeeded, in_trouble = False, False
    while True:
        try:
            found = look()
        except AWS_ERRORS as error:
            cause = cause_of(error)
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


def trouble_words(error: Exception) -> Text:
    return Text.assemble(f"{datetime.now(UTC).astimezone():%H:%M:%S}  AWS does not answer, trying again: ", plain(error))


def standing(video: VideoRecord) -> Text:
    """Return a video's status, and its provider's word where that is another: `generating (processing)`."""
    word = video.provider_status
    said = Text.assemble(" (", plain(word), ")") if word and word != video.status.value else Text("")
    return Text.assemble(status_text(video.status.value), said)


@contextmanager
def advising(what_to_do: str) -> Iterator[None]:
    """Add what to type to the error of what is not on record: programs get that error, too, and type nothing."""
    try:
        yield
    except NotOnRecordError as error:
        raise NotOnRecordError(f"{error}: {what_to_do}") from None


def check_watched(parameters: "Parameters", name: AccountName) -> None:
    """Raise BadInputError, with what to do, for an account that nobody looks at."""
    check_provider(name.provider)
    if name not in parameters.account_names(name.provider):
        raise BadInputError(
            f"{name} is not watched: `renderbell account list` shows what is, `renderbell account set {name}` adds it"
        )
