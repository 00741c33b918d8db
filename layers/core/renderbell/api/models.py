"""What the API takes and gives. The descriptions are the OpenAPI document's."""

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from renderbell.deliveries import DeliveryStatus
from renderbell.video import Status

DATE_TIME: Final[dict[str, Any]] = {"format": "date-time"}
Moment = Annotated[str, Field(json_schema_extra=DATE_TIME)]
"""A time as `values.iso` writes it."""
Time = Annotated[str | None, Field(json_schema_extra=DATE_TIME)]
type Seconds = float | None


def _as_written(value: Any) -> Any:
    """Refuse what pydantic would also take for a time: a number, and a date alone."""
    if isinstance(value, str) and not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", value, re.ASCII):
        raise ValueError("write it as 2026-11-24T10:00:00Z")
    return value


TakenTime = Annotated[datetime, BeforeValidator(_as_written)]
"""A time that we are sent, as RFC 3339 writes it."""


class Answered(BaseModel):
    """What we answer: built from our own records, never with anything beside its fields."""

    model_config = ConfigDict(extra="forbid")


class Taken(BaseModel):
    """What we are sent. A misspelt field is refused rather than passed over."""

    model_config = ConfigDict(extra="forbid")


class Problem(Answered):
    """A problem document (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[dict[str, Any]] | None = Field(default=None, description="For 422: what is wrong, and where.")


class Video(Answered):
    provider: str
    account: str = Field(description="The account's name alone.")
    video_id: str = Field(description="The provider's own id, unchanged.")
    title: str | None
    status: Status
    provider_status: str | None = Field(description="The provider's own word.")
    previous_status: Status | None
    url: str | None = Field(description="As the provider gave it when the video completed; see `link` for one of now.")
    thumbnail_url: str | None
    url_expires_at: Time
    error: str | None
    duration_seconds: Seconds
    created_at: Time
    first_seen_at: Time
    finished_at: Time
    changed_at: Time
    stalled_at: Time
    seconds_in_flight: Seconds
    sequence: int = Field(description="How many transitions brought it here.")


class VideoPage(Answered):
    videos: list[Video]
    cursor: str | None = Field(description="Give it to get the next page; null after the last.")


class Transition(Answered):
    status: Status
    provider_status: str | None
    at: Moment
    sequence: int | None
    rang: bool | None = Field(description="Whether the world was told.")
    seen: str | None = Field(description="`listing` or `by_id`; null for what older versions recorded.")


class VideoWithHistory(Video):
    history: list[Transition] = Field(description="Each transition, the first first.")


class FreshUrl(Answered):
    url: str
    url_expires_at: Time


class Rung(Answered):
    event_id: str
    sent: int = Field(description="Receivers that it is sent to.")
    on_their_way: int = Field(description="Deliveries of it that are still being attempted, and were left alone.")


class Endpoint(Answered):
    id: str
    url: str
    format: str
    events: list[str] = Field(description="Empty for every event.")
    providers: list[str]
    accounts: list[str]
    allow_http: bool
    description: str | None
    rate: float | None
    state: str = Field(description="`active`, `paused`, `failing` or `disabled`; why, in `last_failure` and `disabled_reason`.")
    paused_at: Time
    disabled_at: Time
    disabled_reason: str | None
    failing_since: Time
    last_failure: str | None
    holds_events: bool
    seconds_between: float = Field(description="How far apart attempts begin; 0 where it keeps up.")
    created_at: Time


class AddedEndpoint(Endpoint):
    secret: str | None = Field(description="To verify signatures with; it is told this once. Chats have none.")


class EndpointList(Answered):
    endpoints: list[Endpoint]


class NewEndpoint(Taken):
    url: str = Field(max_length=2000, description="Where events are posted to; https.")
    events: set[str] = Field(default=set(), description="Only these; empty for every event.")
    providers: set[str] = set()
    accounts: set[str] = Field(default=set(), description="As `heygen/marketing`.")
    description: str | None = Field(default=None, max_length=500)
    format: str = Field(default="standard", description="`standard`, `slack` or `discord`.")
    headers: dict[str, str] = Field(default={}, description="Headers of your own. They are kept as secrets.")
    rate: float | None = Field(default=None, gt=0, le=1000, description="The most events a second it wants.")
    allow_http: bool = Field(default=False, description="Permit http:// in a local stack.")


class Secret(Answered):
    id: str
    secret: str = Field(description="It is told this once. The old one signs beside it for 24 hours.")


class Trial(Answered):
    event_id: str
    delivered: bool
    answered: bool = Field(description="False when no attempt was on record in time.")
    http_status: int | None
    milliseconds: int | None
    answer: str | None
    error: str | None


class Delivery(Answered):
    endpoint: str
    event_id: str
    type: str
    provider: str | None
    account: str | None
    video_id: str | None
    title: str | None
    status: DeliveryStatus
    reason: str | None
    attempt_count: int
    attempts: list[dict[str, Any]]
    next_attempt_at: Time
    created_at: Time
    finished_at: Time


class DeliveryPage(Answered):
    deliveries: list[Delivery]
    cursor: str | None = Field(description="Give it to get the next page; null after the last.")


class DeliveryList(Answered):
    deliveries: list[Delivery]


class DeliverySummary(Answered):
    """Deliveries of every event of a time, by how they stand."""

    pending: int
    delivered: int
    exhausted: int
    held: int
    skipped: int
    missing: int = Field(description="Not on record, and not on their way as far as is known. The audit makes them.")
    stuck: int = Field(description="Pending and overdue. The audit wakes them.")


class ReplayOrder(Taken):
    event_id: str | None = Field(default=None, min_length=1, max_length=200, description="Send this event again ...")
    endpoint: str | None = Field(
        default=None, min_length=1, max_length=200, description="... to this endpoint, or everything of it ..."
    )
    since: TakenTime | None = Field(default=None, description="... since then.")
    status: DeliveryStatus | None = Field(default=None, description="Only deliveries of this status.")
    dry_run: bool = Field(default=False, description="Only count.")


class Replayed(Answered):
    sent: int
    would_send: int = Field(description="How many fit.")
    left: int = Field(description="How many are left for a next call, in a quarter of an hour.")
    on_their_way: int


class Cost(Answered):
    """What polls cost, as counted: what a function counted in its last minutes may be missing."""

    polls: int
    requests: int
    read_units: float
    write_units: float


class Account(Answered):
    account: str
    health: str | None = Field(description="`ok`, or `kind: message`; null before the first look.")
    health_in_words: str
    health_since: Time
    polled_at: Time = Field(description="As noted, every five minutes.")
    polled_well_at: Time
    next_poll_by: Time
    last_day: Cost
    first_look_began_at: Time
    first_look_ended_at: Time
    paused_until: Time
    changed_at: Time
    full_sweep_ended_at: Time
    licence: str | None = Field(description="Why polls may stop before the end of the listing.")
    alerts: list[str] = Field(description="What operators were told and is not over.")


class AccountList(Answered):
    accounts: list[Account]


class Accepted(Answered):
    account: str


class ProviderStatistics(Answered):
    provider: str
    by_status: dict[str, int] = Field(description="In flight now, and ended since then.")
    completed_median_seconds: Seconds = Field(description="From creation to completion.")
    completed_p95_seconds: Seconds
    failure_rate: float | None = Field(description="Failed of those that completed or failed, from 0 to 1.")
    truncated: bool = Field(description="Whether more ended since then than were counted.")


class StatisticsList(Answered):
    since: Moment
    providers: list[ProviderStatistics]
