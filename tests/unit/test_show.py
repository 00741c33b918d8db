"""How things are shown to people: lengths of time, counts, and what strangers wrote."""

import io
import threading
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from rich.console import Console

from renderbell.events import VideoRecord
from renderbell.video import Status
from renderbell_cli import show
from renderbell_cli.local import view
from renderbell_cli.show import Hints, Listing, ago, coming, one_line, plain, roughly, short, within
from tests.records import NOON, record

HOSTILE = "[/red] spring :bomb:\x1b[2J\r\x9b31m"


def video(title: str) -> VideoRecord:
    return record(status=Status.COMPLETED, title=title)


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


@pytest.mark.parametrize(("seconds", "words"), [(-5, "now"), (0.5, "now"), (40, "in 40 s"), (300, "in 5 min")])
def test_what_is_due_is_told_by_how_soon(seconds: float, words: str) -> None:
    assert coming(NOON + timedelta(seconds=seconds), NOON) == words


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Print a listing as a terminal of some width shows it, None for a pipe; return its lines."""

    def run(width: int | None) -> list[str]:
        out = io.StringIO()
        console = Console(file=out, width=width, height=20, color_system=None, force_terminal=width is not None, emoji=False)
        monkeypatch.setattr(show, "console", console)
        shown = Listing("ID", "NEXT", "TITLE", "URL", give_way=("URL", "TITLE"))
        shown.add_row("ep_0123456789", "", plain(HOSTILE), "https://team.example/", below={"why": "it rains"})
        shown.add_row("ep_1", "", "Spring", "https://team.example/hook", below={"why": None})
        shown.print()
        return out.getvalue().splitlines()

    return run


def test_a_listing_has_what_fits_beside_the_ids_and_the_rest_below_them(listed: Callable[..., list[str]]) -> None:
    wide, narrow, narrowest = listed(100), listed(50), listed(20)
    assert [line.split() for line in wide[:1]] == [["ID", "TITLE", "URL"]], "a column that is empty everywhere is left out"
    assert wide[3].split() == ["ep_1", "Spring", "https://team.example/hook"]
    assert narrow[3:] == ["    url: https://team.example/", "ep_1           Spring", "    url: https://team.example/hook"]
    assert narrowest[0] == "ID"
    assert narrowest[-3:] == ["ep_1", "    url: https://team.example/hook", "    title: Spring"]
    for lines in (wide, narrow, narrowest):
        assert lines[1].split()[0] == "ep_0123456789"
        assert lines[2] == "    why: it rains"
        assert "\x1b" not in "".join(lines)


def test_columns_that_belong_together_stand_below_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(width: int) -> list[str]:
        out = io.StringIO()
        monkeypatch.setattr(show, "console", Console(file=out, width=width, color_system=None, force_terminal=True))
        shown = Listing("ID", "TITLE", "EVENT ID", give_way=("EVENT ID", "TITLE"), together=True)
        shown.add_row("v1", "Spring", "evt_0123456789")
        shown.print()
        return out.getvalue().splitlines()

    assert drawn(26) == ["ID  TITLE   EVENT ID", "v1  Spring  evt_0123456789"]
    assert drawn(25) == ["ID", "v1", "    event id: evt_0123456789", "    title: Spring"]


def test_a_pipe_gets_each_row_in_one_line(listed: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    wide = listed(200)
    monkeypatch.delenv("COLUMNS", raising=False)
    assert listed(None) == wide


@pytest.mark.parametrize(
    ("words", "spelt"),
    [
        ("Try it: renderbell endpoint test ep_1", "Try it: renderbell --local endpoint test ep_1"),
        (plain("see `renderbell videos`"), "see `renderbell --local videos`"),
        ("renderbell: start `renderbell local`", "renderbell: start `renderbell local`"),
        ("the renderbell.test event", "the renderbell.test event"),
    ],
)
def test_a_command_in_a_hint_can_be_pasted(words: object, spelt: str) -> None:
    out = io.StringIO()
    hints = Hints(file=out, width=20, color_system=None)
    hints.chosen = "renderbell --local"
    hints.print(words)
    assert out.getvalue() == f"{spelt}\n"


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
