"""`renderbell watch`, its pure parts: what changed between two looks, and how that is shown."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from rich.console import Console, RenderableType
from rich.live import Live

from renderbell.events import VideoRecord
from renderbell.store.videos import IN_FLIGHT
from renderbell.video import AccountName, Status
from renderbell_cli.advice import NO_ACCOUNT
from renderbell_cli.commands import watch
from renderbell_cli.commands.watch import (
    ACCOUNTS_EVERY,
    ENDS_SHOWN,
    NOTHING,
    Change,
    Following,
    What,
    changes,
    fields,
    line,
    newest,
    picture,
)
from tests import records
from tests.records import MARKETING as ACCOUNT
from tests.records import NOON

OTHER = AccountName("tavus", "main")
HOSTILE = "[/red] [link=file:///etc]x\x1b]8;;http://evil\x07\x1b[2J\r:bomb:\u202e"


def record(video_id: str = "v", status: Status = Status.GENERATING, sequence: int = 1, **more: Any) -> VideoRecord:
    """Return a video whose changes are a second apart."""
    at = NOON + timedelta(seconds=sequence)
    rest = {"changed_at": at, "finished_at": at if status.final else None, "title": f"Title of {video_id}"}
    return records.record(video_id, status, sequence=sequence, **{**rest, **more})


def told(found: Sequence[Change]) -> list[tuple[str, str, str]]:
    return [(one.what.value, one.video.video_id, one.video.status.value) for one in found]


QUEUED, GENERATING = record(status=Status.QUEUED), record(sequence=2)
DONE, FAILED = record(status=Status.COMPLETED, sequence=3), record(status=Status.FAILED, sequence=3)
DELETED = record(status=Status.DELETED, sequence=4)


@pytest.mark.parametrize(
    ("known", "seen", "expected"),
    [
        ([], [], []),
        ([], [QUEUED], [("appeared", "v", "queued")]),
        ([QUEUED], [QUEUED], []),
        ([QUEUED], [replace(QUEUED, title="another")], []),
        ([QUEUED], [GENERATING], [("moved", "v", "generating")]),
        ([QUEUED], [DONE], [("ended", "v", "completed")]),
        ([], [FAILED], [("ended", "v", "failed")]),
        ([DONE], [DONE], []),
        ([DONE], [DELETED], [("ended", "v", "deleted")]),
        ([DONE], [record(sequence=4)], [("moved", "v", "generating")]),
        ([GENERATING], [], []),
        ([GENERATING], [QUEUED], []),
        ([DONE], [GENERATING], []),
        ([QUEUED], [GENERATING, DONE], [("ended", "v", "completed")]),
        ([QUEUED], [DONE, GENERATING], [("ended", "v", "completed")]),
        ([QUEUED], [QUEUED, replace(QUEUED, account=OTHER)], [("appeared", "v", "queued")]),
        (
            [],
            [record("late", sequence=2), record("early")],
            [("appeared", "early", "generating"), ("appeared", "late", "generating")],
        ),
    ],
    ids=[
        "nothing at all",
        "new",
        "the same",
        "no transition",
        "moved",
        "ended",
        "ended before it was seen in flight",
        "ended, seen again",
        "deleted after it ended",
        "rendered again",
        "missing from an index for a moment",
        "an index that lags",
        "an index that lags behind an end",
        "in both answers",
        "in both answers, the other way round",
        "the same id in another account",
        "in order of time",
    ],
)
def test_what_changed_between_two_looks(
    known: list[VideoRecord], seen: list[VideoRecord], expected: list[tuple[str, str, str]]
) -> None:
    assert told(changes(newest(known), newest(seen))) == expected


@dataclass
class Table:
    """The Videos table, with an index that may lose sight of a video."""

    rows: dict[tuple[AccountName, str], VideoRecord] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    broken: bool = False
    asked: list[datetime] = field(default_factory=list)

    def put(self, *videos: VideoRecord) -> None:
        self.rows.update({(one.account, one.video_id): one for one in videos})

    def in_account(self, account: AccountName, phase_name: str) -> Iterator[VideoRecord]:
        assert phase_name == IN_FLIGHT
        return self._index(account, final=False)

    def ended_since(self, account: AccountName, since: datetime) -> Iterator[VideoRecord]:
        if self.broken:
            raise ConnectionError
        self.asked.append(since)
        return (one for one in self._index(account, final=True) if one.changed_at >= since)

    def get(self, account: AccountName, video_id: str) -> VideoRecord | None:
        return self.rows.get((account, video_id))

    def _index(self, account: AccountName, *, final: bool) -> Iterator[VideoRecord]:
        found = [one for one in self.rows.values() if one.account == account and one.video_id not in self.unseen]
        return (one for one in found if one.status.final is final)


@dataclass
class Scene:
    """A watch over a table, at a time of the test's own."""

    table: Table = field(default_factory=Table)
    accounts: list[AccountName] = field(default_factory=lambda: [ACCOUNT])
    now: datetime = NOON
    accounts_asked: int = 0
    following: Following = field(init=False)

    def __post_init__(self) -> None:
        self.following = Following(self.table, self._accounts, lambda: self.now)

    def look(self, after: timedelta = timedelta(seconds=5)) -> list[tuple[str, str, str]]:
        found = told(self.following.look())
        self.now += after
        return found

    def _accounts(self) -> Sequence[AccountName]:
        self.accounts_asked += 1
        return list(self.accounts)


