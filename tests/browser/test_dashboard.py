"""The page in a real browser: nothing sticks out, nothing runs, every button works, in light and dark, narrow and wide."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from renderbell.view import Notice
from renderbell.widget import page, trouble
from renderbell_cli.local.dashboard import Dashboard
from tests.browser.chromium import dom, told
from tests.browser.looks import FUNCTION, LOOKS, STUDIO

WIDTHS: Final = (380, 600, 900, 1200)
PAGES: Final[Mapping[str, str]] = {
    **{
        f"{name}, {theme}": page(view, theme=theme, function=FUNCTION, notice=Notice(words="Sent.", good=True))
        for name, view in LOOKS.items()
        for theme in ("light", "dark")
    },
    "error, light": trouble("No answer. " * 20, theme="light"),
    "error, dark": trouble("No answer. " * 20, theme="dark"),
}
MEASURE: Final = """
const told = {}
for (const box of document.querySelectorAll('.box')) {
  const right = box.getBoundingClientRect().right + 0.5, inner = [...box.querySelectorAll('.rb, .rb *')]
  const out = inner.filter(one => one.getBoundingClientRect().right > right || one.getBoundingClientRect().left < 0)
  const wide = inner.filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'visible'
    && getComputedStyle(one).display !== 'inline')
  const columns = getComputedStyle(box.querySelector('.rb-cols') || box).gridTemplateColumns.split(' ').length
  told[box.dataset.width] = {
    out: out.map(one => one.outerHTML.slice(0, 200)), wide: wide.map(one => one.outerHTML.slice(0, 200)), columns,
    high: box.getBoundingClientRect().height, shown: inner.length, colour: getComputedStyle(box.querySelector('.rb')).color,
    back: getComputedStyle(box.querySelector('.rb-box, .rb-hello')).backgroundColor,
  }
}
document.body.dataset.told = JSON.stringify(told)
document.body.dataset.title = document.title
"""


def measured(widget: str, folder: Path, *flags: str) -> Mapping[str, Any]:
    """Return what a browser makes of a page at each width."""
    boxes = "".join(f'<div class="box" data-width="{width}" style="width:{width}px">{widget}</div>' for width in WIDTHS)
    source = folder / "page.html"
    source.write_text(
        f'<!doctype html><meta charset="utf-8"><title>quiet</title><body style="margin:0">{boxes}<script>{MEASURE}</script>',
        encoding="utf-8",
    )
    became = dom(source.as_uri(), *flags)
    assert told(became, "title") == "quiet", "a script ran that is none of ours"
    return dict(json.loads(told(became, "told")))


@pytest.mark.parametrize("name", sorted(PAGES))
@pytest.mark.usefixtures("chromium")
def test_nothing_sticks_out_and_nothing_runs(name: str, tmp_path: Path) -> None:
    found = measured(PAGES[name], tmp_path)
    assert {width: (each["out"], each["wide"]) for width, each in found.items()} == {str(width): ([], []) for width in WIDTHS}
    assert all(each["high"] > 100 for each in found.values())


@pytest.mark.usefixtures("chromium")
def test_one_column_where_it_is_narrow_and_two_where_it_is_wide(tmp_path: Path) -> None:
    found = measured(PAGES["studio, light"], tmp_path)
    assert {width: each["columns"] for width, each in found.items()} == {"380": 1, "600": 1, "900": 2, "1200": 2}


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 has it."""

    def light(colour: str) -> float:
        channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.usefixtures("chromium")
def test_words_stand_out_from_what_is_behind_them(theme: str, tmp_path: Path) -> None:
    each = measured(PAGES[f"studio, {theme}"], tmp_path)["1200"]
    assert _contrast(each["colour"], each["back"]) >= 7


