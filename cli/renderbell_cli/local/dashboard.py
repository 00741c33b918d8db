"""Shows the local stack's widget in a browser: a page on loopback that calls the deployed function, as CloudWatch does."""

import json
import re
import secrets
from collections.abc import Mapping
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qs

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from renderbell.widget import trouble
from renderbell_cli.simulator.serving import Answer, Call, LocalServer

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REFRESH: Final = 5
"""Seconds after which the page is loaded anew, without what a button did."""
BUTTON: Final = re.compile(r'<a class="btn rb-btn">([^<]*)</a><cwdb-action [^>]*>([^<]*)</cwdb-action>')
"""A button as the widget writes it. What strangers wrote is escaped there, so nothing of theirs looks like this."""
HEADERS: Final = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    # Not `no-referrer`: with it a browser would not say that a form comes from this page.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; img-src https:; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
}
STYLE: Final = (
    "html{color-scheme:light dark}body{margin:0 auto;padding:16px;max-width:1400px;background:#eef0f3}"
    "@media(prefers-color-scheme:dark){body{background:#0b131c}}"
)
PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta http-equiv="refresh" content="{refresh};url=/"><title>Renderbell</title><style>{style}</style></head>'
    "<body>{widget}</body></html>"
)
BUSY: Final = "The local engine gave no answer. Is `renderbell local` still running?"
FAILED: Final = "The widget function failed: .renderbell/ministack.log says why."


class Dashboard:
    """Serves the page at a free port of 127.0.0.1, from `start` to `stop`, or within a `with` block."""

    def __init__(self, function: str, functions: "LambdaClient | None" = None) -> None:
        self._function = function
        self._functions = functions or boto3.client("lambda")
        self._token = secrets.token_urlsafe(24)
        self._server = LocalServer(self._respond)

    @property
    def url(self) -> str:
        return f"{self._server.url}/"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _respond(self, call: Call) -> Answer:
        if not self._is_here(call.headers.get("host", "")):
            return Answer(status=421)  # another site's name that leads to this machine
        if call.path != "/":
            return Answer(status=404)
        match call.method:
            case "GET":
                return self._page({})
            case "POST":
                asked = self._pressed(call)
                return Answer(status=403) if asked is None else self._page(asked)
        return Answer(status=405, headers={"allow": "GET, POST"})

    def _is_here(self, host: str) -> bool:
        port = self._server.url.rpartition(":")[2]
        return host in {f"127.0.0.1:{port}", f"localhost:{port}"}

    def _pressed(self, call: Call) -> Mapping[str, Any] | None:
        """Return the parameters of the button that was pressed; None for what does not come from a page of ours."""
        origin = call.headers.get("origin")
        if origin is not None and not (origin.startswith("http://") and self._is_here(origin.removeprefix("http://"))):
            return None
        form = {name: values[-1] for name, values in parse_qs(call.body.decode(errors="replace")).items()}
        if not secrets.compare_digest(form.get("token", "").encode(), self._token.encode()):
            return None
        try:
            asked = json.loads(form.get("asked", ""))
        except ValueError:
            return None
        return asked if isinstance(asked, dict) else None

    def _page(self, asked: Mapping[str, Any]) -> Answer:
        widget = BUTTON.sub(self._form, self._widget(asked))
        return Answer(headers=HEADERS, body=PAGE.format(refresh=REFRESH, style=STYLE, widget=widget).encode())

    def _widget(self, asked: Mapping[str, Any]) -> str:
        payload = json.dumps({**asked, "widgetContext": {"title": "Renderbell", "params": {}, "forms": {"all": {}}}})
        try:
            answer = self._functions.invoke(FunctionName=self._function, Payload=payload.encode())
            drawn = json.load(answer["Payload"])
        except (BotoCoreError, ClientError, ValueError):
            return trouble(BUSY)
        return drawn if isinstance(drawn, str) and not answer.get("FunctionError") else trouble(FAILED)

    def _form(self, button: re.Match[str]) -> str:
        label, asked = button.groups()
        given = {"token": self._token, "asked": unescape(asked)}
        fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in given.items())
        return f'<form method="post" action="/">{fields}<button class="rb-btn">{label}</button></form>'
