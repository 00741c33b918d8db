"""A post to an address that a stranger chose: where it may connect, how long it may take, how much it may read.

Every receiver here is a real server on this machine that does what receivers on the internet do.
"""

import asyncio
import errno
import gzip
import re
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from renderbell import egress
from renderbell.deliveries import ANSWER_LIMIT, Outcome
from renderbell.egress import Sender, UnsafeUrl, VettedNetwork
from renderbell.signing import new_secret, signed_headers

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthank"
NAME: Final = "receiver.example"
PUBLIC: Final = "8.8.8.8"
BODY: Final = '{"title":"Überraschung 🎉"}'

type Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What a receiver does once it has read a request; the connection is closed after it."""


@dataclass(slots=True, kw_only=True)
class Receiver:
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        return f"http://{host}:{self.port}{path}"


@asynccontextmanager
async def receiving(answer: Answer) -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            receiver.requests.append(head + await reader.readexactly(size))
            await answer(writer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        receiver.port = server.sockets[0].getsockname()[1]
        yield receiver


def saying(answer: bytes) -> Answer:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return say


def posted(
    answer: Answer,
    *,
    host: str = "127.0.0.1",
    allow_local: bool = True,
    headers: Mapping[str, str] | None = None,
) -> tuple[Outcome, Receiver]:
    """Post BODY once to a receiver that answers with `answer`."""

    async def run() -> tuple[Outcome, Receiver]:
        async with receiving(answer) as receiver:
            url = receiver.url(host)
            return await Sender(allow_local=allow_local).post(url, headers or {}, BODY.encode()), receiver

    return asyncio.run(run())


def post_to(url: str, *, allow_local: bool = True) -> Outcome:
    return asyncio.run(Sender(allow_local=allow_local).post(url, {}, b"{}"))


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that makes names resolve to addresses of our choice, and tells which names were asked for."""

    def resolving(*answers: list[str]) -> list[str]:
        """Answer the first question with the first of `answers`, and so on; the last for ever."""
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
            asked.append(host)
            addresses = answers[min(len(asked), len(answers)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return resolving


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "DEADLINE", timedelta(seconds=0.3))


# What is sent, and what comes back.


def test_a_good_answer_is_kept_with_its_status() -> None:
    outcome, receiver = posted(saying(OK))

    assert (outcome.http_status, outcome.answer, outcome.error, outcome.retry_after) == (200, "thank", None, None)
    assert outcome.delivered
    assert outcome.milliseconds >= 0
    assert len(receiver.requests) == 1


def test_the_receiver_gets_our_headers_and_the_very_bytes_that_were_signed() -> None:
    secret = new_secret()
    at = int(datetime.now(UTC).timestamp())
    headers = {"content-type": "application/json", **signed_headers("evt_1", BODY, [secret], at)}

    _, receiver = posted(saying(OK), headers=headers)

    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    got = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert first == "POST /hook HTTP/1.1"
    assert body == BODY.encode()
    assert got == {
        **headers,
        "host": f"127.0.0.1:{receiver.port}",
        "content-length": str(len(BODY.encode())),
        "user-agent": "Renderbell/0.1",
    }
    assert Webhook(secret).verify(body, got) == {"title": "Überraschung 🎉"}


@pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 410, 429, 500, 503])
def test_a_status_is_reported_as_it_came(status: int) -> None:
    outcome, _ = posted(saying(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()))

    assert (outcome.http_status, outcome.error) == (status, None)
    assert outcome.delivered == (status < 300)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_its_target_is_reported(status: int) -> None:
    async def run() -> tuple[Outcome, Receiver, Receiver]:
        async with receiving(saying(OK)) as target:
            redirect = f"HTTP/1.1 {status} Moved\r\nLocation: {target.url()}\r\nContent-Length: 2\r\n\r\ngo".encode()
            async with receiving(saying(redirect)) as receiver:
                return await Sender(allow_local=True).post(receiver.url(), {}, b"{}"), receiver, target

    outcome, receiver, target = asyncio.run(run())

    assert outcome.http_status == status
    assert outcome.error is not None
    assert outcome.error.startswith(f"answers {status} to {target.url()}: ")
    assert ("set that address" in outcome.error) == (status in {301, 308})
    assert outcome.answer == "go"
    assert not outcome.delivered
    assert (receiver.connections, target.connections) == (1, 0)


