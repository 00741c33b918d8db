"""How long each built function takes to start, to answer its first event, and to answer when it is warm.

    .venv/bin/python -m bench.cold_start [--rounds 10] [--warm 5] [--functions Poll,Notify] [--build FOLDER]

The functions are what `sam build` made, under Amazon's runtime interface client, in a virtual environment that has what Lambda
brings and nothing more. As in Lambda nothing writes bytecode: of our code what the build compiled is compiled, of boto3 all.
AWS, the provider and the receiver are a server on this machine that answers at once. All run in turn, round by round;
medians are told.

*Import* is the time from the start of the process until the function asks for its first event, less that of a function that
imports nothing; *processor* is how much of it a processor worked, which wavers less on a machine with other work, and is what
the ratios are of. *Bare* is `import boto3` and the AWS clients that the function's file makes at its start, nothing else.
"""

import argparse
import re
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.artifact.building import built, lambda_python, own_architecture
from tests.artifact.runtime import Run, Runtime, function_environment
from tests.artifact.test_built import WORK, genuine
from tests.template.stack import Stack
from tests.template.world import world

NOTHING: Final = "(imports nothing)"
BOTO3: Final = "`import boto3`"
HANDLER: Final = "\n\ndef handler(event, context):\n    return None\n"
CLIENT: Final = re.compile(r'client\("(\w+)"\)')


@dataclass(slots=True)
class Times:
    """Seconds, one of each a round; of warm answers several."""

    init: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    def add(self, run: Run) -> None:
        assert run.init is not None, run.log  # noqa: S101 - a bench of functions that fail measures nothing
        assert {answer.kind for answer in run.answers} == {"response"}, run.log  # noqa: S101
        first, *warm = (answer.seconds for answer in run.answers)
        self.init.append(run.init)
        self.processor.append(run.init if run.processor is None else run.processor)
        self.first.append(first)
        self.warm += warm


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--warm", type=int, default=5, help="warm answers a round")
    parser.add_argument("--functions", default="", help="some of them: Poll,Notify")
    parser.add_argument("--build", type=Path, help="what `sam build` made before; without it, it is made anew")
    asked = parser.parse_args()
    wanted = (
        asked.functions.split(",") if asked.functions else [name.removesuffix("Function") for name in Stack.read().functions]
    )
    with tempfile.TemporaryDirectory() as folder:
        build = asked.build.resolve() if asked.build else built(Path(folder) / "build", own_architecture())
        bench = Bench(Runtime(lambda_python(Path(folder) / "lambda")), build, asked.warm)
        times = bench.measured(wanted, asked.rounds, Path(folder) / "bare")
    print(f"| function | import | processor | of {BOTO3} | of bare | first answer | warm |\n|---|--:|--:|--:|--:|--:|--:|")
    for name in wanted:
        print(line(name, times, bench.bare[name]), flush=True)
    print("\nOf these, as import and processor:")
    for name in (BOTO3, *sorted(set(bench.bare.values()))):
        print(f"{name}: {', '.join(f'{1000 * seconds:.0f} ms' for seconds in imports(name, times))}")


@dataclass(slots=True)
class Bench:
    runtime: Runtime
    build: Path
    warm: int
    bare: dict[str, str] = field(default_factory=dict)
    """For each function the bare one that makes the same clients."""

    def measured(self, wanted: Sequence[str], rounds: int, folder: Path) -> Mapping[str, Times]:
        """Run everything in turn so many times, and once before that counts for nothing."""
        self.bare = {name: " + ".join(clients_of(self.build / f"{name}Function")) for name in wanted}
        handlers = {NOTHING: HANDLER, BOTO3: f"import boto3\n{HANDLER}"}
        for bare in set(self.bare.values()):
            lines = [f'client_of_{service} = boto3.client("{service}")\n' for service in bare.split(" + ")]
            handlers[bare] = "".join(["import boto3\n\n", *lines, HANDLER])
        times: dict[str, Times] = defaultdict(Times)
        for number in range(rounds + 1):
            for name, code in handlers.items():
                run = self._bare(folder / str(len(name)) / "bare", code)
                times[name].add(run)
            for name in wanted:
                times[name].add(self._function(f"{name}Function"))
            if number == 0:
                times.clear()
        return times

    def _bare(self, folder: Path, code: str) -> Run:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "app.py").write_text(code, encoding="utf-8")
        with world() as here:
            some = next(iter(Stack.read().functions))
            return self.runtime.run(folder, function_environment(self.build, some, here.url, self.build / "CoreLayer"), {})

    def _function(self, function: str) -> Run:
        event = next(genuine(name) for name, (whose, *_) in WORK.items() if whose == function)
        events: list[Any] = [event] * (1 + self.warm)
        with world() as here:
            here.settle(Stack.read())
            return self.runtime.invoke(self.build, function, *events, aws=here.url, ALLOW_LOCAL_ENDPOINTS="true")


def clients_of(folder: Path) -> Sequence[str]:
    """Return the AWS services whose clients a function makes at its start, as its file says."""
    return sorted(set(CLIENT.findall((folder / "app.py").read_text(encoding="utf-8"))))


def imports(name: str, times: Mapping[str, Times]) -> tuple[float, float]:
    """Return seconds of import, and of a processor: medians, less those of a function that imports nothing."""
    one, nothing = times[name], times[NOTHING]
    return (
        statistics.median(one.init) - statistics.median(nothing.init),
        statistics.median(one.processor) - statistics.median(nothing.processor),
    )


def line(name: str, times: Mapping[str, Times], bare: str) -> str:
    wall, own = imports(name, times)
    shares = [own / imports(beside, times)[1] for beside in (BOTO3, bare)]
    first, warm = (1000 * statistics.median(some) for some in (times[name].first, times[name].warm))
    seconds = [f"{1000 * one:.0f} ms" for one in (wall, own)]
    cells = [name.lower(), *seconds, *(f"{share:.2f}" for share in shares), f"{first:.0f} ms", f"{warm:.1f} ms"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
