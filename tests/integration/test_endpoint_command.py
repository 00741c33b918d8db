"""`renderbell endpoint`, `deliveries` and `replay` where something is odd: what is mistyped, hostile, too much or too late."""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from renderbell import replay, subscribe
from renderbell.endpoints import Endpoint, Private
from renderbell.errors import BadInputError
from renderbell.events import trial_event
from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage
from renderbell.signing import Secrets, new_secret
from renderbell.subscribe import Subscribe
from renderbell_cli.main import app
from renderbell_cli.receiver import Answer
from renderbell_cli.times import moment_of
from tests.integration.world import World, video

type Command = Callable[..., Result]


@pytest.fixture
def command(local_stack: None) -> Command:
    del local_stack
    return lambda *words: CliRunner().invoke(app, ["--local", *words])


def complete(world: World, *names: str) -> None:
    """Let videos complete and everything be delivered, in this order."""
    account = world.add_account(f"tavus/{names[0]}", first_look_done=True)
    for name in names:
        world.library(account).add(video(name, born=time.time() - 5))
        world.poll(account)
        world.flow()


def refusal(result: Result) -> str:
    assert isinstance(result.exception, BadInputError), result.output
    return str(result.exception)


def delayed(world: World) -> int:
    attributes = world.sqs.get_queue_attributes(
        QueueUrl=world.names["DeliveryQueue"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessagesDelayed"])


def rows(result: Result) -> Sequence[dict[str, Any]]:
    assert result.exit_code == 0, result.output + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--rate", "inf"], "events a second"),
        (["--header", "X-Key: 1", "--header", "x-key: 2"], "given twice"),
        (["--header", "X-Key: 1", "--header", "X-Key: 2"], "given twice"),
        (["--header", "webhook-id: mine"], "not yours to set"),
        (["--account", "a b/c"], "not an account"),
    ],
)
def test_an_endpoint_that_could_not_be_kept_is_refused(world: World, command: Command, words: list[str], reason: str) -> None:
    assert reason in refusal(command("endpoint", "add", "http://127.0.0.1:1/", "--allow-http", *words))
    assert world.endpoints.all() == []


def test_a_rate_that_is_no_number_is_refused(world: World, command: Command) -> None:
    assert command("endpoint", "add", "http://127.0.0.1:1/", "--allow-http", "--rate", "nan").exit_code != 0
    assert world.endpoints.all() == []


def test_a_chat_has_no_secret_to_rotate_and_keeps_its_address(world: World, command: Command) -> None:
    url = f"{world.receiver.url}/services/password"
    added = command("endpoint", "add", url, "--format", "discord", "--allow-http", "--json")
    (told,) = rows(added)
    assert "secret" not in told
    assert "password" not in added.output
    assert "not signed" in refusal(command("endpoint", "rotate", told["id"]))
    private = world.parameters.endpoint_private(told["id"])
    assert private is not None
    assert private.url == url


def test_a_rotation_keeps_the_headers_and_the_old_secret(world: World, command: Command) -> None:
    old = new_secret()
    world.endpoints.put(Endpoint(endpoint_id="ep_1", url="https://e.example/", created_at=datetime.now(UTC)))
    world.parameters.put_endpoint_private("ep_1", Private(secrets=Secrets(current=old), headers={"X-Key": "sesame"}))
    shown = command("endpoint", "rotate", "ep_1").output
    private = world.parameters.endpoint_private("ep_1")
    assert private is not None
    assert private.headers == {"X-Key": "sesame"}
    assert private.secrets.valid(datetime.now(UTC)) == [private.secrets.current, old]
    assert private.secrets.current in shown
    assert old not in shown


def test_secrets_rotated_within_a_minute_by_two_functions_all_sign_for_their_time(world: World) -> None:
    world.endpoints.put(Endpoint(endpoint_id="ep_1", url="https://e.example/", created_at=datetime.now(UTC)))
    secrets, now = [new_secret()], datetime.now(UTC)
    world.parameters.put_endpoint_private("ep_1", Private(secrets=Secrets(current=secrets[0])))
    warm = [Parameters(world.prefix, boto3.client("ssm")) for _ in range(2)]
    for one in (*warm, *warm):
        assert one.endpoint_private("ep_1") is not None, "it knows what was there"
    for one in (*warm, *warm):
        rotating = Subscribe(
            endpoints=world.endpoints,
            parameters=one,
            deliveries=world.deliveries,
            queue=world.apps["dispatch"].dispatch.delivery_queue,
            allow_local=True,
        )
        secrets.append(rotating.rotate("ep_1", now))
    private = Parameters(world.prefix, boto3.client("ssm")).endpoint_private("ep_1")
    assert private is not None
    assert private.secrets.valid(now) == secrets[::-1]


