"""Looking again and again, as `renderbell watch` and `renderbell wait` do."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from renderbell.events import VideoRecord
from renderbell_cli.show import plain, status_text
from renderbell_cli.stack import Stack

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
