"""What each command that reads a stack prints: the columns that people see, and the names that programs rely on."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner, Result

from renderbell_cli.main import app
from tests.integration.world import World, video

ACCOUNT = "heygen/marketing"
WIDE = {"COLUMNS": "250"}

VIDEO = frozenset(
    {
        *("provider", "account", "video_id", "title", "status", "provider_status", "previous_status", "url"),
        *("thumbnail_url", "url_expires_at", "error", "duration_seconds", "created_at", "first_seen_at", "finished_at"),
        *("seconds_in_flight", "sequence"),
    }
)
LISTED = VIDEO | {"changed_at", "stalled_at"}
ENDPOINT = frozenset(
    {
        *("id", "url", "format", "events", "providers", "accounts", "allow_http", "description", "rate", "state"),
        *("paused_at", "disabled_at", "disabled_reason", "failing_since", "last_failure", "holds_events"),
        *("seconds_between", "created_at"),
    }
)
DELIVERY = frozenset(
    {
        *("endpoint", "event_id", "type", "status", "reason", "attempt_count", "attempts", "next_attempt_at"),
        *("created_at", "finished_at", "provider", "account", "video_id", "title"),
    }
)
ACCOUNT_FIELDS = frozenset(
    {
        *("account", "health", "health_in_words", "health_since", "polled_at", "polled_well_at", "next_poll_by", "last_day"),
        *("first_look_began_at", "first_look_ended_at", "paused_until", "changed_at", "full_sweep_ended_at", "licence"),
        "alerts",
    }
)
FRESH = frozenset({"status", "url", "url_expires_at", "error", "message", "retry_after"})
STATISTICS = frozenset(
    {
        *("provider", "since", "by_status", "completed_median_seconds", "completed_p95_seconds", "failure_rate"),
        "truncated",
    }
)


@dataclass
class Furnished:
    """A world in which one video completed, one failed and one is in flight, and an endpoint was told."""

    endpoint: str
    event: str
    run: Callable[..., Result]

    def rows(self, *words: str) -> Sequence[dict[str, Any]]:
        done = self.run(*words)
        assert done.exit_code == 0, done.output + str(done.exception)
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def furnished(world: World, local_stack: None) -> Furnished:
    del local_stack
    born = time.time()
    account = world.add_account(
        ACCOUNT,
        video("done", born=born, generating=3600),
        video("broken", born=born, generating=3600, outcome="failed", error="no credits"),
        video("slow", born=born, generating=9999),
        first_look_done=True,
    )
    endpoint = world.add_endpoint()
    world.poll(account)
    world.clock.ahead += 3700
    world.poll(account)
    world.flow()
    event = next(one.webhook_id for one in world.receiver.events() if b'"video.completed"' in one.body)

    def run(*words: str) -> Result:
        given = (word.format(endpoint=endpoint, event=event) for word in words)
        return CliRunner().invoke(app, ["--local", *given], env=WIDE)

    return Furnished(endpoint=endpoint, event=event, run=run)


CONTRACT: Final[Sequence[tuple[str, int, frozenset[str], str | None]]] = (
    ("videos", 3, LISTED, "ACCOUNT VIDEO STATUS SINCE TITLE"),
    (f"video show {ACCOUNT} done", 1, LISTED | {"history"}, "AT (UTC) AGE STATUS PROVIDER SAYS SEEN BELL EVENT ID"),
    (f"video link {ACCOUNT} done", 1, FRESH, None),
    ("stats", 1, STATISTICS, "PROVIDER GENERATING COMPLETED FAILED MEDIAN P95 FAILURES"),
    ("account list", 1, ACCOUNT_FIELDS, "ACCOUNT HEALTH FOR LAST CHANGE NEXT POLL LAST NOTED LAST DAY"),
    (f"account hint-url {ACCOUNT}", 1, frozenset({"account", "url", "help"}), None),
    ("endpoint list", 1, ENDPOINT, "ID STATE ADDED WANTS URL"),
    ("endpoint show {endpoint}", 1, ENDPOINT | {"headers", "old_secrets_sign_until", "deliveries"}, "deliveries 2 delivered"),
    ("endpoint rotate {endpoint}", 1, frozenset({"id", "secret"}), None),
    ("deliveries", 4, DELIVERY, "WHEN EVENT VIDEO ENDPOINT STATUS ATTEMPTS EVENT ID"),
    ("deliveries {event}", 2, DELIVERY, "ATTEMPT AT ANSWER MS"),
    (f"wait {ACCOUNT} done", 1, VIDEO, None),
    (f"video ring {ACCOUNT} done", 1, frozenset({"event_id", "sent", "on_their_way"}), None),
)
"""Command, how many lines of JSON, with which names; and a line that its table has."""
ELSEWHERE: Final = frozenset({"check", "endpoint add", "endpoint test", "watch"})
"""What reads no stack, changes it, or waits for something: their own tests say what they print."""


def test_programs_find_the_names_that_they_rely_on(furnished: Furnished) -> None:
    found = {words: furnished.rows(*words.split(), "--json") for words, *_ in CONTRACT}
    wanted = {words: (count, names) for words, count, names, _ in CONTRACT}
    assert {words: (len(rows), frozenset[str]().union(*rows)) for words, rows in found.items()} == wanted
    assert all(set(row) == set(rows[0]) for rows in found.values() for row in rows)


def test_people_find_the_columns_that_they_know(furnished: Furnished) -> None:
    for words, *_, line in CONTRACT:
        done = furnished.run(*words.split())
        lines = [" ".join(shown.split()) for shown in done.stdout.splitlines()]
        assert done.exit_code == 0, words
        assert lines if line is None else line in lines, words


def test_every_command_that_speaks_json_has_its_contract_here() -> None:
    def speaking(command: Any, *words: str) -> Iterator[str]:
        if any("--json" in one.opts for one in command.params):
            yield " ".join(words)
        for name, inner in getattr(command, "commands", {}).items():
            yield from speaking(inner, *words, name)

    known = {words for words, *_ in CONTRACT}
    spoken = set(speaking(typer.main.get_command(app)))
    assert {command for command in spoken if not any(words.startswith(command) for words in known)} == ELSEWHERE


def test_a_summary_of_deliveries_has_a_line_for_each_endpoint_and_a_total(furnished: Furnished) -> None:
    *counts, total = furnished.rows("deliveries", "--summary", "--json")
    assert {row["endpoint"]: row["delivered"] for row in counts} == {"topic": 2, furnished.endpoint: 2}
    assert total == {"endpoint": None, "delivered": 4, "missing": 0, "stuck": 0}
    head = furnished.run("deliveries", "--summary").stdout.splitlines()[0].split()
    assert head == ["ENDPOINT", "DELIVERED", "TOTAL"], "what there is none of has no column"


def test_an_endpoint_that_was_added_is_told_with_its_secret(world: World, furnished: Furnished) -> None:
    words = ("endpoint", "add", f"{world.receiver.url}/more", "--allow-http")
    (told,) = furnished.rows(*words, "--json")
    assert set(told) == {"id", "url", "secret"}
    assert [line.split()[0] for line in furnished.run(*words).stdout.splitlines()] == ["id", "url", "secret"]
    chat = furnished.rows("endpoint", "add", f"{world.receiver.url}/chat", "--allow-http", "--format", "slack", "--json")
    assert set(chat[0]) == {"id", "url"}


def test_the_times_of_json_are_in_utc_and_end_in_z(furnished: Furnished) -> None:
    (row,) = furnished.rows("video", "show", ACCOUNT, "done", "--json")
    told = [row[name] for name in ("first_seen_at", "finished_at", "changed_at")] + [line["at"] for line in row["history"]]
    assert all(time.endswith("Z") for time in told)