def test_a_video_is_told_from_beginning_to_end_and_nothing_twice() -> None:
    scene = Scene()
    found = []
    for video in (QUEUED, QUEUED, GENERATING, DONE, DONE, DELETED, DELETED):
        scene.table.put(video)
        found += scene.look()
    assert [what for what, _, _ in found] == ["appeared", "moved", "ended", "ended"]
    assert [one.status for one in scene.following.ends] == [Status.COMPLETED, Status.DELETED]


def test_what_ended_before_the_watch_began_is_in_the_picture_but_told_to_nobody() -> None:
    scene = Scene(now=NOON + timedelta(minutes=30))
    old = record("old", Status.COMPLETED, changed_at=NOON - timedelta(hours=1))
    scene.table.put(old, DONE, record("w"))
    assert scene.look() == [("appeared", "w", "generating")]
    assert scene.look() == []
    assert list(scene.following.ends) == [DONE]


def test_a_video_that_the_index_loses_sight_of_is_asked_for_by_its_id() -> None:
    scene = Scene()
    scene.table.put(GENERATING)
    scene.look()
    scene.table.unseen.add("v")
    assert scene.look() == []
    assert scene.following.in_flight == [GENERATING]
    scene.table.put(DONE)
    assert scene.look(), "told at once, though no index shows it"
    scene.table.unseen.clear()
    assert scene.look() == []


def test_a_row_that_was_taken_away_by_hand_is_forgotten() -> None:
    scene = Scene()
    scene.table.put(GENERATING)
    scene.look()
    scene.table.rows.clear()
    assert scene.look() == []
    assert scene.following.in_flight == []


def test_trouble_between_two_looks_costs_no_end_however_long_it_lasts() -> None:
    scene = Scene()
    scene.look()
    scene.table.broken = True
    scene.table.put(record("during", Status.FAILED, changed_at=NOON + timedelta(minutes=10)))
    for _ in range(3):
        with pytest.raises(ConnectionError):
            scene.look()
        scene.now += timedelta(hours=1)
    scene.table.broken = False
    assert scene.look() == [("ended", "during", "failed")]


