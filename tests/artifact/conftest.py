import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.artifact.building import built as built_in
from tests.artifact.building import lambda_python, own_architecture
from tests.artifact.runtime import Runtime
from tests.template.stack import Stack
from tests.template.world import LOOPBACK, World
from tests.template.world import world as opened

type Build = Callable[[str], Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return what builds the template for an architecture, once, and says where."""
    return cache(lambda architecture: built_in(tmp_path_factory.mktemp(architecture) / "build", architecture))


@pytest.fixture(scope="session")
def built(build: Build) -> Path:
    """Return the folder of the template, built for this machine."""
    return build(own_architecture())


@pytest.fixture(scope="session")
def layer(built: Path) -> Path:
    return built / "CoreLayer"


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(lambda_python(tmp_path_factory.mktemp("runtime")))


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
