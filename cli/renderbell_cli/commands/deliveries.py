"""`renderbell deliveries` and `renderbell replay`: events on their way, how they went, and once more."""

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from renderbell.alerts import OPERATORS
from renderbell.audit import MISSING, STUCK, Audit
from renderbell.deliveries import DeliveryStatus
from renderbell.endpoints import RELEASED_A_SECOND, TOPIC
from renderbell.errors import BadInputError
from renderbell.events import TRIAL
from renderbell.links import Links
from renderbell.queues import MAX_DELAY, DeliveryMessage
from renderbell.store.deliveries import Standing
from renderbell.values import iso
from renderbell_cli.show import ago, console, hints, json_lines, plain, status_text, table
from renderbell_cli.stack import LocalFlag, Stack, StackName

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BUILT_IN: Final = (TOPIC, OPERATORS)

EventId = Annotated[str | None, typer.Argument(metavar="EVENT_ID", help="Only this event's.")]
OfEndpoint = Annotated[
    str | None, typer.Option("--endpoint", metavar="ID", help="Only to this one; `topic` and `operators` are SNS.")
]
OfStatus = Annotated[DeliveryStatus | None, typer.Option("--status", help="Only those of this status.")]
Since = Annotated[str | None, typer.Option(help="Only since then: 90s, 30m, 2h, 3d, or a time such as 2026-11-24T10:00Z.")]