def test_old_ends_are_not_read_again_and_a_clock_set_back_repeats_none() -> None:
    scene = Scene()
    scene.look(after=timedelta(hours=3))
    scene.table.put(DONE)
    scene.look()
    scene.look()
    assert scene.table.asked[-1] > NOON + timedelta(hours=2)
    scene.now = NOON
    assert scene.look() == []
    assert scene.table.asked == sorted(scene.table.asked)


def test_accounts_are_asked_for_once_a_minute_and_one_that_was_removed_is_gone() -> None:
    scene = Scene()
    scene.table.put(GENERATING, replace(QUEUED, account=OTHER))
    scene.look()
    scene.accounts = [OTHER]
    assert scene.look() == []
    assert scene.accounts_asked == 1
    scene.now += ACCOUNTS_EVERY
    assert scene.look() == [("appeared", "v", "queued")]
    assert [one.account for one in scene.following.in_flight] == [OTHER]


def test_json_holds_when_and_what_and_the_video() -> None:
    found = fields(Change(What.ENDED, replace(DONE, title=HOSTILE)))
    assert list(found)[:3] == ["at", "change", "provider"]
    assert (found["at"], found["change"], found["status"]) == ("2026-11-24T12:00:03Z", "ended", "completed")
    assert json.loads(json.dumps(found))["title"] == HOSTILE


def drawn(what: RenderableType, width: int = 100, *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None)
    console.print(what, soft_wrap=True)
    return out.getvalue()


def test_a_line_holds_the_link_or_the_error() -> None:
    done = drawn(line(Change(What.ENDED, replace(DONE, provider_status="ready", url="https://v.example/1")), NOON))
    assert done.split()[1:] == ["heygen/marketing", "completed", "(ready)", "Title", "of", "v", "https://v.example/1"]
    failed = drawn(line(Change(What.ENDED, replace(FAILED, error="no credits left")), NOON))
    assert failed.rstrip().endswith("Title of v  no credits left")


def test_what_strangers_wrote_obeys_no_terminal_and_is_no_markup() -> None:
    flying = record(title=HOSTILE, provider_status=HOSTILE)
    ends = [record("w", Status.FAILED, title=HOSTILE, error=HOSTILE), record("x", Status.COMPLETED, url=HOSTILE)]
    scene = Scene()
    scene.table.put(flying)
    scene.look()
    scene.table.put(*ends)
    scene.look()
    texts = [drawn(picture(scene.following, 40), 400), *(drawn(line(Change(What.ENDED, one), NOON)) for one in [flying, *ends])]
    for text in texts:
        assert "[/red]" in text
        assert ":bomb:" in text
        assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("url", "linked"),
    [("https://v.example/1", True), ("http://v.example/1", True), ("file:///etc", False), ("javascript:1", False)],
)
def test_only_an_address_of_the_web_can_be_clicked_on(url: str, linked: bool) -> None:  # noqa: FBT001
    text = drawn(line(Change(What.ENDED, replace(DONE, url=url)), NOON), terminal=True)
    assert (f";{url}\x1b\\" in text) is linked


@pytest.mark.parametrize(("url", "linked"), [("https://v.example/1", True), ("file:///etc", False)])
def test_a_picture_has_a_word_to_click_on_and_what_went_wrong_on_a_line_of_its_own(url: str, linked: bool) -> None:  # noqa: FBT001
    title, why = "A title that can be read", "There are no credits."
    scene = Scene()
    scene.look()
    scene.table.put(record("w", Status.COMPLETED, url=url, title=title), record("x", Status.FAILED, error=why, url=url))
    scene.look()
    lines = drawn(picture(scene.following, 24), 80).splitlines()
    assert any(title in text and text.endswith("Watch") is linked for text in lines)
    assert why in [text.strip() for text in lines]
    shown = drawn(picture(scene.following, 24), 80, terminal=True)
    assert (f";{url}\x1b\\" in shown) is linked
    assert "\x1b]8;;file" not in shown


