"""Receives Renderbell's webhooks on this machine: what a customer's server does, and what a test wants to see."""

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from renderbell_cli.simulator.serving import HANG, Answer, Call, LocalServer

__all__ = ["HANG", "Answer", "Answers", "Received", "Receiver"]

REFUSED: Final = Answer(status=401, body=b"the signature is not good")
UNREADABLE: Final = Answer(status=400, body=b"the event is not a JSON object")
WRONG_METHOD: Final = Answer(status=405, headers={"allow": "POST"})


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery whose signature was good."""

    webhook_id: str
    event: Mapping[str, Any]
    at: float
    path: str
    attempt: int
    """Counts, from 1, how often this webhook-id came to this path."""
    body: bytes = field(default=b"", repr=False)
    """The very bytes: a retry must bring the same."""


class Answers:
    """What the receiver shall say instead of 200, each once, in turn. Any thread may add and take them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Answer]] = defaultdict(deque)

    def add(self, path: str, *answers: Answer) -> None:
        """Queue answers for the next good deliveries to `path`. `Answer(delay=HANG)` never comes."""
        with self._lock:
            self._waiting[path].extend(answers)

    def take(self, path: str) -> Answer | None:
        """Return the next answer queued for `path`, if there is one, and forget it."""
        with self._lock:
            waiting = self._waiting.get(path)
            return waiting.popleft() if waiting else None


class Receiver:
    """A webhook endpoint at every path of a port of 127.0.0.1, from `start` to `stop`, or within a `with` block.

    `secrets` gives the signing secret of a path. A POST whose signature that secret did not make, or that no secret
    could check, gets 401: it is counted in `refused` and stored nowhere. A good one is stored first and answered then,
    with 200 or with what `answers` holds for its path.
    """

    def __init__(
        self,
        secrets: Mapping[str, str] | Callable[[str], str | None],
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.answers = Answers()
        self._secret_of = secrets.get if isinstance(secrets, Mapping) else secrets
        self._clock = clock
        self._changed = threading.Condition()
        self._events: list[Received] = []
        self._attempts: dict[tuple[str, str], int] = defaultdict(int)
        self._refused = 0
        self._server = LocalServer(self._respond, port)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def refused(self) -> int:
        """How many deliveries were turned away because of their signature or their body."""
        with self._changed:
            return self._refused

    def events(self) -> Sequence[Received]:
        """Return the good deliveries so far, oldest first."""
        with self._changed:
            return tuple(self._events)

    def wait_for(self, n: int, timeout: float = 5.0) -> Sequence[Received]:
        """Return the deliveries so far as soon as there are `n`. Raises TimeoutError when there are not in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._events) >= n, timeout):
                raise TimeoutError(f"{len(self._events)} of {n} deliveries after {timeout} s, {self._refused} refused")
            return tuple(self._events)

    def start(self) -> None:
        """Begin to receive. Raises OSError when the port is taken."""
        self._server.start()

    def stop(self) -> None:
        """End at once: open connections are cut, delays end."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _respond(self, call: Call) -> Answer:
        if call.method != "POST":
            return WRONG_METHOD
        if not self._signed(call):
            return self._turn_away(REFUSED)
        event = _json_object(call.body)
        if event is None:
            return self._turn_away(UNREADABLE)
        self._store(call, event)
        return self.answers.take(call.path) or Answer()

    def _signed(self, call: Call) -> bool:
        secret = self._secret_of(call.path)
        if secret is None:
            return False
        webhook = Webhook(secret)
        try:
            webhook.verify(call.body, dict(call.headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # ValueError: a header or body not even shaped as it should be
            return False
        return True

    def _turn_away(self, answer: Answer) -> Answer:
        with self._changed:
            self._refused += 1
        return answer

    def _store(self, call: Call, event: Mapping[str, Any]) -> None:
        webhook_id = call.headers["webhook-id"]
        with self._changed:
            self._attempts[webhook_id, call.path] += 1
            attempt = self._attempts[webhook_id, call.path]
            self._events.append(Received(webhook_id, event, self._clock(), call.path, attempt, call.body))
            self._changed.notify_all()


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
