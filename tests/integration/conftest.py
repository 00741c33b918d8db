import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderbell.providers import PROVIDERS
from renderbell_cli.local.engine import engine
from renderbell_cli.receiver import Receiver
from renderbell_cli.simulator import Library, Simulator
from renderbell_cli.stack import STATE_VARIABLE
from tests.integration.world import HINT_URL, LINK_URL, ROOT, Clock, World, point_at


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a local AWS for all tests of the session."""
    log: Path = tmp_path_factory.mktemp("engine") / "ministack.log"
    with engine(ROOT, log, favourite=0) as url:
        yield url


@pytest.fixture
def world(engine_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    point_at(engine_url, monkeypatch)
    libraries: dict[tuple[str, str], Library] = {}
    secrets: dict[str, str] = {}
    clock = Clock()
    with Simulator(libraries=libraries, clock=clock) as simulator, Receiver(secrets.get) as receiver:
        yield World(
            monkeypatch=monkeypatch,
            simulator=simulator,
            receiver=receiver,
            clock=clock,
            libraries=libraries,
            secrets=secrets,
        )


@pytest.fixture
def local_stack(world: World, engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `renderbell --local` speak to this world."""
    outputs = {
        "ParametersPrefix": world.prefix,
        "HintUrl": HINT_URL,
        "LinkUrl": LINK_URL,
        "LinkDays": "30",
        "Schedules": ";".join(f"{provider} ENABLED rate(1 minute)" for provider in PROVIDERS),
        "PollQueueUrl": world.names["PollQueue"],
        "DeliveryQueueUrl": world.names["DeliveryQueue"],
        **{name: url for name, url in world.names.items() if name.endswith("Table")},
    }
    state = {"endpoint_url": engine_url, "region": "us-east-1", "stack": "test", "outputs": outputs}
    (tmp_path / "local.json").write_text(json.dumps(state))
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "local.json"))