@pytest.mark.usefixtures("chromium")
def test_without_a_word_of_the_console_the_browser_says_whether_it_is_dark(tmp_path: Path) -> None:
    auto = page(STUDIO, function=FUNCTION)
    light, dark = measured(auto, tmp_path), measured(auto, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert light["1200"]["back"] == measured(PAGES["studio, light"], tmp_path)["1200"]["back"]
    assert dark["1200"]["back"] == measured(PAGES["studio, dark"], tmp_path)["1200"]["back"]


# The page of `make local`.


class Functions:
    """Lambda with one function: the widget's page of a studio. It keeps what it was asked."""

    def __init__(self, drawn: Any = None, error: str | None = None) -> None:
        self.drawn = page(STUDIO, function=FUNCTION) if drawn is None else drawn
        self.error = error
        self.asked: list[dict[str, Any]] = []

    def invoke(self, **asked: Any) -> dict[str, Any]:
        assert asked["FunctionName"] == "widget"
        self.asked.append(json.loads(asked["Payload"]))
        error = {"FunctionError": self.error} if self.error else {}
        return {"Payload": io.BytesIO(json.dumps(self.drawn).encode()), **error}


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def dashboard(functions: Functions) -> Iterator[Dashboard]:
    with Dashboard("widget", functions) as running:  # type: ignore[arg-type]
        yield running


def fields(drawn: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', drawn)}


@pytest.mark.usefixtures("chromium")
def test_the_local_page_is_the_widget_with_forms_for_buttons(dashboard: Dashboard) -> None:
    became = dom(dashboard.url)
    assert "Spring launch, keynote opener" in became
    assert "cwdb-action>" not in became
    assert became.count("<form") == 1
    assert '<meta http-equiv="refresh" content="5;url=/">' in became


def test_a_pressed_button_calls_the_function_with_its_parameters(dashboard: Dashboard, functions: Functions) -> None:
    given = fields(httpx.get(dashboard.url).text)
    answer = httpx.post(dashboard.url, data=given, headers={"origin": dashboard.url.rstrip("/")})
    assert answer.status_code == 200
    asked = functions.asked[-1]
    assert asked["retry"] == {"endpoint": "ep_5f0c2a9d41e7b836", "event": "evt_7e0f3c1b2a4d5968a7b6c5d4e3f20199"}
    assert "widgetContext" in asked


@pytest.mark.usefixtures("chromium")
def test_a_page_that_has_the_token_but_is_another_is_refused(
    tmp_path: Path, dashboard: Dashboard, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed, origins = Dashboard._pressed, list[str | None]()

    def noting(self: Dashboard, call: Any) -> Mapping[str, Any] | None:
        origins.append(call.headers.get("origin"))
        return pressed(self, call)

    monkeypatch.setattr(Dashboard, "_pressed", noting)
    given = fields(httpx.get(dashboard.url).text)
    inputs = "".join(f"<input name={name} value='{value}'>" for name, value in given.items())
    source = tmp_path / "press.html"
    form = f"<form method=post action={dashboard.url}>{inputs}</form>"
    source.write_text(f"<!doctype html>{form}<script>document.forms[0].submit()</script>")
    dom(source.as_uri())
    assert origins == ["null"], "the browser did press it"
    assert [asked for asked in functions.asked if "retry" in asked] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:80"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
    ],
    ids=str,
)
def test_no_other_name_leads_to_the_page(dashboard: Dashboard, functions: Functions, headers: dict[str, str]) -> None:
    answers = [httpx.get(dashboard.url, headers=headers), httpx.post(dashboard.url, headers=headers, data={"asked": "{}"})]
    assert [(answer.status_code, answer.content) for answer in answers] == [(421, b""), (421, b"")]
    assert functions.asked == []


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({"token": "guessed"}, {}),
        ({"token": ""}, {}),
        ({"token": "ä"}, {}),
        ({"asked": "no json"}, {}),
        ({"asked": "[]"}, {}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"origin": "null"}),
        ({}, {"origin": "http://127.0.0.1:1"}),
    ],
    ids=str,
)
def test_a_post_that_is_not_from_the_page_is_refused(
    dashboard: Dashboard, functions: Functions, changed: dict[str, str], headers: dict[str, str]
) -> None:
    given = {**fields(httpx.get(dashboard.url).text), **changed}
    functions.asked.clear()
    assert httpx.post(dashboard.url, content=urlencode(given), headers=headers).status_code == 403
    assert functions.asked == []


def test_the_page_lets_nothing_in_but_pictures_and_styles_and_nobody_frame_it(dashboard: Dashboard) -> None:
    headers = httpx.get(dashboard.url).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "img-src": "https:",
        "style-src": "'unsafe-inline'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")


def test_only_the_page_is_there(dashboard: Dashboard) -> None:
    assert httpx.get(f"{dashboard.url}favicon.ico").status_code == 404
    assert httpx.put(dashboard.url).status_code == 405


@pytest.mark.parametrize("functions", [Functions({"errorMessage": "secret"}, "Unhandled"), Functions(["no page"])])
def test_a_function_that_fails_is_said_in_a_sentence(dashboard: Dashboard) -> None:
    shown = httpx.get(dashboard.url).text
    assert "The widget function failed" in shown
    assert "secret" not in shown


def test_an_engine_that_is_gone_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.integration.world import point_at

    point_at("http://127.0.0.1:9", monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with Dashboard("widget") as running:
        assert "The local engine gave no answer" in httpx.get(running.url).text
