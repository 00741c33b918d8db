"""The `renderbell` command against a stack: what people and programs see."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from renderbell_cli.main import app
from tests.integration.world import World, video

type Command = Callable[..., Result]


@pytest.fixture
def command(local_stack: None) -> Command:
    """Run the command against this world's tables."""
    del local_stack

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    return run


def test_an_account_is_set_listed_watched_and_removed(world: World, command: Command) -> None:
    world.libraries["tavus", "secret-key"] = world.library(world.add_account("tavus/other", video("v")))
    done = command("account", "set", "tavus/main", "--base-url", world.simulator.url, "--local", given="secret-key\n")
    assert done.exit_code == 0, done.output
    assert "secret-key" not in done.output
    world.tick("tavus")
    listed = command("--local", "account", "list", "--json")
    rows = {row["account"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert rows["tavus/main"]["health"] == "ok"
    assert "secret-key" not in listed.output
    videos = command("videos", "--local", "--json", "--provider", "tavus", "--status", "completed")
    assert {row["video_id"] for row in map(json.loads, videos.stdout.splitlines())} == {"v"}
    assert command("account", "remove", "tavus/main", "--local").exit_code == 0
    assert command("account", "remove", "tavus/main", "--local").exit_code == 1


def test_an_endpoint_is_added_with_its_secret_shown_once_and_removed(world: World, command: Command) -> None:
    added = json.loads(command("endpoint", "add", "http://127.0.0.1:9/hook", "--allow-http", "--json", "--local").stdout)
    assert added["secret"].startswith("whsec_")
    private = world.parameters.endpoint_private(added["id"])
    assert private is not None
    assert private.secrets.current == added["secret"]
    listed = command("endpoint", "list", "--json", "--local").stdout
    assert json.loads(listed)["id"] == added["id"]
    assert "whsec_" not in listed
    assert added["id"] in command("endpoint", "list", "--local").stdout
    assert command("endpoint", "remove", added["id"], "--local").exit_code == 0
    assert world.endpoints.all() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("endpoint", "add", "http://example.com/", "--local"), "https://"),
        (("endpoint", "add", "https://10.0.0.1/", "--local"), "not a public address"),
        (("endpoint", "add", "https://e.example/", "--events", "video.done", "--local"), "video.done"),
        (("endpoint", "add", "https://e.example/", "--provider", "sora", "--local"), "sora"),
        (("endpoint", "remove", "ep_none", "--local"), "ep_none"),
        (("account", "set", "sora/main", "--local"), "sora"),
        (("account", "set", "tavus/main", "--option", "colour=red", "--local"), "colour"),
        (("account", "set", "tavus/main", "--base-url", "http://example.com", "--local"), "https://"),
        (("account", "set", "a b/c", "--local"), "not an account"),
        (("videos", "--provider", "sora", "--local"), "sora"),
    ],
)
def test_a_wrong_word_is_answered_with_what_to_do_and_changes_nothing(
    world: World, command: Command, arguments: tuple[str, ...], words: str
) -> None:
    done = command(*arguments, given="key\n")
    assert done.exit_code != 0
    assert words in str(done.exception)
    assert world.endpoints.all() == []
    assert list(world.parameters.account_names()) == []


def test_empty_lists_say_how_to_begin(world: World, command: Command) -> None:
    assert world.endpoints.all() == []
    assert "renderbell --local account set" in command("account", "list", "--local").output
    assert "renderbell --local endpoint add" in command("endpoint", "list", "--local").output
    assert "`renderbell --local account list`" in command("videos", "--local").output
