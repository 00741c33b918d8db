"""The functions' log: their own lines, and nothing of what libraries would tell about requests and answers."""

import logging
import warnings
from typing import Final

from aws_lambda_powertools import Logger

TALKATIVE: Final = ("boto3", "botocore", "httpcore", "httpx", "pynamodb", "s3transfer", "urllib3")
"""At INFO httpx logs URLs, with a PixVerse account's e-mail in them; at DEBUG botocore logs bodies, with decrypted keys."""


def logger_of(service: str) -> Logger:
    """Return a function's logger, and hold the libraries back, whatever level Lambda gives the root logger."""
    # Where nothing is measured there is nothing to tell: as Powertools' documents have it.
    warnings.filterwarnings("ignore", "No application metrics to publish*")
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # RFC 3339: of a line whose time Lambda cannot read it does not believe the level either, and may drop an error.
    return Logger(service=service, use_rfc3339=True)
