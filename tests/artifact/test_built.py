"""What `sam build` makes is complete and runs as it is, in an environment that has only what Lambda brings."""

import hashlib
import json
import marshal
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import Any, Final

import pytest
from standardwebhooks import Webhook

from bench.layer_size import zipped_size
from renderbell.fresh import Fresh
from tests.artifact.building import LAMBDA_BRINGS
from tests.artifact.conftest import Build
from tests.artifact.runtime import Answer, Runtime
from tests.template.stack import Stack
from tests.template.world import FAR_AHEAD, HINT_TOKEN, KEY, SECRET, TOKENS, World, called, sample, sample_event_id

MIB: Final = 1024 * 1024
UNCHECKED: Final = (1).to_bytes(4, "little")
"""The mark of bytecode by its source's hash that is taken as it is: the source is not looked at. See PEP 552."""
FUNCTIONS: Final = sorted(Stack.read().functions)
NO_FAILURES: Final[dict[str, list[str]]] = {"batchItemFailures": []}


def silent_transition() -> dict[str, Any]:
    """Return a stream record of a transition of which the world is not told."""
    event = sample("notify.json")
    event["Records"][0]["dynamodb"]["NewImage"]["rings"]["BOOL"] = False
    return event


def test_every_function_starts_with_what_the_layer_and_lambda_bring(built: Path, runtime: Runtime, no_aws: str) -> None:
    # The answer may be an error, since there is no AWS: that the event was taken at all says that all imports were found.
    kinds = {name: runtime.invoke(built, name, {"Records": []}, aws=no_aws).answers[0].kind for name in FUNCTIONS}
    assert "init/error" not in kinds.values()
    assert sorted(kinds) == FUNCTIONS


def test_a_tick_of_nothing_puts_nothing_on_the_queues(built: Path, runtime: Runtime, no_aws: str) -> None:
    run = runtime.invoke(built, "DispatchFunction", {}, aws=no_aws)
    assert run.answers == [Answer("response", {"polls": 0, "deliveries": 0})]


def test_a_transition_that_does_not_ring_is_passed_over(built: Path, runtime: Runtime, no_aws: str) -> None:
    run = runtime.invoke(built, "NotifyFunction", silent_transition(), aws=no_aws)
    assert run.answers == [Answer("response", NO_FAILURES)]


def test_a_message_about_an_account_that_was_removed_is_done_with(built: Path, runtime: Runtime, world: World) -> None:
    world.aws.parameters = {}
    run = runtime.invoke(built, "PollFunction", sample("poll.json"), aws=world.url)
    assert run.answers == [Answer("response", NO_FAILURES)]
    assert world.aws.operations == ["GetParameter"]


def test_a_message_about_a_delivery_that_others_will_wake_is_done_with(built: Path, runtime: Runtime, world: World) -> None:
    world.aws.conditions_hold = False
    run = runtime.invoke(built, "DeliverFunction", sample("deliver.json"), aws=world.url)
    assert run.answers == [Answer("response", NO_FAILURES)]
    assert sorted(world.aws.operations) == [*["GetItem"] * 3, *["UpdateItem"] * 2], "of two receivers, one an endpoint"
    assert world.delivered == []


def genuine(name: str) -> dict[str, Any]:
    """Return a sample event; in those of function URLs stands a token that is good in the world of these tests."""
    paths = {
        "hint.json": f"/heygen/marketing/{HINT_TOKEN}",
        "link.json": f"/{TOKENS.link(sample_event_id(), FAR_AHEAD)}",
    }
    if name == "api.json":
        return called("/videos", name, queryStringParameters={"status": "deleted"})  # of which this world has none
    return called(paths[name], name) if name in paths else sample(name)


@dataclass(frozen=True)
class Page:
    """Any page that holds these words."""

    words: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and all(word in other for word in self.words)

    def __hash__(self) -> int:
        return hash(self.words)


