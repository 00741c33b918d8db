"""What operators are told: a key that is refused, a listing that retires, an unknown word. Each once, and its end, too."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from renderbell.endpoints import Endpoint
from renderbell.errors import BadInputError
from renderbell.events import PROVIDER_NAMES
from renderbell.values import iso, moment
from renderbell.video import AccountName

OPERATORS: Final = "operators"
"""The endpoint every stack has for its operators: the SNS topic `operator-alerts`."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "key_refused": (
        "The API key is refused",
        "Store a good one with `renderbell account set`. Until then the account is looked at every five minutes.",
    ),
    "listing_retired": (
        "The listing answers that it does not exist",
        "HeyGen v1 was to end on 2026-10-31: try `--option api_version=v3`. Otherwise check `base_url`.",
    ),
    "listing_retiring": (
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
"""Each alert of an account: what is wrong, in a sentence, and what to do."""

ENDPOINT_WORDS: Final[Mapping[str, tuple[str, str | None]]] = {
    "failing_for_an_hour": (
        "An endpoint has been failing for an hour",
        "Nothing is lost: deliveries are tried again, for three days.",
    ),
    "failing_for_a_day": (
        "An endpoint has been failing for a day",
        "Nothing is lost. After three days it is disabled, and its events are held.",
    ),
    "disabled": (
        "An endpoint is disabled",
        "Its events are held for 30 days: send them with `renderbell endpoint resume`. Now and then one is tried by itself.",
    ),
    "recovered": ("An endpoint answers again", None),
    "delivery_exhausted": (
        "A delivery was given up: its receiver refused it for three days",
        "See why with `renderbell deliveries`, send it again with `renderbell replay`.",
    ),
}
"""Each alert of an endpoint."""


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

    @property
    def type(self) -> str:
        return f"account.{self.kind}" + (".cleared" if self.cleared else "")

    @property
    def event_id(self) -> str:
        """The same for the same occurrence, whoever finds it and however often."""
        # An unknown word is raised once for each word, so the word is part of which occurrence it is.
        which = self.detail if self.kind == "unknown_status" else str(self.count)
        return alert_id(str(self.account), self.watched_since, self.kind, which)

    @property
    def body(self) -> str:
        what, remedy = WORDS[self.kind]
        return alert_body(
            self.type,
            self.at,
            provider=self.account.provider,
            account=self.account.name,
            summary=f"Over: {what[0].lower()}{what[1:]}" if self.cleared else what,
            detail=self.detail,
            remedy=None if self.cleared else remedy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAlert:
    """One thing that operators are told of an endpoint. `occasion` tells it from others of its kind, now and in future."""

    endpoint_id: str
    url: str
    kind: str
    occasion: str
    detail: str
    at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint, kind: str, occasion: str | datetime | None, detail: str | None, at: datetime) -> Self:
        return cls(
            endpoint_id=endpoint.endpoint_id,
            url=endpoint.url,
            kind=kind,
            occasion=occasion if isinstance(occasion, str) else str(iso(occasion)),
            detail=detail or "",
            at=at,
        )

    @property
    def type(self) -> str:
        return f"endpoint.{self.kind}"

    @property
    def event_id(self) -> str:
        return alert_id(self.endpoint_id, self.kind, self.occasion)

    @property
    def body(self) -> str:
        summary, remedy = ENDPOINT_WORDS[self.kind]
        return alert_body(
            self.type,
            self.at,
            endpoint=self.endpoint_id,
            url=self.url,
            summary=summary,
            detail=self.detail,
            remedy=remedy,
        )


ALARM_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "poll-dead-letters": (
        "Looks were set aside after failing, or finding Lambda throttled, five times",
        "See the runbook: a fault of Renderbell's own, or of AWS.",
    ),
    "delivery-dead-letters": (
        "Deliveries were set aside",
        "Nothing is lost: the audit wakes what is pending. See the runbook.",
    ),
    "notify-dead-letters": ("Transitions could not be announced for half a day", "The audit announces them. See the runbook."),
    "dispatch-dead-letters": ("Ticks of a schedule were set aside", "Videos are late by as many ticks. See the runbook."),
    "accounts-unpolled": ("An account was not polled for ten minutes", "See `renderbell account list`."),
    "keys-refused": ("The key of an account is refused", "Store a good one with `renderbell account set`."),
    "announcements-late": ("A video was announced more than five minutes after its end", "See the runbook."),
    "topic-refused": ("SNS refuses announcements", "They are tried again for three days. See the runbook."),
    "endpoints-failing": ("An endpoint has been failing for an hour", "See `renderbell endpoint list`."),
    "deliveries-missing": (
        "The audit found deliveries that were missing",
        "It made them. See the runbook for how they can go missing.",
    ),
    "throttled": ("A function was throttled", "The account's concurrency is used up: see the runbook."),
}
"""Each alarm of the template, by its name without the stack's: what it means, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmAlert:
    """A CloudWatch alarm that fired, or is over."""

    stack: str
    alarm: str
    fires: bool
    fired: bool
    """Whether it did before."""
    reason: str
    at: datetime

    @classmethod
    def of(cls, event: Mapping[str, Any], stack: str) -> Self:
        """Read what CloudWatch hands to an alarm's function. Raises BadInputError for a time that cannot be read."""
        data, at = event["alarmData"], moment(event["time"])
        if at is None:
            raise BadInputError(f"{event['time']!r} is not the time of an alarm")
        return cls(
            stack=stack,
            alarm=str(data["alarmName"]).removeprefix(f"{stack}-"),
            fires=data["state"]["value"] == "ALARM",
            fired=data.get("previousState", {}).get("value") == "ALARM",
            reason=str(data["state"].get("reason", "")),
            at=at,
        )

    @property
    def news(self) -> bool:
        """False where nothing is over: a new alarm goes from having seen nothing to being quiet."""
        return self.fires or self.fired

    @property
    def type(self) -> str:
        return f"alarm.{self.alarm}" + ("" if self.fires else ".cleared")

    @property
    def event_id(self) -> str:
        return alert_id(self.stack, self.type, str(iso(self.at)))

    @property
    def body(self) -> str:
        what, remedy = ALARM_WORDS.get(self.kind, (f"The alarm {self.alarm} fires", "See CloudWatch."))
        return alert_body(
            self.type,
            self.at,
            stack=self.stack,
            summary=what if self.fires else f"Over: {what[0].lower()}{what[1:]}",
            detail=self.reason,
            remedy=remedy if self.fires else None,
        )

    @property
    def kind(self) -> str:
        """Functions share one text for being throttled."""
        return "throttled" if self.alarm.endswith("-throttled") else self.alarm


