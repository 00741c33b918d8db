"""Asks a provider for one video now, for `link` and `api`. Beside `poll` the only function that may read keys."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell import http
from renderbell.aws import client
from renderbell.errors import BadInputError, ProviderError
from renderbell.events import masked
from renderbell.fetch import Fetch
from renderbell.fresh import Fresh
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.settings import FetchSettings
from renderbell.video import AccountName

logger = logger_of("fetch")
settings = FetchSettings.read(os.environ)
fetch = Fetch(parameters=Parameters(settings.parameters_prefix, client("ssm")), client=http.client())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take `{"account": "heygen/marketing", "video_id": ID}`; what cannot be had is an answer, too, not a failure."""
    del context
    account, video_id = AccountName.parse(event["account"]), str(event["video_id"])
    try:
        fresh = Fresh.of(fetch.video(account, video_id))
    except (BadInputError, ProviderError) as error:
        fresh = Fresh.missing(error)
    said = {"account": str(account), "video_id": masked(video_id), "status": fresh.status, "error": fresh.error}
    logger.info("fetched", extra=said)
    return fresh.fields()
