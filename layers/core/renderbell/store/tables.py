"""The four tables, as PynamoDB models. Key schemas and indexes are those of template.yaml; a test compares them."""

import random
import time
from collections.abc import Sequence
from typing import Any, Final

from pynamodb.attributes import (
    BinaryAttribute,
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
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from renderbell.aws import session
from renderbell.store.meter import Meter

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
CONFLICT: Final = "TransactionConflictException"
CONFLICT_PAUSES: Final = (0.05, 0.1, 0.2, 0.4)
"""Seconds to wait for a transaction of another poll, of a hundred videos at most; botocore does not try again by itself."""


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
    way_since = UTCDateTimeAttribute(null=True)
    scope = UnicodeAttribute(null=True)
    first_look_began_at = UTCDateTimeAttribute(null=True)
    first_look_ended_at = UTCDateTimeAttribute(null=True)
    earlier_first_look = JSONAttribute(null=True)
    abandoned = JSONAttribute(null=True)
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
    hints_free_from = UTCDateTimeAttribute(null=True)


class SpendingRow(Model):
    """What an account's polls cost of late: a row of the accounts' table, beside the account's own."""

    account = UnicodeAttribute(hash_key=True)
    version = NumberAttribute()
    polled_at = UTCDateTimeAttribute()
    polled_well_at = UTCDateTimeAttribute(null=True)
    hours = JSONAttribute()


class EndpointRow(Model):
    """One endpoint. What is secret of it lies in Parameter Store."""

    endpoint_id = UnicodeAttribute(hash_key=True)
    url = UnicodeAttribute()
    events = UnicodeSetAttribute(null=True)
    providers = UnicodeSetAttribute(null=True)
    accounts = UnicodeSetAttribute(null=True)
    allow_http = BooleanAttribute(default=False)
    description = UnicodeAttribute(null=True)
    format = UnicodeAttribute(null=True)
    rate = NumberAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    removed_at = UTCDateTimeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    paused_at = UTCDateTimeAttribute(null=True)
    disabled_at = UTCDateTimeAttribute(null=True)
    disabled_reason = UnicodeAttribute(null=True)
    held_at = UTCDateTimeAttribute(null=True)
    probed_at = UTCDateTimeAttribute(null=True)
    failing_since = UTCDateTimeAttribute(null=True)
    last_failure = UnicodeAttribute(null=True)
    taken_at = UTCDateTimeAttribute(null=True)
    warned = NumberAttribute(null=True)
    gap = NumberAttribute(null=True)
    turn_at = NumberAttribute(null=True)


class DeliveriesWaiting(GlobalSecondaryIndex["DeliveryRow"]):  # type: ignore[no-untyped-call]
    """Deliveries that wait for longer than a message can: `pending` ones by their next attempt, held ones by their age."""

    class Meta:
        index_name = "waiting"
        projection = KeysOnlyProjection()

    waiting = UnicodeAttribute(hash_key=True)
    next_attempt_at = UTCDateTimeAttribute(range_key=True)


class DeliveryRow(Model):
    """One event on its way to one endpoint, with its attempts. `body` is packed, see deliveries."""

    endpoint_id = UnicodeAttribute(hash_key=True)
    event_id = UnicodeAttribute(range_key=True)
    event_type = UnicodeAttribute()
    body = BinaryAttribute(legacy_encoding=False)
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    waiting = UnicodeAttribute(null=True)
    next_attempt_at = UTCDateTimeAttribute(null=True)
    attempt_count = NumberAttribute(default=0)
    attempts = ListAttribute[MapAttribute[str, Any]](default=list)
    created_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)
    expires_at = TTLAttribute()

    by_waiting = DeliveriesWaiting()


def wrote(row: Model, actions: Sequence[Action], condition: Condition | None = None) -> bool:
    """Update a row. False when `condition` no longer holds."""
    pauses = iter(CONFLICT_PAUSES)
    while True:
        try:
            row.update(actions=list(actions), condition=condition)
        except UpdateError as error:
            if error.cause_response_code == CONDITION_FAILED:
                return False
            pause = next(pauses, None) if error.cause_response_code == CONFLICT else None
            if pause is None:
                raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
        else:
            return True


def opened[M: Model](model: type[M], name: str, meter: Meter | None = None) -> type[M]:
    """Return `model` bound to the table `name`. Nothing is sent; region and endpoint are botocore's to find."""
    meta = type("Meta", (), {"table_name": name})
    bound: type[M] = type(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})
    # One session for all clients. PynamoDB has no public way in, and would make one for each table.
    bound._get_connection().connection._local.session = session()  # noqa: SLF001
    if meter is not None:
        meter.attach(bound)
    return bound
