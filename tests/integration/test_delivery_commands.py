"""`renderbell endpoint`, `deliveries` and `replay` over the real engine: what a person types, and what they see."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from renderbell.alerts import alert_body
from renderbell.errors import BadInputError
from renderbell.queues import DeliveryMessage
from renderbell.store.tables import EndpointRow, opened
from renderbell_cli.main import app
from renderbell_cli.receiver import Answer
from tests.integration.world import World, video

type Command = Callable[..., Result]
ADD = ("endpoint", "add", "--allow-http", "--json")


@pytest.fixture
def command(local_stack: None) -> Command:
    del local_stack
    return lambda *words: CliRunner().invoke(app, ["--local", *words])


def added(world: World, command: Command, *words: str, path: str = "/hook") -> str:
    result = command(*ADD, f"{world.receiver.url}{path}", *words)
    assert result.exit_code == 0, result.output + str(result.exception)
    told = json.loads(result.stdout)
    if "secret" in told:
        world.secrets[path] = told["secret"]
    found = world.endpoints.get(told["id"])
    assert found is not None
    world.endpoints.note(found, replace(found, gap=0.0))
    return str(told["id"])


def complete(world: World, *names: str) -> None:
    account = world.add_account(f"tavus/{names[0]}", first_look_done=True)
    world.library(account).add(*(video(name, born=time.time() - 5) for name in names))
    world.poll(account)
    world.flow()


def rows(result: Result) -> Sequence[dict[str, Any]]:
    assert result.exit_code == 0, result.output + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def pumping(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the delivery queue work while a command waits."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")  # they go to stdout, in the midst of what the command prints
    over = threading.Event()

    def pump() -> None:
        while not over.is_set():
            world.drain("DeliveryQueue", "deliver")
            time.sleep(0.1)

    thread = threading.Thread(target=pump)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["https://10.0.0.1/hook"], "not a public address"),
        (["https://user:pass@team.example/"], "no user name or password"),
        (["https://2130706433/"], "odd spelling"),
        (["ftp://team.example/"], "begins with https://"),
        (["http://127.0.0.1:1/", "--header", "Host: inside"], "not yours to set"),
        (["http://127.0.0.1:1/", "--header", "no colon"], "is not a header"),
        # It could be kept as it is, and no longer when its secret is rotated.
        (["http://127.0.0.1:1/", "--header", f"A: {'a' * 1950}", "--header", f"B: {'b' * 1950}"], "may take 4096 characters"),
        (["http://127.0.0.1:1/", "--format", "teams"], "no format 'teams'"),
        (["http://127.0.0.1:1/", "--events", "video.started"], "no event 'video.started'"),
        (["http://127.0.0.1:1/", "--provider", "sora"], "no provider 'sora'"),
    ],
)
def test_what_could_not_work_is_refused_with_the_reason_and_nothing_is_kept(
    world: World, command: Command, words: list[str], reason: str
) -> None:
    result = command(*ADD, *words)
    assert isinstance(result.exception, BadInputError)
    assert reason in str(result.exception)
    assert world.endpoints.all() == []


def test_http_has_to_be_asked_for(command: Command) -> None:
    assert "--allow-http" in str(command("endpoint", "add", "http://127.0.0.1:1/").exception)


@pytest.mark.parametrize("verb", ["show", "pause", "resume", "remove", "rotate", "test"])
def test_an_unknown_endpoint_is_named_and_where_to_find_the_others(command: Command, verb: str) -> None:
    assert "`renderbell endpoint list`" in str(command("endpoint", verb, "ep_nobody").exception)


def test_what_is_secret_of_an_endpoint_is_shown_once_and_stands_in_no_table(world: World, command: Command) -> None:
    endpoint = added(world, command, "--header", "Authorization: Bearer sesame")
    shown = command("endpoint", "show", endpoint).output + command("endpoint", "list", "--json").output
    table = str([row.attribute_values for row in opened(EndpointRow, world.names["EndpointsTable"]).scan()])
    for secret in (world.secrets["/hook"], "sesame"):
        assert secret not in shown + table
    assert "Authorization" in shown


def test_the_address_of_a_chat_is_kept_like_a_secret_and_is_posted_to_unsigned(world: World, command: Command) -> None:
    endpoint = added(world, command, "--format", "slack", path="/services/T0/B0/password")
    table = str([row.attribute_values for row in opened(EndpointRow, world.names["EndpointsTable"]).scan()])
    assert "password" not in table + command("endpoint", "show", endpoint).output
    complete(world, "v")
    (row,) = (one for one in world.all_deliveries() if one.endpoint_id == endpoint)
    assert row.attempts[0]["http_status"] == 401, "our receiver refuses what is not signed: it was called"


def test_after_a_rotation_both_secrets_sign_and_the_new_one_is_shown_once(world: World, command: Command) -> None:
    endpoint = added(world, command)
    (told,) = rows(command("endpoint", "rotate", endpoint, "--json"))
    private = world.parameters.endpoint_private(endpoint)
    assert private is not None
    assert private.secrets.current == told["secret"]
    complete(world, "v")
    assert len(world.receiver.events()) == 1, "the receiver has the old secret still"
    (shown,) = rows(command("endpoint", "show", endpoint, "--json"))
    assert len(shown["old_secrets_sign_until"]) == 1
    assert told["secret"] not in str(shown)


def test_a_paused_endpoint_holds_its_events_until_it_is_resumed(world: World, command: Command) -> None:
    endpoint = added(world, command)
    assert command("endpoint", "pause", endpoint).exit_code == 0
    complete(world, "one", "two")
    (shown,) = rows(command("endpoint", "show", endpoint, "--json"))
    assert (shown["state"], shown["holds_events"], shown["deliveries"]) == ("paused", True, {"held": 2})
    assert command("endpoint", "resume", endpoint).exit_code == 0
    world.tick_deliveries()
    assert len(world.receiver.events()) == 2


@pytest.mark.usefixtures("pumping")
def test_a_test_event_is_sent_at_once_and_its_answer_is_shown(world: World, command: Command) -> None:
    endpoint = added(world, command)
    assert command("endpoint", "pause", endpoint).exit_code == 0
    (told,) = rows(command("endpoint", "test", endpoint, "--json"))
    assert (told["delivered"], told["http_status"]) == (True, 200)
    world.receiver.answers.add("/hook", Answer(status=500, body=b"out of order"))
    failed = command("endpoint", "test", endpoint)
    assert failed.exit_code == 1
    assert "It does not get through: answered 500" in failed.output
    assert "out of order" in failed.output


def test_deliveries_are_listed_filtered_and_shown_with_every_attempt(world: World, command: Command) -> None:
    assert "No delivery that fits" in command("deliveries").output
    endpoint = added(world, command)
    world.receiver.answers.add("/hook", Answer(status=500, body=b"out of order"))
    complete(world, "one", "two")
    everything = rows(command("deliveries", "--json"))
    assert {(row["endpoint"], row["status"]) for row in everything} == {
        ("topic", "delivered"),
        (endpoint, "delivered"),
        (endpoint, "pending"),
    }
    (pending,) = rows(command("deliveries", "--endpoint", endpoint, "--status", "pending", "--json"))
    assert pending["attempts"][0]["answer"] == "out of order"
    assert rows(command("deliveries", "--since", "2099-01-01T00:00:00Z", "--json")) == []
    assert len(rows(command("deliveries", "--limit", "1", "--json"))) == 1
    shown = command("deliveries", pending["event_id"]).output
    assert "500" in shown
    assert "out of order" in shown
    assert "STATUS" in command("deliveries").output
    assert "is no time" in str(command("deliveries", "--since", "yesterday").exception)


def test_a_delivery_says_which_video_it_is_about(world: World, command: Command) -> None:
    account = world.add_account("tavus/main", first_look_done=True)
    world.library(account).add(
        *(replace(video(name, born=time.time() - 5), title=title) for name, title in (("named", "Spring"), ("bare", "")))
    )
    world.poll(account)
    world.flow()
    told = {row["video_id"]: row for row in rows(command("deliveries", "--json"))}
    assert {(row["provider"], row["account"], row["title"]) for row in told.values()} == {
        ("tavus", "main", "Spring"),
        ("tavus", "main", None),
    }
    listed = command("deliveries").stdout
    assert "Spring" in listed
    assert "tavus/main bare" in listed
    heads = [command("deliveries", told[name]["event_id"]).stdout.splitlines()[0] for name in ("named", "bare")]
    assert heads == ["tavus/main named  Spring", "tavus/main bare"], "as `video show` takes it"


def test_an_alert_to_operators_is_about_an_account_or_about_no_video_at_all(world: World, command: Command) -> None:
    now = datetime.now(UTC)
    bodies = {
        "alert_1": alert_body("provider.auth", now, provider="tavus", account="main", summary="The key is refused"),
        "alert_2": alert_body("stack.alarm", now, stack="renderbell", summary="An alarm"),
    }
    for event_id, body in bodies.items():
        message = DeliveryMessage(endpoint_id="operators", event_id=event_id, event_type="alert", body=body)
        assert world.deliveries.put_off(message, now, now)
    told = {row["event_id"]: row for row in rows(command("deliveries", "--json"))}
    assert (told["alert_1"]["account"], told["alert_1"]["video_id"]) == ("main", None)
    assert (told["alert_2"]["account"], told["alert_2"]["video_id"]) == (None, None)
    listed = command("deliveries").stdout
    assert "tavus/main" in listed
    assert listed.count("why: is being attempted, or waits for its turn") == 2
    first = command("deliveries", "alert_2").stdout.splitlines()[0]
    assert first == "alert to operators: pending. Is being attempted, or waits for its turn"


def test_a_list_that_is_cut_says_so_to_people_and_beside_json(world: World, command: Command) -> None:
    complete(world, "one", "two", "three")
    for name in ("deliveries", "videos"):
        for more in ([], ["--json"]):
            assert command(name, "--limit", "2", *more).stderr == "2 shown, there are more: --limit 20\n"
            assert command(name, "--limit", "3", *more).stderr == ""
    assert len(rows(command("deliveries", "--limit", "2", "--json"))) == 2


def test_an_endpoint_is_listed_with_its_description_and_its_pause_is_blamed_on_nothing(world: World, command: Command) -> None:
    endpoint = added(world, command, "--description", "our CMS")
    world.receiver.answers.add("/hook", Answer(status=503))
    complete(world, "one")
    assert "why: answered 503" in command("endpoint", "list").stdout
    command("endpoint", "pause", endpoint)
    listed, shown = command("endpoint", "list").stdout, command("endpoint", "show", endpoint).stdout
    assert "our CMS" in listed
    assert "last failure: answered 503" in listed
    assert "why" not in listed + shown
    assert "answered 503" in shown


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_who_removes_an_endpoint_hears_what_becomes_of_its_deliveries(
    world: World, command: Command, names: Sequence[str]
) -> None:
    paused, failing = added(world, command), added(world, command, path="/other")
    command("endpoint", "pause", paused)
    world.receiver.answers.add("/other", *[Answer(status=503)] * 2)
    complete(world, *names)
    words = "1 delivery" if len(names) == 1 else "2 deliveries"
    assert command("endpoint", "remove", failing).stderr.splitlines()[1:] == [f"{words} on the way to it: skipped when due."]
    assert command("endpoint", "remove", paused).stderr.splitlines()[1:] == [f"{words} held for it: skipped within minutes."]
    quiet = added(world, command, path="/quiet")
    assert command("endpoint", "remove", quiet).stderr == f"{quiet} is removed.\n"


def test_what_went_to_an_endpoint_that_was_removed_is_still_shown_and_never_sent_again(world: World, command: Command) -> None:
    endpoint = added(world, command)
    command("endpoint", "pause", endpoint)
    complete(world, "one")
    command("endpoint", "remove", endpoint)
    world.tick_deliveries()
    [skipped] = rows(command("deliveries", "--status", "skipped", "--json"))
    assert (skipped["endpoint"], skipped["reason"]) == (endpoint, "the endpoint was removed")
    assert rows(command("deliveries", "--endpoint", endpoint, "--json")) == [skipped]
    assert f"to {endpoint}: skipped. The endpoint was removed" in command("deliveries", skipped["event_id"]).stdout
    *counts, _ = rows(command("deliveries", "--summary", "--json"))
    assert {row["endpoint"]: row.get("skipped", 0) for row in counts} == {"topic": 0, endpoint: 1}
    assert command("replay", skipped["event_id"]).stdout == "1 sent again.\n", "to the topic"
    assert f"there is no endpoint '{endpoint}'" in str(command("replay", "--endpoint", endpoint, "--since", "1h").exception)


def test_a_summary_counts_and_says_that_nothing_is_missing(world: World, command: Command) -> None:
    endpoint = added(world, command)
    complete(world, "one", "two")
    *counts, lost = rows(command("deliveries", "--summary", "--json"))
    assert {row["endpoint"]: row["delivered"] for row in counts} == {"topic": 2, endpoint: 2}
    assert (lost["missing"], lost["stuck"]) == (0, 0)
    assert "0 missing, 0 stuck" in command("deliveries", "--summary").output


def test_an_event_is_sent_again_under_its_own_id_and_that_is_on_record(world: World, command: Command) -> None:
    endpoint = added(world, command)
    complete(world, "one")
    (first,) = world.receiver.events()
    assert "1 sent again" in command("replay", first.webhook_id, "--endpoint", endpoint).output
    world.drain("DeliveryQueue", "deliver")
    again = world.receiver.events()[1]
    assert (again.webhook_id, again.body) == (first.webhook_id, first.body)
    assert "replayed" in command("deliveries", first.webhook_id).output
    assert len(world.rings()) == 1, "nobody else hears it again"


def test_everything_of_an_endpoint_since_a_time_is_counted_first_and_sent_again(world: World, command: Command) -> None:
    endpoint = added(world, command)
    complete(world, "one", "two", "three")
    words = ("replay", "--endpoint", endpoint, "--since", "1h")
    assert "3 would be sent again, 3 delivered" in command(*words, "--dry-run").output
    assert "0 would be sent again" in command(*words, "--status", "exhausted", "--dry-run").output
    assert len(world.receiver.events()) == 3
    assert "3 sent again" in command(*words).output
    assert "On their way already, and left alone: 3." in command(*words).output
    world.drain("DeliveryQueue", "deliver")
    assert len(world.receiver.events()) == 6
    assert "say what to send again" in str(command("replay", "--endpoint", endpoint).exception)


def test_a_replay_to_a_resting_endpoint_says_that_it_will_be_held(world: World, command: Command) -> None:
    endpoint = added(world, command)
    complete(world, "one")
    command("endpoint", "pause", endpoint)
    assert "They will be held: the endpoint is paused" in command("replay", "--endpoint", endpoint, "--since", "1h").output
