"""Whatever happens at an account, what is told is what is true, once. See machine.py for what happens."""

import os
from typing import Final

from hypothesis import HealthCheck, settings

from tests.model.machine import OneAccount

RUNS: Final = int(os.environ.get("RENDERBELL_MODEL_RUNS", "120"))

TestOneAccount = OneAccount.TestCase
TestOneAccount.settings = settings(
    max_examples=RUNS,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    print_blob=True,
)
