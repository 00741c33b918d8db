"""What an account's hint URL takes: the token in use, and the secret its provider signs with."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorbell:
    """An account's hint URL. It has a `secret` where the provider signs, a `hook_id` where it was registered there."""

    token: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    hook_id: str | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what `dump` wrote. Raises KeyError or ValueError for anything else."""
        stored: Mapping[str, Any] = json.loads(value)
        return cls(token=stored["token"], secret=stored.get("secret"), hook_id=stored.get("hook_id"))

    def dump(self) -> str:
        return json.dumps({"token": self.token, "secret": self.secret, "hook_id": self.hook_id})

    def opens_to(self, token: str) -> bool:
        """Compare in a time that does not tell how much of it is right."""
        return hmac.compare_digest(self.token.encode(), token.encode(errors="replace"))

    def trusts(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Say whether the call is signed with the secret, within five minutes of its time; any is where there is none.

        VideoGen alone documents a scheme that all sources agree on: Standard Webhooks (FACTS §5).
        """
        if self.secret is None:
            return True
        try:
            Webhook(self.secret).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # ValueError: a header or body not even shaped as it should be
            return False
        return True
