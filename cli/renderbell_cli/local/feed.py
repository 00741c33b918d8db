"""Listens to the local stack's SNS topic through a queue of its own, as a subscriber would."""

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class TopicMessage:
    """One message of the topic, with the attributes its filter policies see."""

    event_id: str
    event: Mapping[str, Any]
    at: float


@dataclass(slots=True)
class TopicFeed:
    """What came from the topic so far. Any thread may look."""

    _messages: list[TopicMessage] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def messages(self) -> Sequence[TopicMessage]:
        with self._lock:
            return list(self._messages)

    def add(self, message: TopicMessage) -> None:
        with self._lock:
            self._messages.append(message)


@contextlib.contextmanager
def listening(topic_arn: str) -> Iterator[TopicFeed]:
    """Subscribe a queue to the topic and collect its messages until the block ends."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    url = sqs.create_queue(QueueName=f"renderbell-local-feed-{secrets.token_hex(4)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    feed, stop = TopicFeed(), threading.Event()
    thread = threading.Thread(target=_collect, args=(sqs, url, feed, stop), name="topic-feed", daemon=True)
    thread.start()
    try:
        yield feed
    finally:
        stop.set()
        thread.join(timeout=1.5)


def _collect(sqs: "SQSClient", url: str, feed: TopicFeed, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        except (BotoCoreError, ClientError):
            stop.wait(0.5)  # the engine is busy or on its way out
            continue
        for message in received:
            body = json.loads(message["Body"])
            event_id = body["MessageAttributes"]["event_id"]["Value"]
            feed.add(TopicMessage(event_id=event_id, event=json.loads(body["Message"]), at=time.time()))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
