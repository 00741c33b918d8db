"""At each tick of a schedule: puts what is due on the queues."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.aws import client
from renderbell.dispatch import Dispatch
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.queues import Queue
from renderbell.schedules import schedules_of
from renderbell.settings import DispatchSettings
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.spending import SpendingStore

logger = logger_of("dispatch")
metrics = Metrics(service="dispatch")
settings = DispatchSettings.read(os.environ)
sqs = client("sqs")
dispatch = Dispatch(
    parameters=Parameters(settings.parameters_prefix, client("ssm")),
    accounts=Accounts(settings.accounts_table),
    deliveries=Deliveries(settings.deliveries_table),
    endpoints=Endpoints(settings.endpoints_table),
    poll_queue=Queue(settings.poll_queue_url, sqs),
    delivery_queue=Queue(settings.delivery_queue_url, sqs),
    spending=SpendingStore(settings.accounts_table),
    quiet_every=timedelta(minutes=settings.quiet_minutes),
)
schedules = schedules_of(settings.schedules)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Take `{"provider": NAME, "rate": RATE}` from a provider's schedule, `{"deliveries": true}` from the deliveries' own."""
    del context
    now = datetime.now(UTC)
    sent = {
        "polls": dispatch.polls(event["provider"], now, event.get("rate")) if "provider" in event else 0,
        "deliveries": dispatch.due_deliveries(now) + dispatch.tend_endpoints(now) if event.get("deliveries") else 0,
    }
    for name, count in (dispatch.vitals(now, schedules) if event.get("deliveries") else {}).items():
        if count:  # what is measured in an hour costs by the hour
            metrics.add_metric(name, MetricUnit.Count, count)
    logger.info("dispatched", extra={"tick": event, **sent})
    return sent
