import os
import platform
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.artifact.runtime import Runtime
from tests.template.stack import ROOT, Stack
from tests.template.world import LOOPBACK, World
from tests.template.world import world as opened

TOOLS: Final = ROOT / ".tools"
ARCHITECTURES: Final = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
LAMBDA_BRINGS: Final = (
    "awslambdaric",
    "simplejson",  # for awslambdaric
    "snapshot-restore-py",  # for awslambdaric
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
)

type Build = Callable[[str], Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return what builds the template for an architecture, once, and says where."""

    @cache
    def built(architecture: str) -> Path:
        folder = tmp_path_factory.mktemp(architecture) / "build"
        sam = TOOLS / "sam" / "bin" / "sam"
        assert sam.exists(), "SAM is missing: run `make .tools/sam/ready`"
        parameters = ["--parameter-overrides", f"Architecture={architecture}"]
        done = subprocess.run(
            [sam, "build", "--no-cached", "--build-dir", folder, *parameters],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{sam.parent}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return folder

    return built


@pytest.fixture(scope="session")
def built(build: Build) -> Path:
    """Return the folder of the template, built for this machine."""
    return build(ARCHITECTURES[platform.machine()])


@pytest.fixture(scope="session")
def layer(built: Path) -> Path:
    return built / "CoreLayer"


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """Return a virtual environment with what the Python 3.13 runtime of Lambda brings, at our locked versions."""
    folder, uv = tmp_path_factory.mktemp("runtime"), TOOLS / "uv" / "bin" / "uv"
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(_locked(name) for name in LAMBDA_BRINGS), encoding="utf-8")
    python = folder / "venv" / "bin" / "python"
    commands: tuple[list[str | Path], ...] = (
        ["venv", "--python", "3.13", "--no-python-downloads", folder / "venv"],
        ["pip", "install", "--no-deps", "--require-hashes", "--python", python, "--requirement", wanted],
    )
    for command in commands:
        done = subprocess.run([uv, "--quiet", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return Runtime(python=python, bytecode=folder / "bytecode")


def _locked(name: str) -> str:
    """Return a package's line of the lock file, with its hashes."""
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)+.*$", lock, re.MULTILINE)
    assert found, f"{name} is not in requirements/dev.txt"
    return found[0]


@pytest.fixture
def no_aws() -> Iterator[str]:
    """Give the address of a port that nobody listens on, and that nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield f"http://{LOOPBACK}:{taken.getsockname()[1]}"


@pytest.fixture
def world() -> Iterator[World]:
    with opened() as here:
        here.settle(Stack.read())
        yield here
