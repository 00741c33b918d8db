"""Draws the widget of the stack's CloudWatch dashboard."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from renderbell.aws import client
from renderbell.errors import RenderbellError
from renderbell.glance import Glance
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.queues import Queue
from renderbell.settings import WidgetSettings
from renderbell.store.accounts import Accounts
from renderbell.store.deliveries import Deliveries
from renderbell.store.endpoints import Endpoints
from renderbell.store.spending import SpendingStore
from renderbell.store.videos import Videos
from renderbell.view import Notice, command_of
from renderbell.widget import DOCUMENTATION, page, trouble

NO_ANSWER = "DynamoDB or Parameter Store gave no answer. Reload in a minute; the widget function's log says more."
OUR_FAULT = "Renderbell made a mistake in drawing it. The widget function's log says which."

logger = logger_of("widget")
settings = WidgetSettings.read(os.environ)
stack = settings.parameters_prefix.rpartition("/")[2]
is_local = "AWS_ENDPOINT_URL" in os.environ  # by which the local engine points every client at itself
glance = Glance(
    parameters=Parameters(settings.parameters_prefix, client("ssm")),
    videos=Videos(settings.videos_table),
    accounts=Accounts(settings.accounts_table),
    spending=SpendingStore(settings.accounts_table),
    endpoints=Endpoints(settings.endpoints_table),
    deliveries=Deliveries(settings.deliveries_table),
    queue=Queue(settings.delivery_queue_url, client("sqs")),
    command=command_of(stack, local=is_local),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> str:
    """Take what CloudWatch sends: `describe`, a `widgetContext`, and with a button its parameters."""
    if event.get("describe"):
        return DOCUMENTATION
    theme, now = (event.get("widgetContext") or {}).get("theme"), datetime.now(UTC)
    try:
        notice = _retried(event["retry"], now) if "retry" in event else None
        return page(glance.view(now), theme=theme, function=context.invoked_function_arn, notice=notice)
    except (BotoCoreError, ClientError, PynamoDBException):
        logger.exception("AWS gave no answer")
        return trouble(NO_ANSWER, theme=theme)
    except Exception:
        logger.exception("not drawn")
        return trouble(OUR_FAULT, theme=theme)


def _retried(asked: Any, now: datetime) -> Notice:
    wish = asked if isinstance(asked, dict) else {}
    try:
        notice = glance.retry(wish.get("endpoint"), wish.get("event"), now)
    except RenderbellError as error:
        notice = Notice(words=f"Nothing was sent: {error}.", good=False)
    logger.info("retried", extra={"endpoint_id": wish.get("endpoint"), "event_id": wish.get("event"), "said": notice.words})
    return notice
