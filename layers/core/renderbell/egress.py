"""Posts to URLs that strangers chose: vetted at each attempt, bounded in time and in what is read of the answer."""

import asyncio
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urljoin

import httpcore
import httpx

from renderbell.addresses import Resolve, Target, vet
from renderbell.deliveries import ANSWER_LIMIT, DEADLINE, Outcome
from renderbell.errors import HostNotFoundError, UnsafeUrl
from renderbell.http import USER_AGENT
from renderbell.lookup import resolve
from renderbell.values import retry_after_seconds

__all__ = ["HostNotFoundError", "Sender", "Target", "UnsafeUrl", "resolve", "vet"]

CONNECT_TIMEOUT: Final = 5.0
"""How long one address may take to connect, and to agree on TLS."""
ANSWER_SECONDS: Final = 3.0
"""How long the words after a status may take."""
LOOKUPS: Final = 32
"""How many names may be looked up at once."""
MAX_WORDS: Final = 300
PERMANENT: Final = frozenset({301, 308})

_dialled: ContextVar[Target] = ContextVar("dialled")
"""Where the request of this task may connect to."""


@cache
def tls() -> ssl.SSLContext:
    """Return the one context for all connections, with certifi's authorities: reading them takes longer than a post."""
    return httpx.create_ssl_context(trust_env=False)


class LookupNeededError(Exception):
    pass


def _asks_nobody(host: str) -> list[str]:
    raise LookupNeededError(host)


class VettedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that were vetted for this attempt, and to nothing else.

    The name is not resolved again: one that points to one place for the check and to another for the connection (DNS
    rebinding) gains nothing. Host header and TLS still have the name.
    """

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _dialled.get().addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise UnsafeUrl("an endpoint is not a Unix socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Sender:
    """Posts deliveries: the only way in which Renderbell calls a stranger's URL.

    Each post has a connection of its own. One that was used before may hold an answer that nobody asked for, and may lead to
    an address that was vetted for another attempt.
    """

    def __init__(self, *, allow_local: bool, resolve: Resolve = resolve) -> None:
        self._vet = partial(vet, allow_local=allow_local)
        self._resolve = resolve
        self._transport = vetted_transport()
        # Threads of our own: a hostile name server holds one for as long as the system waits, and asyncio.run would wait too.
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post `body` once and say how it ended; never raises for what the receiver or the network does.

        The URL is vetted, its name resolved once. All of it takes at most DEADLINE; at most 16 KB of the answer are read.
        Redirects are not followed.
        """
        began = time.monotonic()
        deadline = asyncio.get_running_loop().time() + DEADLINE.total_seconds()
        try:
            outcome = await self._post(url, headers, body, deadline)
        except TimeoutError:
            outcome = Outcome(error=f"no whole answer within {DEADLINE.total_seconds():g} s")
        except HostNotFoundError as error:
            outcome = Outcome(error=str(error)[:MAX_WORDS])
        except UnsafeUrl as error:
            outcome = Outcome(error=f"refused to connect: {error}"[:MAX_WORDS])
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ProtocolError, OSError) as error:
            outcome = Outcome(error=_in_words(error)[:MAX_WORDS])
        return replace(outcome, milliseconds=round((time.monotonic() - began) * 1000))

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Outcome:
        async with asyncio.timeout_at(deadline):
            target = await self._vetted(url)
        _dialled.set(target)
        timeout = httpx.Timeout(DEADLINE.total_seconds(), connect=CONNECT_TIMEOUT)
        # Handed to the transport itself: httpx's client prepares to follow a redirect, and fails on odd ones.
        request = httpx.Request(
            "POST",
            target.url,
            headers={**headers, "user-agent": USER_AGENT},
            content=body,
            extensions={"timeout": timeout.as_dict()},
        )
        async with asyncio.timeout_at(deadline):
            response = await self._transport.handle_async_request(request)
        async with aclosing(response):
            return Outcome(
                http_status=response.status_code,
                answer=await _beginning(response, deadline),
                error=_redirect(response, target.url),
                retry_after=retry_after_seconds(response.headers.get("retry-after"), datetime.now(UTC)),
            )

    async def _vetted(self, url: str) -> Target:
        try:
            return self._vet(url, _asks_nobody)
        except LookupNeededError:  # an address needs no look-up, and no thread that waits for one
            return await asyncio.get_running_loop().run_in_executor(self._lookups, self._vet, url, self._resolve)


def vetted_transport() -> httpx.AsyncHTTPTransport:
    """Return httpx's transport, dialling through VettedNetwork. It keeps no connection and uses no proxy of the environment."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    transport = httpx.AsyncHTTPTransport(verify=tls(), trust_env=False, retries=0, limits=limits)
    # httpx has no public way in for a network backend; the test of a refused address fails if this stops working.
    transport._pool._network_backend = VettedNetwork()  # noqa: SLF001
    return transport


def _redirect(response: httpx.Response, url: str) -> str | None:
    location = response.headers.get("location")
    if not response.has_redirect_location:
        return None
    with suppress(ValueError):
        location = urljoin(url, location)
    advice = "set that address" if response.status_code in PERMANENT else "redirects are not followed"
    return f"answers {response.status_code} to {location[: MAX_WORDS - 60]}: {advice}"


def _in_words(error: Exception) -> str:
    """Say what went wrong so that the owner of the URL knows where to look."""
    said = str(error)
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {CONNECT_TIMEOUT:g} s"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in said:
            return f"its certificate is not good: {said.rpartition('failed: ')[2]}"
        case httpx.ConnectError():
            return f"cannot connect: {said}"
        case _:
            return f"{type(error).__name__}: {said}".rstrip(": ")


async def _beginning(response: httpx.Response, deadline: float) -> str:
    """Read at most 16 KB as sent (a small compressed body can unpack to gigabytes) and leave the rest unread."""
    body = bytearray()
    # The status has been said: an answer that stalls or breaks off after it is still that answer.
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + ANSWER_SECONDS)):
            async for chunk in response.aiter_raw(4096):
                body += chunk
                if len(body) >= ANSWER_LIMIT:
                    break
    return bytes(body[:ANSWER_LIMIT]).decode("utf-8", "replace")
