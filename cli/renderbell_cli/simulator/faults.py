"""What can go wrong between a provider and us, on demand.

A fault is a function: it gets the API, the call and the way to answer it well, and answers it badly.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from renderbell_cli.simulator.api import Api, json_answer
from renderbell_cli.simulator.serving import Answer, Call

type Fault = Callable[[Api, Call, Callable[[Call], Answer]], Answer]

PAGING: Final = frozenset({"page", "token", "cursor", "offset"})
"""What names a page, at any of the providers."""


def http_error(status: int, *, retry_after: str | None = None, body: Mapping[str, Any] | None = None) -> Fault:
    """Answer `status`, with the provider's own error body unless another is given."""

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del call, answer
        failed = api.error(status) if body is None else json_answer(body, status)
        wait = {} if retry_after is None else {"retry-after": retry_after}
        return replace(failed, headers={**failed.headers, **wait})

    return fault


def html(status: int = 200) -> Fault:
    """Answer a web page, as a proxy or a firewall in front of an API does."""
    page = b"<!doctype html><html><head><title>One moment</title></head><body>Back soon.</body></html>"

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del api, call, answer
        return Answer(status=status, headers={"content-type": "text/html; charset=utf-8"}, body=page)

    return fault


def truncated() -> Fault:
    """Answer well, but close the connection halfway through the body."""

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del api
        whole = answer(call)
        return replace(whole, withheld=max(1, len(whole.body) // 2))

    return fault


def slow(seconds: float) -> Fault:
    """Answer well, but `seconds` late."""

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del api
        return replace(answer(call), delay=seconds)

    return fault


def repeated_page() -> Fault:
    """Answer the first page again, whichever was asked for."""

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del api
        body = json.dumps(_without_paging(json.loads(call.body))).encode() if call.body else b""
        return answer(replace(call, target=f"{call.path}?{urlencode(_without_paging(call.query))}", body=body))

    return fault


def _without_paging(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in asked.items() if name not in PAGING}


def error_in_200(body: Mapping[str, Any] | None = None) -> Fault:
    """Answer HTTP 200 with an error in the body: the provider's own, where one is known, or `body`."""

    def fault(api: Api, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        del answer
        told = body or api.error_in_200
        if told is None:
            raise ValueError(f"{api.provider} is not known to answer errors with HTTP 200: give a body for {call.path}")
        return json_answer(told)

    return fault


@dataclass(slots=True)
class _Pending:
    fault: Fault
    provider: str | None
    path: str
    times: int | None
    after: int


class Faults:
    """The faults that wait for their requests. Any thread may add and take them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []

    def add(self, fault: Fault, *, provider: str | None = None, path: str = "/", times: int | None = 1, after: int = 0) -> None:
        """Let the next `times` requests (None: all) to `provider` (None: any) below `path` meet `fault`.

        The first `after` of them pass unharmed. Where several faults wait for a request, the one added first gets it.
        """
        with self._lock:
            self._pending.append(_Pending(fault, provider, path, times, after))

    def clear(self) -> None:
        """Forget every fault: from now on all is well."""
        with self._lock:
            self._pending.clear()

    def __len__(self) -> int:
        """Return how many faults still wait."""
        with self._lock:
            return len(self._pending)

    def take(self, provider: str, path: str) -> Fault | None:
        """Return the fault that this request shall meet, and count it."""
        with self._lock:
            for waiting in self._pending:
                if waiting.provider not in {None, provider} or not path.startswith(waiting.path):
                    continue
                if waiting.after > 0:
                    waiting.after -= 1
                    continue
                if waiting.times is not None:
                    waiting.times -= 1
                    if waiting.times <= 0:
                        self._pending.remove(waiting)
                return waiting.fault
        return None
