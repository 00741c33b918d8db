"""A stack of the first release becomes one of today's and keeps what it remembers; two stacks in one region never meet.

The local engine really updates: it changes what differs between two templates and leaves the rest alone. What it cannot show is
a stack deployed anew beside the tables of a deleted one: it gives both the same names, where AWS adds random letters.
"""

import json
import platform
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from renderbell.deliveries import DeliveryStatus
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.videos import Videos
from renderbell.video import AccountName, Status
from renderbell_cli.local.engine import REGION, _sam, _sam_environment, engine
from renderbell_cli.stack import local_environment
from tests.template.world import asked

ROOT: Final = Path(__file__).parents[2]
RELEASES: Final = Path(__file__).parent / "templates"
ACCOUNT: Final = AccountName("heygen", "marketing")
LONG_AGO: Final = datetime(2026, 11, 1, tzinfo=UTC)
MACHINE: Final = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
STATES: Final = [f"{word}State=DISABLED" for word in ("Tavus", "HeyGen", "Memories", "VideoGen", "PixVerse")]
QUIET: Final = [f"Architecture={MACHINE}", "AllowLocalEndpoints=true", *STATES]
"""Parameters of a small stack in which nothing moves: no provider is looked at."""
KEEPS_ITS_NAME: Final = {"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Logs::LogGroup"}
"""What holds data, or is known by name to others: subscribers, dashboards."""

Names = Mapping[str, tuple[str, str]]
"""Type and name of each resource."""
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    url: str
    log: Path
    built: Path

    def deploy(self, template: Path, stack: str, *more: str) -> None:
        quiet = ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--resolve-s3", "--region", REGION]
        arguments = [
            "deploy",
            "--template-file",
            str(template),
            "--stack-name",
            stack,
            *quiet,
            "--parameter-overrides",
            *QUIET,
            *more,
        ]
        _sam(ROOT, arguments, _sam_environment(ROOT, self.url), self.log)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Run a local AWS, with today's template built for this machine in a folder of its own."""
    folder = tmp_path_factory.mktemp("upgrade")
    with engine(ROOT, folder / "engine.log", favourite=0) as url, pytest.MonkeyPatch.context() as patch:
        for name, value in local_environment(url, REGION).items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        build = ["build", "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache"), "--region", REGION]
        _sam(ROOT, [*build, "--parameter-overrides", *QUIET], _sam_environment(ROOT, url), folder / "sam.log")
        yield Engine(url=url, log=folder / "sam.log", built=folder / "build" / "template.yaml")


@pytest.fixture(scope="module")
def upgraded(local: Engine) -> Mapping[str, Any]:
    """Deploy the first release, fill its tables, deploy today's template over it; tell how it stood before."""
    local.deploy(RELEASES / "0.1.0.yaml", "upgraded")
    before = resources("upgraded")
    for table, rows in saved_rows().items():
        for row in rows:
            boto3.client("dynamodb").put_item(TableName=before[table][1], Item=row)
    made = {table: made_at(before[table][1]) for table in saved_rows()}
    local.deploy(local.built, "upgraded", f"LocalGateway={local.url}")
    return {"resources": before, "made": made}


@pytest.fixture(scope="module")
def beside(local: Engine, upgraded: Mapping[str, Any]) -> Names:
    """Deploy today's template a second time, under another name."""
    assert upgraded
    local.deploy(local.built, "beside", f"LocalGateway={local.url}")
    return resources("beside")


def saved_rows() -> Rows:
    """Return rows as the stores of the first release wrote them; only their end was moved a hundred years ahead."""
    tables = json.loads((RELEASES / "0.1.0-rows.json").read_text())
    return {table: [{name: _binary(value) for name, value in row.items()} for row in rows] for table, rows in tables.items()}


def _binary(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"B": b64decode(value["B"])} if "B" in value else value


