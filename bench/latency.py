"""How long it takes from a video's end at its provider to the webhook's arrival, on the local stack as `make local` runs it.

    .venv/bin/python -m bench.latency [--each 44] [--seconds 240] [--hints]

Schedules tick once a minute and the hot interval is the default, as in AWS. Every provider has `--each` videos whose ends
are spread evenly at random over `--seconds`. VideoGen is counted apart: its listing does not show an end before a look-up.
With `--hints` each provider calls the account's hint URL at the moment at which its listing begins to show the end.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from renderbell.account import Account
from renderbell.endpoints import Endpoint, Private
from renderbell.hints import Doorbell
from renderbell.providers import PROVIDERS
from renderbell.signing import Secrets, new_secret
from renderbell.video import AccountName
from renderbell_cli.receiver import Receiver
from renderbell_cli.simulator import Library, SimulatedVideo, Simulator
from renderbell_cli.stack import STATE_VARIABLE, Stack

ROOT: Final = Path(__file__).parents[1]

KEY: Final = "bench"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=44)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--hints", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ready = folder / "ready.json"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment[STATE_VARIABLE] = str(folder / "state.json")
        command = [sys.executable, "-m", "renderbell_cli", "local", "--no-simulator", "--ready-file", str(ready)]
        with (folder / "output").open("w") as output:
            running = subprocess.Popen([*command, "--tick", "60"], cwd=ROOT, env=environment, stdout=output, stderr=output)  # noqa: S603
        try:
            while not ready.exists():
                if running.poll() is not None:
                    sys.exit((folder / "output").read_text())
                time.sleep(0.2)
            measure(Stack.from_state(json.loads(ready.read_text())), asked.each, asked.seconds, hints=asked.hints)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def measure(stack: Stack, each: int, seconds: float, *, hints: bool) -> None:
    secret, ends = new_secret(), dict[str, float]()
    libraries = {(provider, KEY): Library() for provider in PROVIDERS}
    with Receiver(lambda _: secret) as receiver, Simulator(libraries) as simulator:
        stack.parameters.put_endpoint_private("ep_bench", Private(secrets=Secrets(current=secret)))
        now = datetime.now(UTC)
        stack.endpoints.put(Endpoint(endpoint_id="ep_bench", url=f"{receiver.url}/hook", allow_http=True, created_at=now))
        for provider in PROVIDERS:
            account = Account.of(AccountName(provider, "bench"), KEY, {"base_url": simulator.base_url})
            stack.parameters.put_account(account)
        names = [AccountName(provider, "bench") for provider in PROVIDERS]
        while sum(state.first_look_over for state in stack.accounts.states(names).values()) < len(names):
            time.sleep(1)
        for provider in PROVIDERS:
            libraries[provider, KEY].add(*videos(provider, each, seconds, ends))
        if hints:
            for name in names:
                due = sorted(end for video_id, end in ends.items() if video_id.startswith(name.provider))
                threading.Thread(target=call, args=(hint_url(stack, name), due), daemon=True).start()
        print(f"{len(ends)} videos in flight; the last ends in {seconds + 90:.0f} s", flush=True)
        until = time.time() + seconds + 90 + 120
        while len(receiver.events()) < len(ends) and time.time() < until:
            time.sleep(1)
        waits = {one.event["data"]["video_id"]: one.at - ends[one.event["data"]["video_id"]] for one in receiver.events()}
    listed = [wait for video_id, wait in waits.items() if not video_id.startswith("videogen")]
    print(f"{len(waits)} of {len(ends)} completions arrived")
    print(f"four providers whose listing shows the end: {spread(listed)}")
    print(f"VideoGen: {spread([wait for video_id, wait in waits.items() if video_id.startswith('videogen')])}")


def hint_url(stack: Stack, account: AccountName) -> str:
    doorbell = Doorbell(token=stack.parameters.made_tokens().new_hint(account))
    stack.parameters.put_doorbell(account, doorbell)
    return f"{stack.output('HintUrl')}{account}/{doorbell.token}"


def call(url: str, ends: Sequence[float]) -> None:
    """Call as a provider does, at the end of each video."""
    for end in ends:
        time.sleep(max(0.0, end - time.time()))
        httpx.post(url, json={"status": "done"}, timeout=30)


def videos(provider: str, each: int, seconds: float, ends: dict[str, float]) -> Sequence[SimulatedVideo]:
    """Return videos that are born now and end at random moments, from a minute and a half on: all are seen in flight."""
    dice, now = random.Random(provider), time.time()  # noqa: S311 - a repeatable crowd
    made = []
    for n in range(each):
        one = SimulatedVideo(
            id=f"{provider}-{n}", title=f"Video {n}", born_at=now, generating_seconds=90 + dice.uniform(0, seconds)
        )
        ends[one.id] = one.finished_at
        made.append(one)
    return made


def spread(waits: Sequence[float]) -> str:
    found = sorted(waits)
    if not found:
        return "nothing arrived"
    shown: Mapping[str, Any] = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    figures = [f"{name} {found[min(len(found) - 1, int(len(found) * part))]:.1f} s" for name, part in shown.items()]
    return f"n {len(found)}, " + ", ".join(figures)


if __name__ == "__main__":
    main()
