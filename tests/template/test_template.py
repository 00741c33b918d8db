"""The template and the code say the same thing, wherever both say it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pytest
from pynamodb.attributes import Attribute, TTLAttribute
from pynamodb.indexes import GlobalSecondaryIndex
from pynamodb.models import Model

from renderbell import settings
from renderbell.deliveries import DEADLINE, LEASE
from renderbell.events import PROVIDER_NAMES
from renderbell.pages import TIME_TO_STOP
from renderbell.providers import PROVIDERS
from renderbell.settings import Settings
from renderbell.store.tables import AccountRow, DeliveryRow, EndpointRow, VideoRow
from tests.template.stack import ROOT, Json, Stack

MODELS: Final[Mapping[str, type[Model]]] = {
    "VideosTable": VideoRow,
    "AccountsTable": AccountRow,
    "EndpointsTable": EndpointRow,
    "DeliveriesTable": DeliveryRow,
}
TWO_WEEKS: Final = 14 * 24 * 3600
RESERVED_VARIABLES: Final = ("AWS_", "_HANDLER", "_X_AMZN_", "LAMBDA_", "TZ")
"""How the names begin that Lambda sets itself: a function cannot be deployed with them."""

FUNCTIONS: Final = sorted(Stack.read().functions)


@pytest.fixture(params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(MODELS))
def table(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Schedules


def schedules(stack: Stack) -> list[Json]:
    return [
        event["Properties"]
        for function in stack.functions.values()
        for event in function["Events"].values()
        if event["Type"] == "ScheduleV2"
    ]


def schedules_of_providers(stack: Stack) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for schedule in schedules(stack):
        if "provider" in (tick := json.loads(stack.resolve(schedule["Input"]))):
            found.setdefault(tick["provider"], []).append(schedule)
    return found


def test_every_provider_has_exactly_one_schedule_and_no_schedule_names_an_unknown_provider(stack: Stack) -> None:
    assert {name: len(found) for name, found in schedules_of_providers(stack).items()} == dict.fromkeys(PROVIDERS, 1)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_provider_has_a_rate_and_a_switch_of_its_own(stack: Stack, provider: str) -> None:
    [schedule] = schedules_of_providers(stack)[provider]
    word = PROVIDER_NAMES[provider].removesuffix(".ai")
    assert schedule["ScheduleExpression"] == {"Ref": f"{word}Rate"}
    assert schedule["State"] == {"Ref": f"{word}State"}
    assert stack.resolve(schedule["ScheduleExpression"]) == "rate(1 minute)"
    assert stack.template["Parameters"][f"{word}State"]["AllowedValues"] == ["ENABLED", "DISABLED"]


def test_one_schedule_wakes_deliveries_and_two_audit_them(stack: Stack) -> None:
    ticks = [json.loads(stack.resolve(schedule["Input"])) for schedule in schedules(stack)]
    others = [tick for tick in ticks if "provider" not in tick]
    assert others == [{"deliveries": True}, {"hours": 3}, {"hours": 720}]


def test_a_tick_that_cannot_be_handed_over_is_kept(stack: Stack) -> None:
    kept = {str(stack.resolve(schedule["DeadLetterConfig"]["Arn"])) for schedule in schedules(stack)}
    assert kept == {stack.arn("DispatchDeadLetters")}


# Parameters

PARAMETERS: Final = sorted(Stack.read().template["Parameters"])


@pytest.fixture(params=PARAMETERS)
def parameter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_parameter_stands_in_exactly_one_group_of_the_console_under_a_label_of_its_own(stack: Stack, parameter: str) -> None:
    console = stack.template["Metadata"]["AWS::CloudFormation::Interface"]
    shown = [name for group in console["ParameterGroups"] for name in group["Parameters"]]
    labels = [label["default"] for label in console["ParameterLabels"].values()]
    assert shown.count(parameter) == 1
    assert labels.count(console["ParameterLabels"][parameter]["default"]) == 1


def test_the_console_shows_no_parameter_that_is_gone(stack: Stack) -> None:
    console = stack.template["Metadata"]["AWS::CloudFormation::Interface"]
    assert {name for group in console["ParameterGroups"] for name in group["Parameters"]} == set(PARAMETERS)
    assert set(console["ParameterLabels"]) == set(PARAMETERS)


def test_a_parameter_is_described_has_a_default_and_says_what_it_takes(stack: Stack, parameter: str) -> None:
    asked = stack.template["Parameters"][parameter]
    assert asked["Description"]
    assert "Default" in asked
    assert asked["ConstraintDescription"]
    assert "AllowedValues" in asked or "AllowedPattern" in asked or {"MinValue", "MaxValue"} <= set(asked)


def test_a_parameters_default_is_one_that_it_takes(stack: Stack, parameter: str) -> None:
    asked = stack.template["Parameters"][parameter]
    default = asked["Default"]
    assert default in asked.get("AllowedValues", [default])
    assert re.search(asked.get("AllowedPattern", ""), str(default))
    if "MinValue" in asked:
        assert asked["MinValue"] <= default <= asked["MaxValue"]


@pytest.mark.parametrize(
    ("asked", "right", "wrong"),
    [
        (
            "TavusRate",
            [
                "rate(1 minute)",
                "rate(15 minutes)",
                "rate(2 days)",
                "cron(0/5 8-18 ? * MON-FRI *)",
                "cron(0 12 L * ? 2026,2027)",
            ],
            [
                "rate(0 minutes)",
                "rate(1 second)",
                "1 minute",
                "cron(0 12 * * ?)",
                'cron(0 12 * * ? *", "x": "*)',
                "cron(0 1 1 1 ? *;)",
            ],
        ),
        ("NotificationEmail", ["", "me@example.com"], ["me", "me@example", "me @example.com", "a@b.c,d@e.f@"]),
        ("LocalGateway", ["", "http://127.0.0.1:4566"], ["http://example.com:80", "http://127.0.0.1:4566/path"]),
    ],
)
def test_a_pattern_takes_what_is_right_and_nothing_else(
    stack: Stack, asked: str, right: Sequence[str], wrong: Sequence[str]
) -> None:
    pattern = stack.template["Parameters"][asked]["AllowedPattern"]
    assert [text for text in right if not re.fullmatch(pattern, text)] == []
    assert [text for text in wrong if re.fullmatch(pattern, text)] == []


# Names


def test_no_resource_has_a_name_of_its_own_so_that_two_stacks_can_live_in_one_account(stack: Stack) -> None:
    named = [
        f"{resource}.{name}"
        for resource, definition in stack.resources.items()
        for name, value in definition["Properties"].items()
        if name in {"TableName", "QueueName", "TopicName", "FunctionName", "LayerName", "RoleName", "Name"}
        and definition["Type"] != "AWS::Lambda::Permission"  # which names the function it is for
        and "AWS::StackName" not in str(value)
    ]
    assert named == []


def test_no_schedule_has_a_name_that_another_stack_would_give_too(stack: Stack) -> None:
    # SAM calls a schedule by its function and event, alike in every stack, unless it is told not to.
    assert [schedule["Input"] for schedule in schedules(stack) if not schedule.get("OmitName")] == []


# Tables


def keys_of(model: type[Model] | type[GlobalSecondaryIndex[Any]]) -> list[Json]:
    attributes: Iterable[Attribute[Any]] = (
        model.get_attributes().values() if issubclass(model, Model) else index_attributes(model)
    )
    keys = {("HASH" if a.is_hash_key else "RANGE"): a for a in attributes if a.is_hash_key or a.is_range_key}
    return [{"AttributeName": keys[kind].attr_name, "KeyType": kind} for kind in ("HASH", "RANGE") if kind in keys]


def index_attributes(index: type[GlobalSecondaryIndex[Any]]) -> list[Attribute[Any]]:
    return [value for value in vars(index).values() if isinstance(value, Attribute)]


def indexes_of(model: type[Model]) -> dict[str, GlobalSecondaryIndex[Any]]:
    found = [value for value in vars(model).values() if isinstance(value, GlobalSecondaryIndex)]
    return {str(index.Meta.index_name): index for index in found}


def test_every_table_has_a_model(stack: Stack) -> None:
    assert sorted(stack.tables) == sorted(MODELS)


def test_a_tables_keys_are_its_models(stack: Stack, table: str) -> None:
    assert stack.tables[table]["KeySchema"] == keys_of(MODELS[table])


def test_a_tables_indexes_are_its_models(stack: Stack, table: str) -> None:
    written = {index["IndexName"]: index for index in stack.tables[table].get("GlobalSecondaryIndexes", [])}
    meant = indexes_of(MODELS[table])
    assert {name: index["KeySchema"] for name, index in written.items()} == {
        name: keys_of(type(i)) for name, i in meant.items()
    }
    for name, index in meant.items():
        assert written[name]["Projection"]["ProjectionType"] == index.Meta.projection.projection_type


def test_a_table_defines_exactly_the_attributes_of_its_keys_with_the_models_types(stack: Stack, table: str) -> None:
    model = MODELS[table]
    schemas = [keys_of(model), *(keys_of(type(index)) for index in indexes_of(model).values())]
    names = {key["AttributeName"] for schema in schemas for key in schema}
    defined = {each["AttributeName"]: each["AttributeType"] for each in stack.tables[table]["AttributeDefinitions"]}
    assert defined == {name: model.get_attributes()[name].attr_type for name in names}


def test_a_table_forgets_by_the_attribute_that_its_model_calls_a_time_to_live(stack: Stack, table: str) -> None:
    expiring = [a.attr_name for a in MODELS[table].get_attributes().values() if isinstance(a, TTLAttribute)]
    specification = stack.tables[table].get("TimeToLiveSpecification")
    assert specification == ({"AttributeName": expiring[0], "Enabled": True} if expiring else None)


def test_a_table_is_on_demand_encrypted_restorable_and_outlives_its_stack(stack: Stack, table: str) -> None:
    properties, resource = stack.tables[table], stack.resources[table]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["DeletionProtectionEnabled"] is True
    assert resource["DeletionPolicy"].startswith("Retain")
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_the_stream_shows_a_video_before_and_after_so_that_a_repeat_can_be_told_from_a_transition(stack: Stack) -> None:
    assert stack.tables["VideosTable"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


# Queues and streams


def sources(stack: Stack) -> list[tuple[str, str, Json]]:
    """Return each function's queue, as (function, queue, event source)."""
    return [
        (name, event["Properties"]["Queue"]["Fn::GetAtt"][0], event["Properties"])
        for name, function in stack.functions.items()
        for event in function["Events"].values()
        if event["Type"] == "SQS"
    ]


