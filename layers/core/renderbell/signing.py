"""Signs deliveries by the Standard Webhooks specification (https://www.standardwebhooks.com)."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(event_id: str, body: str, secrets_: Sequence[str], at: int) -> Mapping[str, str]:
    """Return the three headers for `body`, signed with every secret that is valid now.

    `at` is the attempt's time in whole Unix seconds. The body must be sent as exactly these characters in UTF-8.
    """
    moment = datetime.fromtimestamp(at, UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, moment, body) for secret in secrets_),
    }
