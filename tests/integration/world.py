"""The product wired as in AWS, but in this process: real handlers, real engine, simulated providers, real receiver."""

import importlib.util
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import boto3
import pytest

from renderbell.account import Account
from renderbell.account_state import AccountState
from renderbell.endpoints import Endpoint, Private
from renderbell.parameters import Parameters
from renderbell.providers import PROVIDERS
from renderbell.signing import Secrets, new_secret
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.tables import DeliveryRow, VideoRow, opened
from renderbell.store.videos import Videos
from renderbell.video import AccountName
from renderbell_cli.receiver import Receiver
from renderbell_cli.simulator import Library, SimulatedVideo, Simulator
from tests.template.stack import Stack

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = ("dispatch", "poll", "notify", "deliver", "audit", "hint", "link", "fetch", "api", "alarm", "widget")
KEY: Final = "key"
LINK_URL: Final = "https://link.lambda-url.us-east-1.on.aws/"
HINT_URL: Final = "https://hint.lambda-url.us-east-1.on.aws/"
LONG_AGO: Final = 100_000.0


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a handler."""

    function_name: str = "test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:test"
    aws_request_id: str = "request"
    seconds: float = 300.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(slots=True)
class Clock:
    """The providers' clock: it jumps ahead when a test says so."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def load(name: str) -> ModuleType:
    """Return a function's `app` as Lambda loads it: anew, with clients of its own."""
    spec = importlib.util.spec_from_file_location(f"{name}_app", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Apps(dict[str, ModuleType]):
    """The functions' modules, each loaded when it is first needed: most tests need two or three."""

    def __missing__(self, name: str) -> ModuleType:
        self[name] = load(name)
        return self[name]


@dataclass
class World:
    """Tables, queues and a topic of one test's own, a library for each account, a receiver for each endpoint."""

    monkeypatch: pytest.MonkeyPatch
    simulator: Simulator
    receiver: Receiver
    clock: Clock
    libraries: dict[tuple[str, str], Library]
    secrets: dict[str, str]
    twice: bool = False
    """Send every queue message and every stream record two times."""
    names: dict[str, str] = field(default_factory=dict)
    apps: Apps = field(default_factory=Apps)
    _read: int = 0

    def __post_init__(self) -> None:
        mark = secrets.token_hex(4)
        stack = Stack.read()
        for table, properties in stack.tables.items():
            self.names[table] = f"{table}-{mark}"
            _create_table(self.names[table], properties)
        sqs, sns = boto3.client("sqs"), boto3.client("sns")
        for queue in ("PollQueue", "DeliveryQueue", "VideoEventsFeed", "OperatorAlertsFeed"):
            self.names[queue] = sqs.create_queue(QueueName=f"{queue}-{mark}")["QueueUrl"]
        for topic in ("VideoEvents", "OperatorAlerts"):
            self.names[topic] = sns.create_topic(Name=f"{topic}-{mark}")["TopicArn"]
            feed = sqs.get_queue_attributes(QueueUrl=self.names[f"{topic}Feed"], AttributeNames=["QueueArn"])
            sns.subscribe(TopicArn=self.names[topic], Protocol="sqs", Endpoint=feed["Attributes"]["QueueArn"])
        self.prefix = f"/renderbell/{mark}"
        environment = {
            "PARAMETERS_PREFIX": self.prefix,
            "ACCOUNTS_TABLE": self.names["AccountsTable"],
            "VIDEOS_TABLE": self.names["VideosTable"],
            "ENDPOINTS_TABLE": self.names["EndpointsTable"],
            "DELIVERIES_TABLE": self.names["DeliveriesTable"],
            "POLL_QUEUE_URL": self.names["PollQueue"],
            "DELIVERY_QUEUE_URL": self.names["DeliveryQueue"],
            "TOPIC_ARN": self.names["VideoEvents"],
            "OPERATORS_TOPIC_ARN": self.names["OperatorAlerts"],
            "QUIET_MINUTES": "0",
            "LINK_URL": LINK_URL,
            "LINK_DAYS": "30",
            "FETCH_FUNCTION": "fetch",
            "SCHEDULES": ";".join(f"{provider} ENABLED rate(1 minute)" for provider in PROVIDERS),
            "PATHS_COME_DECODED": "false",
            "ALLOW_LOCAL_ENDPOINTS": "true",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "POWERTOOLS_METRICS_NAMESPACE": "Renderbell/test",
            "STACK_NAME": "test",
        }
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
        self.parameters = Parameters(self.prefix, boto3.client("ssm"))
        self.videos = Videos(self.names["VideosTable"])
        self.accounts = Accounts(self.names["AccountsTable"])
        self.endpoints = Endpoints(self.names["EndpointsTable"])
        self.deliveries = Deliveries(self.names["DeliveriesTable"])
        self.sqs = sqs
        self.streams = boto3.client("dynamodbstreams")
        self.stream = boto3.client("dynamodb").describe_table(TableName=self.names["VideosTable"])["Table"]["LatestStreamArn"]

    # What a person does.

    def add_account(self, name: str, *videos: SimulatedVideo, first_look_done: bool = False, **options: str) -> AccountName:
        """Watch an account whose provider has these videos."""
        account = AccountName.parse(name)
        key = f"{KEY}-{secrets.token_hex(4)}"
        self.libraries[account.provider, key] = Library(videos)
        self.parameters.put_account(Account.of(account, key, {"base_url": self.simulator.base_url, **options}))
        if first_look_done:
            now = datetime.now(UTC)
            given = Account.of(account, key, {"base_url": self.simulator.base_url, **options})
            done = AccountState(
                way=given.way,
                scope=given.scope,
                first_look_began_at=now - timedelta(hours=1),
                first_look_ended_at=now,
                changed_at=now,
            )
            assert self.accounts.save(account, AccountState(), done)
        return account

    def library(self, account: AccountName) -> Library:
        key = self.parameters.account(account)
        assert key is not None
        return self.libraries[account.provider, key.key]

    def add_endpoint(self, path: str = "/hook", **filters: Any) -> str:
        """Add an endpoint at the receiver and return its id."""
        endpoint_id, secret = f"ep_{secrets.token_hex(6)}", new_secret()
        self.secrets[path] = secret
        url = f"{self.receiver.url}{path}"
        given = {"gap": 0.0, "created_at": datetime.now(UTC), **filters}  # proven, so that it takes no turns
        endpoint = Endpoint(endpoint_id=endpoint_id, url=url, allow_http=True, **given)
        self.parameters.put_endpoint_private(endpoint_id, Private(secrets=Secrets(current=secret)))
        self.endpoints.put(endpoint)
        return endpoint_id

    # What AWS does.

    def poll(self, account: AccountName, seconds: float = 300.0, **more: Any) -> None:
        """Send the account's message to `poll`."""
        event = sqs_event([json.dumps({"account": str(account), **more})])
        for _ in range(2 if self.twice else 1):
            answer = self.apps["poll"].handler(event, Context(seconds=seconds))
            assert answer == {"batchItemFailures": []}

    def tick(self, provider: str) -> None:
        """Let a provider's schedule fire and `poll` work until its queue is empty."""
        self.apps["dispatch"].handler({"provider": provider}, Context())
        self.drain("PollQueue", "poll")

    def tick_deliveries(self) -> None:
        """Let the deliveries' schedule fire and `deliver` work until its queue is empty."""
        self.apps["dispatch"].handler({"deliveries": True}, Context())
        self.drain("DeliveryQueue", "deliver")

    def flow(self, after: timedelta = timedelta()) -> None:
        """Let stream and queue bring everything to its receivers, as if `after` had passed."""
        self.notify()
        app: Any = self.apps["deliver"]
        app.deliver = replace(app.deliver, now=lambda: datetime.now(UTC) + after)
        self.drain("DeliveryQueue", "deliver")

    def notify(self, handler: Callable[[dict[str, Any], Context], Any] | None = None) -> None:
        """Hand what is new in the stream to `notify`, as the template's filter lets it through."""
        images = ((record, record["dynamodb"]["NewImage"]) for record in self.stream_records())
        records = [record for record, image in images if image["rings"]["BOOL"] or "stalled_at" in image]
        for _ in range(2 if self.twice else 1):
            for at in range(0, len(records), 50):
                event = {"Records": records[at : at + 50]}
                assert (handler or self.apps["notify"].handler)(event, Context()) == {"batchItemFailures": []}

    def stream_records(self) -> Sequence[dict[str, Any]]:
        """Return the stream's records since the last call."""
        shards = self.streams.describe_stream(StreamArn=self.stream)["StreamDescription"]["Shards"]
        found: list[dict[str, Any]] = []
        for shard in shards:
            iterator = self.streams.get_shard_iterator(
                StreamArn=self.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                got = self.streams.get_records(ShardIterator=iterator)
                found += [dict(record) for record in got["Records"]]
                iterator = got.get("NextShardIterator", "") if got["Records"] else ""
        new, self._read = found[self._read :], len(found)
        return new

    def drain(self, queue: str, function: str) -> None:
        """Hand a queue's messages to its function, each batch until none is left."""
        for batch in self.batches(queue):
            event = sqs_event(batch)
            for _ in range(2 if self.twice else 1):
                answer = self.apps[function].handler(event, Context())
                assert answer == {"batchItemFailures": []}

    def batches(self, queue: str) -> Iterator[Sequence[str]]:
        """Yield the bodies of a queue's messages, up to ten at a time, and delete them."""
        url = self.names[queue]
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield [message["Body"] for message in messages]

    # What one can see.

    def rings(self) -> Sequence[Mapping[str, Any]]:
        """Return the events on the topic since the last call, in the order in which they happened: queues keep none."""
        return self._published("VideoEvents")

    def alerts(self) -> Sequence[Mapping[str, Any]]:
        """Return what operators were told since the last call, in the order in which it was found."""
        return self._published("OperatorAlerts")

    def _published(self, topic: str) -> Sequence[Mapping[str, Any]]:
        bodies = [json.loads(body) for batch in self.batches(f"{topic}Feed") for body in batch]
        said = [{"id": body["MessageAttributes"]["event_id"]["Value"], **json.loads(body["Message"])} for body in bodies]
        return sorted(said, key=lambda one: datetime.fromisoformat(one["timestamp"]))  # as text, 05Z is after 05.040Z

    def statuses(self, account: AccountName) -> dict[str, str]:
        """Return the status on record of each of the account's videos."""
        return {row.video_id: row.status for row in opened(VideoRow, self.names["VideosTable"]).query(str(account))}

    def row(self, account: AccountName, video_id: str) -> VideoRow:
        return opened(VideoRow, self.names["VideosTable"]).get(str(account), video_id)

    def delivery(self, endpoint_id: str, event_id: str) -> DeliveryRow:
        return opened(DeliveryRow, self.names["DeliveriesTable"]).get(endpoint_id, event_id)

    def all_deliveries(self) -> Sequence[DeliveryRow]:
        return list(opened(DeliveryRow, self.names["DeliveriesTable"]).scan())


def video(
    video_id: str, *, born: float | None = None, queued: float = 0.0, generating: float = 0.0, **more: Any
) -> SimulatedVideo:
    """Return a video; born long ago, and so done, unless said otherwise."""
    born_at = time.time() - LONG_AGO if born is None else born
    return SimulatedVideo(
        id=video_id,
        title=f"Title of {video_id}",
        born_at=born_at,
        queued_seconds=queued,
        generating_seconds=generating,
        **more,
    )


def sqs_event(bodies: Sequence[str]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": str(place),
                "receiptHandle": "handle",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
                "awsRegion": "us-east-1",
            }
            for place, body in enumerate(bodies)
        ]
    }


def _create_table(name: str, properties: Mapping[str, Any]) -> None:
    wanted = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
    given = {key: value for key, value in properties.items() if key in wanted}
    if "StreamSpecification" in properties:
        given["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    boto3.client("dynamodb").create_table(TableName=name, **given)


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every AWS client of this process speak to the engine at `url`."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    from renderbell_cli.stack import local_environment

    for name, value in local_environment(url, "us-east-1").items():
        monkeypatch.setenv(name, value)
