"""What a poll costs, beside a script that walks every page: requests, rows, DynamoDB units, CPU and memory.

    .venv/bin/python -m bench.poll [--sizes 100,1000,10000,100000] [--providers heygen,tavus] [--json FILE]

The providers are simulated, on this machine; DynamoDB is the local engine of `make local`, whose consumed units are those
that AWS documents. Each case runs in a process of its own, so CPU and peak memory are the poll's alone.

In flight are 20 videos: 17 near the head of the listing, three at 50, 75 and 95 % of its depth. `first` is the first look
until it is complete, `idle` a poll that finds nothing new with nothing in flight, `hot` one with these 20 in flight,
`steady` one that finds three ended and two new ones. `naive` walks every page, as a script without memory must.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

import boto3

from renderbell import http
from renderbell.account import Account
from renderbell.account_state import AccountState
from renderbell.licence import Licence
from renderbell.look import Look
from renderbell.providers import provider_for
from renderbell.report import Report
from renderbell.store.accounts import Accounts
from renderbell.store.meter import Meter
from renderbell.store.tables import VideoRow, opened
from renderbell.store.videos import FINISHED, IN_FLIGHT, Videos, phase
from renderbell.video import AccountName
from renderbell_cli.local.engine import engine
from renderbell_cli.simulator import Library, SimulatedVideo, Simulator
from renderbell_cli.stack import local_environment
from tests.model.memory import MemoryAccounts, MemoryVideos
from tests.template.stack import Stack

ROOT: Final = Path(__file__).parents[1]

KINDS: Final = ("tavus", "heygen", "heygen-v1", "memories", "videogen", "pixverse")
KEY: Final = "bench"
AGE: Final = 200_000.0
NEVER: Final = 10_000_000.0
NEAR: Final = 17
ROUNDS: Final = 5
"""Steady polls one after the other: the dearest is told, with the median of their CPU."""
FOR_THE_ENGINE: Final = 10_000
"""A first look at more videos is measured with the store in memory: the engine would take most of an hour over it."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="100,1000,10000,100000")
    parser.add_argument("--providers", default=",".join(KINDS))
    parser.add_argument("--only", default="first,naive,hot,steady,idle")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, engine(ROOT, Path(folder) / "engine.log") as url:
        for kind in asked.providers.split(","):
            for size in map(int, asked.sizes.split(",")):
                for result in case(kind, size, url, set(asked.only.split(","))):
                    results.append(result)
                    print(line(result), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


def line(result: Mapping[str, Any]) -> str:
    units = [f"{result[name]:.1f}" if result[name] is not None else "" for name in ("read_units", "write_units")]
    cells = [result["kind"], f"{result['size']:,}", result["poll"], f"{result['requests']:,}", f"{result['rows']:,}", *units]
    return "| " + " | ".join([*cells, f"{result['cpu_ms']:,.0f}", f"{result['peak_mib']:.0f}"]) + " |"


def case(kind: str, size: int, engine_url: str, only: Container[str]) -> Iterator[dict[str, Any]]:
    """Yield what each kind of poll costs at one provider with so many videos."""
    account = AccountName(kind.removesuffix("-v1"), "bench")
    now = time.time()
    library = Library(videos_of(size, now, flying=True))
    libraries = {(account.provider, KEY): library}
    with Simulator(libraries=libraries) as simulator:
        tables = make_tables(engine_url, f"{kind}-{size}")
        started = {"kind": kind, "url": simulator.base_url, "engine": engine_url, "tables": tables, "size": size}
        for poll in ("first", "naive"):
            if poll in only:
                with Child(started) as child:
                    yield child.measured(poll)
        tables = make_tables(engine_url, f"{kind}-{size}-seeded")
        seed(account, size, now, tables, kind, simulator.base_url)
        with Child({**started, "tables": tables}) as child:
            child.measured("warm up")
            yield child.measured("hot")
            rounds = []
            for turn in range(ROUNDS):
                for n in (size - 1 - turn, size - 6 - turn, size - 12 - turn):  # three end, in their places
                    library.add(made(n, size, now, ends=True))
                for n in range(2):  # and two are new
                    number = size + 2 * turn + n
                    born = now - 100 + 2 * turn + n
                    library.add(replace(made(number, size, now), born_at=born, generating_seconds=NEVER))
                rounds.append(child.measured("steady"))
            cpu = statistics.median(one["cpu_ms"] for one in rounds)
            yield {**max(rounds, key=lambda one: int(one["requests"])), "cpu_ms": cpu}
        if "idle" not in only:
            return
        libraries[account.provider, KEY] = Library(videos_of(size, now, flying=False))
        tables = make_tables(engine_url, f"{kind}-{size}-idle")
        seed(account, size, now, tables, kind, simulator.base_url, flying=False)
        with Child({**started, "tables": tables}) as child:
            child.measured("warm up")
            yield child.measured("idle")


def flies(n: int, size: int) -> bool:
    return n >= size - NEAR or n in {size // 2, size // 4, size // 20}


def made(n: int, size: int, now: float, *, ends: bool = False) -> SimulatedVideo:
    born = now - AGE + n * AGE / 2 / size
    return SimulatedVideo(id=f"v{n:06}", title=f"Video {n}", born_at=born, generating_seconds=now - born - 1 if ends else 60)


def videos_of(size: int, now: float, *, flying: bool) -> Iterator[SimulatedVideo]:
    for n in range(size):
        one = made(n, size, now)
        yield replace(one, generating_seconds=NEVER) if flying and flies(n, size) else one


def make_tables(engine_url: str, mark: str) -> Mapping[str, str]:
    names = {}
    database = boto3.client("dynamodb", **aws(engine_url))
    for table, properties in Stack.read().tables.items():
        if table in {"VideosTable", "AccountsTable"}:
            wanted = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
            names[table] = f"{table}-{mark}"
            database.create_table(TableName=names[table], **{k: v for k, v in properties.items() if k in wanted})
    return names


def seed(
    account: AccountName, size: int, now: float, tables: Mapping[str, str], kind: str, url: str, *, flying: bool = True
) -> None:
    """Put an account on record as a first look would have left it."""
    at = datetime.fromtimestamp(now, UTC)
    given = account_of(kind, url)
    with opened(VideoRow, tables["VideosTable"]).batch_write() as batch:
        for n in range(size):
            in_flight = flying and flies(n, size)
            batch.save(
                VideoRow(
                    str(account),
                    f"v{n:06}",
                    status="generating" if in_flight else "completed",
                    provider_status="x",
                    sequence=1,
                    rings=False,
                    phase=phase(account, IN_FLIGHT if in_flight else FINISHED),
                    since=at,
                    title=f"Video {n}",
                    first_seen_at=at,
                    changed_at=at,
                    history=[{"status": "completed", "provider_status": "x", "at": "2026-11-24T10:00:00Z"}],
                )
            )
    counted = kind in {"tavus", "heygen-v1", "memories", "pixverse"}
    state = AccountState(
        way=given.way,
        scope=given.scope,
        first_look_began_at=at - timedelta(hours=1),
        first_look_ended_at=at,
        full_sweep_ended_at=at,
        changed_at=at,
        licence=Licence.DOCUMENTED if kind == "videogen" else Licence.OBSERVED,
        listed=size if counted else None,
    )
    Accounts(tables["AccountsTable"]).save(account, AccountState(), state)


def account_of(kind: str, url: str) -> Account:
    version = {"api_version": "v1"} if kind == "heygen-v1" else {}
    return Account.of(AccountName(kind.removesuffix("-v1"), "bench"), KEY, {"base_url": url, **version})


def aws(engine_url: str) -> Mapping[str, Any]:
    import os

    os.environ.update(local_environment(engine_url, "us-east-1"))
    return {}


class Child:
    """A process of its own that polls when told to, and says what it cost."""

    def __init__(self, started: Mapping[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self._started = started
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(dict(started), theirs))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        self._process.join()

    def measured(self, poll: str) -> dict[str, Any]:
        self._ours.send(poll)
        return {"kind": self._started["kind"], "size": self._started["size"], "poll": poll, **self._ours.recv()}


def serve(started: dict[str, Any], orders: Connection) -> None:
    aws(started["engine"])
    requests, meter = http.Requests(), Meter()
    client = http.client(requests)
    provider = provider_for(account_of(started["kind"], started["url"]))
    in_memory = started["size"] > FOR_THE_ENGINE
    videos: Any = Videos(started["tables"]["VideosTable"], meter)
    accounts: Any = Accounts(started["tables"]["AccountsTable"], meter)

    def look() -> Report:
        return Look(
            provider=provider,
            client=client,
            videos=videos,
            accounts=accounts,
            tell_operators=lambda _: None,
            now=lambda: datetime.now(UTC),
            seconds_left=lambda: 300.0,
        ).run()

    def first() -> int:
        rows = 0
        while True:
            report = look()
            rows += report.rows
            if not report.unfinished:
                return rows

    polls: Mapping[str, Callable[[], int]] = {
        "first": first,
        "naive": lambda: sum(len(page.ids) for page in provider.pages(client)),
    }
    while (poll := orders.recv()) is not None:
        in_store = not (poll == "first" and in_memory) and poll != "naive"
        if poll == "first" and in_memory:
            videos, accounts = MemoryVideos(provider.account.name), MemoryAccounts()
        before = (requests.count, meter.reads, meter.writes)
        cpu = time.process_time()
        rows = polls.get(poll, lambda: look().rows)()
        orders.send(
            {
                "rows": rows,
                "requests": requests.count - before[0],
                "read_units": meter.reads - before[1] if in_store else None,
                "write_units": meter.writes - before[2] if in_store else None,
                "cpu_ms": (time.process_time() - cpu) * 1000,
                "peak_mib": peak_mib(),
            }
        )


def peak_mib() -> float:
    """Return this process's largest resident size. ru_maxrss would begin with that of its parent."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
