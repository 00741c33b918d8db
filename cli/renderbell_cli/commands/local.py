"""`renderbell local`: the whole product on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def local(
    simulator: Annotated[
        bool, typer.Option(help="Simulate the five providers, unless real keys are in the environment.")
    ] = True,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write the stack's addresses here, as JSON, once it is ready.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Which simulated videos.")] = 1,
    tick: Annotated[
        float | None, typer.Option(min=0.5, metavar="SECONDS", help="Seconds between looks [2, with real providers 15].")
    ] = None,
) -> None:
    """Deploy the template to a local AWS and watch videos complete. Ctrl-C stops everything.

    With TAVUS_API_KEY, HEYGEN_API_KEY, MEMORIES_API_KEY, VIDEOGEN_API_KEY or
    PIXVERSE_API_KEY in the environment, those real providers are watched instead
    of simulated ones.
    """
    from renderbell_cli.local.run import LocalOptions, run

    run(LocalOptions(simulator=simulator, ready_file=ready_file, seed=seed, tick=tick))
