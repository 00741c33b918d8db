"""Announces what the stream of the Videos table brings: every transition that rings."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.announce import Announce
from renderbell.aws import client
from renderbell.batch import Answer, Record, each
from renderbell.events import masked
from renderbell.links import Links
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.queues import Queue
from renderbell.settings import NotifySettings
from renderbell.store.endpoints import Endpoints
from renderbell.store.videos import news_in

logger = logger_of("notify")
settings = NotifySettings.read(os.environ)
parameters = Parameters(settings.parameters_prefix, client("ssm"))
announce = Announce(
    endpoints=Endpoints(settings.endpoints_table),
    links=Links(base_url=settings.link_url, days=settings.link_days, tokens=parameters.made_tokens),
    queue=Queue(settings.delivery_queue_url, client("sqs")),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Answer:
    del context
    return each(event, ring, logger)


def ring(record: Record) -> None:
    event = news_in(record["dynamodb"])
    if event is not None:
        announce.announce(event)
        logger.info("announced", extra={"event_id": event.event_id, "type": event.type, "video_id": masked(event.video_id)})
