"""Markup has a type of its own: a title that was not escaped is none, and mypy says so."""

from html import escape
from typing import Final, NewType

Html = NewType("Html", str)
"""Markup. Text becomes it by `text`, and by nothing else."""

NOTHING: Final = Html("")
VOID: Final = frozenset({"br", "img"})
"""Elements that hold nothing and are not closed."""


def text(words: str, *, quote: bool = True) -> Html:
    """Return text as markup that shows it as it is."""
    return Html(escape(words, quote=quote))


def join(*parts: Html) -> Html:
    return Html("".join(parts))


def element(tag: str, kind: str = "", /, *inner: Html, **attributes: str) -> Html:
    """Return an element, of the classes `kind`. Its attributes are given as text."""
    given = {"class": kind, **attributes} if kind else attributes
    said = "".join(f' {name}="{text(value)}"' for name, value in given.items())
    return Html(f"<{tag}{said}>{join(*inner)}{'' if tag in VOID else f'</{tag}>'}")


def div(kind: str, *inner: Html, **attributes: str) -> Html:
    return element("div", kind, *inner, **attributes)


def span(kind: str, *inner: Html) -> Html:
    return element("span", kind, *inner)


def bold(words: str) -> Html:
    return element("b", "", text(words))


def code(command: str) -> Html:
    return element("code", "", text(command))
