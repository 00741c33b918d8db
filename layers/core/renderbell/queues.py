"""Puts work on the two queues."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any, Final, Self

from renderbell.errors import BadInputError, RenderbellError
from renderbell.values import iso, moment
from renderbell.video import AccountName

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_DELAY: Final = 900
"""Seconds; the longest SQS keeps a message back."""
BATCH: Final = 10


class QueueError(RenderbellError):
    """SQS took some messages and refused others: the sender tries again, receivers bear repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollMessage:
    """Look at this account now.

    `tick_ends` is when the next tick of its schedule is due, as far as the sender knows; `in_between` marks the looks between
    two ticks, which are for the sake of videos in flight.
    """

    account: AccountName
    tick_ends: datetime | None = None
    in_between: bool = False

    @classmethod
    def parse(cls, body: str) -> Self:
        fields = _fields(body, "account")
        account, ends = AccountName.parse(fields["account"]), fields.get("tick_ends")
        return cls(account=account, tick_ends=moment(ends), in_between=fields.get("in_between") is True)

    def dump(self) -> str:
        fields = {"account": str(self.account), "tick_ends": iso(self.tick_ends), "in_between": self.in_between}
        return json.dumps({name: value for name, value in fields.items() if value})

    @property
    def group(self) -> str:
        return str(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMessage:
    """Attempt this delivery if it is due. Its row is the truth; the message only wakes it."""

    endpoint_id: str
    event_id: str

    @classmethod
    def parse(cls, body: str) -> Self:
        fields = _fields(body, "endpoint_id", "event_id")
        return cls(endpoint_id=fields["endpoint_id"], event_id=fields["event_id"])

    def dump(self) -> str:
        return json.dumps({"endpoint_id": self.endpoint_id, "event_id": self.event_id})

    @property
    def group(self) -> str:
        return self.endpoint_id


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
        for batch in batched(messages, BATCH, strict=False):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {
                    "Id": str(place),
                    "MessageBody": message.dump(),
                    "MessageGroupId": message.group,
                    "DelaySeconds": min(delay, MAX_DELAY),
                }
                for place, (message, delay) in enumerate(batch)
            ]
            refused = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
            if refused:
                raise QueueError(f"SQS refused {len(refused)} of {len(entries)} messages: {refused[0].get('Message')}")
            sent += len(entries)
        return sent


def _fields(body: str, *names: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in names):
        raise BadInputError(f"a message needs a JSON object with {' and '.join(names)}")
    return fields
