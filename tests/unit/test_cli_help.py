"""`--help` of every command: it is there, it fits, and it explains each word that may be typed."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from renderbell.account import OPTIONS
from renderbell_cli.main import app


def commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *words, name)


EVERY = list(commands(typer.main.get_command(app)))
SENTENCE = re.compile(r"^[A-Z`0-9].*[.?\])]$", re.DOTALL)


def named(words: tuple[str, ...]) -> str:
    return " ".join(words) or "renderbell"


@pytest.mark.parametrize("words", [words for words, _ in EVERY], ids=named)
def test_help_fits_a_terminal_of_80_columns(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(("words", "command"), EVERY, ids=lambda given: named(given) if isinstance(given, tuple) else "")
def test_help_explains_the_command_and_every_word_of_it(words: tuple[str, ...], command: Any) -> None:
    assert re.match(r"[A-Z]", command.help or ""), words
    unexplained = [one.name for one in command.params if not SENTENCE.match(one.help or "")]
    assert unexplained == []


@pytest.mark.parametrize("words", [words for words, _ in EVERY], ids=named)
def test_help_names_what_an_option_takes_in_words_and_not_by_the_types_of_python(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).stdout
    assert not re.search(r"<(bool|str|int|float|path|list|[a-z]+\|)", shown)


def test_help_tells_every_status_whole_and_which_stack_is_the_default() -> None:
    shown = " ".join(CliRunner().invoke(app, ["videos", "--help"]).stdout.replace("│", " ").split())
    assert re.search(r"queued, generating,\W+completed, failed, deleted, unknown", shown)
    assert re.search(r"\[default:\W+renderbell\]", shown)


def test_a_wrong_word_is_answered_without_the_words_of_a_library() -> None:
    told = CliRunner().invoke(app, ["videos", "--status", "bogus"]).stderr
    assert "'bogus' is not one of" in told
    assert "Value error" not in told


def test_every_command_that_reads_a_stack_can_speak_to_the_local_one() -> None:
    without = {"account", "endpoint", "video", "normalize", "check", "local"}
    local = {named(words) for words, command in EVERY if not any("--local" in one.opts for one in command.params)}
    assert local == without


def test_help_tells_the_exit_codes() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).stdout
    assert "Exit codes: 0 done, 1 it did not work, 2 asked for wrongly, 130 interrupted." in shown


def test_the_version_is_told() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"renderbell {version('renderbell')}\n")


@pytest.mark.parametrize("words", ["account set", "check", "normalize"])
def test_help_explains_each_option_of_an_account(words: str) -> None:
    done = CliRunner().invoke(app, [*words.split(), "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    lines = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
    wanted = [f"{name} {option.sentence}" for name, option in OPTIONS.items()]
    assert [line for line in wanted if line not in lines] == []


def test_help_explains_the_options_of_an_account_where_they_are_asked_for_only() -> None:
    assert "hot_interval" not in CliRunner().invoke(app, ["account", "poll", "--help"]).stdout


def test_shells_can_be_taught_to_complete() -> None:
    names = {name for one in EVERY[0][1].params for name in one.opts}
    assert {"--install-completion", "--show-completion"} <= names
