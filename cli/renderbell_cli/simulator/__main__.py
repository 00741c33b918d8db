"""Serves a demo of all five providers until it is told to stop.

python -m renderbell_cli.simulator --port 9000 --seed 1
"""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from renderbell_cli.simulator.library import Library
from renderbell_cli.simulator.simulator import PROVIDERS, Simulator

KEY: Final = "demo"


def demo_libraries(seed: int, now: float) -> dict[tuple[str, str], Library]:
    """Return a demo library for each provider, all under the key `demo`."""
    return {(provider, KEY): Library.demo(seed, now, provider) for provider in PROVIDERS}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m renderbell_cli.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="0 chooses a free one (default: 9000)")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other videos (default: 1)")
    parser.add_argument(
        "--since", type=float, default=None, metavar="UNIX_TIME", help="when the demo began: go on with an earlier one"
    )
    asked = parser.parse_args(arguments)
    began = time.time() if asked.since is None else asked.since
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background jobs start with it ignored
        signal.signal(ending, signal.default_int_handler)
    with suppress(KeyboardInterrupt), Simulator(demo_libraries(asked.seed, began), port=asked.port) as simulator:
        sys.stdout.write(f"{simulator.url}\n{', '.join(PROVIDERS)}: the key is {KEY!r} at each. Ctrl-C ends.\n")
        sys.stdout.write(f"To go on after a restart: --seed {asked.seed} --since {began:.3f}\n")
        sys.stdout.flush()
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