def dead_letters(stack: Stack) -> set[str]:
    """Return the queues that keep what could not be done."""
    return {name for name, queue in stack.queues.items() if "RedrivePolicy" not in queue}


def test_every_queue_that_a_function_reads_has_dead_letters_of_its_own(stack: Stack) -> None:
    kept = [stack.queues[queue]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for _, queue, _ in sources(stack)]
    assert set(kept) <= dead_letters(stack)
    assert len(kept) == len(set(kept)) == 2


def test_dead_letters_are_kept_as_long_as_a_queue_can(stack: Stack) -> None:
    assert {stack.queues[queue]["MessageRetentionPeriod"] for queue in dead_letters(stack)} == {TWO_WEEKS}


def test_every_queue_is_encrypted(stack: Stack) -> None:
    assert [name for name, queue in stack.queues.items() if queue.get("SqsManagedSseEnabled") is not True] == []


def test_no_message_comes_back_while_its_function_may_still_be_at_work(stack: Stack) -> None:
    for function, queue, _ in sources(stack):
        assert stack.queues[queue]["VisibilityTimeout"] >= 2 * stack.functions[function]["Timeout"], queue


def test_a_claim_outlives_its_function_and_ends_before_its_message_is_seen_again(stack: Stack) -> None:
    deliver, hidden = stack.functions["DeliverFunction"], stack.queues["DeliveryQueue"]["VisibilityTimeout"]
    assert DEADLINE.total_seconds() < deliver["Timeout"] < LEASE.total_seconds() < hidden - 10