def resources(stack: str) -> Names:
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return {each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"]) for each in found}


def made_at(table: str) -> tuple[datetime, str]:
    described = boto3.client("dynamodb").describe_table(TableName=table)["Table"]
    return described["CreationDateTime"], described["TableId"]


def status(stack: str) -> str:
    [described] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return str(described["StackStatus"])


def test_a_stack_of_the_first_release_is_upgraded(upgraded: Mapping[str, Any]) -> None:
    assert status("upgraded") == "UPDATE_COMPLETE"
    assert "ApiFunction" not in upgraded["resources"]
    assert "ApiFunction" in resources("upgraded")


def test_an_upgrade_replaces_nothing_that_holds_data_or_is_known_by_name(upgraded: Mapping[str, Any]) -> None:
    kept = {name: made for name, made in upgraded["resources"].items() if made[0] in KEEPS_ITS_NAME}
    assert len(kept) == 4 + 6 + 2 + 5
    now = resources("upgraded")
    assert {name: now.get(name) for name in kept} == kept
    assert {table: made_at(now[table][1]) for table in upgraded["made"]} == upgraded["made"], "the very tables, not new ones"


def test_an_upgrade_leaves_every_row_as_it_was(upgraded: Mapping[str, Any]) -> None:
    for table, rows in saved_rows().items():
        name = upgraded["resources"][table][1]
        keys = [key["AttributeName"] for key in boto3.client("dynamodb").describe_table(TableName=name)["Table"]["KeySchema"]]
        for row in rows:
            found = boto3.client("dynamodb").get_item(TableName=name, Key={key: row[key] for key in keys})
            assert found["Item"] == row


def test_todays_code_reads_what_the_first_release_wrote(upgraded: Mapping[str, Any]) -> None:
    name = {table: upgraded["resources"][table][1] for table in saved_rows()}
    told = {event.video_id: event.type for _, event in Videos(name["VideosTable"]).told_since(ACCOUNT, LONG_AGO)}
    assert told == {"ended": "video.completed", "failed": "video.failed"}
    in_flight = Videos(name["VideosTable"]).in_flight(AccountName("tavus", "default"))
    assert {video_id: known.status for video_id, known in in_flight.items()} == {"in-flight": Status.GENERATING}
    state = Accounts(name["AccountsTable"]).state(ACCOUNT)
    assert state.first_look_over, "or the next look would be a first one, which is silent"
    assert (state.health, state.alerts) == ("ok", {"key_refused": 2})
    assert state.unknown_words == frozenset({"dreaming"})
    endpoint = Endpoints(name["EndpointsTable"]).get("ep_1")
    assert endpoint is not None
    assert (endpoint.url, endpoint.rate) == ("https://example.com/hook", 5)
    assert endpoint.events == frozenset({"video.completed"})
    statuses = {each.event_id: each.status for each in Deliveries(name["DeliveriesTable"]).of_endpoint("ep_1")}
    assert statuses == {
        "evt_arrived": DeliveryStatus.DELIVERED,
        "evt_waiting": DeliveryStatus.PENDING,
        "evt_exhausted": DeliveryStatus.EXHAUSTED,
    }


@pytest.mark.usefixtures("upgraded")
def test_todays_functions_answer_from_it() -> None:
    question = json.dumps(asked("GET", "/videos/heygen/marketing/ended"))
    answer = boto3.client("lambda").invoke(FunctionName=resources("upgraded")["ApiFunction"][1], Payload=question)
    said = json.loads(answer["Payload"].read())
    assert said["statusCode"] == 200, said
    assert json.loads(said["body"])["title"] == "Frühling in Köln 🎬"


def test_two_stacks_in_one_region_have_nothing_in_common(beside: Names) -> None:
    assert (status("upgraded"), status("beside")) == ("UPDATE_COMPLETE", "CREATE_COMPLETE")
    one = resources("upgraded")
    assert set(beside) == set(one)
    assert {made[1] for made in one.values()} & {made[1] for made in beside.values()} == set()
    prefixes = [outputs(stack)["ParametersPrefix"] for stack in ("upgraded", "beside")]
    assert prefixes == ["/renderbell/upgraded", "/renderbell/beside"]


def test_deleting_a_stack_leaves_its_tables_and_rows_and_the_other_stack(beside: Names) -> None:
    tables = {name: table for name, (kind, table) in beside.items() if kind == "AWS::DynamoDB::Table"}
    row = {"account": {"S": "heygen/marketing"}, "health": {"S": "ok"}}
    boto3.client("dynamodb").put_item(TableName=tables["AccountsTable"], Item=row)
    boto3.client("cloudformation").delete_stack(StackName="beside")
    boto3.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName="beside", WaiterConfig={"Delay": 1})
    assert len(tables) == 4
    assert set(tables.values()) <= set(boto3.client("dynamodb").list_tables()["TableNames"])
    found = boto3.client("dynamodb").get_item(TableName=tables["AccountsTable"], Key={"account": row["account"]})
    assert found["Item"] == row
    left = {function["FunctionName"] for function in boto3.client("lambda").list_functions()["Functions"]}
    assert left == {name for kind, name in resources("upgraded").values() if kind == "AWS::Lambda::Function"}


def outputs(stack: str) -> dict[str, str]:
    [described] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
