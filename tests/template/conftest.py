from collections.abc import Iterator

import pytest

from tests.template.stack import Stack
from tests.template.world import World
from tests.template.world import world as opened


@pytest.fixture(scope="session")
def stack() -> Stack:
    return Stack.read()


@pytest.fixture
def world(stack: Stack) -> Iterator[World]:
    with opened() as here:
        here.settle(stack)
        yield here
