"""What a shell completes without a stack, and that a stack which cannot be asked completes nothing and breaks nothing."""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from renderbell.providers import PROVIDERS
from renderbell_cli import completing
from renderbell_cli.main import app
from renderbell_cli.stack import STATE_VARIABLE, Stack, StackNotFoundError

NOBODY = "http://127.0.0.1:9"


def completed(words: str) -> Sequence[str]:
    environment = {
        "_RENDERBELL_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, [], prog_name="renderbell", env=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("renderbell videos --provider ", list(PROVIDERS)),
        ("renderbell videos --provider he", ["heygen"]),
        ("renderbell stats --provider he", ["heygen"]),
        ("renderbell watch --provider he", ["heygen"]),
        ("renderbell check pix", ["pixverse"]),
        ("renderbell videos --status f", ["failed"]),
        ("renderbell deliveries --status ex", ["exhausted"]),
        ("renderbell endpoint add x --format s", ["standard", "slack"]),
        ("renderbell endpoint add x --events video.d", ["video.deleted"]),
        ("renderbell endpoint add x --events video.failed,video.d", ["video.failed,video.deleted"]),
        ("renderbell account set tavus/main --option api", ["api_version="]),
        ("renderbell acc", ["account"]),
    ],
)
def test_known_words_are_completed(words: str, found: list[str]) -> None:
    assert completed(words) == found


@pytest.fixture
def no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let neither AWS nor a local stack be found."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it may remember the credentials of another test
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "local.json"))
    return tmp_path / "local.json"


@pytest.mark.usefixtures("no_stack")
@pytest.mark.parametrize("before", ["renderbell", "renderbell --local"])
def test_without_a_stack_no_account_and_no_endpoint_is_completed(before: str) -> None:
    assert completed(f"{before} account remove ") == []
    assert completed(f"{before} endpoint show ") == []
    assert completed(f"{before} deliveries --endpoint t") == ["topic"]
    assert completed(f"{before} account set tavus") == ["tavus/"]


def test_an_engine_that_is_gone_completes_nothing(no_stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "to be undone")
    state = {"endpoint_url": NOBODY, "region": "us-east-1", "stack": "test", "outputs": {"EndpointsTable": "endpoints"}}
    no_stack.write_text(json.dumps(state))
    assert completed("renderbell --local endpoint show ") == []


def test_a_stack_that_is_slow_to_answer_does_not_keep_the_prompt_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slowly(*_: object, **__: object) -> None:
        over.wait(10)
        raise StackNotFoundError("at last")

    monkeypatch.setattr(completing, "PATIENCE", 0.05)
    monkeypatch.setattr(Stack, "open", slowly)
    began = time.monotonic()
    assert completed("renderbell account remove ") == []
    assert time.monotonic() - began < 5
    over.set()
