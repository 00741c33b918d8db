"""Builds the template as `sam build` does, and makes an environment that has what Lambda brings, for tests and benches."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Final

from tests.template.stack import ROOT

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


def own_architecture() -> str:
    return ARCHITECTURES[platform.machine()]


def built(folder: Path, architecture: str) -> Path:
    """Build the template into `folder`, for an architecture."""
    sam = TOOLS / "sam" / "bin" / "sam"
    assert sam.exists(), "SAM is missing: run `make .tools/sam/ready`"
    parameters = ["--parameter-overrides", f"Architecture={architecture}"]
    _run(
        [sam, "build", "--no-cached", "--build-dir", folder, *parameters],
        PATH=f"{sam.parent}{os.pathsep}{os.environ['PATH']}",
        SAM_CLI_TELEMETRY="0",
    )
    return folder


def lambda_python(folder: Path) -> Path:
    """Make a virtual environment with what the Python 3.13 runtime of Lambda brings, at our locked versions.

    What is in it is compiled, as it is in Lambda, which writes no bytecode afterwards.
    """
    folder.mkdir(exist_ok=True)
    wanted, uv = folder / "requirements.txt", TOOLS / "uv" / "bin" / "uv"
    wanted.write_text("\n".join(_locked(name) for name in LAMBDA_BRINGS), encoding="utf-8")
    python = folder / "venv" / "bin" / "python"
    install = ["pip", "install", "--compile-bytecode", "--no-deps", "--require-hashes"]
    _run([uv, "--quiet", "venv", "--python", "3.13", "--no-python-downloads", folder / "venv"])
    _run([uv, "--quiet", *install, "--python", python, "--requirement", wanted])
    return python


def _run(command: list[str | Path], **variables: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _locked(name: str) -> str:
    """Return a package's line of the lock file, with its hashes."""
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)+.*$", lock, re.MULTILINE)
    assert found, f"{name} is not in requirements/dev.txt"
    return found[0]
