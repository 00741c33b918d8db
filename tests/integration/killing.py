"""Kills a function between any two of its statements, as Lambda may: the process is gone, nothing is cleaned up."""

import os
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from tests.integration.world import ROOT

OURS: Final = (str(ROOT / "layers" / "core" / "renderbell"), str(ROOT / "functions"))
KILLED: Final = 9
BROKEN: Final = 3


def run_and_kill_before(statement: int, run: Callable[[], object]) -> bool:
    """Run in a process of its own and end that process just before its `statement`-th statement of our code.

    Return whether it came to that; False when it was done before. Raises AssertionError when it failed by itself.
    """
    child = os.fork()
    if child == 0:
        try:
            sys.settrace(_killer(statement))
            run()
            sys.settrace(None)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
            sys.settrace(None)
            traceback.print_exc()
            os._exit(BROKEN)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, KILLED}, f"the function failed by itself ({code})"
    return code == KILLED


def _killer(statement: int) -> Callable[[FrameType, str, Any], Any]:
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            count += 1
            if count == statement:
                os._exit(KILLED)
        return trace

    return trace
