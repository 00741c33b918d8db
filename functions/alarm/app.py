"""Tells operators, in words, of CloudWatch's alarms: as alerts they are delivered like all others.

CloudWatch cannot publish to a topic that is encrypted with the key AWS keeps for SNS, but it can call a function.
"""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.alerts import OPERATORS, AlarmAlert
from renderbell.aws import client
from renderbell.log import logger_of
from renderbell.queues import DeliveryMessage, Queue
from renderbell.settings import AlarmSettings

logger = logger_of("alarm")
settings = AlarmSettings.read(os.environ)
queue = Queue(settings.delivery_queue_url, client("sqs"))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    del context
    alert = AlarmAlert.of(event, settings.stack_name)
    if alert.news:
        queue.send([DeliveryMessage.of(OPERATORS, alert)])
    logger.info("alarmed", extra={"alarm": alert.alarm, "fires": alert.fires, "told": alert.news, "event_id": alert.event_id})
