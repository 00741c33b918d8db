"""Five video providers on this machine, for tests and for watching Renderbell work without an account anywhere."""

from renderbell_cli.simulator.faults import (
    Fault,
    Faults,
    error_in_200,
    html,
    http_error,
    repeated_page,
    slow,
    truncated,
)
from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.simulator import PROVIDERS, Recorded, Simulator
from renderbell_cli.simulator.videos import Outcome, SimulatedVideo, State

__all__ = [
    "PROVIDERS",
    "Fault",
    "Faults",
    "Library",
    "Outcome",
    "Recorded",
    "SimulatedVideo",
    "Simulator",
    "State",
    "error_in_200",
    "html",
    "http_error",
    "repeated_page",
    "slow",
    "truncated",
]