@pytest.mark.parametrize("height", [10, 24])
def test_a_picture_of_failures_fits_its_terminal(height: int) -> None:
    scene = Scene()
    scene.look()
    scene.table.put(*(record(f"end-{n}", Status.FAILED, error="many words " * 30) for n in range(20)))
    scene.table.put(*(record(f"flying-{n}") for n in range(60)))
    scene.look()
    lines = drawn(picture(scene.following, height), 80).splitlines()
    assert len(lines) <= max(height, 14)
    assert "many words" in "".join(lines)


def test_a_picture_of_nothing_says_what_to_do() -> None:
    scene = Scene(accounts=[])
    scene.look()
    assert NO_ACCOUNT in drawn(picture(scene.following, 24))
    scene = Scene()
    scene.look()
    assert NOTHING in drawn(picture(scene.following, 24))


def test_a_picture_shows_what_is_in_flight_above_the_last_ends_the_newest_first() -> None:
    scene = Scene()
    scene.look()
    scene.table.put(*(record(f"end-{n:02}", Status.COMPLETED, changed_at=NOON + timedelta(seconds=n)) for n in range(20)))
    scene.table.put(record("flying"))
    scene.look()
    lines = drawn(picture(scene.following, 60)).splitlines()
    flying, *ends = [text.split("Title of ")[1].split()[0] for text in lines if "Title of" in text]
    assert flying == "flying"
    assert ends == [f"end-{n:02}" for n in range(19, 19 - ENDS_SHOWN, -1)]


@pytest.mark.parametrize("height", [10, 24, 50])
def test_a_picture_fits_its_terminal_and_counts_what_it_leaves_out(height: int) -> None:
    scene = Scene()
    scene.look()
    scene.table.put(*(record(f"end-{n}", Status.COMPLETED, url="https://v.example/" + "1" * 300) for n in range(20)))
    scene.table.put(*(record(f"flying-{n}", title="many words " * 30, provider_status="processing") for n in range(60)))
    scene.look()
    lines = drawn(picture(scene.following, height), 80).splitlines()
    assert len(lines) <= max(height, 14)
    assert "more" in "".join(lines)
    assert "60 in flight · 1 account ·" in lines[-1]


def test_a_narrow_picture_cuts_titles_before_anything_else() -> None:
    scene = Scene()
    scene.look()
    scene.table.put(record("flying", title="many words " * 9, provider_status="processing"), record("end", Status.COMPLETED))
    scene.look()
    shown = drawn(picture(scene.following, 24), 90)
    assert [word in shown for word in ("heygen/marketing", "generating", "processing", "completed")] == [True] * 4
    assert "many words many words …" not in drawn(picture(scene.following, 24), 140)
    assert all(len(text) <= 40 for text in drawn(picture(scene.following, 24), 40).splitlines())


class AtOnce(Live):
    """A picture that is drawn when it changes, and not by a clock of its own, which a busy machine keeps late."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more, auto_refresh=False)

    def update(self, renderable: RenderableType, *, refresh: bool = True) -> None:
        super().update(renderable, refresh=refresh)


def test_a_terminal_shows_the_picture_and_beneath_it_the_trouble_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(watch, "console", Console(file=out, force_terminal=True, color_system=None, width=100, height=24))
    scene, shown = Scene(), []
    scene.table.put(GENERATING)
    answers = iter([None, ReadTimeoutError(endpoint_url="https://dynamodb"), None])
    look = scene.following.look

    def look_or_fail() -> Sequence[Change]:
        error = next(answers)
        if error is not None:
            raise error
        return look()

    def pause() -> bool:
        shown.append(out.getvalue())
        out.truncate(0)
        return len(shown) < 3

    monkeypatch.setattr(scene.following, "look", look_or_fail)
    monkeypatch.setattr(watch, "Live", AtOnce)
    watch._picture_live(scene.following, pause)
    assert all("Title of v" in text for text in shown)
    assert ["trying again" in text for text in shown] == [False, True, False]
