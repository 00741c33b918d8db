"""Each function may do what its code does, and nothing else.

The real handlers run, with real clients, in a world that writes down what AWS is asked. What they asked for is held
against what the template allows.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from renderbell.aws import session
from renderbell.queues import DeliveryMessage, PollMessage
from renderbell.video import AccountName
from tests.template.permissions import AWS_KEY, Need, allowed, grants, needs
from tests.template.stack import ACCOUNT, NAME, REGION, ROOT, Stack
from tests.template.world import (
    ALERT_ID,
    FAR_AHEAD,
    HINT_TOKEN,
    TOKENS,
    asked,
    aws_environment,
    called,
    sample,
    sample_event_id,
    world,
)

FUNCTIONS: Final = sorted(Stack.read().functions)


def sqs_event(*bodies: str) -> dict[str, Any]:
    template = sample("poll.json")["Records"][0]
    return {"Records": [{**template, "messageId": str(place), "body": body} for place, body in enumerate(bodies)]}


def delivery_event(endpoint_id: str) -> dict[str, Any]:
    return sqs_event(DeliveryMessage(endpoint_id=endpoint_id, event_id=sample_event_id()).dump())


SITUATIONS: Final[Mapping[str, list[dict[str, Any]]]] = {
    "DispatchFunction": [sample("dispatch-provider.json"), sample("dispatch-deliveries.json")],
    "PollFunction": [sample("poll.json"), sqs_event(PollMessage(account=AccountName("heygen", "removed")).dump())],
    "NotifyFunction": [sample("notify.json")],
    "AuditFunction": [{"hours": 720}],
    "AlarmFunction": [sample("alarm.json")],
    "LinkFunction": [called(f"/{TOKENS.link(sample_event_id(), FAR_AHEAD)}", "link.json")],
    "ApiFunction": [
        sample("api.json"),
        asked("GET", "/videos/heygen/marketing/v"),
        asked("POST", "/videos/heygen/marketing/v/announce"),
        asked("GET", "/videos/heygen/marketing/v/link"),
        asked("GET", "/endpoints"),
        asked("POST", "/endpoints", {"url": "https://93.184.216.34/hook"}),
        *(asked("POST", f"/endpoints/ep_paused/{what}") for what in ("pause", "resume", "rotate")),
        asked("DELETE", "/endpoints/ep_paused"),
        asked("GET", "/deliveries"),
        asked("GET", "/deliveries/summary"),
        asked("POST", "/deliveries/replay", {"event_id": "evt_over"}),
        asked("GET", "/accounts"),
        asked("POST", "/accounts/heygen/marketing/poll"),
        asked("GET", "/stats"),
    ],
    "WidgetFunction": [
        sample("widget.json"),
        {**sample("widget.json"), "retry": {"endpoint": "topic", "event": "evt_over"}},
        {"describe": True},
    ],
    "FetchFunction": [sample("fetch.json")],
    "HintFunction": [called(f"/heygen/marketing/{HINT_TOKEN}"), called("/heygen/marketing/guessed")],
    "DeliverFunction": [
        sample("deliver.json"),
        delivery_event("ep_failing"),
        delivery_event("ep_gone"),
        delivery_event("ep_removed"),
        sqs_event(DeliveryMessage(endpoint_id="operators", event_id=ALERT_ID).dump()),
    ],
}
"""Events that lead each function through everything it ever asks of AWS."""


REPEATED: Final[Mapping[str, list[dict[str, Any]]]] = {"DeliverFunction": [sample("deliver.json")]}
"""Events that come once more, when what they ask for is under way: no condition of theirs holds."""

FIRST_TO_SIGN: Final = {"NotifyFunction", "AuditFunction", "ApiFunction"}
"""Functions that make the signing key if nobody needed it before."""


@dataclass(frozen=True, slots=True)
class Context:
    function_name: str
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:test"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def needed(function: str, stack: Stack) -> list[Need]:
    """Run the function's own handler through its situations and return what AWS would have asked its role for."""
    with world() as here, pytest.MonkeyPatch.context() as patch:
        here.settle(stack)
        if function in FIRST_TO_SIGN:
            here.aws.parameters = {name: value for name, value in here.aws.parameters.items() if "signing-key" not in name}
        for name, value in {**aws_environment(here.url), **stack.environment(function)}.items():
            patch.setenv(name, value)
        patch.setenv("ALLOW_LOCAL_ENDPOINTS", "true")
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)  # so that AWS is described as briefly as there
        session.cache_clear()
        patch.setattr("renderbell.dispatch.is_counted_at", lambda _: True)
        handler = _handler(ROOT / str(stack.functions[function]["CodeUri"]) / "app.py", function)
        for event in SITUATIONS[function]:
            handler(json.loads(json.dumps(event)), Context(function))
        here.aws.conditions_hold = False
        for event in REPEATED.get(function, []):
            handler(json.loads(json.dumps(event)), Context(function))
        calls = [need for call in here.aws.calls for need in needs(call, stack)]
    session.cache_clear()
    return [*calls, *needs_of_lambda(function, stack)]


