"""What holds for every test: the terminal of whoever runs them decides nothing."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Before anything is decorated. A busy machine is no failure; pytest-timeout names what hangs. `make test` tries the same every
# time, so that it fails for what changed; `make soak` goes looking.
settings.register_profile("renderbell", deadline=None, derandomize="RENDERBELL_SOAK" not in os.environ)
settings.load_profile("renderbell")

# Rich takes it for good when its console is made: a shell that exports it, and pytest-xdist, would fix every table's width.
for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def no_stack_chosen() -> Iterator[None]:
    """Let the command's hints name no stack that a test before this one chose."""
    yield
    if "renderbell_cli.show" in sys.modules:
        sys.modules["renderbell_cli.show"].hints.chosen = "renderbell"
