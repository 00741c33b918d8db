"""The whole product as a newcomer runs it, with everything that can go wrong going wrong meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from renderbell.providers import PROVIDERS
from renderbell.store.tables import DeliveryRow, opened
from renderbell.video import AccountName
from renderbell_cli.local.feed import TopicFeed, listening
from renderbell_cli.receiver import Receiver
from renderbell_cli.simulator import Library, SimulatedVideo, Simulator
from renderbell_cli.stack import STATE_VARIABLE, Stack, local_environment

pytestmark = pytest.mark.timeout(900)  # with the deployment, its own waits add up to more than the usual five minutes

ROOT = Path(__file__).parents[2]
KEY = "e2e-key"
VIDEOS = 20
LIFETIME = 25.0
"""Seconds within which all videos are born and finished."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Any]]:
    """Run `renderbell local --no-simulator` and give its addresses."""
    folder = tmp_path_factory.mktemp("local")
    ready = folder / "ready.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {STATE_VARIABLE: str(folder / "state.json"), "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "renderbell_cli", "local", "--no-simulator", "--ready-file", str(ready)]
    with (folder / "output").open("w") as output:
        process = subprocess.Popen([*command, "--tick", "1"], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 240
        while not ready.exists():
            assert process.poll() is None, (folder / "output").read_text()
            assert time.monotonic() < until, (folder / "output").read_text()
            time.sleep(0.2)
        yield {**json.loads(ready.read_text()), "environment": environment}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert not ready.exists()
    assert function_processes(folder) == [], "Ctrl-C stops everything that was started"


@pytest.fixture
def stack(running: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> Stack:
    for name, value in local_environment(running["endpoint_url"], running["region"]).items():
        monkeypatch.setenv(name, value)
    return Stack.from_state(running)


def renderbell(running: Mapping[str, Any], *arguments: str, given: str = "") -> str:
    """Run the command against the local stack and return what it printed."""
    command = [sys.executable, "-m", "renderbell_cli", *arguments, "--local"]
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, env=running["environment"], cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def old_videos(provider: str) -> list[SimulatedVideo]:
    return [SimulatedVideo(id=f"{provider}-old{n}", title="Old", born_at=time.time() - 90_000) for n in range(3)]


def new_videos(provider: str) -> list[SimulatedVideo]:
    """Return twenty videos that live and end within LIFETIME from now."""
    dice, now = random.Random(provider), time.time()  # noqa: S311 - a repeatable crowd
    return [
        SimulatedVideo(
            id=f"{provider}-{n}",
            title=f"Video {n} – “{provider}” 🎬",
            born_at=now + dice.uniform(0, LIFETIME / 2),
            queued_seconds=dice.uniform(0, 3),
            generating_seconds=dice.uniform(0, LIFETIME / 3),
            outcome="failed" if n % 5 == 0 else "completed",
            error="The script was rejected" if n % 5 == 0 else None,
        )
        for n in range(VIDEOS)
    ]


def test_every_end_at_five_providers_is_announced_once_on_both_channels_whatever_is_killed_or_repeated(
    running: Mapping[str, Any], stack: Stack
) -> None:
    secrets: dict[str, str] = {}
    with (
        Receiver(secrets.get) as receiver,
        listening(stack.outputs["TopicArn"]) as feed,
    ):
        added = renderbell(running, "endpoint", "add", f"{receiver.url}/hook", "--allow-http", "--json")
        secrets["/hook"] = json.loads(added)["secret"]
        libraries = {(provider, KEY): Library(old_videos(provider)) for provider in PROVIDERS}
        with Simulator(libraries) as simulator:
            for provider in PROVIDERS:
                renderbell(running, "account", "set", f"{provider}/e2e", "--base-url", simulator.url, given=KEY)
            wait_for(lambda: all(ended(stack, provider) for provider in PROVIDERS), 60)
            for provider in PROVIDERS:
                libraries[provider, KEY].add(*new_videos(provider))
            with trouble(stack, Path(running["environment"]["TMPDIR"])):
                time.sleep(LIFETIME)
            # What was killed comes back when its message is seen again, after a minute; what the emulator lost with a
            # worker it had killed, the audit makes anew: it is the deployed one that finds it.
            wait_for(lambda: min(len(heard) for heard in (webhooks(receiver), topic(feed))) >= 5 * VIDEOS, 90)
            wait_for(lambda: all_is_told(stack, receiver, feed), 120)
            time.sleep(3)
            accounts = [json.loads(line) for line in renderbell(running, "account", "list", "--json").splitlines()]
        check(receiver, feed)
    listed = [json.loads(line) for line in renderbell(running, "videos", "--json", "--limit", "1000").splitlines()]
    assert Counter(video["status"] for video in listed) == {"completed": 5 * (16 + 3), "failed": 5 * 4}
    assert {account["health"] for account in accounts} == {"ok"}


def test_the_dashboard_shows_the_running_stack(running: Mapping[str, Any]) -> None:
    shown = httpx.get(running["dashboard_url"], timeout=60).text
    assert 'class="rb rb-auto' in shown
    assert "cannot be shown" not in shown


def ended(stack: Stack, provider: str) -> bool:
    return stack.accounts.state(AccountName(provider, "e2e")).first_look_ended_at is not None


def all_is_told(stack: Stack, receiver: Receiver, feed: TopicFeed) -> bool:
    """Say whether every end has come by both channels; if not, let the audit look for what is missing."""
    if min(len(heard) for heard in (webhooks(receiver), topic(feed))) >= 5 * VIDEOS:
        return True
    boto3.client("lambda").invoke(FunctionName=stack.outputs["AuditFunction"], Payload=b'{"hours": 1}')
    time.sleep(10)
    return False


def wait_for(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true; what it means when it is not is for the caller's assertions to say."""
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.3)


def webhooks(receiver: Receiver) -> dict[str, tuple[str, str]]:
    return {one.webhook_id: ending(one.event) for one in receiver.events()}


def topic(feed: TopicFeed) -> dict[str, tuple[str, str]]:
    return {one.event_id: ending(one.event) for one in feed.messages()}


def check(receiver: Receiver, feed: TopicFeed) -> None:
    wanted = {
        (f"{provider}-{n}", "video.failed" if n % 5 == 0 else "video.completed")
        for provider in PROVIDERS
        for n in range(VIDEOS)
    }
    assert Counter(webhooks(receiver).values()) == Counter(wanted), "each end under one id, and no other"
    assert topic(feed) == webhooks(receiver)
    assert receiver.refused == 0
    bodies: dict[str, set[bytes]] = {}
    for one in receiver.events():
        bodies.setdefault(one.webhook_id, set()).add(one.body)
    assert all(len(found) == 1 for found in bodies.values()), "a repeat brings the very same bytes"


def ending(event: Mapping[str, Any]) -> tuple[str, str]:
    return event["data"]["video_id"], event["type"]


class trouble:  # noqa: N801 - reads as `with trouble(stack, folder):`
    """Kill running functions now and then and send every delivery's message again, until the block ends.

    Few kills, because each costs this machine a cold start: tests/integration kills before every single statement.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.stop = threading.Event()
        self.killed = 0
        self.threads = [threading.Thread(target=self.kill), threading.Thread(target=self.repeat)]

    def __enter__(self) -> None:
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert self.killed > 1, "nothing was killed: this would prove nothing"

    def kill(self) -> None:
        while not self.stop.wait(random.uniform(8, 10)):  # noqa: S311
            workers = function_processes(self.folder)
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(random.choice(workers), signal.SIGKILL)  # noqa: S311
                    self.killed += 1

    def repeat(self) -> None:
        sqs = boto3.client("sqs")
        row = opened(DeliveryRow, self.stack.outputs["DeliveriesTable"])
        repeated: set[str] = set()
        while not self.stop.wait(3):
            deliveries = [json.dumps({"endpoint_id": one.endpoint_id, "event_id": one.event_id}) for one in row.scan()]
            for body in deliveries:
                if body not in repeated:
                    repeated.add(body)
                    sqs.send_message(QueueUrl=self.stack.outputs["DeliveryQueueUrl"], MessageBody=body)
            for provider in PROVIDERS:
                message = json.dumps({"account": f"{provider}/e2e"})
                sqs.send_message(QueueUrl=self.stack.outputs["PollQueueUrl"], MessageBody=message)


def function_processes(below: Path) -> list[int]:
    """Return the processes in which the engine that keeps its files `below` a folder runs functions."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                folder = str((process / "cwd").readlink())
                if (
                    len(words) > 1
                    and b"python" in words[0]
                    and folder.startswith(f"{below}/")
                    and "/ministack-lambda-" in folder
                ):
                    found.append(int(process.name))
    return found