def needs_of_lambda(function: str, stack: Stack) -> Iterator[Need]:
    """Yield what the Lambda service itself does in the function's role: its log, its event source, its dead letters.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html and .../services-dynamodb-eventsourcemapping.html
    """
    name = stack.functions[function]["LoggingConfig"]["LogGroup"]["Ref"]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield Need(action=action, resource=stack.arn(name))
    if letters := stack.functions[function].get("DeadLetterQueue"):
        yield Need(action="sqs:SendMessage", resource=stack.resolve(letters["TargetArn"]))
    for source in stack.functions[function]["Events"].values():
        if source["Type"] == "SQS":
            queue = stack.resolve(source["Properties"]["Queue"])
            for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
                yield Need(action=action, resource=queue)
        if source["Type"] == "DynamoDB":
            stream = stack.resolve(source["Properties"]["Stream"])
            for action in (
                "DescribeStream",
                "GetRecords",
                "GetShardIterator",
                "ListStreams",
            ):
                yield Need(action=f"dynamodb:{action}", resource=stream)
            failures = source["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
            yield Need(action="sqs:SendMessage", resource=stack.resolve(failures))


def _handler(path: Path, function: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"app_of_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def test_every_function_has_situations_to_be_judged_by() -> None:
    assert sorted(SITUATIONS) == FUNCTIONS


def test_every_call_that_a_function_makes_is_allowed(function: str, needed: list[Need], stack: Stack) -> None:
    statements = stack.statements(function)
    assert needed
    assert [need for need in needed if not allowed(need, statements)] == []


def test_everything_that_a_function_is_allowed_it_does(function: str, needed: list[Need], stack: Stack) -> None:
    allows = grants(stack.statements(function), "Allow")
    assert [grant for grant in allows if not any(grant.covers(need) for need in needed)] == []


def test_a_missing_permission_would_be_noticed(function: str, needed: list[Need], stack: Stack) -> None:
    statements = stack.statements(function)
    for missing in [statement for statement in statements if statement["Effect"] == "Allow"]:
        rest = [statement for statement in statements if statement is not missing]
        assert not all(allowed(need, rest) for need in needed), missing["Sid"]


def test_only_poll_and_fetch_can_read_the_keys_of_accounts(stack: Stack) -> None:
    path = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/renderbell/{NAME}/accounts/heygen/marketing"
    reads = [Need(action=f"ssm:{action}", resource=path) for action in READS]
    decrypts = Need(action="kms:Decrypt", resource=AWS_KEY, via=f"ssm.{REGION}.amazonaws.com", given_by_key_policy=True)
    decrypts = replace(decrypts, parameter=path)
    readers = [
        name
        for name in FUNCTIONS
        if any(allowed(need, stack.statements(name)) for need in reads) and allowed(decrypts, stack.statements(name))
    ]
    assert readers == ["FetchFunction", "PollFunction"]


READS: Final = ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")
"""The actions by which the value of a parameter can be had."""


def test_no_statement_allows_an_action_by_wildcard(stack: Stack) -> None:
    assert [grant for name in FUNCTIONS for grant in grants(stack.statements(name), "Allow") if "*" in grant.action] == []


WIDE: Final = "PublishToAnEncryptedTopic"
"""The one statement that may name every key: the id of the key that AWS manages for SNS is unknown before it is used."""


def test_no_statement_allows_every_resource_save_the_key_of_the_topic_used_through_sns(stack: Stack) -> None:
    wide = [
        (name, grant)
        for name in FUNCTIONS
        for grant in grants(stack.statements(name), "Allow")
        if "*" in grant.resource and not _is_below_a_prefix(grant.resource)
    ]
    assert {(name, grant.sid, grant.via) for name, grant in wide} == {("DeliverFunction", WIDE, f"sns.{REGION}.amazonaws.com")}
    assert {grant.action for _, grant in wide} == {"kms:GenerateDataKey", "kms:Decrypt"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_lets_its_function_send_traces_where_they_are_asked_for_and_else_not(stack: Stack, name: str) -> None:
    traced = Stack.read(Tracing="Active")
    more = [statement for statement in traced.statements(name) if statement not in stack.statements(name)]
    sends = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    assert [(statement["Sid"], statement["Action"]) for statement in more] == [("SendTraces", sends)]
    assert stack.template["Parameters"]["Tracing"]["Default"] == "PassThrough"


def _is_below_a_prefix(resource: str) -> bool:
    """Say whether the only wildcard is a name below one of this stack's own: a parameter's, a stream's, a log stream's."""
    prefix = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/renderbell/{NAME}/"
    tables = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{NAME}-"
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{NAME}-"
    own = resource.startswith((tables, logs)) and resource.count("*") == 1 and resource.endswith((":*", "/stream/*"))
    return own or resource in {f"{prefix}{kind}/*" for kind in ("accounts", "endpoints", "hints")}