WORK: Final[Mapping[str, tuple[str, Any, set[str]]]] = {
    "dispatch-provider.json": (
        "DispatchFunction",
        {"polls": 1, "deliveries": 0},
        {"GetParametersByPath", "BatchGetItem", "SendMessageBatch"},
    ),
    "dispatch-deliveries.json": (
        "DispatchFunction",
        {"polls": 0, "deliveries": 7},
        {"Query", "Scan", "GetItem", "UpdateItem", "SendMessageBatch"},
    ),
    "audit.json": (
        "AuditFunction",
        # Its engine knows no filters: to the audit all deliveries are alerts, and overdue.
        dict.fromkeys(["pending", "delivered", "exhausted", "held", "skipped", "missing"], 0) | {"stuck": 6},
        {"GetParametersByPath", "Scan", "Query", "UpdateItem", "SendMessageBatch"},
    ),
    "poll.json": (
        "PollFunction",
        NO_FAILURES,
        {"GetParameter", "GetItem", "Query", "BatchGetItem", "UpdateItem", "SendMessageBatch"},
    ),
    "notify.json": ("NotifyFunction", NO_FAILURES, {"GetParameter", "Scan", "SendMessageBatch"}),
    "alarm.json": ("AlarmFunction", None, {"SendMessageBatch"}),
    "api.json": (
        "ApiFunction",
        {
            "statusCode": 200,
            "headers": {"Content-Type": "application/json"},
            "body": '{"videos":[],"cursor":null}',
            "isBase64Encoded": False,
            "cookies": [],
        },
        {"GetParametersByPath", "Query"},
    ),
    "hint.json": (
        "HintFunction",
        {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "looking"},
        {"GetParameter", "GetItem", "UpdateItem", "SendMessageBatch"},
    ),
    "link.json": (
        "LinkFunction",
        {
            "statusCode": 302,
            "headers": {
                "cache-control": "no-store",
                "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
                "content-type": "text/html; charset=utf-8",
                "location": "https://files.heygen.example/fresh.mp4",
                "referrer-policy": "no-referrer",
                "x-robots-tag": "noindex",
            },
            "body": "",
        },
        {"GetParameter", "BatchGetItem", "Invoke"},
    ),
    "fetch.json": (
        "FetchFunction",
        Fresh(error="not_found", message="the provider says nothing of it by its id").fields(),
        {"GetParameter"},
    ),
    "widget.json": (
        "WidgetFunction",
        Page(("rb-dark", "In flight", "heygen/marketing", "hook/500", "function:test")),
        {"GetParametersByPath", "BatchGetItem", "Query", "Scan"},
    ),
    "deliver.json": ("DeliverFunction", NO_FAILURES, {"UpdateItem", "GetItem", "GetParameter", "Publish"}),
}
"""For each sample event: whose it is, the answer, and what AWS is asked on the way."""

SOMETIMES: Final[Mapping[str, set[str]]] = {"dispatch-deliveries.json": {"GetParametersByPath", "BatchGetItem"}}
"""What it is asked at one tick in five besides: vitals are counted by the clock on the wall."""


@pytest.mark.parametrize("name", sorted(WORK))
def test_the_built_function_does_its_work_cold_and_warm(built: Path, runtime: Runtime, world: World, name: str) -> None:
    """Modules that are imported only when they are needed are missed only here: the connection of a webhook, for one."""
    function, answer, operations = WORK[name]
    event = genuine(name)
    run = runtime.invoke(built, function, event, event, aws=world.url, ALLOW_LOCAL_ENDPOINTS="true")
    assert run.answers == [Answer("response", answer)] * 2
    assert set(world.aws.operations) - SOMETIMES.get(name, set()) == operations
    assert KEY not in run.log
    assert SECRET not in run.log


def test_every_function_has_work_to_show() -> None:
    assert sorted({function for function, _, _ in WORK.values()}) == FUNCTIONS


def test_a_built_poll_looks_at_the_provider(built: Path, runtime: Runtime, world: World) -> None:
    runtime.invoke(built, "PollFunction", sample("poll.json"), aws=world.url)
    assert [target.partition("?")[0] for target in world.asked] == ["/v3/videos"]


def test_a_built_deliver_posts_what_its_receiver_can_verify(built: Path, runtime: Runtime, world: World) -> None:
    runtime.invoke(built, "DeliverFunction", sample("deliver.json"), aws=world.url, ALLOW_LOCAL_ENDPOINTS="true")
    [got] = world.delivered
    assert Webhook(SECRET).verify(got.body, dict(got.headers)) == json.loads(got.body)
    assert got.headers["webhook-id"] == sample_event_id()


def test_a_built_deliver_refuses_this_machine_unless_it_is_told_otherwise(built: Path, runtime: Runtime, world: World) -> None:
    run = runtime.invoke(built, "DeliverFunction", sample("deliver.json"), aws=world.url)
    assert run.answers == [Answer("response", NO_FAILURES)]
    assert world.delivered == []


def test_what_a_function_cannot_do_without_aws_it_reports_and_lives_on(built: Path, runtime: Runtime, no_aws: str) -> None:
    failed, well = runtime.invoke(built, "DispatchFunction", {"provider": "heygen"}, {}, aws=no_aws).answers
    assert (failed.kind, failed.body["errorType"]) == ("error", "EndpointConnectionError")
    assert well == Answer("response", {"polls": 0, "deliveries": 0})


def without(layer: Path, package: str, folder: Path) -> Path:
    """Return a copy of the layer that lacks one package."""
    return shutil.copytree(layer, folder / "layer", ignore=shutil.ignore_patterns(package, f"{package}-*"))


