"""Looks at one account: each message of the poll queue names one."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell import http
from renderbell.aws import client
from renderbell.batch import Answer, Record, each
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.poll import Poll
from renderbell.queues import PollMessage, Queue
from renderbell.settings import PollSettings
from renderbell.store.accounts import Accounts
from renderbell.store.meter import Meter
from renderbell.store.spending import SpendingStore
from renderbell.store.videos import Videos

logger = logger_of("poll")
metrics = Metrics(service="poll")
settings = PollSettings.read(os.environ)
sqs, requests, meter = client("sqs"), http.Requests(), Meter()
poll = Poll(
    parameters=Parameters(settings.parameters_prefix, client("ssm")),
    accounts=Accounts(settings.accounts_table, meter),
    videos=Videos(settings.videos_table, meter),
    spending=SpendingStore(settings.accounts_table),
    poll_queue=Queue(settings.poll_queue_url, sqs),
    delivery_queue=Queue(settings.delivery_queue_url, sqs),
    client=http.client(requests),
    requests=requests,
    meter=meter,
    now=lambda: datetime.now(UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Answer:
    def look(record: Record) -> None:
        polled = poll.look(PollMessage.parse(record["body"]), lambda: context.get_remaining_time_in_millis() / 1000)
        logger.info("polled", extra=polled.fields())
        measured = polled.measured()
        if measured:
            metrics.add_dimension("provider", polled.account.provider)
        for metric, value in measured.items():
            metrics.add_metric(metric, MetricUnit.Count, value)
        for seconds in polled.took:
            metrics.add_metric("CompletionSeconds", MetricUnit.Seconds, seconds)

    return each(event, look, logger)
