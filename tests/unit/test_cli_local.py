"""`renderbell local`: one at a time, and something to see for as long as it runs."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from renderbell_cli.local import run
from renderbell_cli.local.engine import LocalRunError, engine
from renderbell_cli.simulator import PROVIDERS, Library
from renderbell_cli.stack import STATE_VARIABLE

NOW = 1_800_000_000.0
OPTIONS = run.LocalOptions(simulator=True, ready_file=None, seed=1, tick=None)


@pytest.fixture
def state_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "local.json"))
    return tmp_path / "local.json"


def test_a_second_one_is_refused_and_leaves_the_first_its_state(state_file: Path) -> None:
    state_file.write_text(json.dumps({"pid": os.getppid(), "dashboard_url": "http://127.0.0.1:9/"}))
    with ExitStack() as running, pytest.raises(LocalRunError) as refused:
        run._run(OPTIONS, Console(), running, threading.Event())
    assert f"one runs already (pid {os.getppid()}, dashboard http://127.0.0.1:9/)" in str(refused.value)
    assert state_file.exists()


@pytest.mark.parametrize("name", ["ministack", "other"])
def test_one_that_was_killed_is_replaced_and_only_its_engine_is_ended(state_file: Path, tmp_path: Path, name: str) -> None:
    tool = tmp_path / ".tools" / "ministack" / "bin" / "ministack"
    tool.parent.mkdir(parents=True)
    tool.write_text("")
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)", str(tool.with_name(name))]
    with subprocess.Popen([sys.executable, "-c", ""]) as gone, subprocess.Popen(sleeping, start_new_session=True) as left:
        gone.wait()
        state_file.write_text(json.dumps({"pid": gone.pid, "engine_pid": left.pid}))
        run._take_over(tmp_path)
        if name == "other":
            assert left.poll() is None
            left.kill()
        assert left.wait(20) == -signal.SIGKILL


def test_at_the_end_only_its_own_state_is_removed(state_file: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with run._announced({"pid": 1}, ready):
        assert json.loads(state_file.read_text()) == {"pid": 1}
        state_file.write_text(json.dumps({"pid": 2}))
    assert not ready.exists()
    assert json.loads(state_file.read_text()) == {"pid": 2}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_endless_demo_brings_a_video_a_minute_in_flight_for_a_while_and_the_same_for_the_same_seed(provider: str) -> None:
    library = Library.demo(1, NOW, provider, endless=True)
    counts = [len(library.videos(NOW + 60 * minute)) for minute in range(2, 121)]
    assert {after - before for before, after in pairwise(counts)} <= {0, 1, 2}
    assert 118 <= counts[-1] - counts[0] <= 119
    videos = library.videos(NOW + 7200)
    assert len({one.id for one in videos}) == len(videos)
    assert {one.outcome for one in videos} == {"completed", "failed"}
    assert library.find(videos[0].id, NOW + 7200) == videos[0]
    assert list(Library.demo(1, NOW, provider, endless=True).videos(NOW + 7200)) == list(videos)
    assert list(Library.demo(2, NOW, provider, endless=True).videos(NOW + 7200)) != list(videos)


def test_it_is_ready_when_there_is_something_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = [None, SimpleNamespace(videos=[]), SimpleNamespace(videos=["one"])]
    monkeypatch.setattr(run, "look", lambda _: seen.pop(0))
    monkeypatch.setattr(run, "LOOK_EVERY", 0.0)
    run._wait_for_videos(SimpleNamespace(), threading.Event())  # type: ignore[arg-type]
    assert seen == []


def engines_of(tmp_path: Path, said: str) -> Path:
    """Return a checkout whose ministack says that and ends, and writes down which ports it was given."""
    tool = tmp_path / ".tools" / "ministack" / "bin" / "ministack"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\necho "$GATEWAY_PORT" >> "{tmp_path}/ports"\necho "{said}"\nexit 1\n')
    tool.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("said", "tries"), [("127.0.0.1:1 is already in use.", 4), ("no such module", 1)])
def test_an_engine_whose_port_somebody_took_meanwhile_tries_another_and_other_trouble_is_told_at_once(
    tmp_path: Path, said: str, tries: int
) -> None:
    with pytest.raises(LocalRunError, match="ended at once"), engine(engines_of(tmp_path, said), tmp_path / "log", favourite=0):
        pass
    assert len((tmp_path / "ports").read_text().split()) == tries
