"""A small world around the functions, all of it on this machine: AWS, one provider, one receiver of webhooks.

AWS here answers with fixed data and keeps a list of what it was asked. It checks nothing and remembers nothing: what
DynamoDB and SQS really do is for the tests that run on an emulator.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl

from renderbell.alerts import Alert
from renderbell.deliveries import DeliveryStatus, packed
from renderbell.fresh import Fresh
from renderbell.hints import Doorbell
from renderbell.store.tables import DeliveryRow, EndpointRow, VideoRow
from renderbell.tokens import Tokens
from renderbell.values import iso
from renderbell.video import AccountName
from tests.template.stack import NAME, REGION, ROOT, Json, Stack

LOOPBACK: Final = "127.0.0.1"
EVENTS: Final = ROOT / "events"
SECRET: Final = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
KEY: Final = "a-key-that-must-stay-secret"
LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""What was due then is due now."""
FAR_AHEAD: Final = datetime(2100, 1, 1, tzinfo=UTC)
ALERT_ID: Final = "alert_1"
TOKENS: Final = Tokens("a-key-that-signs")
HINT_TOKEN: Final = TOKENS.new_hint(AccountName("heygen", "marketing"))


def sample(name: str) -> dict[str, Any]:
    """Return a sample event of events/."""
    return dict(json.loads((EVENTS / name).read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Call:
    """One request to AWS."""

    service: str
    operation: str
    parameters: Json


class AwsError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Aws:
    """AWS, holding some parameters and some tables. `conditions_hold` says how every conditional write ends."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, list[Json]] = field(default_factory=dict)
    conditions_hold: bool = True
    calls: list[Call] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def answer(self, call: Call) -> Json:
        self.calls.append(call)
        answer: Callable[[Json], Json] = getattr(self, f"_{call.operation}")
        return answer(call.parameters)

    def _GetParametersByPath(self, asked: Json) -> Json:  # noqa: N802 - AWS's name
        found = [name for name in self.parameters if name.startswith(asked["Path"] + "/")]
        given = {"Type": "SecureString", "Value": "encrypted", "Version": 1, "LastModifiedDate": 1795600000.0}
        return {"Parameters": [{"Name": name, **given} for name in found]}

    def _GetParameter(self, asked: Json) -> Json:  # noqa: N802
        if asked["Name"] not in self.parameters:
            raise AwsError("ParameterNotFound")
        given = {
            "Type": "SecureString",
            "Value": self.parameters[asked["Name"]],
            "Version": 1,
            "LastModifiedDate": 1795600000.0,
        }
        return {"Parameter": {"Name": asked["Name"], **given}}

    def _PutParameter(self, asked: Json) -> Json:  # noqa: N802
        if asked["Name"] in self.parameters and not asked["Overwrite"]:
            raise AwsError("ParameterAlreadyExists")
        return {"Version": 1, "Tier": "Standard"}

    def _GetItem(self, asked: Json) -> Json:  # noqa: N802
        found = self._find(asked["TableName"], asked["Key"])
        return {"Item": found} if found else {}

    def _BatchGetItem(self, asked: Json) -> Json:  # noqa: N802
        rows = {
            table: [row for key in keys["Keys"] if (row := self._find(table, key))]
            for table, keys in asked["RequestItems"].items()
        }
        return {"Responses": rows, "UnprocessedKeys": {}}

    def _Query(self, asked: Json) -> Json:  # noqa: N802
        rows = self.tables.get(asked["TableName"], [])
        return {"Items": rows, "Count": len(rows), "ScannedCount": len(rows)}

    _Scan = _Query

    def _UpdateItem(self, asked: Json) -> Json:  # noqa: N802
        self._check_condition(asked)
        names, values = asked["ExpressionAttributeNames"], asked.get("ExpressionAttributeValues", {})
        row = {**asked["Key"], **(self._find(asked["TableName"], asked["Key"]) or {})}
        for name, default, value in re.findall(r"(#\d+) = (if_not_exists \(#\d+, )?(:\d+)", asked["UpdateExpression"]):
            if not default or names[name] not in row:
                row[names[name]] = values[value]
        return {"Attributes": row}

    def _PutItem(self, asked: Json) -> Json:  # noqa: N802
        self._check_condition(asked)
        return {}

    def _DeleteItem(self, asked: Json) -> Json:  # noqa: N802
        del asked
        return {}

    def _DeleteParameter(self, asked: Json) -> Json:  # noqa: N802
        del asked
        return {}

    def _SendMessageBatch(self, asked: Json) -> Json:  # noqa: N802
        sent = [
            {"Id": entry["Id"], "MessageId": f"message-{entry['Id']}", "MD5OfMessageBody": ""} for entry in asked["Entries"]
        ]
        return {"Successful": sent, "Failed": []}

    def _Publish(self, asked: Json) -> Json:  # noqa: N802
        del asked
        return {"MessageId": "published"}

    def _Invoke(self, asked: Json) -> Json:  # noqa: N802
        del asked
        return Fresh(status="completed", url="https://files.heygen.example/fresh.mp4").fields()

    def _find(self, table: str, key: Json) -> Json | None:
        return next((row for row in self.tables.get(table, []) if key.items() <= row.items()), None)

    def _check_condition(self, asked: Json) -> None:
        if "ConditionExpression" in asked and not self.conditions_hold:
            raise AwsError("ConditionalCheckFailedException")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a receiver of webhooks got."""

    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class World:
    """AWS and the web. A webhook to `/hook/410` is answered 410."""

    url: str
    aws: Aws = field(default_factory=Aws)
    listing: Json = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)

    def settle(self, stack: Stack) -> None:
        """Put into AWS what the sample events speak of: the account's key, an endpoint, its deliveries."""
        event_id = sample_event_id()
        hooks: list[tuple[str, int, dict[str, Any]]] = [
            ("ep_5f0c2a9d41e7b836", 200, {"gap": 0.0, "held_at": LONG_AGO}),
            ("ep_failing", 500, {"gap": 0.0, "failing_since": LONG_AGO}),
            ("ep_gone", 410, {"gap": 0.0}),
            ("ep_paused", 200, {"paused_at": LONG_AGO}),
        ]
        self.aws.parameters = {
            f"/renderbell/{NAME}/accounts/heygen/marketing": json.dumps({"key": KEY, "base_url": self.url}),
            f"/renderbell/{NAME}/signing-key": TOKENS.key,
            f"/renderbell/{NAME}/hints/heygen/marketing": Doorbell(token=HINT_TOKEN).dump(),
            **{f"/renderbell/{NAME}/endpoints/{hook}": json.dumps({"secrets": [SECRET]}) for hook, *_ in hooks},
        }
        self.aws.tables = {
            stack.physical_name("EndpointsTable"): [
                EndpointRow(hook, url=f"{self.url}/hook/{status}", allow_http=True, created_at=LONG_AGO, **more).serialize()
                for hook, status, more in hooks
            ],
            stack.physical_name("VideosTable"): [finished_video()],
            stack.physical_name("DeliveriesTable"): [
                *(delivery(endpoint, event_id) for endpoint in ("topic", *(hook for hook, *_ in hooks))),
                alert_delivery(),
                row("topic", "evt_over", "video.completed", "{}", DeliveryStatus.EXHAUSTED),
            ],
        }
        self.listing = {"data": [listed_video(), *unfinished_videos()], "has_more": False}


def called(path: str, event: str = "hint.json", **more: Any) -> dict[str, Any]:
    """Return a sample call of a function URL, at another path."""
    made = {**sample(event), **more}
    http = {**made["requestContext"]["http"], "path": path}
    return {**made, "rawPath": path, "requestContext": {**made["requestContext"], "http": http}}


def asked(method: str, path: str, body: Json | None = None) -> dict[str, Any]:
    """Return a request to the API."""
    sent = {"body": json.dumps(body)} if body is not None else {}
    made = called(path, "api.json", rawQueryString="", queryStringParameters={}, **sent)
    made["headers"]["content-type"] = "application/json"
    made["requestContext"]["http"]["method"] = method
    return made


def sample_event_id() -> str:
    return str(json.loads(sample("deliver.json")["Records"][0]["body"])["event_id"])


def delivery(endpoint_id: str, event_id: str) -> dict[str, Any]:
    """Return a delivery whose first attempt was just claimed, as an item of its table."""
    data = {"provider": "heygen", "account": "marketing", "video_id": "v", "title": "Köln 🎬", "status": "completed"}
    rest = {
        "seconds_in_flight": 90.0,
        "duration_seconds": 12.0,
        "error": None,
        "url": "https://v.example/1",
        "url_expires_at": None,
    }
    return row(endpoint_id, event_id, "video.completed", json.dumps({"type": "video.completed", "data": {**data, **rest}}))


def finished_video() -> dict[str, Any]:
    """Return a video that ended yesterday, as an item of its table."""
    at = datetime.now(UTC) - timedelta(days=1)
    made = VideoRow(
        "heygen/marketing",
        "v",
        status="completed",
        sequence=1,
        rings=True,
        url="https://files.heygen.example/v.mp4",
        phase="heygen/marketing#finished",
        since=at,
        first_seen_at=at,
        changed_at=at,
        finished_at=at,
        history=[{"status": "completed", "provider_status": "completed", "at": iso(at), "sequence": 1, "rings": True}],
    )
    return dict(made.serialize())


def alert_delivery() -> dict[str, Any]:
    """Return an alert on its way to operators, as an item of the deliveries' table."""
    alert = Alert(account=AccountName("heygen", "marketing"), kind="key_refused", count=1, detail="HTTP 401", at=LONG_AGO)
    return row("operators", ALERT_ID, alert.type, alert.body)


def row(
    endpoint_id: str, event_id: str, event_type: str, body: str, status: DeliveryStatus = DeliveryStatus.PENDING
) -> dict[str, Any]:
    """Return a delivery that is due as an item of its table."""
    made = DeliveryRow(
        endpoint_id,
        event_id,
        event_type=event_type,
        body=packed(body),
        status=status.value,
        waiting="pending" if status is DeliveryStatus.PENDING else None,
        next_attempt_at=LONG_AGO,
        created_at=LONG_AGO,
        expires_at=LONG_AGO,
    )
    item = dict(made.serialize())
    return {**item, "body": {"B": b64encode(item["body"]["B"]).decode()}}


def listed_video() -> Json:
    """Return a finished video as HeyGen v3 lists it."""
    return {
        "id": "c7d1e0a2f3b44c5d8e9f0a1b2c3d4e5f",
        "status": "completed",
        "title": "Frühling in Köln 🎬",
        "video_url": "https://files.heygen.example/v.mp4",
        "created_at": 4102444800,  # far ahead: made after any first look began, so it rings
    }


def unfinished_videos() -> list[Json]:
    """Return two videos that make `poll` look again soon, one of them by a word that operators hear of."""
    return [{"id": word, "status": word, "created_at": 1_700_000_000} for word in ("processing", "dreaming")]


@contextmanager
def world() -> Iterator[World]:
    """Open the world on a free port of this machine."""
    server = ThreadingHTTPServer((LOOPBACK, 0), _Answering)
    server.daemon_threads = True
    here = World(url=f"http://{LOOPBACK}:{server.server_address[1]}")
    server.world = here  # type: ignore[attr-defined]
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield here
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # no connection outlives its request

    @property
    def world(self) -> World:
        return self.server.world  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        self.world.asked.append(self.path)
        self._send(200, "application/json", json.dumps(self.world.listing))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        # Every request to AWS says in its signature which service is meant.
        signed = re.search(r"Credential=[^/]+/\d+/[^/]+/(\w+)/aws4_request", self.headers.get("authorization", ""))
        if signed is None:
            self.world.delivered.append(Delivered(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self._send(int(self.path.rpartition("/")[2]), "text/plain", "thank you")
        else:
            self._answer_as_aws(signed[1], body)

    def _answer_as_aws(self, service: str, body: str) -> None:
        if service == "lambda":
            asked = {"FunctionName": self.path.split("/")[3], "Payload": body}
            self._send(200, "application/json", json.dumps(self.world.aws.answer(Call(service, "Invoke", asked))))
            return
        target = self.headers.get("x-amz-target")
        if target is None:
            fields: dict[str, Any] = dict(parse_qsl(body))
            call = Call(service, fields.pop("Action"), fields)
            said = "".join(f"<{name}>{value}</{name}>" for name, value in self.world.aws.answer(call).items())
            result = f"<{call.operation}Result>{said}</{call.operation}Result>"
            self._send(200, "text/xml", f"<{call.operation}Response>{result}</{call.operation}Response>")
            return
        try:
            answer = self.world.aws.answer(Call(service, target.rpartition(".")[2], json.loads(body)))
            self._send(200, "application/x-amz-json-1.0", json.dumps(answer))
        except AwsError as error:
            self._send(400, "application/x-amz-json-1.0", json.dumps({"__type": error.code, "message": error.code}))

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def aws_environment(endpoint: str) -> dict[str, str]:
    """Return the variables that send every AWS client to `endpoint`, with credentials that are none."""
    return {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_SESSION_TOKEN": "not-a-token",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
