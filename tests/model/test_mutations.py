"""The state machine finds planted bugs; run by `make soak`, for it takes minutes."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import OneAccount
from tests.model.mutations import PLANTED, planted

SEARCH = settings(
    max_examples=600,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.skipif("RENDERBELL_SOAK" not in os.environ, reason="takes minutes: make soak")
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str) -> None:
    with planted(bug), pytest.raises(AssertionError):
        run_state_machine_as_test(OneAccount, settings=SEARCH)
