"""Posts to URLs that strangers chose: vetted at each attempt, bounded in time and in what is read of the answer."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urljoin

import certifi
import httpcore

from renderbell import USER_AGENT
from renderbell.addresses import Resolve, Target, vet
from renderbell.deliveries import ANSWER_LIMIT, DEADLINE, Outcome
from renderbell.errors import HostNotFoundError, UnsafeUrl
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
REDIRECTS: Final = PERMANENT | {302, 303, 307}


@cache
def tls() -> ssl.SSLContext:
    """Return the one context for all connections, with certifi's authorities: reading them takes longer than a post."""
    return ssl.create_default_context(cafile=certifi.where())


class LookupNeededError(Exception):
    pass


def _asks_nobody(host: str) -> list[str]:
    raise LookupNeededError(host)


class Stream(httpcore.AsyncNetworkStream):
    """One connection. Its reads and writes are bounded by the deadline around the whole post, and by nothing else."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        del timeout
        try:
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        del timeout
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return self

    async def aclose(self) -> None:
        """Hang up at once: nothing is left to be said, and a receiver is not waited for."""
        self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        return self._writer.get_extra_info(info)


class VettedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that were vetted for one attempt, and to nothing else.

    The name is not resolved again: one that points to one place for the check and to another for the connection (DNS
    rebinding) gains nothing. Host header and TLS still have the name.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._stream: Stream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del local_address, socket_options
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses:
            try:
                async with asyncio.timeout(timeout):
                    self._stream = Stream(*await asyncio.open_connection(address, port))
            except TimeoutError as error:
                failed = httpcore.ConnectTimeout(str(error))
            except OSError as error:
                failed = httpcore.ConnectError(f"{_reason(error)} at {_shown(address)}:{port}")
            else:
                return self._stream
        raise failed

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise UnsafeUrl("an endpoint is not a Unix socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Hang up, wherever the post broke off: httpcore forgets a connection whose handshake the deadline cuts off."""
        if self._stream is not None:
            await self._stream.aclose()


class Sender:
    """Posts deliveries: the only way in which Renderbell calls a stranger's URL.

    Each post has a connection of its own. One that was used before may hold an answer that nobody asked for, and may lead to
    an address that was vetted for another attempt.
    """

    def __init__(self, *, allow_local: bool, resolve: Resolve = resolve) -> None:
        self._vet = partial(vet, allow_local=allow_local)
        self._resolve = resolve
        # Threads of our own: a hostile name server holds one for as long as the system waits, and asyncio.run would wait too.
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, shown: Callable[[str], str] = str) -> Outcome:
        """Post `body` once and say how it ended; never raises for what the receiver or the network does.

        The URL is vetted, its name resolved once. All of it takes at most DEADLINE; at most 16 KB of the answer are read.
        Redirects are not followed: the outcome says where they lead, as `shown` has it.
        """
        began = time.monotonic()
        deadline = asyncio.get_running_loop().time() + DEADLINE.total_seconds()
        try:
            outcome = await self._post(url, headers, body, shown, deadline)
        except TimeoutError:
            outcome = Outcome(error=f"no whole answer within {DEADLINE.total_seconds():g} s")
        except HostNotFoundError as error:
            outcome = Outcome(error=str(error)[:MAX_WORDS])
        except UnsafeUrl as error:
            outcome = Outcome(error=f"refused to connect: {error}"[:MAX_WORDS])
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            outcome = Outcome(error=_in_words(error)[:MAX_WORDS])
        return replace(outcome, milliseconds=round((time.monotonic() - began) * 1000))

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes, shown: Callable[[str], str], deadline: float
    ) -> Outcome:
        async with asyncio.timeout_at(deadline):
            target = await self._vetted(url)
        async with _connection(target) as connection:
            async with asyncio.timeout_at(deadline):
                response = await connection.handle_async_request(_request(target, headers, body))
            said = {name.lower(): value.decode("utf-8", "replace") for name, value in response.headers}
            return Outcome(
                http_status=response.status,
                answer=await _beginning(response, deadline),
                error=_redirect(response.status, said.get(b"location"), target.url, shown),
                retry_after=retry_after_seconds(said.get(b"retry-after"), datetime.now(UTC)),
            )

    async def _vetted(self, url: str) -> Target:
        try:
            return self._vet(url, _asks_nobody)
        except LookupNeededError:  # an address needs no look-up, and no thread that waits for one
            return await asyncio.get_running_loop().run_in_executor(self._lookups, self._vet, url, self._resolve)


@asynccontextmanager
async def _connection(target: Target) -> AsyncGenerator[httpcore.AsyncHTTPConnection]:
    """Return a connection that is to be made to where `target` leads: to that alone, by no proxy of the environment."""
    network = VettedNetwork(target.addresses)
    try:
        context = tls() if target.scheme == "https" else None
        yield httpcore.AsyncHTTPConnection(_url(target).origin, context, network_backend=network)
    finally:
        await network.aclose()


def _url(target: Target) -> httpcore.URL:
    return httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    said = {**headers, "host": target.authority, "content-length": str(len(body)), "user-agent": USER_AGENT}
    timeout = {"timeout": {"connect": CONNECT_TIMEOUT}}
    return httpcore.Request("POST", _url(target), headers=list(said.items()), content=body, extensions=timeout)


def _redirect(status: int, location: str | None, url: str, shown: Callable[[str], str]) -> str | None:
    if status not in REDIRECTS or location is None:
        return None
    with suppress(ValueError):
        location = urljoin(url, location)
    advice = "set that address" if status in PERMANENT else "redirects are not followed"
    return f"answers {status} to {shown(location)[: MAX_WORDS - 60]}: {advice}"


def _in_words(error: Exception) -> str:
    """Say what went wrong so that the owner of the URL knows where to look."""
    said = str(error)
    match error:
        case httpcore.ConnectTimeout():
            return f"no connection within {CONNECT_TIMEOUT:g} s"
        case httpcore.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in said:
            return f"its certificate is not good: {said.rpartition('failed: ')[2]}"
        case httpcore.ConnectError():
            return f"cannot connect: {said}"
        case httpcore.LocalProtocolError():
            return f"the request cannot be sent: {said.partition(" b'")[0]}"  # and which header's value it is, nobody may read
        case _:
            return f"{type(error).__name__}: {said}".rstrip(": ")


def _shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _reason(error: OSError) -> str:
    """Return the system's own words; asyncio's are about its calls."""
    return os.strerror(error.errno) if error.errno else str(error)


async def _beginning(response: httpcore.Response, deadline: float) -> str:
    """Read at most 16 KB as sent (a small compressed body can unpack to gigabytes) and leave the rest unread."""
    body = bytearray()
    # The status has been said: an answer that stalls or breaks off after it is still that answer.
    with suppress(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError):
        async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + ANSWER_SECONDS)):
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) >= ANSWER_LIMIT:
                    break
    await response.aclose()
    return bytes(body[:ANSWER_LIMIT]).decode("utf-8", "replace")
