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
    seconds: float = field(default=0.0, compare=False)
    """From handing out the event to the answer; without an event, from the start of the process."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a function that was started: its answers, and all it logged."""

    answers: Sequence[Answer]
    log: str
    init: float | None
    """Seconds from the start of the process until the function asked for its first event; None if it never did."""
    processor: float | None = None
    """How many of them a processor worked for it, where the system tells (Linux)."""


@dataclass(slots=True)
class RuntimeApi:
    address: str
    began: float = field(default_factory=time.perf_counter)
    pid: int = 0
    init: float | None = None
    processor: float | None = None
    handed: float | None = None
    events: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)
    answers: "queue.SimpleQueue[Answer]" = field(default_factory=queue.SimpleQueue)
    closed: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Python as Lambda brings it, with boto3 and the runtime interface client and nothing more.

    As in Lambda, where code is read-only, no bytecode is written: what was not compiled when it was built or installed is
    compiled at each start.
    """

    python: Path

    def invoke(self, build: Path, function: str, *events: Any, aws: str, layer: Path | None = None, **variables: str) -> Run:
        """Start a built function, hand it the events one after the other, and return what it answered and logged.

        `aws` is where its AWS clients connect. A function that cannot start gives one answer, whatever the events.
        """
        environment = function_environment(build, function, aws, layer or build / "CoreLayer") | variables
        return self.run(build / function, environment, *events)

    def run(self, folder: Path, environment: Mapping[str, str], *events: Any) -> Run:
        """Do the same with the handler in any folder."""
        with TemporaryFile() as log, runtime_api() as api:
            process = subprocess.Popen(
                [self.python, "-m", "awslambdaric", environment["_HANDLER"]],
                cwd=folder,
                env={**lambda_environment(api.address, folder, folder.name), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            api.pid = process.pid
            try:
                answers = list(_answers(api, process, events))
            except AssertionError as error:
                error.add_note(_read(log))
                raise
            finally:
                process.kill()
                process.wait()
            return Run(answers, _read(log), api.init, api.processor)

    def loaded(self, build: Path, function: str, aws: str) -> set[str]:
        """Return the names of all modules that are there once the function is imported."""
        done = subprocess.run(
            [self.python, "-c", "import app, sys; print(*sys.modules)"],
            cwd=build / function,
            env={
                **lambda_environment("", build / function, function),
                **function_environment(build, function, aws, build / "CoreLayer"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return set(done.stdout.split())


def function_environment(build: Path, function: str, aws: str, layer: Path) -> dict[str, str]:
    """Return the variables that the template gives a function, with its layers as Python finds them."""
    stack = Stack.read(build / "template.yaml")
    # A function's own layers come after those of Globals.
    others = [build / one["Ref"] for one in stack.of_type("AWS::Serverless::Function")[function].get("Layers", [])]
    return {
        **aws_environment(aws),
        **stack.environment(function),
        "_HANDLER": stack.functions[function]["Handler"],
        "PYTHONPATH": os.pathsep.join(str(one / "python") for one in [layer, *others]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _processor_seconds(pid: int) -> float | None:
    """Return how long the main thread of a process has run, see https://docs.kernel.org/scheduler/sched-stats.html."""
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text(encoding="ascii").split()[0]) / 1e9 if told.exists() else None


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
        if self.api.init is None:
            self.api.init = time.perf_counter() - self.api.began
            self.api.processor = _processor_seconds(self.api.pid)
        while not self.api.closed.is_set():
            try:
                event = self.api.events.get(timeout=0.05)
            except queue.Empty:
                continue
            deadline = {"Lambda-Runtime-Deadline-Ms": str(int((time.time() + PATIENCE) * 1000))}
            arn = {"Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:test"}
            request_id = {"Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd"}
            self.api.handed = time.perf_counter()
            self._send(200, json.dumps(event), {**request_id, **deadline, **arn})
            return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        seconds = time.perf_counter() - (self.api.handed or self.api.began)
        kind = self.path.removeprefix(f"{API}/") if self.path == f"{API}/init/error" else self.path.rpartition("/")[2]
        self._send(202, '{"status": "OK"}', {})
        self.api.answers.put(Answer(kind, body, seconds))

    def _send(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