@pytest.mark.parametrize(
    "location",
    [
        b"https://xn--zz/",
        b"https://[bad",
        b"mailto:someone",
        b"//",
        b"http://:99999/",
        b"https://1.2.3.999/",
        b"\xff",
        b"x" * 70_000,
    ],
)
def test_a_redirect_to_nowhere_is_an_answer_like_any_other(location: bytes) -> None:
    outcome, _ = posted(saying(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"))

    assert outcome.http_status == 302
    assert outcome.error is not None
    assert outcome.error.startswith("answers 302 to ")
    assert len(outcome.error) <= 300


def test_the_target_of_a_redirect_is_told_as_the_caller_has_it_shown() -> None:
    async def run() -> Outcome:
        async with receiving(saying(b"HTTP/1.1 308 Moved\r\nLocation: /secret/\r\nContent-Length: 0\r\n\r\n")) as receiver:
            url = receiver.url()
            return await Sender(allow_local=True).post(url, {}, b"", lambda address: address.replace("secret", "…"))

    assert re.fullmatch(r"answers 308 to http://127.0.0.1:\d+/…/: set that address", str(asyncio.run(run()).error))


def test_a_header_that_cannot_be_sent_is_reported_without_its_value() -> None:
    outcome, receiver = posted(saying(OK), headers={"x-key": "sesame\n"})
    assert outcome.error == "the request cannot be sent: Illegal header value"
    assert receiver.requests == []


def test_a_redirect_that_names_no_target_is_reported_by_its_status() -> None:
    outcome, _ = posted(saying(b"HTTP/1.1 304 Not Modified\r\n\r\n"))

    assert (outcome.http_status, outcome.in_words) == (304, "answered 304")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("0", 0.0), ("-5", 0.0), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_read(value: str, seconds: float | None) -> None:
    outcome, _ = posted(saying(f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()))

    assert (outcome.http_status, outcome.retry_after) == (503, seconds)


def test_retry_after_is_read_as_a_date_too() -> None:
    until = (datetime.now(UTC) + timedelta(hours=2)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    outcome, _ = posted(saying(f"HTTP/1.1 429 Slow\r\nRetry-After: {until}\r\nContent-Length: 0\r\n\r\n".encode()))

    assert outcome.retry_after is not None
    assert 3600 < outcome.retry_after <= 7200


# How much is read.


def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # until the other side hangs up: only then does this test end
            writer.write(b"x" * 8192)
            await writer.drain()

    outcome, _ = posted(endless)

    assert outcome.http_status == 200
    assert outcome.answer == "x" * ANSWER_LIMIT


@pytest.mark.parametrize("size", [0, 1, ANSWER_LIMIT - 1, ANSWER_LIMIT, ANSWER_LIMIT + 1, 10_000_000])
def test_of_an_answer_of_any_size_at_most_16_kb_are_kept(size: int) -> None:
    outcome, _ = posted(saying(f"HTTP/1.1 500 X\r\nContent-Length: {size}\r\n\r\n".encode() + b"y" * size))

    assert outcome.http_status == 500
    assert outcome.answer == "y" * min(size, ANSWER_LIMIT)


def test_a_chunked_answer_is_bounded_too() -> None:
    chunk = b"1000\r\n" + b"z" * 0x1000 + b"\r\n"

    outcome, _ = posted(saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 64 + b"0\r\n\r\n"))

    assert outcome.answer == "z" * ANSWER_LIMIT


def test_a_compressed_answer_is_not_asked_for_and_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    assert len(bomb) < ANSWER_LIMIT

    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    outcome, receiver = posted(saying(head + bomb))

    assert outcome.answer == bomb.decode("utf-8", "replace")
    assert b"accept-encoding" not in receiver.requests[0].lower()


def test_an_answer_that_is_no_text_is_kept_as_far_as_it_is_text() -> None:
    outcome, _ = posted(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\xff\xfeb"))

    assert outcome.answer == "a��b"


def test_a_head_without_end_is_not_read_for_ever() -> None:
    async def endless_head(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx-long: ")
        while True:
            writer.write(b"x" * 8192)
            await writer.drain()

    outcome, _ = posted(endless_head)

    assert outcome.http_status is None
    assert outcome.error is not None
    assert outcome.error.startswith("RemoteProtocolError")


# How long it may take.


async def drip_a_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await drip(writer)


async def drip_a_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    await drip(writer)


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:  # each byte arrives in good time, so no timeout of a single read ends this
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_hints(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.usefixtures("short_deadline")
@pytest.mark.parametrize("slowly", [drip_a_head, drip_hints])
def test_the_deadline_holds_for_a_status_however_it_trickles(slowly: Answer) -> None:
    outcome, receiver = posted(slowly)

    assert outcome.http_status is None
    assert outcome.in_words.startswith("no whole answer within")
    assert receiver.connections == 1


@pytest.mark.usefixtures("short_deadline")
def test_the_deadline_holds_for_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts connections, nobody answers them
        outcome = post_to(f"http://127.0.0.1:{silent.getsockname()[1]}/")

    assert outcome.in_words.startswith("no whole answer within")


def test_a_server_that_does_not_shake_hands_is_given_up_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "CONNECT_TIMEOUT", 0.2)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = post_to(f"https://127.0.0.1:{silent.getsockname()[1]}/")

    assert outcome.in_words.startswith("no connection within ")


@pytest.mark.usefixtures("short_deadline")
def test_the_deadline_holds_for_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        answered.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def run() -> Outcome:
        try:
            return await Sender(allow_local=False).post(f"https://{NAME}/", {}, b"{}")
        finally:
            answered.set()  # the thread that asks cannot be stopped, only let go

    assert asyncio.run(run()).in_words.startswith("no whole answer within")


# Where it may connect.


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0"])
def test_loopback_is_refused_however_it_is_written_and_nothing_reaches_it(host: str) -> None:
    outcome, receiver = posted(saying(OK), host=host, allow_local=False)

    assert outcome.http_status is None
    assert outcome.in_words.startswith("refused to connect: ")
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "host", ["[::1]", "[::ffff:127.0.0.1]", "[::]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "[64:ff9b::7f00:1]"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_that_is_not_public_is_refused_before_anything_is_sent(host: str, scheme: str) -> None:
    assert post_to(f"{scheme}://{host}/", allow_local=False).in_words.startswith("refused to connect: ")


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "10.0.0.1"]])
def test_a_name_is_refused_when_any_of_its_addresses_is_not_public(
    resolve: Callable[..., list[str]], addresses: list[str]
) -> None:
    asked = resolve(addresses)

    outcome = post_to(f"https://{NAME}/hook", allow_local=False)

    assert outcome.in_words.startswith("refused to connect: ")
    assert "is not a public address" in outcome.in_words
    assert asked == [NAME]


def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_dialled(
    resolve: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve([PUBLIC], ["127.0.0.1"])
    dialled: list[str] = []

    async def open_connection(host: str, port: int) -> Any:
        dialled.append(host)
        raise OSError(errno.EHOSTUNREACH, f"Connect call failed {port}")

    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    outcome = post_to(f"https://{NAME}/hook", allow_local=False)

    assert (asked, dialled) == ([NAME], [PUBLIC])
    assert outcome.in_words == f"cannot connect: No route to host at {PUBLIC}:443"


def test_the_next_address_of_a_name_is_tried_when_the_first_does_not_answer(resolve: Callable[..., list[str]]) -> None:
    resolve(["127.0.0.2", "127.0.0.1", "127.0.0.1"])  # the receiver listens on 127.0.0.1 only

    outcome, receiver = posted(saying(OK), host=NAME)

    assert outcome.delivered
    assert receiver.connections == 1


def test_a_name_without_an_address_is_no_host(resolve: Callable[..., list[str]]) -> None:
    resolve([])

    assert post_to(f"https://{NAME}/").in_words == f"cannot find the host {NAME}: it has no address"


def test_an_unknown_host_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    outcome = post_to("https://no-such-host.invalid/")

    assert (outcome.http_status, outcome.error) == (
        None,
        "cannot find the host no-such-host.invalid: Name or service not known",
    )


@pytest.mark.parametrize("host", ["team..example", ".", "x" * 64 + ".example", "xn--zz"])
def test_a_name_that_no_host_can_have_is_refused(host: str) -> None:
    assert post_to(f"https://{host}/").in_words.startswith("refused to connect: ")


@pytest.mark.parametrize(
    "url", ["https://[v1.x]/", "https://1.2.3.999/", "https://0177.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "", "https://"]
)
def test_what_is_no_url_of_an_endpoint_is_reported(url: str) -> None:
    outcome = post_to(url)

    assert outcome.http_status is None
    assert outcome.error


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> tuple[Outcome, Receiver]:
        async with receiving(saying(OK)) as receiver, receiving(saying(OK)) as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url(path=""))
            return await Sender(allow_local=True).post(receiver.url(), {}, b"{}"), proxy

    outcome, proxy = asyncio.run(run())

    assert outcome.delivered
    assert proxy.connections == 0


def test_a_unix_socket_is_never_an_endpoint() -> None:
    async def run() -> None:
        await VettedNetwork([PUBLIC]).connect_unix_socket("/run/docker.sock")

    with pytest.raises(UnsafeUrl, match="Unix socket"):
        asyncio.run(run())


# What goes wrong on the way.


def test_a_closed_port_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]

    assert post_to(f"http://127.0.0.1:{port}/").in_words == f"cannot connect: Connection refused at 127.0.0.1:{port}"


def test_a_connection_that_is_reset_is_reported() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        linger_not = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        writer.transport.abort()

    outcome, receiver = posted(reset)

    assert outcome.http_status is None
    assert outcome.in_words.startswith("ReadError")
    assert receiver.connections == 1


def test_a_server_that_speaks_no_tls_is_reported() -> None:
    heard: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        writer.write(OK)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def run() -> Outcome:
        async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await Sender(allow_local=True).post(f"https://127.0.0.1:{port}/", {}, BODY.encode())

    outcome = asyncio.run(run())

    assert outcome.http_status is None
    assert outcome.in_words.startswith("cannot connect: ")
    assert b"POST" not in b"".join(heard), "nothing is sent in the open"


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return what a server needs that has a certificate for `name`, which nobody vouches for, and the certificate."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 1"
    subprocess.run(f"{made} -subj /CN=receiver -addext subjectAltName={name}".split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


async def posted_over_tls(context: ssl.SSLContext, url: str, body: bytes) -> tuple[Outcome, list[bytes]]:
    """Post to a receiver that speaks TLS, at the port that `url` leaves open, and return what it heard."""
    heard: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.extend([head, await reader.readexactly(len(body))])
        writer.write(OK)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        return await Sender(allow_local=True).post(url.format(port=port), {}, body), heard


def test_over_tls_the_receiver_is_asked_for_by_its_name_and_gets_every_byte(
    tmp_path: Path, resolve: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = certified(tmp_path, f"DNS:{NAME}")
    named: list[str] = []
    context.sni_callback = lambda _, name, __: named.append(name)
    monkeypatch.setattr(egress, "tls", lambda: ssl.create_default_context(cafile=certificate))
    resolve(["127.0.0.1"])
    body = b"x" * 300_000

    outcome, heard = asyncio.run(posted_over_tls(context, f"https://{NAME}:{{port}}/hook", body))

    assert (outcome.http_status, outcome.answer, outcome.error) == (200, "thank", None)
    assert named == [NAME]
    assert f"host: {NAME}:".encode() in heard[0].lower()
    assert heard[1] == body


def test_a_certificate_for_another_name_is_reported_and_nothing_is_sent(
    tmp_path: Path, resolve: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = certified(tmp_path, "DNS:another.example")
    monkeypatch.setattr(egress, "tls", lambda: ssl.create_default_context(cafile=certificate))
    resolve(["127.0.0.1"])

    outcome, heard = asyncio.run(posted_over_tls(context, f"https://{NAME}:{{port}}/hook", b"{}"))

    assert outcome.in_words.startswith("its certificate is not good: Hostname mismatch")
    assert heard == []


def test_a_certificate_that_nobody_vouches_for_is_reported_and_nothing_is_sent(tmp_path: Path) -> None:
    context, _ = certified(tmp_path, "IP:127.0.0.1")
    heard: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        writer.close()

    async def run() -> Outcome:
        async with await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            return await Sender(allow_local=True).post(f"https://127.0.0.1:{port}/", {}, BODY.encode())

    outcome = asyncio.run(run())

    assert outcome.http_status is None
    assert "certificate is not good: self-signed certificate" in outcome.in_words
    assert heard == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    ],
)
def test_an_answer_that_is_garbage_is_reported(answer: bytes) -> None:
    outcome, _ = posted(saying(answer))

    assert outcome.http_status is None
    assert outcome.in_words.startswith("RemoteProtocolError")
    assert len(outcome.in_words) <= 300


@pytest.mark.parametrize("body", [b"Content-Length: 20\r\n\r\ncut short", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_a_status_counts_even_if_the_words_after_it_break_off(body: bytes) -> None:
    outcome, _ = posted(saying(b"HTTP/1.1 200 OK\r\n" + body))

    assert outcome.delivered


HEADS: Final = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: ",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: ",
        b"HTTP/1.1 503 Busy\r\nRetry-After: ",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]
)


@settings(max_examples=60, deadline=None)
@given(head=HEADS, rest=st.binary(max_size=60))
@example(head=b"HTTP/1.1 200 OK\r\n", rest=b"Set-Cookie: a=\xff; expires=never; domain=..\r\n\r\n")
@example(head=b"HTTP/1.1 200 OK\r\n", rest=b"Content-Type: text/html; charset=\xff\r\n\r\n")
@example(head=b"HTTP/1.1 200 OK\r\n", rest=b"Retry-After: 1e300\r\n\r\n")
def test_no_answer_of_any_bytes_raises(head: bytes, rest: bytes) -> None:
    outcome, receiver = posted(saying(head + rest))

    assert (outcome.http_status is None) == (outcome.answer is None)
    assert outcome.http_status is not None or outcome.error
    assert receiver.connections == 1


def test_an_error_of_our_own_is_not_swallowed() -> None:
    def broken(_: str) -> list[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Sender(allow_local=True, resolve=broken).post(f"https://{NAME}/", {}, b"{}"))


# What is kept for the next post: nothing.


def test_an_answer_that_nobody_asked_for_is_not_taken_for_that_of_the_next_post() -> None:
    async def run() -> list[int | None]:
        answers = iter([OK + OK, b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"])

        async def twice(writer: asyncio.StreamWriter) -> None:
            writer.write(next(answers))
            await writer.drain()
            await asyncio.sleep(0.1)

        sender = Sender(allow_local=True)
        async with receiving(twice) as receiver:
            return [(await sender.post(receiver.url(), {}, b"{}")).http_status for _ in range(2)]

    assert asyncio.run(run()) == [200, 500]


def test_an_attempt_goes_where_its_own_look_up_pointed() -> None:
    async def run() -> list[bool]:
        places = iter([["127.0.0.1"], ["127.0.0.2"]])  # the receiver listens on 127.0.0.1 only
        sender = Sender(allow_local=True, resolve=lambda _: next(places))
        async with receiving(saying(OK)) as receiver:
            return [(await sender.post(receiver.url(NAME), {}, b"{}")).delivered for _ in range(2)]

    assert asyncio.run(run()) == [True, False]


@pytest.mark.usefixtures("short_deadline")
def test_a_status_that_was_said_in_time_counts_however_long_its_words_take() -> None:
    outcome, _ = posted(drip_a_body)

    assert (outcome.http_status, outcome.error) == (200, None)
