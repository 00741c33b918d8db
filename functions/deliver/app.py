"""Makes the attempts that the delivery queue wakes, several at a time."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.alerts import OPERATORS, alert_subject, alert_text
from renderbell.aws import client
from renderbell.batch import Answer, Record, all_at_once
from renderbell.deliver import Deliver, Topic
from renderbell.deliveries import DeliveryStatus, Verdict
from renderbell.egress import Sender
from renderbell.endpoints import TOPIC
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.queues import DeliveryMessage, Queue, told_after
from renderbell.settings import DeliverSettings
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints

logger = logger_of("deliver")
metrics = Metrics(service="deliver")
settings = DeliverSettings.read(os.environ)
sns = client("sns")
deliver = Deliver(
    deliveries=Deliveries(settings.deliveries_table),
    endpoints=Endpoints(settings.endpoints_table),
    privates=Parameters(settings.parameters_prefix, client("ssm")),
    queue=Queue(settings.delivery_queue_url, client("sqs")),
    topics={
        TOPIC: Topic(arn=settings.topic_arn, sns=sns),
        OPERATORS: Topic(arn=settings.operators_topic_arn, sns=sns, subject=alert_subject, text=alert_text, sms=alert_subject),
    },
    sender=Sender(allow_local=settings.allow_local_endpoints),
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Answer:
    del context
    return all_at_once(event, attempt, logger)


async def attempt(record: Record) -> None:
    message = DeliveryMessage.parse(record["body"])
    decided = await deliver.attempt(message)
    if decided is not None:
        count(message, decided)
        outcome = {"endpoint_id": message.endpoint_id, "event_id": message.event_id, "status": decided.status.value}
        logger.info("attempted", extra=outcome)


def count(message: DeliveryMessage, decided: Verdict) -> None:
    delivered = decided.status is DeliveryStatus.DELIVERED
    if message.endpoint_id != TOPIC:
        metrics.add_metric("WebhooksDelivered" if delivered else "WebhooksRefused", MetricUnit.Count, 1)
        return
    seconds = told_after(message, datetime.now(UTC))
    if not delivered:
        metrics.add_metric("TopicRefused", MetricUnit.Count, 1)
    elif seconds is not None:
        metrics.add_metric("AnnouncementSeconds", MetricUnit.Seconds, seconds)
