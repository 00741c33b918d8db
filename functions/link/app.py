"""Opens the links that notifications carry."""

import html
import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.data_classes import LambdaFunctionUrlEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.fresh import Fresh
from renderbell.link import Link, Opened
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.settings import LinkSettings
from renderbell.store.deliveries import Deliveries
from renderbell.video import AccountName

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Renderbell</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;
color-scheme:light dark}}</style><p>{words}</p></html>"""
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
}

logger = logger_of("link")
settings = LinkSettings.read(os.environ)
functions = boto3.client("lambda")


def ask(account: AccountName, video_id: str) -> Fresh:
    payload = json.dumps({"account": str(account), "video_id": video_id})
    answer = functions.invoke(FunctionName=settings.fetch_function, Payload=payload)
    if answer.get("FunctionError"):
        return Fresh(error="fault", message="the function that asks providers failed: see its log")
    return Fresh.read(json.load(answer["Payload"]))


link = Link(
    parameters=Parameters(settings.parameters_prefix, boto3.client("ssm")),
    deliveries=Deliveries(settings.deliveries_table),
    fetch=ask,
    now=lambda: datetime.now(UTC),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    del context
    call = LambdaFunctionUrlEvent(event)
    opened = link.open(call.raw_path) if call.http_method in {"GET", "HEAD"} else Opened(status=405, words="Open it by GET.")
    logger.info("opened", extra={"path": call.raw_path[:60].rpartition("/")[0], "http_status": opened.status})
    if opened.url is not None:
        return {"statusCode": opened.status, "headers": {**HEADERS, "location": opened.url}, "body": ""}
    return {"statusCode": opened.status, "headers": HEADERS, "body": PAGE.format(words=html.escape(opened.words))}
