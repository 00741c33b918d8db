"""Accounts, saved pages and a client without a network, for the tests of all providers."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from renderbell.account import Account
from renderbell.http import Answer
from renderbell.providers import PROVIDERS, Page, Provider, provider_for
from renderbell.video import AccountName

PAGES: Final = Path(__file__).parent / "pages"
KEY: Final = "sk-mavi-0123456789abcdef"

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    **{name: {} for name in PROVIDERS},
    "heygen-v1": {"api_version": "v1"},
}
"""Every listing there is, with the options that choose it. Saved pages are named after it."""

Handler = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers in a provider's place, and remembers what was asked."""

    def __init__(self, answer: Handler) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(request.method, request.url.raw_path.decode()) for request in self.requests]


def in_turn(*bodies: Any) -> Server:
    """Return a server that gives these bodies, one a request, with HTTP 200."""
    left = iter(bodies)
    return Server(lambda _: httpx.Response(200, json=next(left)))


def always(status: int = 200, body: Any = None, **headers: str) -> Server:
    """Return a server with one answer: bytes as they stand, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Server(lambda _: httpx.Response(status, content=content, headers=headers))


def account(kind: str, **options: str) -> Account:
    return Account.of(AccountName(kind.removesuffix("-v1"), "marketing"), KEY, {**KINDS[kind], **options})


def provider(kind: str, **options: str) -> Provider:
    return provider_for(account(kind, **options))


def kind_of(page: str) -> str:
    """Return whose page a saved page is, from its name."""
    return max((kind for kind in KINDS if page.startswith(f"{kind}-")), key=len)


def saved(page: str) -> Any:
    return json.loads((PAGES / f"{page}.json").read_bytes())


def read_listing(page: str, **options: str) -> Page:
    """Read a saved page as a poll does."""
    return read_body(kind_of(page), saved(page), **options)


def read_body(kind: str, body: Any, **options: str) -> Page:
    return provider(kind, **options).page(Answer(status=200, body=json.dumps(body).encode()))
