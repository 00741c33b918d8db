"""Puts work on the two queues."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from renderbell.errors import BadInputError, RenderbellError
from renderbell.values import integer, iso, moment
from renderbell.video import AccountName

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_DELAY: Final = 900
"""Seconds; the longest SQS keeps a message back."""
MAX_GROUP: Final = 128
"""Characters of a message group's name. Two long ones that begin alike share their turns, and no harm is done."""
BATCH: Final = 10
MAX_BYTES: Final = 250_000
"""SQS takes 262,144 bytes a request. The largest event is smaller by itself: store.videos clips its parts."""


class QueueError(RenderbellError):
    """SQS took some messages and refused others: the sender tries again, receivers bear repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollMessage:
    """Look at this account now.

    `tick_ends` is when the next tick of its schedule is due, as far as the sender knows; `in_between` marks the looks between
    two ticks, which are for the sake of videos in flight. `hinted` counts the looks because of one hint: 1 is the first.
    `edition` tells the account's present value from older ones, see Parameters.account.
    """

    account: AccountName
    tick_ends: datetime | None = None
    in_between: bool = False
    hinted: int = 0
    edition: str | None = None

    @classmethod
    def parse(cls, body: str) -> Self:
        fields = _fields(body, "account")
        account, ends, edition = AccountName.parse(fields["account"]), fields.get("tick_ends"), fields.get("edition")
        return cls(
            account=account,
            tick_ends=moment(ends),
            in_between=fields.get("in_between") is True,
            hinted=integer(fields.get("hinted")) or 0,
            edition=edition if isinstance(edition, str) else None,
        )

    def dump(self) -> str:
        when = {"tick_ends": iso(self.tick_ends), "in_between": self.in_between, "hinted": self.hinted}
        fields = {"account": str(self.account), **when, "edition": self.edition}
        return json.dumps({name: value for name, value in fields.items() if value})

    @property
    def group(self) -> str:
        return str(self.account)


class Told(Protocol):
    """What can be told: an event of a video, or an alert."""

    @property
    def event_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def body(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMessage:
    """Attempt this delivery if it is due. Its row is the truth, if it has one; a new delivery is its message until then.

    `turn` says that its time has been chosen already, by a turn, a release or a replay: it waits no more. A `probe` is
    attempted although its endpoint rests, to see whether it answers again. `again` is a person's wish: what was given up, or
    waits for long, begins its schedule anew first.
    """

    endpoint_id: str
    event_id: str
    event_type: str = ""
    body: str | None = None
    turn: bool = False
    probe: bool = False
    again: bool = False

    @classmethod
    def of(cls, endpoint_id: str, told: Told) -> Self:
        """Return what makes a new delivery of `told` to an endpoint."""
        return cls(endpoint_id=endpoint_id, event_id=told.event_id, event_type=told.type, body=told.body)

    @classmethod
    def parse(cls, body: str) -> Self:
        fields = _fields(body, "endpoint_id", "event_id")
        event = fields.get("body")
        return cls(
            endpoint_id=fields["endpoint_id"],
            event_id=fields["event_id"],
            event_type=str(fields.get("event_type", "")),
            body=event if isinstance(event, str) else None,
            turn=fields.get("turn") is True,
            probe=fields.get("probe") is True,
            again=fields.get("again") is True,
        )

    def dump(self) -> str:
        rest = {"event_type": self.event_type, "body": self.body}
        marks = {"turn": self.turn, "probe": self.probe, "again": self.again}
        given = {name: value for name, value in (rest | marks).items() if value}
        return json.dumps({"endpoint_id": self.endpoint_id, "event_id": self.event_id, **given})

    @property
    def group(self) -> str:
        return self.endpoint_id


def told_after(message: DeliveryMessage, now: datetime) -> float | None:
    """Return how many seconds after a video's end its event is attempted, for a message that brings it; else None."""
    if message.body is None or not message.event_type.startswith("video."):
        return None
    at = moment(json.loads(message.body)["timestamp"])
    return None if at is None else max(0.0, (now - at).total_seconds())


class Queue:
    """One SQS standard queue. Message groups keep one account or endpoint from crowding out the others."""

    def __init__(self, url: str, sqs: "SQSClient") -> None:
        self._url = url
        self._sqs = sqs

    def send(self, messages: Iterable[PollMessage | DeliveryMessage], *, delay: int = 0) -> int:
        """Send all messages, `delay` seconds from now; return how many. Raises QueueError when SQS refuses any."""
        return self.send_later((message, delay) for message in messages)

    def send_later(self, messages: Iterable[tuple[PollMessage | DeliveryMessage, int]]) -> int:
        """Send each message so many seconds from now; return how many. Raises QueueError when SQS refuses any."""
        sent = 0
        for batch in _batches(messages):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(place), "MessageBody": body, "MessageGroupId": group, "DelaySeconds": min(delay, MAX_DELAY)}
                for place, (body, group, delay) in enumerate(batch)
            ]
            refused = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
            if refused:
                raise QueueError(f"SQS refused {len(refused)} of {len(entries)} messages: {refused[0].get('Message')}")
            sent += len(entries)
        return sent


def _batches(messages: Iterable[tuple[PollMessage | DeliveryMessage, int]]) -> Iterator[Sequence[tuple[str, str, int]]]:
    """Yield what one request can carry: ten messages, and not more than SQS takes at once."""
    batch: list[tuple[str, str, int]] = []
    size = 0
    for message, delay in messages:
        body = message.dump()
        if batch and (len(batch) == BATCH or size + len(body) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((body, message.group[:MAX_GROUP], delay))
        size += len(body)
    if batch:
        yield batch


def _fields(body: str, *names: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in names):
        raise BadInputError(f"a message needs a JSON object with {' and '.join(names)}")
    return fields
