"""Looks at one account: each message of the poll queue names one."""

import os
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell import http
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.poll import Poll
from renderbell.queues import PollMessage
from renderbell.settings import PollSettings
from renderbell.store.accounts import Accounts
from renderbell.store.videos import Videos

logger = logger_of("poll")
settings = PollSettings.read(os.environ)
processor = BatchProcessor(event_type=EventType.SQS, logger=logger)  # type: ignore[arg-type] # Powertools types it as none
poll = Poll(
    parameters=Parameters(settings.parameters_prefix, boto3.client("ssm")),
    accounts=Accounts(settings.accounts_table),
    videos=Videos(settings.videos_table),
    client=http.client(),
    now=lambda: datetime.now(UTC),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    def look(record: SQSRecord) -> None:
        account = PollMessage.parse(record.body).account
        logger.info("polled", extra=poll.look(account, lambda: context.get_remaining_time_in_millis() / 1000))

    return dict(process_partial_response(event, look, processor, context))
