"""`renderbell local`, step by step: engine, deployment, providers, receiver, accounts, ticks, dashboard, view."""

import contextlib
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.status import Status as Spinner

from renderbell.account import Account
from renderbell.endpoints import Endpoint, Private
from renderbell.providers import PROVIDERS
from renderbell.signing import Secrets, new_secret
from renderbell.video import AccountName
from renderbell_cli.local.dashboard import Dashboard
from renderbell_cli.local.engine import REGION, STACK, LocalRunError, deploy, end_left, engine
from renderbell_cli.local.feed import listening
from renderbell_cli.local.ticks import ticking
from renderbell_cli.local.view import Watched, look, watch
from renderbell_cli.receiver import Receiver
from renderbell_cli.simulator import Library, Simulator
from renderbell_cli.stack import (
    Stack,
    is_running,
    left_state,
    local_environment,
    outputs_of,
    project_folder,
    state_file,
)

SIMULATED_KEY: Final = "demo"
SIMULATED_TICK: Final = 2.0
REAL_TICK: Final = 15.0
"""Seconds between looks at real providers: their limits are mostly unknown, and useapi.net's own scripts use 15."""
LOOK_EVERY: Final = 0.5
FIRST_SIGHT: Final = 30.0
"""Seconds that the first video is waited for, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    simulator: bool
    ready_file: Path | None
    seed: int
    tick: float | None


def run(options: LocalOptions) -> None:
    """Start everything, watch until Ctrl-C or SIGTERM, stop everything. Raises LocalRunError, StackNotFoundError."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()  # an interrupt that lands in a library's clean-up can be lost there: the flag cannot
        raise KeyboardInterrupt

    for sign in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background job inherits it as ignored
        signal.signal(sign, stop)
    console = Console(highlight=False)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as running:
        _run(options, console, running, stopping)
    console.print("Everything that was started is stopped.")


def _run(options: LocalOptions, console: Console, running: contextlib.ExitStack, stopping: threading.Event) -> None:
    began = time.monotonic()
    project = project_folder()
    _take_over(project)
    folder = project / ".renderbell"
    folder.mkdir(exist_ok=True)
    pids: list[int] = []
    with console.status("Starting a local AWS (ministack) on loopback") as spinner:
        url = running.enter_context(engine(project, folder / "ministack.log", started=pids.append))
        _step(console, spinner, f"Local AWS at {url}", "Building and deploying template.yaml with SAM (about 20 s)")
        deploy(project, url, folder / "sam.log", {"AllowLocalEndpoints": "true", "LocalGateway": url})
        os.environ.update(local_environment(url, REGION))
        stack = Stack(name=STACK, outputs=outputs_of(STACK), is_local=True)
        _step(console, spinner, f"Stack {STACK} deployed", "Adding accounts and a receiver")
        real = real_keys(os.environ)
        receiver = running.enter_context(_receiver(stack))
        feed = running.enter_context(listening(stack.outputs["TopicArn"]))
        simulator = _accounts(stack, options, real, running)
        tick = options.tick or (REAL_TICK if real else SIMULATED_TICK)
        running.enter_context(ticking(stack, list(PROVIDERS), tick))
        dashboard = running.enter_context(Dashboard(stack.outputs["WidgetFunction"]))
        watched = Watched(stack=stack, receiver=receiver, feed=feed)
        if simulator is not None:
            _step(console, spinner, "Accounts are looked at", "Waiting for the first videos")
            _wait_for_videos(watched, stopping)
    state = {**_state(stack, url, receiver, simulator), "dashboard_url": dashboard.url, "engine_pid": pids[0]}
    running.enter_context(_announced(state, options.ready_file))
    console.print(f"Ready after {time.monotonic() - began:.0f} s. Ctrl-C stops everything.")
    console.print(f"Dashboard: {dashboard.url}")
    console.print(f"Receiver:  {receiver.url}/renderbell (`renderbell --local endpoint list`)\n", soft_wrap=True)
    watch(console, watched, stopping)


