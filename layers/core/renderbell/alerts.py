"""What operators are told: a key that is refused, an endpoint that retires, an unknown word. Each once, and its end, too."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from renderbell.deliveries import Delivery
from renderbell.events import PROVIDER_NAMES
from renderbell.values import iso
from renderbell.video import AccountName

OPERATORS: Final = "operators"
"""The endpoint every stack has for its operators: the SNS topic `operator-alerts`."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "key_refused": (
        "The API key is refused",
        "Store a good one with `renderbell account set`. Until then the account is looked at every five minutes.",
    ),
    "endpoint_retired": (
        "The listing answers that it does not exist",
        "HeyGen v1 was to end on 2026-10-31: try `--option api_version=v3`. Otherwise check `base_url`.",
    ),
    "endpoint_retiring": (
        "The provider announces the end of this listing",
        "It works today. See the provider's documents for what replaces it.",
    ),
    "polls_failing": (
        "The last looks failed",
        "It is tried again at each tick. `renderbell account list` shows whether it passes.",
    ),
    "order_lost": (
        "The listing is no longer as it was found to be",
        "Nothing is lost: every poll goes on reading the whole listing until its order can be relied upon again.",
    ),
    "unknown_status": (
        "The provider uses a status word that Renderbell does not know",
        "Such a video counts as in flight. Look for a newer Renderbell, or open an issue with the word.",
    ),
}
"""Each alert: what is wrong, in a sentence, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that operators are told once. `count` is how often it was raised or cleared before, and this time."""

    account: AccountName
    kind: str
    count: int
    detail: str
    at: datetime
    watched_since: str = ""
    """When the account's first look began: removed and added again, it is another account."""

    @property
    def cleared(self) -> bool:
        return self.count % 2 == 0

    def delivery(self) -> Delivery:
        """Return its delivery. The id is the same for the same occurrence, whoever finds it and however often."""
        kind = f"account.{self.kind}" + (".cleared" if self.cleared else "")
        what, remedy = WORDS[self.kind]
        body = {
            "type": kind,
            "timestamp": iso(self.at),
            "data": {
                "provider": self.account.provider,
                "account": self.account.name,
                "summary": f"Over: {what[0].lower()}{what[1:]}" if self.cleared else what,
                "detail": self.detail,
                "remedy": None if self.cleared else remedy,
            },
        }
        # An unknown word is raised once for each word, so the word is part of which occurrence it is.
        which = self.detail if self.kind == "unknown_status" else str(self.count)
        digest = hashlib.sha256(f"{self.account}\n{self.watched_since}\n{self.kind}\n{which}".encode()).hexdigest()
        return Delivery(
            endpoint_id=OPERATORS,
            event_id=f"alert_{digest[:32]}",
            event_type=kind,
            body=json.dumps(body, ensure_ascii=False),
            attributes={"type": kind, "provider": self.account.provider, "account": self.account.name},
        )


def changes(raised: Mapping[str, int], found: Mapping[str, str | None]) -> Mapping[str, int]:
    """Return the new counts of the alerts that `found` raises (a text says why) or clears (None)."""
    is_raised = {kind: raised.get(kind, 0) % 2 == 1 for kind in found}
    return {kind: raised.get(kind, 0) + 1 for kind, why in found.items() if (why is not None) is not is_raised[kind]}


def alert_subject(body: Mapping[str, Any]) -> str:
    data = body["data"]
    where = f"{PROVIDER_NAMES.get(data['provider'], data['provider'])}, {data['account']}"
    return f"Renderbell: {data['summary']} ({where})"[:99]


def alert_text(body: Mapping[str, Any]) -> str:
    data = body["data"]
    lines = [
        data["summary"],
        "",
        f"Provider   {PROVIDER_NAMES.get(data['provider'], data['provider'])}, account {data['account']}",
    ]
    lines += [f"Detail     {data['detail']}"] if data["detail"] else []
    lines += ["", data["remedy"]] if data["remedy"] else []
    return "\n".join([*lines, "", "Sent by Renderbell"])