def test_a_poll_has_time_left_when_it_stops_asking_for_pages(stack: Stack) -> None:
    assert stack.functions["PollFunction"]["Timeout"] > 2 * TIME_TO_STOP


def test_a_bad_message_is_reported_alone(stack: Stack) -> None:
    events = [event for function in stack.functions.values() for event in function["Events"].values()]
    batches = [event["Properties"] for event in events if event["Type"] in {"SQS", "DynamoDB"}]
    assert [batch["FunctionResponseTypes"] for batch in batches] == [["ReportBatchItemFailures"]] * 3


def test_a_transition_that_cannot_be_announced_does_not_hold_up_the_others_for_ever(stack: Stack) -> None:
    source = stack.functions["NotifyFunction"]["Events"]["Transitions"]["Properties"]
    assert source["BisectBatchOnFunctionError"] is True
    assert source["MaximumRetryAttempts"] == -1, "a long outage must not lose an event"
    assert 6 * 3600 <= source["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert stack.resolve(source["DestinationConfig"]["OnFailure"]["Destination"]) == stack.arn("NotifyDeadLetters")


# Functions


def test_every_folder_of_functions_is_a_function_of_the_template(stack: Stack) -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("functions/*/app.py")}
    assert {name: function["CodeUri"] for name, function in stack.functions.items()} == {
        f"{folder.removeprefix('functions/').capitalize()}Function": folder for folder in folders
    }


def test_a_function_has_a_role_and_statements_of_its_own(stack: Stack, function: str) -> None:
    roles = [made["Role"] for made in stack.functions.values()]
    assert roles.count(stack.functions[function]["Role"]) == 1
    sids = [statement["Sid"] for statement in stack.statements(function)]
    assert sids
    assert len(sids) == len(set(sids))


