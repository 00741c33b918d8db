"""The widget's page keeps to the rules of CloudWatch, to its size, and to what it may say of whom."""

import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell import widget, widget_parts
from renderbell.deliveries import DeliveryStatus
from renderbell.video import Status
from renderbell.view import Notice, View, command_of
from renderbell.widget import DOCUMENTATION, MAX_BYTES, page, trouble
from tests.browser.looks import (
    BAD_DAY,
    CALM,
    CROWD,
    FUNCTION,
    HOSTILE,
    LOOKS,
    NOTHING,
    NOW,
    STRANGERS,
    STUDIO,
    account,
    endpoint,
    video,
    waiting,
)

TAGS: Final = {
    *("a", "b", "br", "code", "cwdb-action", "div", "h2", "h3", "i", "img", "p", "path", "small", "span", "style", "svg"),
}
ATTRIBUTES: Final = {
    *("action", "alt", "aria-hidden", "class", "confirmation", "d", "dir", "display", "endpoint", "href", "loading"),
    *("referrerpolicy", "rel", "role", "src", "style", "target", "title", "viewbox"),
}
VOID: Final = frozenset({"br", "img"})


class Read(HTMLParser):
    """A page as a browser reads it: its elements, its words, and whether everything that opens is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


def read(view: View, **more: Any) -> Read:
    return Read(page(view, function=FUNCTION, **more))


# The rules of custom widgets.


@pytest.mark.parametrize("name", sorted(LOOKS))
@pytest.mark.parametrize("theme", ["light", "dark", None])
def test_a_page_is_plain_html_of_known_elements_without_script(name: str, theme: str | None) -> None:
    found = read(LOOKS[name], theme=theme, notice=Notice(words=HOSTILE[0], good=False))
    assert found.open == []
    assert {tag for tag, _ in found.elements} <= TAGS
    assert {attribute for _, attributes in found.elements for attribute in attributes} <= ATTRIBUTES
    assert len(found.all("style")) == 1


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_page_loads_nothing_but_pictures_over_https(name: str) -> None:
    found = read(LOOKS[name])
    addresses = [attributes[kind] for _, attributes in found.elements for kind in ("src", "href") if kind in attributes]
    assert all(address is not None and address.startswith("https://") for address in addresses)
    assert "@import" not in page(LOOKS[name])
    assert "url(" not in page(LOOKS[name])


@given(text=st.text(max_size=300))
def test_whatever_a_stranger_writes_stays_text(text: str) -> None:
    view = View(
        now=NOW,
        flying=[video("tavus/main", text, Status.GENERATING, 30, thumbnail_url=text, video_id=text)],
        ended=[video("heygen/main", text, Status.FAILED, 30, 9, error=text, url=text)],
        accounts=[account("tavus/main", text, well=False)],
        endpoints=[endpoint("failing", waiting(text, reason=text, event_type=text, event_id=text), words=text)],
    )
    plain = [tag for tag, _ in read(replace(view)).elements]
    tame = [tag for tag, _ in read(View(**{**_fields(view), **_tamed(view)})).elements]
    assert set(plain) <= set(tame) | {"img", "a"}
    assert read(view).open == []


def _fields(view: View) -> dict[str, Any]:
    return {name: getattr(view, name) for name in ("now", "flying", "usual", "ended", "accounts", "endpoints")}


def _tamed(view: View) -> dict[str, Any]:
    return {
        "flying": [replace(one, title="a title", thumbnail_url=None) for one in view.flying],
        "ended": [replace(one, title="a title", error="an error", thumbnail_url=None) for one in view.ended],
        "accounts": [replace(one, words="words") for one in view.accounts],
        "endpoints": [endpoint("failing", waiting("a title"), words="words")],
    }


@pytest.mark.parametrize("module", [widget, widget_parts], ids=lambda module: module.__name__)
def test_what_is_filled_in_is_made_markup_in_one_place_which_escapes_it(module: ModuleType) -> None:
    assert "Html(f" not in inspect.getsource(module)


@pytest.mark.parametrize("text", [text for text in HOSTILE if text], ids=range(len(HOSTILE) - 1))
def test_a_title_is_shown_as_it_is_but_for_what_no_person_should_see(text: str) -> None:
    shown = read(replace(STUDIO, flying=[video("tavus/main", text, Status.GENERATING, 30)])).text
    said = " ".join(re.sub("[\u202a-\u202e\u2066-\u2069\x00]", " ", text).split())
    assert (said if len(said) <= 100 else said[:50]) in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", shown)


def test_a_title_of_five_thousand_characters_is_cut() -> None:
    assert len(page(replace(STUDIO, flying=[video("tavus/main", "x" * 5000, Status.GENERATING, 30)]))) < len(page(STUDIO)) + 500


@pytest.mark.parametrize(
    "address",
    [
        "http://pictures.example/1.jpg",
        "javascript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "//pictures.example/1.jpg",
        "https://",
        "https://localhost/x",
        "https://user:pass@pictures.example/1.jpg",
        "https://pictures.example/" + "x" * 9000,
    ],
)
def test_an_address_that_is_not_plain_https_is_neither_loaded_nor_linked(address: str) -> None:
    found = read(View(now=NOW, ended=[video("heygen/a", "v", Status.COMPLETED, 9, 9, url=address, thumbnail_url=address)]))
    assert (found.all("img"), found.all("a")) == ([], [])


def test_a_picture_and_a_link_over_https_are_there_and_take_nothing_along() -> None:
    address = 'https://files.example/a b"onload=.mp4?Expires=1&Signature=x~y'
    one = video("heygen/a", "v", Status.COMPLETED, 9, 9, url=address, thumbnail_url=address)
    [picture], [link] = (read(View(now=NOW, ended=[one])).all(tag) for tag in ("img", "a"))
    safe = "https://files.example/a%20b%22onload=.mp4?Expires=1&Signature=x~y"
    assert (picture["src"], picture["referrerpolicy"]) == (safe, "no-referrer")
    assert (link["href"], link["rel"]) == (safe, "noopener noreferrer")


def test_a_url_that_has_ended_is_not_offered() -> None:
    over = replace(STUDIO.ended[0], url_expires_at=NOW - timedelta(seconds=1))
    assert read(View(now=NOW, ended=[over])).all("a") == []


def test_nobodys_e_mail_address_and_no_password_of_a_url_is_shown() -> None:
    untitled = video("pixverse/main", None, Status.GENERATING, 9, video_id="user:1-pixverse:someone@team.example-video:2")
    shown = page(
        View(now=NOW, flying=[untitled], endpoints=[endpoint("failing", url="https://me:secret@hooks.example/in?token=secret")])
    )
    assert "s***@***" in shown
    assert not any(word in shown for word in ("someone", "team.example", "secret"))
    assert "hooks.example/in" in shown


# Its size.


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_page_is_small_whatever_there_is(name: str) -> None:
    assert len(page(LOOKS[name], function=FUNCTION).encode()) <= MAX_BYTES


def test_a_page_of_the_longest_of_everything_shows_fewer_rows_and_is_small() -> None:
    long, address = '"' * 5000, f"https://files.example/{'&' * 1400}"
    looks = replace(
        STRANGERS,
        flying=[video("heygen/a", long, Status.GENERATING, 9, thumbnail_url=address)] * 200,
        ended=[video("heygen/a", long, Status.COMPLETED, 9, 9, url=address, thumbnail_url=address)] * 20,
        accounts=[account("tavus/main", long, well=False)] * 20,
        endpoints=[endpoint("failing", *[waiting(long, reason=long, event_type=long)] * 10, words=long)] * 10,
    )
    shown = page(looks, function=FUNCTION)
    assert len(shown.encode()) <= MAX_BYTES
    assert re.search(r"and 19\d more videos", read(looks).text)


@pytest.mark.parametrize(
    ("count", "words"), [(0, None), (1, None), (12, None), (13, "and 1 more"), (500, "and 488 more")], ids=str
)
def test_what_is_left_out_is_counted_and_a_command_shows_it(count: int, words: str | None) -> None:
    flying = [video("tavus/main", f"Clip {n}", Status.GENERATING, n) for n in range(count)]
    shown = read(replace(CALM, flying=flying)).text
    assert ("… and" in shown) is (words is not None)
    if words is not None:
        assert f"{words} videos: renderbell videos --status generating" in shown


def test_more_than_were_read_are_said_to_be_more() -> None:
    shown = read(replace(CROWD, flying=CROWD.flying[:200], more_flying=True)).text
    assert "and at least 188 more" in shown
    assert "200+" in shown


def test_at_most_twenty_deliveries_are_shown_and_at_least_one_of_each_endpoint() -> None:
    found = read(CROWD)
    assert len(found.all("cwdb-action")) <= 20
    assert found.text.count("answered 503 failing since 47 min") == 12


# What it says.


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (12, "since 12 s · usually 6 min about 7 min left"),
        (200, "since 3 min · usually 6 min about 4 min left"),
        (380, "since 6 min · usually 6 min about 30 s left"),
        (430, "since 7 min · usually 6 min any moment now"),
        (900, "since 15 min · usually 6 min longer than usual"),
        (90_000, "since 25 h · usually 6 min longer than usual"),
        (200_000, "since 2 days"),
    ],
)
def test_a_video_in_flight_says_since_when_and_when_it_is_about_done(age: float, words: str) -> None:
    flying = [video("tavus/main", "v", Status.GENERATING, age)]
    assert words in read(replace(CALM, flying=flying, usual={"tavus": 410.0})).text


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        ((200,), "next done in about 4 min"),
        ((430, 200), "next done any moment"),
        ((900, 200), "next done in about 4 min"),
        ((900,), "being made"),
    ],
)
def test_the_number_of_videos_in_flight_says_when_the_next_is_done(ages: Sequence[float], words: str) -> None:
    flying = [video("tavus/main", f"v{age}", Status.GENERATING, age) for age in ages]
    assert words in read(replace(CALM, flying=flying, usual={"tavus": 410.0})).text


def test_without_experience_nothing_is_foretold() -> None:
    assert "no estimate yet" in read(replace(CALM, flying=[video("tavus/main", "v", Status.QUEUED, 9)])).text


def test_what_takes_very_long_stands_first_then_what_ends_soonest_and_last_what_nobody_can_tell() -> None:
    flying = [
        video("unheard/of", "nobody knows", Status.GENERATING, 5000),
        video("memories/a", "late", Status.GENERATING, 10),
        video("pixverse/a", "soon", Status.GENERATING, 80),
        video("heygen/a", "stalled", Status.GENERATING, 90_000, stalled_at=NOW),
    ]
    shown = read(replace(STUDIO, flying=flying)).text
    assert sorted(["nobody knows", "late", "soon", "stalled"], key=shown.index) == ["stalled", "soon", "late", "nobody knows"]


def test_a_failed_video_says_why_and_a_completed_one_how_long_it_took() -> None:
    shown = read(STUDIO).text
    assert "failed · PixVerse · main · took 1 min 11 s The prompt did not pass the content check" in shown
    assert "completed · Tavus · sales · took 6 min 28 s" in shown


def test_an_account_in_trouble_stands_first_with_what_is_wrong() -> None:
    shown = read(BAD_DAY).text
    assert "2 of 5 ok" in shown
    assert shown.index("heygen/legacy the key is refused: HTTP 401, invalid api key 11 min ago") < shown.index(
        "heygen/marketing 40"
    )


def test_without_accounts_it_says_how_to_add_one() -> None:
    assert "renderbell account set heygen/marketing" in read(NOTHING).text


def test_before_anything_happened_it_says_what_will() -> None:
    shown = read(CALM).text
    assert "Nothing is being made. What begins shows here within a minute." in shown
    assert "Every event arrives." in shown


def test_trouble_is_a_sentence() -> None:
    found = Read(trouble("No <answer>."))
    assert "The dashboard cannot be shown just now No <answer>." in found.text
    assert found.open == []


@pytest.mark.parametrize(("theme", "mode"), [("dark", "rb-dark"), ("light", "rb-light"), (None, "rb-auto"), ("<x>", "rb-auto")])
def test_the_console_says_whether_it_is_dark_and_else_the_browser_does(theme: str | None, mode: str) -> None:
    assert any(
        attributes.get("class") == f"rb {mode} cwdb-no-default-styles" for attributes in read(CALM, theme=theme).all("div")
    )


def test_it_describes_itself() -> None:
    assert DOCUMENTATION.startswith("## Renderbell\n")
    assert "### Widget parameters" in DOCUMENTATION


# The commands that people may copy from it.


@pytest.mark.parametrize(
    ("stack", "local", "words"),
    [
        ("renderbell", False, "renderbell"),
        ("studio-2", False, "renderbell --stack studio-2"),
        ("renderbell-local", True, "renderbell --local"),
    ],
)
def test_a_command_speaks_to_the_stack_whose_page_shows_it(stack: str, *, local: bool, words: str) -> None:
    assert command_of(stack, local=local) == words


@pytest.mark.parametrize("name", sorted(set(LOOKS) - {"calm"}))
def test_every_command_of_a_page_begins_as_the_page_is_told(name: str) -> None:
    view = replace(LOOKS[name], ended=[*LOOKS[name].ended] * 3, command="renderbell --local")
    commands = re.findall(r"<code>([^<]*)</code>", page(view))
    assert commands
    assert all(command.startswith("renderbell --local ") for command in commands)


# Its buttons.


def buttons(view: View, function: str = FUNCTION) -> Sequence[tuple[dict[str, str | None], dict[str, Any]]]:
    drawn = page(view, function=function)
    contents = re.findall(r"<cwdb-action[^>]*>([^<]*)</cwdb-action>", drawn)
    words = [Read(f"<p>{content}</p>").words[0] for content in contents]
    return list(zip(Read(drawn).all("cwdb-action"), map(json.loads, words), strict=True))


def test_a_button_calls_the_widget_itself_with_the_delivery_after_a_question() -> None:
    [(action, asked)] = buttons(STUDIO)
    assert action == {
        "action": "call",
        "display": "widget",
        "endpoint": FUNCTION,
        "confirmation": "Send “Hello Jonas, a quick idea” to hooks.studio.example/renderbell once more?",
    }
    assert asked == {"retry": {"endpoint": "ep_5f0c2a9d41e7b836", "event": "evt_7e0f3c1b2a4d5968a7b6c5d4e3f20199"}}


def test_a_button_stands_right_behind_what_is_pressed() -> None:
    tags = [tag for tag, _ in read(STUDIO).elements]
    assert tags[tags.index("cwdb-action") - 1] == "a"


def test_strangers_write_no_buttons_and_cannot_change_what_ours_ask() -> None:
    asked = [asked for _, asked in buttons(STRANGERS)]
    assert asked
    assert all(set(one) == {"retry"} and set(one["retry"]) == {"endpoint", "event"} for one in asked)
    assert {one["retry"]["event"] for one in asked} <= set(HOSTILE)


def test_what_cannot_be_retried_has_no_button() -> None:
    held = waiting("v", DeliveryStatus.HELD, can_retry=False)
    assert buttons(replace(STUDIO, endpoints=[endpoint("paused", held)])) == []
    assert buttons(STUDIO, function="") == []


def test_what_came_of_a_button_is_said_first() -> None:
    assert read(STUDIO, notice=Notice(words="It was <sent>.", good=True)).text.startswith("It was <sent>. In flight")
