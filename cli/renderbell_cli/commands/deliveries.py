"""`renderbell deliveries` and `renderbell replay`: events on their way, how they went, and once more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from renderbell.audit import MISSING, STUCK, Audit
from renderbell.deliveries import DeliveryStatus
from renderbell.errors import BadInputError
from renderbell.replay import Chosen, delivery_fields
from renderbell.store.deliveries import Standing
from renderbell.values import iso
from renderbell_cli import completing
from renderbell_cli.arguments import JsonLines, Since
from renderbell_cli.show import ago, console, hints, json_lines, plain, status_text, table
from renderbell_cli.stack import LocalFlag, Stack, StackName
from renderbell_cli.times import moment_of

EventId = Annotated[str | None, typer.Argument(metavar="EVENT_ID", help="Only this event's.")]
OfEndpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="ID",
        help="Only to this one; `topic` and `operators` are SNS.",
        autocompletion=completing.receivers,
    ),
]
OfStatus = Annotated[DeliveryStatus | None, typer.Option("--status", help="Only those of this status.")]


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
    json: JsonLines = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List deliveries, the newest first; with an EVENT_ID, show every attempt."""
    now = datetime.now(UTC)
    began = moment_of((since or "1d") if summary else since, now)
    opened = Stack.open(context, local=local, name=stack)
    if summary:
        _summarize(opened, endpoint, began or now, now, json=json)
        return
    chosen = Chosen(event_id=event_id, endpoint_id=endpoint, status=status, since=began)
    found = opened.replay.newest(chosen, limit)
    if json:
        json_lines(map(delivery_fields, found))
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
    now = datetime.now(UTC)
    chosen = Chosen(event_id=event_id, endpoint_id=endpoint, status=status, since=moment_of(since, now))
    again = Stack.open(context, local=local, name=stack).replay
    plan = again.plan(chosen)
    if plan.pending:
        hints.print(f"{plan.pending} are on their way already and are left alone.")
    for endpoint_id, why in again.resting(plan).items():
        hints.print(plain(f"They will be held: {why} ({endpoint_id})."), soft_wrap=True)
    if dry_run:
        counts = Counter(one.status.value for one in plan.waiting)
        would = "".join(f", {number} {word}" for word, number in counts.items())
        console.print(f"{len(plan.waiting)} would be sent again{would}.")
        return
    console.print(f"{again.send(plan, now)} sent again.")
    if plan.left:
        since_then = iso(plan.left[0].created_at)
        hints.print(f"{len(plan.left)} are left: in a quarter of an hour, the same with --since {since_then}", soft_wrap=True)


def _summarize(stack: Stack, endpoint: str | None, since: datetime, now: datetime, *, json: bool) -> None:
    by_endpoint: dict[str, Counter[str]] = {}
    for one in stack.replay.found(Chosen(endpoint_id=endpoint, since=since)):
        by_endpoint.setdefault(one.endpoint_id, Counter())[one.status.value] += 1
    audit = Audit(
        parameters=stack.parameters,
        videos=stack.videos,
        endpoints=stack.endpoints,
        deliveries=stack.deliveries,
        queue=stack.delivery_queue,
        links=stack.links,
    )
    counted = audit.run(now, since, mends=False)
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
