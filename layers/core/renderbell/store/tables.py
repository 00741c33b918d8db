"""The four tables, as PynamoDB models. Key schemas and indexes are those of template.yaml; a test compares them."""

from typing import Any, Final

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from renderbell.store.meter import Meter

CONDITION_FAILED: Final = "ConditionalCheckFailedException"


class VideosByPhase(GlobalSecondaryIndex["VideoRow"]):  # type: ignore[no-untyped-call]
    """An account's videos in flight, and its finished ones, newest first, without reading the rest."""

    class Meta:
        index_name = "by-phase"
        projection = AllProjection()

    phase = UnicodeAttribute(hash_key=True)
    since = UTCDateTimeAttribute(range_key=True)


class VideoRow(Model):
    """One video. A status and the transition that led to it are one item, so they are one write."""

    account = UnicodeAttribute(hash_key=True)
    video_id = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute()
    previous_status = UnicodeAttribute(null=True)
    provider_status = UnicodeAttribute(null=True)
    sequence = NumberAttribute()
    rings = BooleanAttribute()
    phase = UnicodeAttribute()
    since = UTCDateTimeAttribute()
    title = UnicodeAttribute(null=True)
    url = UnicodeAttribute(null=True)
    thumbnail_url = UnicodeAttribute(null=True)
    url_expires_at = UTCDateTimeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    duration_seconds = NumberAttribute(null=True)
    created_at = UTCDateTimeAttribute(null=True)
    first_seen_at = UTCDateTimeAttribute()
    changed_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)
    stalled_at = UTCDateTimeAttribute(null=True)
    history = ListAttribute[MapAttribute[str, Any]](default=list)

    by_phase = VideosByPhase()


class AccountRow(Model):
    """What is remembered of an account between polls. It is written only when something changed."""

    account = UnicodeAttribute(hash_key=True)
    version = NumberAttribute(null=True)
    way = UnicodeAttribute(null=True)
    scope = UnicodeAttribute(null=True)
    first_look_began_at = UTCDateTimeAttribute(null=True)
    first_look_ended_at = UTCDateTimeAttribute(null=True)
    head = UnicodeAttribute(null=True)
    licence = UnicodeAttribute(null=True)
    listed = NumberAttribute(null=True)
    full_sweep = JSONAttribute(null=True)
    full_sweep_ended_at = UTCDateTimeAttribute(null=True)
    missed = JSONAttribute(null=True)
    unestablished = BooleanAttribute(null=True)
    health = UnicodeAttribute(null=True)
    health_since = UTCDateTimeAttribute(null=True)
    failures = NumberAttribute(null=True)
    alerts = JSONAttribute(null=True)
    unknown_words = UnicodeSetAttribute(null=True)
    changed_at = UTCDateTimeAttribute(null=True)
    paused_until = UTCDateTimeAttribute(null=True)
    looks_until = UTCDateTimeAttribute(null=True)


class EndpointRow(Model):
    """One endpoint. Its secret lies in Parameter Store."""

    endpoint_id = UnicodeAttribute(hash_key=True)
    url = UnicodeAttribute()
    events = UnicodeSetAttribute(null=True)
    providers = UnicodeSetAttribute(null=True)
    accounts = UnicodeSetAttribute(null=True)
    allow_http = BooleanAttribute(default=False)
    description = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    disabled_reason = UnicodeAttribute(null=True)


class DeliveriesDue(GlobalSecondaryIndex["DeliveryRow"]):  # type: ignore[no-untyped-call]
    """Pending deliveries by the time of their next attempt. `waiting` exists only while a delivery is pending."""

    class Meta:
        index_name = "due"
        projection = AllProjection()

    waiting = UnicodeAttribute(hash_key=True)
    next_attempt_at = UTCDateTimeAttribute(range_key=True)


class DeliveryRow(Model):
    """One event on its way to one endpoint, with its attempts."""

    endpoint_id = UnicodeAttribute(hash_key=True)
    event_id = UnicodeAttribute(range_key=True)
    event_type = UnicodeAttribute()
    body = UnicodeAttribute()
    attributes = JSONAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    waiting = UnicodeAttribute(null=True)
    next_attempt_at = UTCDateTimeAttribute(null=True)
    attempt_count = NumberAttribute(default=0)
    attempts = ListAttribute[MapAttribute[str, Any]](default=list)
    created_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)
    expires_at = TTLAttribute()

    due = DeliveriesDue()


def opened[M: Model](model: type[M], name: str, meter: Meter | None = None) -> type[M]:
    """Return `model` bound to the table `name`. Nothing is sent; region and endpoint are botocore's to find."""
    meta = type("Meta", (), {"table_name": name})
    bound = type(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})
    if meter is not None:
        meter.attach(bound)
    return bound
