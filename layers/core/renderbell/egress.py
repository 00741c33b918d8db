"""Posts to addresses that strangers chose: checked where it connects, bounded in time and in what it reads."""

import asyncio
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, Final

import httpcore
import httpx

from renderbell.addresses import check_dialled
from renderbell.deliveries import ANSWER_LIMIT, DEADLINE, Outcome
from renderbell.errors import UnsafeAddressError
from renderbell.http import USER_AGENT
from renderbell.values import retry_after_seconds

CONNECT_TIMEOUT: Final = 5.0
ANSWER_SECONDS: Final = 3.0
"""How long the words after a status may take."""


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that `addresses` allows.

    The name is resolved here, once, and the very address that was checked is dialled: a name that points to one place for
    the check and to another for the connection (DNS rebinding) gains nothing. TLS still checks the name.
    """

    def __init__(self, *, allow_local: bool) -> None:
        self._allow_local = allow_local
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            check_dialled(address, allow_local=self._allow_local)
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise UnsafeAddressError("an endpoint is not a Unix socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def guarded_transport(*, allow_local: bool) -> httpx.AsyncHTTPTransport:
    """Return httpx's transport, dialling through GuardedNetwork. No proxy of the environment is used."""
    transport = httpx.AsyncHTTPTransport(trust_env=False, retries=0)
    # httpx has no public way in for a network backend; the test of a refused address fails if this line stops working.
    transport._pool._network_backend = GuardedNetwork(allow_local=allow_local)  # noqa: SLF001
    return transport


async def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    allow_local: bool,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Outcome:
    """Post `body` once and say how it ended; never raises for what the receiver or the network does.

    All of it takes at most DEADLINE; at most 16 KB of the answer are read. Redirects are not followed.
    """
    began = time.monotonic()
    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            outcome = await _post(url, headers, body, transport or guarded_transport(allow_local=allow_local))
    except TimeoutError:
        outcome = Outcome(error=f"no whole answer within {DEADLINE.seconds} s")
    except UnsafeAddressError as error:
        outcome = Outcome(error=f"refused to connect: {error}")
    except OSError as error:
        outcome = Outcome(error=f"cannot find the host: {error.strerror or type(error).__name__}")
    except UnicodeError:
        outcome = Outcome(error="cannot find the host: no host can have such a name")
    except (httpx.HTTPError, httpx.InvalidURL, httpcore.ProtocolError) as error:
        outcome = Outcome(error=f"{type(error).__name__}: {error}".rstrip(": ")[:300])
    return Outcome(
        http_status=outcome.http_status,
        answer=outcome.answer,
        error=outcome.error,
        retry_after=outcome.retry_after,
        milliseconds=round((time.monotonic() - began) * 1000),
    )


async def _post(url: str, headers: Mapping[str, str], body: bytes, transport: httpx.AsyncBaseTransport) -> Outcome:
    """Hand the request to the transport itself: httpx's client prepares to follow a redirect, and fails on odd ones."""
    timeout = httpx.Timeout(DEADLINE.total_seconds(), connect=CONNECT_TIMEOUT)
    request = httpx.Request(
        "POST", url, headers={**headers, "user-agent": USER_AGENT}, content=body, extensions={"timeout": timeout.as_dict()}
    )
    async with transport, aclosing(await transport.handle_async_request(request)) as response:
        location = response.headers.get("location")
        return Outcome(
            http_status=response.status_code,
            answer=await _beginning(response),
            error=f"answered {response.status_code} to {location}"[:300] if response.is_redirect and location else None,
            retry_after=retry_after_seconds(response.headers.get("retry-after"), datetime.now(UTC)),
        )


async def _beginning(response: httpx.Response) -> str:
    """Read at most 16 KB as sent (a small compressed body can unpack to gigabytes) and leave the rest unread."""
    body = bytearray()
    # The status has been said: an answer that stalls or breaks off after it is still that answer.
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            async for chunk in response.aiter_raw(4096):
                body += chunk
                if len(body) >= ANSWER_LIMIT:
                    break
    return bytes(body[:ANSWER_LIMIT]).decode("utf-8", "replace")