def test_a_function_has_a_log_group_that_forgets(stack: Stack, function: str) -> None:
    name = stack.functions[function]["LoggingConfig"]["LogGroup"]["Ref"]
    group = stack.of_type("AWS::Logs::LogGroup")[name]
    short = function.removesuffix("Function").lower()
    assert group["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{short}"}
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_a_function_is_told_exactly_what_its_settings_ask_for(stack: Stack, function: str) -> None:
    kind: type[Settings] = getattr(settings, f"{function.removesuffix('Function')}Settings")
    asked = {name.upper() for name in kind.names()}
    assert set(stack.own_variables(function)) == asked - set(stack.shared_variables)


def test_what_every_function_is_told_some_settings_or_powertools_ask_for(stack: Stack) -> None:
    asked = {name.upper() for kind in Settings.__subclasses__() for name in kind.names()}
    assert {name for name in stack.shared_variables if not name.startswith("POWERTOOLS_")} <= asked


def test_a_function_reads_its_settings_from_the_environment_it_is_given(stack: Stack, function: str) -> None:
    kind: type[Settings] = getattr(settings, f"{function.removesuffix('Function')}Settings")
    assert isinstance(kind.read(stack.environment(function)), kind)


def urls(stack: Stack) -> dict[str, str]:
    """Return how each function that has a URL knows who may call it."""
    found = {name: function.get("FunctionUrlConfig") for name, function in stack.functions.items()}
    return {name: url["AuthType"] for name, url in found.items() if url}


def test_only_providers_and_opened_links_come_in_without_a_signature_of_aws(stack: Stack) -> None:
    # Both check a token of their own in the path. checkov (CKV_AWS_258) does not see URLs that SAM makes.
    assert urls(stack) == {"HintFunction": "NONE", "LinkFunction": "NONE", "ApiFunction": "AWS_IAM"}


def test_what_is_open_to_the_world_can_be_kept_from_starving_the_accounts_other_functions(stack: Stack) -> None:
    bounded = {"Fn::If": ["IsBounded", {"Ref": "PublicConcurrency"}, {"Ref": "AWS::NoValue"}]}
    for function in [name for name, kind in urls(stack).items() if kind == "NONE"]:
        assert stack.functions[function]["ReservedConcurrentExecutions"] == bounded
    # A new account has 10 in all, of which none can be reserved.
    assert stack.template["Parameters"]["PublicConcurrency"]["Default"] == 0


def test_what_works_off_a_queue_has_a_bound_on_how_much_of_it_runs_at_once(stack: Stack) -> None:
    for function, _, source in sources(stack):
        assert 2 <= stack.resolve(source["ScalingConfig"]["MaximumConcurrency"]) <= 100, function


def test_who_is_called_by_schedules_keeps_the_ticks_that_fail(stack: Stack) -> None:
    # A schedule's own dead letters are those that Lambda did not take; those that it took and failed are the function's.
    ticked = [f for f in stack.functions.values() if any(event["Type"] == "ScheduleV2" for event in f["Events"].values())]
    kept = [stack.resolve(function["DeadLetterQueue"]["TargetArn"]) for function in ticked]
    assert kept == [stack.arn("DispatchDeadLetters")] * 2


def test_no_variable_has_a_name_that_lambda_keeps_for_itself(stack: Stack, function: str) -> None:
    assert [name for name in stack.environment(function) if name.startswith(RESERVED_VARIABLES)] == []


def test_webhooks_to_this_machine_are_off_unless_asked_for(stack: Stack) -> None:
    assert stack.environment("DeliverFunction")["ALLOW_LOCAL_ENDPOINTS"] == "false"


# Outputs


def test_the_outputs_are_those_that_the_command_line_and_people_look_for(stack: Stack) -> None:
    assert set(stack.template["Outputs"]) >= {
        "ParametersPrefix",
        "TopicArn",
        "VideosTable",
        "AccountsTable",
        "EndpointsTable",
        "DeliveriesTable",
        "PollQueueUrl",
        "DeliveryQueueUrl",
        "DispatchFunction",
    }


def test_every_output_says_what_it_is_and_names_something_of_the_stack(stack: Stack) -> None:
    for output in stack.template["Outputs"].values():
        assert output["Description"]
        assert stack.resolve(output["Value"])


def test_the_prefix_of_parameters_is_the_one_that_the_functions_use(stack: Stack) -> None:
    prefix = stack.resolve(stack.template["Outputs"]["ParametersPrefix"]["Value"])
    assert prefix == stack.environment("PollFunction")["PARAMETERS_PREFIX"]