def test_a_test_of_which_nothing_is_heard_says_where_to_look_later(
    world: World, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribe, "TRIAL_SECONDS", 0.1)
    result = command("endpoint", "test", world.add_endpoint())
    assert result.exit_code == 1
    assert "No attempt was on record" in result.output
    assert "renderbell --local deliveries evt_test_" in result.output


def test_an_answer_is_shown_as_it_is_and_the_terminal_obeys_none_of_it(world: World, command: Command) -> None:
    world.add_endpoint()
    world.receiver.answers.add("/hook", Answer(status=500, body=b"[/bold] closed \x1b[2Jcleared"))
    complete(world, "v")
    event_id = world.receiver.events()[0].webhook_id
    shown = command("deliveries", event_id)
    assert shown.exit_code == 0, str(shown.exception)
    assert "[/bold] closed" in shown.output
    assert "\x1b" not in shown.output


def test_a_title_with_brackets_is_only_a_title(world: World, command: Command) -> None:
    account = world.add_account("tavus/main")
    world.library(account).add(replace(video("v"), title="[/red] spring"))
    world.poll(account)
    assert "[/red] spring" in command("videos").output


@pytest.mark.parametrize("text", ["5", "yesterday", "2 hours", "999999d", "٣h", ""])
def test_what_is_no_time_is_refused_with_examples(command: Command, text: str) -> None:
    assert "write 90s, 30m, 2h, 3d" in refusal(command("deliveries", "--since", text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("90s", "2026-11-24T09:58:30Z"),
        ("30m", "2026-11-24T09:30:00Z"),
        ("2h", "2026-11-24T08:00:00Z"),
        ("3d", "2026-11-21T10:00:00Z"),
        ("2026-11-24T10:00Z", "2026-11-24T10:00:00Z"),
        ("2026-11-24T10:00+02:00", "2026-11-24T08:00:00Z"),
        ("2026-11-24", "2026-11-24T00:00:00Z"),
    ],
)
def test_a_time_is_an_age_or_a_moment_in_utc(text: str, found: str) -> None:
    assert moment_of(text, datetime(2026, 11, 24, 10, tzinfo=UTC)) == datetime.fromisoformat(found)


@pytest.mark.parametrize(
    "words",
    [
        ("deliveries", "--endpoint", "ep_nobody"),
        ("replay", "evt_1", "--endpoint", "ep_nobody"),
        ("replay", "--endpoint", "ep_nobody", "--since", "1h"),
    ],
)
def test_an_endpoint_that_is_mistyped_is_not_taken_for_one_without_deliveries(command: Command, words: tuple[str, ...]) -> None:
    assert "`renderbell endpoint list`" in refusal(command(*words))


def test_an_event_that_nobody_knows_is_neither_shown_nor_sent_again(command: Command) -> None:
    for words in (("replay", "evt_nobody"), ("deliveries", "evt_nobody"), ("deliveries", "evt_nobody", "--json")):
        assert "'evt_nobody' that fits is on record: `renderbell deliveries`" in refusal(command(*words))


def test_an_event_that_an_endpoint_never_had_is_rung_for_and_not_replayed(world: World, command: Command) -> None:
    world.add_endpoint()
    complete(world, "v")
    late = world.add_endpoint(path="/late")
    event_id = world.receiver.events()[0].webhook_id
    told = refusal(command("replay", event_id, "--endpoint", late))
    assert told.startswith(f"{event_id} never went to {late}: `renderbell video ring PROVIDER/ACCOUNT VIDEO`")
    assert "that fits" in refusal(command("replay", event_id, "--endpoint", late, "--status", "held"))


def test_one_word_says_to_programs_how_an_endpoint_fares_and_the_reason_stands_apart(world: World, command: Command) -> None:
    endpoint = world.add_endpoint()
    world.receiver.answers.add("/hook", Answer(status=500, body=b"out of order"))
    complete(world, "v")
    for words in (("endpoint", "list"), ("endpoint", "show", endpoint)):
        (told,) = rows(command(*words, "--json"))
        assert (told["state"], told["last_failure"]) == ("failing", "answered 500")
    shown = command("endpoint", "show", endpoint).output
    assert re.search(r"^state +failing for [0-9]+ s$", shown, re.MULTILINE)
    assert shown.count("answered 500") == 1
    assert "True" not in shown
    assert "    why: answered 500" in command("endpoint", "list").output.splitlines()


