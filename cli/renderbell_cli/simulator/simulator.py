"""All five providers on one port: finds a path's API, the library that a key opens, and the fault in the way."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Self

from renderbell_cli.simulator import heygen_v1, heygen_v3, memories, pixverse, tavus, videogen
from renderbell_cli.simulator.api import Api, json_answer
from renderbell_cli.simulator.faults import Faults
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.serving import Answer, Call, LocalServer

PROVIDERS: Final = ("tavus", "heygen", "memories", "videogen", "pixverse")
NO_SUCH_PATH: Final = json_answer({"error": "no simulated provider has this path"}, 404)
REMEMBERED: Final = 100_000
"""So many requests are kept: enough for any test, and no leak in a demo that runs for days."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request that came, and how it was answered. The key it carried is not kept."""

    method: str
    path: str
    """The raw path with its query."""
    provider: str
    """Empty when the path belongs to no provider."""
    status: int
    body: str = ""


class Simulator:
    """The providers' APIs on 127.0.0.1, from `start` to `stop`, or within a `with` block.

    `libraries` maps (provider, key) to what that key sees; every other key is refused as the provider documents it.
    Accounts may be added to it while the simulator runs. `url` is the `base_url` option of an account at any of the
    providers. Port 0 chooses a free one.
    """

    def __init__(
        self,
        libraries: Mapping[tuple[str, str], Library],
        clock: Callable[[], float] = time.time,
        port: int = 0,
        *,
        tavus_first_page: Literal[0, 1] = 1,
    ) -> None:
        unknown = {provider for provider, _ in libraries} - set(PROVIDERS)
        if unknown:
            raise ValueError(f"no such provider: {', '.join(sorted(unknown))}")
        self.libraries = libraries
        self.faults = Faults()
        self._clock = clock
        self._apis = (
            tavus.api(tavus_first_page),
            heygen_v3.API,
            heygen_v1.API,
            memories.API,
            videogen.API,
            pixverse.API,
        )
        self._lock = threading.Lock()
        self._requests: deque[Recorded] = deque(maxlen=REMEMBERED)
        self._server = LocalServer(self._respond, port)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def base_url(self) -> str:
        return self.url

    @property
    def requests(self) -> Sequence[Recorded]:
        """What was asked so far, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def forget_requests(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._requests.clear()

    def start(self) -> None:
        """Begin to answer. Raises OSError when the port is taken."""
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
        api = next((api for api in self._apis if call.path.startswith(api.paths)), None)
        answer = NO_SUCH_PATH if api is None else self._ask(api, call)
        provider = "" if api is None else api.provider
        recorded = Recorded(call.method, call.target, provider, answer.status, call.body.decode(errors="replace"))
        with self._lock:
            self._requests.append(recorded)
        return answer

    def _ask(self, api: Api, call: Call) -> Answer:
        fault = self.faults.take(api.provider, call.path)
        answer = partial(self._answer, api)
        return answer(call) if fault is None else fault(api, call, answer)

    def _answer(self, api: Api, call: Call) -> Answer:
        library = self.libraries.get((api.provider, api.key(call) or ""))
        return api.refuse(call) if library is None else api.answer(call, library, self._clock())
