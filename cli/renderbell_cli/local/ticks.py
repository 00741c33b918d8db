"""Ticks the local stack faster than EventBridge can: its finest rate is a minute, which is too slow to watch."""

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from renderbell_cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType


@contextlib.contextmanager
def ticking(stack: Stack, providers: Sequence[str], seconds: float) -> Iterator[None]:
    """Invoke `dispatch` as the schedules do, every so many seconds, until the block ends.

    One call after the other, and no further look while earlier ones still wait: a slow machine is not buried in ticks.
    """
    stop = threading.Event()

    def tick() -> None:
        functions, sqs = boto3.client("lambda"), boto3.client("sqs")
        while not stop.wait(seconds):
            with contextlib.suppress(BotoCoreError, ClientError):  # the next tick is near
                events: list[dict[str, object]] = [{"deliveries": True}]
                if not _waiting(sqs, stack.outputs["PollQueueUrl"]):
                    events += [{"provider": provider} for provider in providers]
                for event in events:
                    functions.invoke(FunctionName=stack.outputs["DispatchFunction"], Payload=json.dumps(event).encode())

    thread = threading.Thread(target=tick, name="ticks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=1)


def _waiting(sqs: "SQSClient", url: str) -> int:
    name: QueueAttributeNameType = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