def deliveries(
    context: typer.Context,
    event_id: EventId = None,
    endpoint: OfEndpoint = None,
    status: OfStatus = None,
    since: Since = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count them, since a day unless said, and look for missing ones.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List deliveries, the newest first; with an EVENT_ID, show every attempt."""
    opened, now = Stack.open(context, local=local, name=stack), datetime.now(UTC)
    if summary:
        _summarize(opened, endpoint, moment_of(since or "1d", now), now, json=json)
        return
    found = heapq.nlargest(limit, _chosen(opened, event_id, endpoint, status, moment_of(since, now)), key=_age)
    if not found and endpoint is not None:
        _check_known(opened, endpoint)
    if json:
        json_lines(map(_fields, found))
    elif not found:
        hints.print("No delivery that fits. Each end of a video makes one for the SNS topic and one for each endpoint.")
    elif event_id is not None:
        for one in found:
            _show_attempts(one)
    else:
        _show(found)


def replay(
    context: typer.Context,
    event_id: EventId = None,
    endpoint: OfEndpoint = None,
    status: OfStatus = None,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Send an event again, or everything of an endpoint since a time: the oldest first, at the rate the endpoint bears.

    An event keeps its id and its bytes, and its record says that it was replayed. Test events are sent again only by their id.
    """
    if event_id is None and (endpoint is None or since is None):
        raise BadInputError("say what to send again: an EVENT_ID, or --endpoint ID with --since TIME")
    opened, now = Stack.open(context, local=local, name=stack), datetime.now(UTC)
    rate = RELEASED_A_SECOND if endpoint is None else _check_known(opened, endpoint)
    found = sorted(_chosen(opened, event_id, endpoint, status, moment_of(since, now)), key=_age)
    if event_id is None:
        found = [one for one in found if one.event_type != TRIAL]
    elif not found:
        raise BadInputError(f"no delivery of {event_id!r} is on record that fits: `renderbell deliveries` lists them")
    waiting = [one for one in found if one.status is not DeliveryStatus.PENDING]
    if len(waiting) < len(found):
        hints.print(f"{len(found) - len(waiting)} are on their way already and are left alone.")
    for endpoint_id in sorted({one.endpoint_id for one in waiting}):
        _warn_if_held(opened, endpoint_id)
    if dry_run:
        counts = Counter(one.status.value for one in waiting)
        console.print(f"{len(waiting)} would be sent again" + "".join(f", {n} {word}" for word, n in counts.items()) + ".")
        return
    # As many as fit into the time that a message can be delayed.
    at_once = max(1, int(rate * MAX_DELAY))
    sent = opened.delivery_queue.send_later(_replayed(opened, waiting[:at_once], rate, now))
    console.print(f"{sent} sent again.")
    if len(waiting) > at_once:
        since_then = iso(waiting[at_once].created_at)
        hints.print(
            f"{len(waiting) - at_once} are left: in a quarter of an hour, the same with --since {since_then}", soft_wrap=True
        )


def _replayed(stack: Stack, waiting: Sequence[Standing], rate: float, now: datetime) -> Iterator[tuple[DeliveryMessage, int]]:
    """Make each due in its turn, and yield what wakes it then. What went on its way meanwhile is left alone.

    Due first, so that no message comes before its time. What is due when this is killed waits for the audit.
    """
    for place, one in enumerate(waiting):
        wait = int(place / rate)
        message = DeliveryMessage(endpoint_id=one.endpoint_id, event_id=one.event_id, turn=True)
        if stack.deliveries.replay(message, now + timedelta(seconds=wait), now):
            yield message, wait


def _check_known(stack: Stack, endpoint_id: str) -> float:
    """Return how many events a second may be sent again to an endpoint. Raises BadInputError when there is none of that id."""
    found = None if endpoint_id in BUILT_IN else stack.endpoints.get(endpoint_id)
    if found is None and endpoint_id not in BUILT_IN:
        raise BadInputError(f"there is no endpoint {endpoint_id!r}: `renderbell endpoint list` shows them")
    return (found.rate if found else None) or RELEASED_A_SECOND


def _warn_if_held(stack: Stack, endpoint_id: str) -> None:
    found = None if endpoint_id in BUILT_IN else stack.endpoints.get(endpoint_id)
    if found is not None and found.rests is not None:
        hints.print(plain(f"They will be held: {found.rests} ({endpoint_id})."), soft_wrap=True)


def _chosen(
    stack: Stack, event_id: str | None, endpoint: str | None, status: DeliveryStatus | None, since: datetime | None
) -> Iterator[Standing]:
    ids = [endpoint] if endpoint else [*BUILT_IN, *(one.endpoint_id for one in stack.endpoints.all())]
    if event_id is not None:
        found: Iterator[Standing] = iter(stack.deliveries.standing((name, event_id) for name in ids).values())
    else:
        found = (one for name in ids for one in stack.deliveries.of_endpoint(name))
    return (one for one in found if (status is None or one.status is status) and (since is None or one.created_at >= since))


def _summarize(stack: Stack, endpoint: str | None, since: datetime | None, now: datetime, *, json: bool) -> None:
    by_endpoint: dict[str, Counter[str]] = {}
    for one in _chosen(stack, None, endpoint, None, since):
        by_endpoint.setdefault(one.endpoint_id, Counter())[one.status.value] += 1
    audit = Audit(
        parameters=stack.parameters,
        videos=stack.videos,
        endpoints=stack.endpoints,
        deliveries=stack.deliveries,
        queue=stack.delivery_queue,
        links=Links(base_url="", days=0, tokens=stack.parameters.made_tokens),  # it only counts, and sends nothing
    )
    counted = audit.run(now, since or now - timedelta(days=1), mends=False)
    lost = {word: counted[word] for word in (MISSING, STUCK)}
    total = sum(by_endpoint.values(), Counter())
    if json:
        counts_of = ({"endpoint": name, **counts} for name, counts in by_endpoint.items())
        json_lines([*counts_of, {"endpoint": None, **total, **lost}])
        return
    words = [status.value for status in DeliveryStatus]
    shown = table("ENDPOINT", *(word.upper() for word in words), "TOTAL")
    for name, counts in [*by_endpoint.items(), ("total", total)]:
        shown.add_row(name, *(str(counts[word] or "") for word in words), str(counts.total()))
    console.print(shown)
    console.print(
        f"\nOf all endpoints, {lost[MISSING]} missing, {lost[STUCK]} stuck. The audit mends these by itself, every hour."
    )


def _show(found: Sequence[Standing]) -> None:
    shown = table("WHEN", "EVENT", "ENDPOINT", "STATUS", "ATTEMPTS", "NEXT", "WHY", "EVENT ID")
    for one in found:
        following = str(iso(one.next_attempt_at)) if one.status is DeliveryStatus.PENDING and one.next_attempt_at else ""
        words = (status_text(one.status.value), str(one.attempt_count), following, plain(one.reason), one.event_id)
        shown.add_row(ago(one.created_at), one.event_type, one.endpoint_id, *words)
    console.print(shown)


def _show_attempts(one: Standing) -> None:
    console.print(
        plain(f"{one.event_type} to {one.endpoint_id}: {one.status.value}. {one.reason or ''}".rstrip()), soft_wrap=True
    )
    shown = table("ATTEMPT", "AT", "ANSWER", "MS", "WORDS")
    for line in one.attempts:
        if line.get("replayed"):
            shown.add_row("replayed", str(line["at"]), "", "", "")
            continue
        cells = (line.get("number"), line.get("at"), line.get("http_status", ""), line.get("milliseconds", ""))
        shown.add_row(*(f"{cell:g}" if isinstance(cell, int | float) else str(cell) for cell in cells), plain(_words(line)))
    console.print(shown)
    if one.status is DeliveryStatus.PENDING:
        console.print(f"The next attempt is due at {iso(one.next_attempt_at)}.")


def _words(line: Mapping[str, Any]) -> str:
    return " ".join(str(line[name]) for name in ("error", "answer") if line.get(name))


def _age(one: Standing) -> datetime:
    return one.created_at


def moment_of(text: str | None, now: datetime) -> datetime | None:
    """Read `2h` as two hours ago, or a time, in UTC unless it says otherwise. Raises BadInputError for anything else."""
    if text is None:
        return None
    ago_ = re.fullmatch(r"([0-9]{1,6})([smhd])", text.strip(), re.ASCII)
    try:
        if ago_:
            return now - timedelta(seconds=int(ago_[1]) * UNITS[ago_[2]])
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(f"{text!r} is no time: write 90s, 30m, 2h, 3d, or 2026-11-24T10:00Z") from None


def _fields(one: Standing) -> dict[str, Any]:
    return {
        "endpoint": one.endpoint_id,
        "event_id": one.event_id,
        "type": one.event_type,
        "status": one.status.value,
        "reason": one.reason,
        "attempt_count": one.attempt_count,
        "attempts": [
            {name: int(value) if isinstance(value, float) else value for name, value in line.items()} for line in one.attempts
        ],
        "next_attempt_at": iso(one.next_attempt_at) if one.status is DeliveryStatus.PENDING else None,
        "created_at": iso(one.created_at),
        "finished_at": iso(one.finished_at),
    }
