"""How things are shown to people: lengths of time, counts, and what strangers wrote."""

import io
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from renderbell.events import VideoRecord
from renderbell.video import AccountName, Status
from renderbell_cli.local import view
from renderbell_cli.show import ago, one_line, plain, roughly, short, within

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = "[/red] spring :bomb:\x1b[2J\r\x9b31m"


def video(title: str) -> VideoRecord:
    nothing: dict[str, Any] = dict.fromkeys(
        ("previous_status", "provider_status", "url", "thumbnail_url", "url_expires_at", "error", "duration_seconds")
    )
    return VideoRecord(
        **nothing,
        account=AccountName("heygen", "marketing"),
        video_id="v",
        status=Status.COMPLETED,
        sequence=1,
        title=title,
        created_at=None,
        first_seen_at=NOON,
        changed_at=NOON,
        finished_at=NOON,
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86400, "24 h"), (200000, "2 days")],
)
def test_a_length_of_time_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert roughly(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (0.2, "1 s"), (60, "60 s"), (119, "119 s"), (121, "3 min"), (3600, "60 min"), (7201, "3 h")],
)
def test_by_when_something_happens_is_never_promised_too_soon(seconds: float, words: str) -> None:
    assert within(NOON + timedelta(seconds=seconds), NOON) == f"within {words}"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (1.5, "1.5"), (8.0, "8"), (12.4, "12"), (999, "999"), (2100, "2.1k"), (34567, "35k"), (1.25e6, "1.2M")],
)
def test_a_count_takes_few_letters(number: float, words: str) -> None:
    assert short(number) == words


def test_a_moment_that_never_was_is_not_told() -> None:
    assert ago(None) == ""


def test_what_strangers_wrote_is_one_line_of_what_can_be_printed() -> None:
    assert plain(HOSTILE).plain == "[/red] spring :bomb: [2J  31m"
    assert plain(None).plain == ""
    assert one_line(HOSTILE, 10).plain == "[/red] sp…"


@pytest.mark.parametrize("terminal", [True, False])
def test_the_view_of_a_local_stack_shows_hostile_titles_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,  # noqa: FBT001
) -> None:
    stopping, out = threading.Event(), io.StringIO()

    def look(_: object) -> view.Moment:
        stopping.set()
        return view.Moment(videos=[video(HOSTILE)], topic=frozenset(), webhook=frozenset())

    monkeypatch.setattr(view, "look", look)
    monkeypatch.setattr(view, "REFRESH", 0.01)
    console = Console(file=out, width=120, height=20, color_system=None, force_terminal=terminal)
    view.watch(console, SimpleNamespace(), stopping)  # type: ignore[arg-type]
    assert "[/red] spring :bomb: [2J" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
