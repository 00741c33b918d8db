"""Runs ministack, a local AWS, on loopback for as long as it is needed, and deploys the real template to it with SAM."""

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from renderbell.errors import RenderbellError
from renderbell_cli.stack import local_environment

REGION: Final = "us-east-1"
STACK: Final = "renderbell-local"
FAVOURITE_PORT: Final = 4566
START_SECONDS: Final = 30
TRIES: Final = 3
"""How often another port is tried, where somebody took the one that was free a moment before."""


class LocalRunError(RenderbellError):
    """Something the local run needs did not work; the message says where to read more."""


class PortTakenError(LocalRunError):
    pass


@contextlib.contextmanager
def engine(
    project: Path, log: Path, favourite: int = FAVOURITE_PORT, started: Callable[[int], None] | None = None
) -> Iterator[str]:
    """Run ministack until the block ends; give its address. Everything it started goes with it. `started` hears its pid.

    Whoever may start two at a time asks for no port in particular (0): both would find the favourite one free. A port that
    somebody else took meanwhile is left to them.
    """
    with contextlib.ExitStack() as running:
        for tries_left in range(TRIES, -1, -1):
            try:
                url = running.enter_context(_engine_at(free_port(favourite), project, log, started))
                break
            except PortTakenError:
                if not tries_left:
                    raise
        yield url


@contextlib.contextmanager
def _engine_at(port: int, project: Path, log: Path, started: Callable[[int], None] | None) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="renderbell-") as folder, log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own tool at a pinned version
            [tool(project, "ministack")],
            cwd=folder,
            env=_engine_environment(project, port, folder),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop it, and its functions, when we are done
        )
        try:
            if started is not None:
                started(process.pid)
            _wait_until_up(url, process, log)
            yield url
        finally:
            _stop(process)


def end_left(project: Path, pid: int) -> None:
    """End the engine of a run that was killed, with all it started, if the process of that number still is one of ours."""
    ps = shutil.which("ps")
    if ps is None:
        return
    shown = subprocess.run([ps, "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S603
    if tool(project, "ministack") in shown:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def deploy(project: Path, endpoint_url: str, log: Path, parameters: Mapping[str, str]) -> None:
    """Build the template for this machine and deploy it to the engine, by SAM as in AWS. Raises LocalRunError."""
    build = project / ".renderbell" / "build"
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    overrides = [f"{name}={value}" for name, value in {"Architecture": machine, **parameters}.items()]
    environment = _sam_environment(project, endpoint_url)
    common = ["--region", REGION, "--parameter-overrides", *overrides]
    _sam(project, ["build", "--build-dir", str(build), *common], environment, log)
    arguments = ["--template-file", str(build / "template.yaml"), "--stack-name", STACK, "--resolve-s3"]
    quiet = ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    _sam(project, ["deploy", *arguments, *quiet, *common], environment, log)


def free_port(favourite: int) -> int:
    """Return a port of 127.0.0.1 that is free: the favourite one if it is."""
    for port in (favourite, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise LocalRunError("no free port on 127.0.0.1")


def tool(project: Path, name: str) -> str:
    path = project / ".tools" / name / "bin" / name
    if not path.is_file():
        raise LocalRunError(f"{name} is not installed: run `make setup`, or start with `make local`")
    return str(path)


def _engine_environment(project: Path, port: int, folder: str) -> Mapping[str, str]:
    binaries = project / ".tools" / "ministack" / "bin"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": folder,  # what it unpacks is removed with the folder
    }


def _sam_environment(project: Path, endpoint_url: str) -> Mapping[str, str]:
    binaries = project / ".tools" / "sam" / "bin"  # SAM needs a python3.13 with pip on the PATH: its own environment has one
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **local_environment(endpoint_url, REGION),
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
        "SAM_CLI_TELEMETRY": "0",
    }


def _sam(project: Path, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    command = [tool(project, "sam"), *arguments]
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - our own tool at a pinned version
            command, cwd=project, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-15:])
        raise LocalRunError(f"`sam {arguments[0]}` failed; the whole log is in {log}:\n{last}")


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            kind = PortTakenError if "already in use" in log.read_text(errors="replace") else LocalRunError
            raise kind(f"ministack ended at once; its log is in {log}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):  # noqa: S310
            return
        time.sleep(0.1)
    raise LocalRunError(f"ministack did not come up within {START_SECONDS} s; its log is in {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # functions that outlived their engine