def _take_over(project: Path) -> None:
    """End what a run that was killed left behind. Raises LocalRunError while one runs: two would share a state file."""
    state = left_state()
    if state is None:
        return
    if is_running(state):
        raise LocalRunError(
            f"one runs already (pid {state.get('pid')}, dashboard {state.get('dashboard_url')}): stop it with Ctrl-C first. "
            f"If that is another program, remove {state_file()}"
        )
    if "engine_pid" in state:
        end_left(project, state["engine_pid"])


def _wait_for_videos(watched: Watched, stopping: threading.Event) -> None:
    until = time.monotonic() + FIRST_SIGHT
    while time.monotonic() < until and not stopping.wait(LOOK_EVERY):
        moment = look(watched)
        if moment is not None and moment.videos:
            return


def real_keys(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the real providers' keys in the environment: TAVUS_API_KEY, HEYGEN_API_KEY, ..."""
    found = {provider: environment.get(f"{provider.upper()}_API_KEY", "").strip() for provider in PROVIDERS}
    return {provider: key for provider, key in found.items() if key}


def _accounts(stack: Stack, options: LocalOptions, real: Mapping[str, str], running: contextlib.ExitStack) -> Simulator | None:
    """Add the accounts to watch: real ones if their keys are in the environment, else simulated ones, if wanted."""
    for provider, key in real.items():
        stack.parameters.put_account(Account.of(AccountName(provider), key, {}))
    if real or not options.simulator:
        return None
    now = time.time()
    names = [AccountName(provider, "demo") for provider in PROVIDERS]
    libraries = {(name.provider, SIMULATED_KEY): Library.demo(options.seed, now, name.provider, endless=True) for name in names}
    simulator = running.enter_context(Simulator(libraries=libraries))
    for name in names:
        stack.parameters.put_account(Account.of(name, SIMULATED_KEY, {"base_url": simulator.base_url}))
    return simulator


@contextlib.contextmanager
def _receiver(stack: Stack) -> Iterator[Receiver]:
    """Run a receiver that verifies every signature, and add it as an endpoint."""
    secret = new_secret()
    with Receiver(lambda _: secret) as receiver:
        endpoint = Endpoint(
            endpoint_id=f"ep_{secrets.token_hex(8)}",
            url=f"{receiver.url}/renderbell",
            allow_http=True,
            description="the receiver of `renderbell local`",
            created_at=datetime.now(UTC),
        )
        stack.parameters.put_endpoint_private(endpoint.endpoint_id, Private(secrets=Secrets(current=secret)))
        stack.endpoints.put(endpoint)
        yield receiver


def _state(stack: Stack, url: str, receiver: Receiver, simulator: Simulator | None) -> Mapping[str, Any]:
    return {
        "endpoint_url": url,
        "region": REGION,
        "stack": stack.name,
        "outputs": dict(stack.outputs),
        "receiver_url": receiver.url,
        "simulator_url": simulator.url if simulator else None,
        "pid": os.getpid(),
    }


@contextlib.contextmanager
def _announced(state: Mapping[str, Any], ready_file: Path | None) -> Iterator[None]:
    """Write where everything is, for `--local` and for whoever waits for the ready file; whole or not at all."""
    files = [state_file(), *([ready_file] if ready_file else [])]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(file.name + ".new")
        unfinished.write_text(json.dumps(state, indent=2) + "\n")
        unfinished.replace(file)
    try:
        yield
    finally:
        for file in files:
            with contextlib.suppress(FileNotFoundError, ValueError):
                if json.loads(file.read_text())["pid"] == state["pid"]:  # not what another wrote there since
                    file.unlink()


def _step(console: Console, spinner: Spinner, done: str, following: str) -> None:
    console.print(f"[green]✓[/] {done}")
    spinner.update(following)
