"""Answers the HTTP API. Who may ask is AWS's to say: its function URL takes signed requests alone."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.api.app import application, as_in_aws
from renderbell.api.routes import Desk
from renderbell.asking import Asking
from renderbell.audit import Audit
from renderbell.aws import client
from renderbell.browse import Browse
from renderbell.links import Links
from renderbell.log import logger_of
from renderbell.overview import Overview
from renderbell.parameters import Parameters
from renderbell.queues import Queue
from renderbell.replay import Replay
from renderbell.ring_again import RingAgain
from renderbell.schedules import schedules_of
from renderbell.settings import ApiSettings
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.spending import SpendingStore
from renderbell.store.videos import Videos
from renderbell.subscribe import Subscribe

logger = logger_of("api")
settings = ApiSettings.read(os.environ)
sqs = client("sqs")
parameters = Parameters(settings.parameters_prefix, client("ssm"))
videos, endpoints, deliveries = (
    Videos(settings.videos_table),
    Endpoints(settings.endpoints_table),
    Deliveries(settings.deliveries_table),
)
queue = Queue(settings.delivery_queue_url, sqs)
links = Links(base_url=settings.link_url, days=settings.link_days, tokens=parameters.made_tokens)
desk = Desk(
    browse=Browse(parameters=parameters, videos=videos),
    ring_again=RingAgain(videos=videos, endpoints=endpoints, deliveries=deliveries, queue=queue, links=links),
    subscribe=Subscribe(
        endpoints=endpoints,
        parameters=parameters,
        deliveries=deliveries,
        queue=queue,
        allow_local=settings.allow_local_endpoints,
    ),
    replay=Replay(deliveries=deliveries, endpoints=endpoints, queue=queue),
    overview=Overview(
        parameters=parameters,
        accounts=Accounts(settings.accounts_table),
        spending=SpendingStore(settings.accounts_table),
        poll_queue=Queue(settings.poll_queue_url, sqs),
        schedules=schedules_of(settings.schedules),
    ),
    audit=Audit(parameters=parameters, videos=videos, endpoints=endpoints, deliveries=deliveries, queue=queue, links=links),
    fetch=Asking(settings.fetch_function, client("lambda")),
    now=lambda: datetime.now(UTC),
)
app = application(desk, logger)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    call = as_in_aws(event) if settings.paths_come_decoded else event
    return dict(app.resolve(call, context))
