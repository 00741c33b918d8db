"""On schedule: shows that every event has its deliveries, and makes those that are missing."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.audit import Audit
from renderbell.aws import client
from renderbell.links import Links
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.queues import Queue
from renderbell.settings import AuditSettings
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.videos import Videos

logger = logger_of("audit")
metrics = Metrics(service="audit")
settings = AuditSettings.read(os.environ)
parameters = Parameters(settings.parameters_prefix, client("ssm"))
audit = Audit(
    parameters=parameters,
    links=Links(base_url=settings.link_url, days=settings.link_days, tokens=parameters.made_tokens),
    videos=Videos(settings.videos_table),
    endpoints=Endpoints(settings.endpoints_table),
    deliveries=Deliveries(settings.deliveries_table),
    queue=Queue(settings.delivery_queue_url, client("sqs")),
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Take `{"hours": N}`: how far back to look, at most 30 days."""
    del context
    now = datetime.now(UTC)
    counts = dict(audit.run(now, now - timedelta(hours=float(event["hours"]))))
    logger.info("audited", extra={"hours": event["hours"], **counts})
    for status, count in ((status, count) for status, count in counts.items() if count):
        metrics.add_metric(f"Deliveries{status.capitalize()}", MetricUnit.Count, count)
    return counts