def alert_id(*parts: str) -> str:
    return f"alert_{hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:32]}"


def alert_body(kind: str, at: datetime, **data: str | None) -> str:
    return json.dumps({"type": kind, "timestamp": iso(at), "data": data}, ensure_ascii=False)


def changes(raised: Mapping[str, int], found: Mapping[str, str | None]) -> Mapping[str, int]:
    """Return the new counts of the alerts that `found` raises (a text says why) or clears (None)."""
    is_raised = {kind: raised.get(kind, 0) % 2 == 1 for kind in found}
    return {kind: raised.get(kind, 0) + 1 for kind, why in found.items() if (why is not None) is not is_raised[kind]}


def alert_subject(body: Mapping[str, Any]) -> str:
    data = body["data"]
    return f"Renderbell: {data['summary']} ({_place(data)})"[:99]


def alert_text(body: Mapping[str, Any]) -> str:
    data = body["data"]
    where = "Endpoint   " if "endpoint" in data else "Where      " if "stack" in data else "Provider   "
    lines = [data["summary"], "", f"{where}{_place(data)}"]
    lines += [f"Detail     {data['detail']}"] if data["detail"] else []
    lines += ["", data["remedy"]] if data["remedy"] else []
    return "\n".join([*lines, "", "Sent by Renderbell"])


def _place(data: Mapping[str, Any]) -> str:
    if "endpoint" in data:
        return f"{data['endpoint']}, {data['url']}"
    if "stack" in data:
        return f"stack {data['stack']}"
    return f"{PROVIDER_NAMES.get(data['provider'], data['provider'])}, account {data['account']}"
