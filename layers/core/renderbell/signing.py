"""Signs deliveries by the Standard Webhooks specification (https://www.standardwebhooks.com)."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from standardwebhooks import Webhook

from renderbell.values import iso, moment

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32  # the specification asks for 24 to 64
OVERLAP: Final = timedelta(hours=24)
"""How long an old secret signs beside the new one, so that receivers can change theirs in peace."""

NO_END: Final = datetime.max.replace(tzinfo=UTC)
"""Version 0.1 kept no time with older secrets. They sign until OVERLAP after the next rotation."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """An endpoint's signing secrets. Those that were rotated away sign until their time is over."""

    current: str = field(repr=False)
    retiring: tuple[tuple[str, datetime], ...] = field(default=(), repr=False)
    """Older ones, newest first, with the moment until which each signs."""

    def valid(self, now: datetime) -> Sequence[str]:
        """Return the secrets to sign with, newest first."""
        return [self.current, *(secret for secret, until in self.retiring if now < until)]

    def rotated(self, new: str, now: datetime) -> Self:
        """Return these secrets with a new one before them. Each old one signs for OVERLAP from when it was replaced.

        Rotated again within that time, so do all that came before: no receiver is cut off early. Rotating to the secret
        that is current changes nothing.
        """
        if new == self.current:
            return self
        end = now + OVERLAP
        still = ((secret, min(until, end)) for secret, until in self.retiring if now < until and secret != new)
        return type(self)(current=new, retiring=((self.current, end), *still))

    def fields(self) -> dict[str, Any]:
        """Return these secrets as they are stored, see `read`."""
        return {
            "secret": self.current,
            "retiring": [{"secret": secret, "until": iso(until)} for secret, until in self.retiring],
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `fields` wrote, or version 0.1's `{"secrets": [...]}`. Raises KeyError or ValueError for anything else."""
        if "secrets" in stored:
            current, *others = stored["secrets"]
            return cls(current=current, retiring=tuple((secret, NO_END) for secret in others))
        ends = ((one["secret"], moment(one["until"])) for one in stored["retiring"])
        return cls(current=stored["secret"], retiring=tuple((secret, until) for secret, until in ends if until is not None))


def signed_headers(event_id: str, body: str, secrets_: Sequence[str], at: int) -> Mapping[str, str]:
    """Return the three headers for `body`, signed with every secret that is valid now.

    `at` is the attempt's time in whole Unix seconds. The body must be sent as exactly these characters in UTF-8.
    """
    sent_at = datetime.fromtimestamp(at, UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, sent_at, body) for secret in secrets_),
    }
