"""Opens the links that notifications carry."""

import html
import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from renderbell.asking import Asking
from renderbell.aws import client
from renderbell.link import Link, Opened
from renderbell.log import logger_of
from renderbell.parameters import Parameters
from renderbell.settings import LinkSettings
from renderbell.store.deliveries import Deliveries

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
link = Link(
    parameters=Parameters(settings.parameters_prefix, client("ssm")),
    deliveries=Deliveries(settings.deliveries_table),
    fetch=Asking(settings.fetch_function, client("lambda")),
    now=lambda: datetime.now(UTC),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    del context
    # Read by hand: Powertools' class for it comes with those of all other events, and a person waits.
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    opened = link.open(path) if method in {"GET", "HEAD"} else Opened(status=405, words="Open it by GET.")
    logger.info("opened", extra={"event_id": path.split("/")[1][:40], "http_status": opened.status})
    if opened.url is not None:
        return {"statusCode": opened.status, "headers": {**HEADERS, "location": opened.url}, "body": ""}
    return {"statusCode": opened.status, "headers": HEADERS, "body": PAGE.format(words=html.escape(opened.words))}
