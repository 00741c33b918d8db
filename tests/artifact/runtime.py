"""Runs a built function as Lambda does: under Amazon's runtime interface client, in an environment with nothing else in it.

Lambda offers the client a small HTTP API, the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
Here it is a server on this machine that hands out the events of one test and keeps what comes back.
"""

import json
import os
import queue
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import IO, Any, Final

from tests.template.stack import ACCOUNT, REGION, Stack
from tests.template.world import LOOPBACK, aws_environment

API: Final = "/2018-06-01/runtime"
PATIENCE: Final = 60.0
"""Seconds until a function that says nothing counts as hanging."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function posted: `kind` is `response`, `error`, or `init/error` when it could not even start."""

    kind: str
    body: Any


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a function that was started: its answers, and all it logged."""

    answers: Sequence[Answer]
    log: str


@dataclass(frozen=True, slots=True)
class RuntimeApi:
    address: str
    events: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)
    answers: "queue.SimpleQueue[Answer]" = field(default_factory=queue.SimpleQueue)
    closed: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Python as Lambda brings it, with boto3 and the runtime interface client and nothing more."""

    python: Path
    bytecode: Path
    """Where compiled modules are kept from start to start. In Lambda the code is read-only, and here it stays as built."""

    def invoke(self, build: Path, function: str, *events: Any, aws: str, layer: Path | None = None, **variables: str) -> Run:
        """Start a built function, hand it the events one after the other, and return what it answered and logged.

        `aws` is where its AWS clients connect. A function that cannot start gives one answer, whatever the events.
        """
        stack = Stack.read(build / "template.yaml")
        # A function's own layers come after those of Globals.
        others = [build / one["Ref"] for one in stack.of_type("AWS::Serverless::Function")[function].get("Layers", [])]
        with runtime_api() as api, TemporaryFile() as log:
            process = subprocess.Popen(
                [self.python, "-m", "awslambdaric", stack.functions[function]["Handler"]],
                cwd=build / function,
                env={
                    **lambda_environment(api.address, build / function, function),
                    **aws_environment(aws),
                    "PYTHONPYCACHEPREFIX": str(self.bytecode),
                    **stack.environment(function),
                    "PYTHONPATH": os.pathsep.join(str(one / "python") for one in [layer or build / "CoreLayer", *others]),
                    **variables,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                answers = list(_answers(api, process, events))
            except AssertionError as error:
                error.add_note(_read(log))
                raise
            finally:
                process.kill()
                process.wait()
            return Run(answers, _read(log))


def _read(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")


def _answers(api: RuntimeApi, process: "subprocess.Popen[bytes]", events: Sequence[Any]) -> Iterator[Answer]:
    for event in events:
        api.events.put(event)
        answer = _answer(api, process)
        yield answer
        if answer.kind == "init/error":
            return


def _answer(api: RuntimeApi, process: "subprocess.Popen[bytes]") -> Answer:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return api.answers.get(timeout=0.1)
        except queue.Empty:
            # What was posted before the end is here by now: the client waits for each of its requests.
            assert process.poll() is None or not api.answers.empty(), f"the function ended with {process.returncode}"
            assert time.monotonic() < until, f"no answer within {PATIENCE} s"


def lambda_environment(api: str, folder: Path, function: str) -> dict[str, str]:
    """Return the variables that Lambda sets for every Python function."""
    return {
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/24/[$LATEST]00000000000000000000000000000000",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "_HANDLER": "app.handler",
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "PATH": os.defpath,
    }


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    server = ThreadingHTTPServer((LOOPBACK, 0), _Serving)
    api = RuntimeApi(address=f"{LOOPBACK}:{server.server_address[1]}")
    server.api = api  # type: ignore[attr-defined]
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield api
    finally:
        api.closed.set()
        server.shutdown()
        serving.join()
        server.server_close()


class _Serving(BaseHTTPRequestHandler):
    @property
    def api(self) -> RuntimeApi:
        return self.server.api  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        assert self.path == f"{API}/invocation/next"
        while not self.api.closed.is_set():
            try:
                event = self.api.events.get(timeout=0.05)
            except queue.Empty:
                continue
            deadline = {"Lambda-Runtime-Deadline-Ms": str(int((time.time() + PATIENCE) * 1000))}
            arn = {"Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:test"}
            request_id = {"Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd"}
            self._send(200, json.dumps(event), {**request_id, **deadline, **arn})
            return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        kind = self.path.removeprefix(f"{API}/") if self.path == f"{API}/init/error" else self.path.rpartition("/")[2]
        self._send(202, '{"status": "OK"}', {})
        self.api.answers.put(Answer(kind, body))

    def _send(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