def test_deliveries_fit_80_columns_with_every_id_in_one_piece(world: World, local_stack: None) -> None:
    del local_stack
    endpoint = world.add_endpoint()
    world.receiver.answers.add("/hook", Answer(status=500, body=b"out of order"))
    complete(world, "v")
    event_id = next(one.event_id for one in world.all_deliveries())
    shown = CliRunner().invoke(app, ["--local", "deliveries"], env={"COLUMNS": "80"}).stdout.splitlines()
    assert max(map(len, shown)) <= 80
    assert shown[0].split() == ["WHEN", "EVENT", "ENDPOINT", "STATUS", "ATTEMPTS", "NEXT"]
    row = next(place for place, line in enumerate(shown) if endpoint in line)
    assert re.search(r" completed +\S+ +pending +1 +(in [0-9]+ s|now)$", shown[row])
    assert shown[row + 1 : row + 3] == ["    why: answered 500", f"    event id: {event_id}"]
    piped = CliRunner().invoke(app, ["--local", "deliveries"]).stdout.splitlines()
    assert sum(event_id in line and "completed" in line for line in piped) == 2, "a pipe has room for a row in one line"


def test_to_open_what_is_open_says_so(world: World, command: Command) -> None:
    endpoint = world.add_endpoint()
    assert "was open already" in command("endpoint", "resume", endpoint).stderr
    command("endpoint", "pause", endpoint)
    assert "was open already" not in command("endpoint", "resume", endpoint).stderr


def test_a_summary_has_a_total(world: World, command: Command) -> None:
    world.add_endpoint()
    complete(world, "one", "two")
    assert rows(command("deliveries", "--summary", "--json"))[-1] == {
        "endpoint": None,
        "delivered": 4,
        "missing": 0,
        "stuck": 0,
    }
    assert re.search(r"^total +4 +4 *$", command("deliveries", "--summary").output, re.MULTILINE)


def test_a_replay_keeps_to_the_rate_of_its_endpoint(world: World, command: Command) -> None:
    endpoint = world.add_endpoint()
    complete(world, "one", "two", "three")
    quick = world.endpoints.get(endpoint)
    assert quick is not None
    world.endpoints.note(quick, replace(quick, rate=0.01))
    assert "3 sent again" in command("replay", "--endpoint", endpoint, "--since", "1h").output
    assert delayed(world) == 2
    times = sorted(row.next_attempt_at for row in world.all_deliveries() if row.endpoint_id == endpoint)
    assert [round((later - times[0]).total_seconds()) for later in times] == [0, 100, 200]


def test_what_is_too_much_for_one_replay_is_counted_and_follows_in_the_next(
    world: World, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = world.add_endpoint()
    complete(world, "one", "two", "three")
    first_time = [one.webhook_id for one in world.receiver.events()]
    monkeypatch.setattr(replay, "MAX_DELAY", 0.2)
    told = command("replay", "--endpoint", endpoint, "--since", "1h").output
    assert "2 sent again" in told
    assert "1 are left" in told
    world.drain("DeliveryQueue", "deliver")
    again = [one.webhook_id for one in world.receiver.events()][3:]
    assert sorted(again) == sorted(first_time[:2]), "the oldest first; what is due in one second, at once"
    then = told.split("--since ")[1].strip()
    assert "1 sent again" in command("replay", "--endpoint", endpoint, "--since", then).output
    world.drain("DeliveryQueue", "deliver")
    assert [one.webhook_id for one in world.receiver.events()][5:] == first_time[2:]


def test_a_test_event_is_sent_again_by_its_id_only(world: World, command: Command) -> None:
    endpoint = world.add_endpoint()
    trial = trial_event(endpoint, datetime.now(UTC))
    message = replace(DeliveryMessage.of(endpoint, trial), probe=True)
    world.apps["deliver"].deliver.queue.send([message])
    world.drain("DeliveryQueue", "deliver")
    assert "0 sent again" in command("replay", "--endpoint", endpoint, "--since", "1h").output
    assert "1 sent again" in command("replay", trial.event_id).output


def test_a_dry_run_says_that_they_would_be_held_and_changes_nothing(world: World, command: Command) -> None:
    endpoint = world.add_endpoint()
    complete(world, "one")
    command("endpoint", "pause", endpoint)
    told = command("replay", "--endpoint", endpoint, "--since", "1h", "--dry-run").output
    assert f"They will be held: the endpoint is paused ({endpoint})" in told
    assert "1 would be sent again, 1 delivered" in told
    assert rows(command("deliveries", "--endpoint", endpoint, "--json"))[0]["status"] == "delivered"
