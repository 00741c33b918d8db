"""A small HTTP server on this machine: a function from a call to an answer, on a socket that closes when told to."""

import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self, override
from urllib.parse import parse_qsl

HOST: Final = "127.0.0.1"
MAX_BODY: Final = 1024 * 1024
LOOK_FOR_STOP: Final = 0.02
HANG: Final = 86_400.0
"""A delay longer than anyone waits; it ends when the server stops."""


@dataclass(frozen=True)
class Call:
    """One request as it came. Header names are lower case; `target` is the raw path with its query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as it was sent, percent-encoding and all."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. `delay` seconds pass before it is sent; the last `withheld` bytes are promised but never sent."""

    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    withheld: int = 0


class LocalServer:
    """Serves `respond` on 127.0.0.1 from `start` to `stop`, each connection in a thread of its own.

    A request body over 1 MiB is refused with 413, unseen. `stop` cuts every open connection, ends every delay and
    returns within moments; it raises what `respond` raised, if it did, because that is a bug in `respond`.
    """

    def __init__(self, respond: Callable[[Call], Answer], port: int = 0) -> None:
        self._respond = respond
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the server is not running")
        return f"http://{HOST}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Bind the port and begin to answer. Raises OSError when the port is taken."""
        self._server = _Server(self._respond, self._port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOK_FOR_STOP,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        server, self._server = self._server, None
        server.stopping.set()
        server.shutdown()
        self._thread.join()
        server.server_close()
        server.cut_connections()
        if server.crashes:
            raise server.crashes[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Callable[[Call], Answer], port: int) -> None:
        self.respond = respond
        self.stopping = threading.Event()
        self.crashes: list[BaseException] = []
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), _Handler)

    @override
    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's own asks DNS for this machine's name: slow for nothing

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        # Here and not in the thread: once the accept loop has ended, every connection is known.
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._connections.discard(request)
                self._changed.notify_all()

    def cut_connections(self) -> None:
        """End every conversation under way and wait until its thread has closed its socket."""
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, timeout=5)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):  # an OSError is a client that went away
            self.crashes.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out in two writes; together they are one answer
    server: _Server

    def _serve(self) -> None:
        trouble = self._trouble()
        length = 0 if trouble else int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        if trouble:
            self.close_connection = True
            self._send(Answer(status=trouble))
        elif len(body) < length:  # the client went away halfway
            self.close_connection = True
        else:
            self._answer(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _trouble(self) -> HTTPStatus | None:
        """Say why the request's body cannot be read."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if not length.isdecimal():
            return HTTPStatus.BAD_REQUEST
        if int(length) <= MAX_BODY:
            return None
        self._discard(int(length))  # or the client would see a broken connection instead of the answer
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def _discard(self, length: int) -> None:
        while length > 0 and (chunk := self.rfile.read(min(length, 65_536))):
            length -= len(chunk)

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.respond(Call(self.command, self.path, headers, body))
        if answer.delay > 0 and self.server.stopping.wait(answer.delay):
            self.close_connection = True
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.close_connection = self.close_connection or answer.withheld > 0
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) - answer.withheld])

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are recorded where tests can count them."""
