"""What the command says when AWS does not do as asked: in words, with what to do, and never with a traceback."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions as aws
import pytest
from botocore.client import BaseClient
from pynamodb.exceptions import GetError, QueryError, TableDoesNotExist

from renderbell.errors import AuthError, BadInputError, NotOnRecordError, RenderbellError
from renderbell_cli import main as command
from renderbell_cli.stack import STATE_VARIABLE, Stack, client, outputs_of
from renderbell_cli.trouble import cause_of, words_of

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/renderbell-Videos"
DENIED = (
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: dynamodb:Query on resource: "
    f"{ARN} because no identity-based policy allows the dynamodb:Query action"
)


def refusal(code: str, message: str = "", operation: str = "Query") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run the whole command; return its exit code and what it says on stderr."""

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["renderbell", *words])
        with pytest.raises(SystemExit) as stopped:
            command.main()
        told = capsys.readouterr()
        assert told.out == ""
        assert "Traceback" not in told.err
        return int(str(stopped.value.code)), told.err

    return run


@pytest.fixture
def in_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with credentials and a region; nothing leaves it."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember another test's credentials
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_PROFILE", "RENDERBELL_STACK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        STATE_VARIABLE: str(tmp_path / "local.json"),
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def answering(in_aws: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let every call to AWS fail with an error."""
    del in_aws

    def fail_with(error: Exception) -> None:
        def call(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    return fail_with


@pytest.mark.usefixtures("in_aws")
def test_without_credentials_it_says_how_to_get_some(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    code, words = said("videos")
    assert code == 1
    assert "`aws configure`" in words
    assert "--local" in words


@pytest.mark.usefixtures("in_aws")
def test_without_a_region_it_says_how_to_choose_one(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    code, words = said("videos")
    assert (code, "AWS_REGION" in words, "`aws configure`" in words) == (1, True, True)


@pytest.mark.parametrize(("named", "region"), [({}, "eu-x-1"), ({"AWS_DEFAULT_REGION": "eu-x-2"}, "eu-x-2")])
def test_a_region_is_chosen_by_either_name_that_aws_knows(
    said: Callable[..., tuple[int, str]], in_aws: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], region: str
) -> None:
    del in_aws
    asked: list[str] = []

    def call(client: Any, *_: Any, **__: Any) -> None:
        asked.append(client.meta.region_name)
        raise refusal("Odd")

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    for name, value in {"AWS_REGION": "eu-x-1", **named}.items():
        monkeypatch.setenv(name, value)
    said("videos")
    assert asked == [region]


@pytest.mark.usefixtures("in_aws")
def test_what_does_not_answer_is_given_up_while_a_person_is_still_there() -> None:
    stack = Stack(name="test", outputs={"VideosTable": "videos"}, is_local=False)
    tables = stack.videos._row._get_connection().connection.client
    for asking in (client("ssm"), client("cloudformation"), tables):
        config: Any = asking.meta.config
        assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (5, 15, 2)


def test_a_local_stack_that_was_killed_is_not_spoken_to(said: Callable[..., tuple[int, str]], in_aws: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    (in_aws / "local.json").write_text(json.dumps({"pid": gone.pid}))
    code, words = said("--local", "videos")
    assert code == 1
    assert f"(pid {gone.pid}) was killed" in words
    assert "Start a new one with `make local`" in words


@pytest.mark.parametrize(
    ("words", "spelt"),
    [
        (("--local", "videos", "--provider", "sora"), "`renderbell --local account list`"),
        (("--stack", "mine", "videos"), "`renderbell --stack mine account list`"),
        (("videos",), "`renderbell account list`"),
    ],
)
@pytest.mark.usefixtures("in_aws")
def test_a_command_in_an_error_speaks_to_the_stack_that_was_chosen(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], spelt: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotOnRecordError("there is none: `renderbell account list` shows them; `renderbell local` is another")

    monkeypatch.setattr("renderbell_cli.commands.videos.check_provider", fail)
    monkeypatch.setattr(Stack, "open", fail)
    assert f"{spelt} shows them; `renderbell local` is another" in said(*words)[1]


def test_a_stack_that_is_not_there_is_named(
    said: Callable[..., tuple[int, str]], answering: Callable[[Exception], None]
) -> None:
    answering(refusal("ValidationError", "Stack with id none does not exist", "DescribeStacks"))
    code, words = said("videos", "--stack", "none")
    assert code == 1
    assert "no stack 'none'" in words
    assert "make deploy" in words


@pytest.mark.usefixtures("in_aws")
def test_without_a_local_stack_it_says_how_to_start_one(said: Callable[..., tuple[int, str]]) -> None:
    code, words = said("--local", "account", "list")
    assert (code, "make local" in words) == (1, True)


def test_access_denied_names_the_permission_that_is_missing(
    said: Callable[..., tuple[int, str]], answering: Callable[[Exception], None]
) -> None:
    action = DENIED.replace("dynamodb:Query", "cloudformation:DescribeStacks")
    answering(refusal("AccessDenied", action, "DescribeStacks"))
    code, words = said("videos")
    assert code == 1
    assert "lack the permission cloudformation:DescribeStacks" in words
    assert "AWS_PROFILE" in words


@pytest.mark.parametrize("words", [("endpoint", "list"), ("stats",), ("video", "show", "tavus/main", "v")], ids=" ".join)
def test_an_engine_that_is_gone_is_asked_after(
    said: Callable[..., tuple[int, str]], in_aws: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    outputs = {"EndpointsTable": "endpoints", "ParametersPrefix": "/renderbell/test", "VideosTable": "videos"}
    state = {"endpoint_url": "http://127.0.0.1:9", "region": "us-east-1", "stack": "test", "outputs": outputs}
    (in_aws / "local.json").write_text(json.dumps(state))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "to be undone")
    monkeypatch.setenv("AWS_REGION", "to be undone")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    code, told = said("--local", *words)
    assert code == 1
    assert "http://127.0.0.1:9/" in told
    assert "Is `renderbell local` still running?" in told


@pytest.mark.parametrize(
    ("page", "code", "words"),
    [
        (b'{"data": [], "total_count": 0}', 0, "0 videos on this page\n"),
        (b" \n", 2, "renderbell: stdin is empty: `renderbell normalize tavus < page.json` reads a saved page\n"),
    ],
)
def test_a_page_with_nothing_on_it_is_told_from_no_page(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, page: bytes, code: int, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(page)))
    assert said("normalize", "tavus") == (code, words)


@pytest.mark.parametrize("videos", [1, 3000])
@pytest.mark.parametrize("words", [("normalize", "tavus"), ("--help",), ("--version",)], ids=" ".join)
def test_a_reader_that_goes_away_ends_it_quietly(words: tuple[str, ...], videos: int, tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"data": [{"video_id": f"v{number}", "status": "ready"} for number in range(videos)]}))
    reading, writing = os.pipe()
    os.close(reading)
    with page.open() as given, os.fdopen(writing, "w") as out:
        run = [sys.executable, "-m", "renderbell_cli", *words]
        done = subprocess.run(run, stdin=given, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (BadInputError("say what: [/red] :bomb:\x1b[2J"), 2, "renderbell: say what: [/red] :bomb: [2J\n"),
        (NotOnRecordError("there is none"), 2, "renderbell: there is none\n"),
        (RenderbellError("it broke"), 1, "renderbell: it broke\n"),
        (AuthError("bad key"), 1, "auth: bad key\n"),
        (QueryError("Failed to query", refusal("ThrottlingException")), 1, "renderbell: AWS asks for patience"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, BaseException) else "",
)
def test_the_exit_code_says_whose_turn_it_is(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(command, "app", fail)
    stopped, told = said()
    assert stopped == code
    assert told.startswith(words)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("AccessDeniedException", DENIED), f"lack the permission dynamodb:Query on {ARN} (because no identity"),
        (refusal("AccessDenied", "no", "GetItem"), "AWS denied GetItem: no"),
        (refusal("AccessDenied"), "it does not say why"),
        (refusal("ExpiredTokenException", "The security token is expired"), "have expired (ExpiredTokenException)"),
        (refusal("UnrecognizedClientException"), "`aws sts get-caller-identity`"),
        (refusal("ResourceNotFoundException"), "`make deploy`"),
        (refusal("AWS.SimpleQueueService.NonExistentQueue"), "`make deploy`"),
        (TableDoesNotExist("videos"), "`make deploy`"),
        (refusal("ProvisionedThroughputExceededException"), "try again in a minute"),
        (refusal("Odd", "quite odd"), "AWS refused: An error occurred (Odd)"),
        (aws.UnauthorizedSSOTokenError(), "`aws sso login`"),
        (aws.TokenRetrievalError(provider="sso", error_msg="expired"), "`aws sso login`"),
        (aws.EndpointConnectionError(endpoint_url="https://dynamodb.eu-x-1.amazonaws.com/"), "the region right?"),
        (aws.ReadTimeoutError(endpoint_url="https://dynamodb"), "AWS does not answer"),
        (aws.ConnectTimeoutError(endpoint_url="https://dynamodb"), "AWS does not answer"),
        (aws.ReadTimeoutError(endpoint_url="http://127.0.0.1:4566/"), "Is `renderbell local` still running?"),
        (
            aws.EndpointConnectionError(endpoint_url="https://dynamodb.eu-x-1.amazonaws.com/"),
            "AWS does not answer: https://dyn",
        ),
        (aws.ProfileNotFound(profile="work"), "(work) could not be found: `aws configure list-profiles`"),
        (aws.InvalidRegionError(region_name="eu central"), "Set AWS_REGION to one such as eu-central-1"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: GetError("Failed", error)])
def test_trouble_is_told_with_what_to_do_however_it_is_wrapped(
    error: Exception, words: str, wrap: Callable[[Exception], Exception]
) -> None:
    assert cause_of(wrap(error)) is error
    assert words in words_of(wrap(error))


@pytest.mark.parametrize(
    "words", [("--stack", "mine", "--local", "videos"), ("videos", "--local", "--stack", "mine")], ids=" ".join
)
def test_a_local_stack_has_no_other_name(said: Callable[..., tuple[int, str]], words: tuple[str, ...]) -> None:
    code, told = said(*words)
    assert (code, "leave --stack out" in told) == (2, True)


def test_a_name_in_the_environment_does_not_keep_anybody_from_the_local_stack(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RENDERBELL_STACK", "mine")
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "none.json"))
    code, told = said("videos", "--local")
    assert (code, "renderbell local" in told) == (1, True)


def test_a_wrapping_with_nothing_in_it_is_the_cause_itself() -> None:
    assert words_of(GetError("Failed to get item")) == "Failed to get item"


def test_another_error_of_cloudformation_is_not_taken_for_a_missing_stack(answering: Callable[[Exception], None]) -> None:
    answering(refusal("Throttling", "Rate exceeded", "DescribeStacks"))
    with pytest.raises(aws.ClientError, match="Rate exceeded"):
        outputs_of("renderbell")
