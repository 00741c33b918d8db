"""Answers providers' own calls, each with a look at the account it is about."""

import base64
import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.aws import client
from renderbell.hint import Hint
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.queues import Queue
from renderbell.settings import HintSettings
from renderbell.store.accounts import Accounts

logger = logger_of("hint")
settings = HintSettings.read(os.environ)
hint = Hint(
    parameters=Parameters(settings.parameters_prefix, client("ssm")),
    accounts=Accounts(settings.accounts_table),
    queue=Queue(settings.poll_queue_url, client("sqs")),
    now=lambda: datetime.now(UTC),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    del context
    # Read by hand: Powertools' class for it comes with those of all other events, which a provider that waits would wait for.
    body = event.get("body") or ""
    said = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    verdict, account = hint.take(event["requestContext"]["http"]["method"], event["rawPath"], event["headers"], said)
    logger.info("called", extra={"account": str(account) if account else None, "verdict": verdict.name.lower()})
    return {"statusCode": verdict.value, "headers": {"content-type": "text/plain"}, "body": verdict.name.lower()}