@pytest.mark.parametrize(("package", "function"), [("httpx", "PollFunction"), ("pynamodb", "NotifyFunction")])
def test_a_package_that_is_missing_from_the_layer_is_noticed(
    built: Path, layer: Path, runtime: Runtime, no_aws: str, tmp_path: Path, package: str, function: str
) -> None:
    [answer] = runtime.invoke(built, function, {}, aws=no_aws, layer=without(layer, package, tmp_path)).answers
    assert (answer.kind, answer.body["errorType"]) == ("init/error", "Runtime.ImportModuleError")
    assert package in answer.body["errorMessage"]


def test_a_missing_package_that_is_imported_only_for_the_work_is_noticed(
    built: Path, layer: Path, runtime: Runtime, world: World, tmp_path: Path
) -> None:
    lacking = without(layer, "anyio", tmp_path)
    event = sample("deliver.json")
    run = runtime.invoke(built, "DeliverFunction", event, aws=world.url, layer=lacking, ALLOW_LOCAL_ENDPOINTS="true")
    assert "could not prepare" in run.log
    assert world.delivered == []


def test_a_variable_that_is_missing_is_noticed(built: Path, runtime: Runtime, no_aws: str) -> None:
    [answer] = runtime.invoke(built, "PollFunction", {}, aws=no_aws, VIDEOS_TABLE="").answers
    assert (answer.kind, answer.body["errorType"]) == ("init/error", "BadInputError")
    assert "VIDEOS_TABLE" in answer.body["errorMessage"]


def test_a_function_holds_nothing_but_its_own_file(built: Path) -> None:
    files = {name: sorted(path.name for path in (built / name).rglob("*")) for name in FUNCTIONS}
    assert files == {name: ["app.py"] for name in FUNCTIONS}


def test_the_layer_holds_nothing_that_lambda_brings(layer: Path) -> None:
    held = {path.name.partition("-")[0].lower().replace("_", "-") for path in (layer / "python").iterdir()}
    assert held & {*LAMBDA_BRINGS, "dateutil"} == set()
    assert "renderbell" in held


def test_the_layer_holds_no_machine_code_so_that_it_serves_every_processor(layer: Path) -> None:
    compiled = {".so", ".pyd", ".dylib", ".a", ".o"}
    assert [path for path in layer.rglob("*") if compiled & set(path.suffixes)] == []
    tags = [line for path in layer.rglob("WHEEL") for line in path.read_text(encoding="utf-8").splitlines() if "Tag:" in line]
    assert tags
    assert [tag for tag in tags if not tag.endswith("-none-any")] == []


@pytest.mark.parametrize("name", ["CoreLayer", "ApiLayer"])
def test_a_layer_holds_bytecode_of_all_its_modules_as_lambda_will_find_them(built: Path, name: str) -> None:
    """Bytecode is for Python's version, not for a processor. Lambda cannot write it and would compile at each cold start."""
    folder = built / name / "python"
    sources = sorted(folder.rglob("*.py"))
    assert sorted(folder.rglob("*.pyc")) == sorted(Path(cache_from_source(path)) for path in sources)
    for source in sources:
        bytecode = Path(cache_from_source(source)).read_bytes()
        assert bytecode[:8] == MAGIC_NUMBER + UNCHECKED
        code = marshal.loads(bytecode[16:])  # noqa: S302 - what this test has just built
        assert code.co_filename == f"/opt/python/{source.relative_to(folder).as_posix()}"
        assert str(built).encode() not in bytecode


def test_the_layer_is_small(layer: Path) -> None:
    assert zipped_size(layer) <= 3 * MIB


HEAVY: Final[Mapping[str, set[str]]] = {
    "AlarmFunction": set(),
    "ApiFunction": {"aws_lambda_powertools.utilities.data_classes", "asyncio", "pydantic", "pynamodb"},
    "AuditFunction": {"pynamodb"},
    "DeliverFunction": {"asyncio", "httpcore", "pynamodb"},
    "DispatchFunction": {"pynamodb"},
    "FetchFunction": {"httpcore", "httpx"},
    "HintFunction": {"pynamodb"},
    "LinkFunction": {"pynamodb"},
    "NotifyFunction": {"pynamodb"},
    "PollFunction": {"httpcore", "httpx", "pynamodb"},
    "WidgetFunction": {"pynamodb"},
}
"""What takes 15 ms or more to import, by who needs it. It is easily brought in by an import somewhere for a name."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_nothing_heavy_that_it_does_not_need(
    built: Path, runtime: Runtime, no_aws: str, function: str
) -> None:
    heavy = {*set[str]().union(*HEAVY.values()), "aws_xray_sdk", "rich", "typer"}
    assert runtime.loaded(built, function, no_aws) & heavy == HEAVY[function]


def test_the_layer_is_the_same_byte_for_byte_on_both_processors(build: Build) -> None:
    arm64, x86_64 = digests(build("arm64") / "CoreLayer"), digests(build("x86_64") / "CoreLayer")
    assert arm64
    assert arm64 == x86_64


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
