"""`renderbell deliveries` and `renderbell replay`: events on their way, how they went, and once more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from renderbell.deliveries import LEASE, DeliveryStatus
from renderbell.errors import BadInputError, NotOnRecordError
from renderbell.values import iso
from renderbell_cli import completing
from renderbell_cli.advice import ENDPOINTS_LISTED, advising
from renderbell_cli.arguments import JsonLines, Since
from renderbell_cli.helping import choices
from renderbell_cli.show import Listing, ago, coming, console, hints, json_lines, plain, say_if_cut, status_text
from renderbell_cli.stack import LocalFlag, Stack, StackName
from renderbell_cli.times import moment_of

if TYPE_CHECKING:
    from renderbell.store.deliveries import Standing

RING: Final = "`renderbell video ring PROVIDER/ACCOUNT VIDEO` sends it to all who want it now"

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
OfStatus = Annotated[DeliveryStatus | None, typer.Option("--status", help=f"Only these: {choices(DeliveryStatus)}.")]


def deliveries(
    context: typer.Context,
    event_id: EventId = None,
    endpoint: OfEndpoint = None,
    status: OfStatus = None,
    since: Since = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count them, since a day unless said, and look for missing ones.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="At most this many.")] = 50,
    json: JsonLines = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List deliveries, the newest first; with an EVENT_ID, show every attempt."""
    from renderbell.replay import Chosen, delivery_fields

    now = datetime.now(UTC)
    began = moment_of((since or "1d") if summary else since, now)
    opened = Stack.open(context, local=local, name=stack)
    if summary:
        _summarize(opened, endpoint, began or now, now, json=json)
        return
    chosen = Chosen(event_id=event_id, endpoint_id=endpoint, status=status, since=began)
    with advising(ENDPOINTS_LISTED):
        found = opened.replay.newest(chosen, limit + 1)
    if not found and event_id is not None:
        raise NotOnRecordError(f"no delivery of {event_id!r} that fits is on record: `renderbell deliveries` lists them")
    if json:
        json_lines(delivery_fields(one) for one in found[:limit])
    elif not found:
        hints.print("No delivery that fits. Each end of a video makes one for the SNS topic and one for each endpoint.")
    elif event_id is not None:
        if about := "  ".join(filter(None, _video(found[0]))):
            console.print(plain(about), soft_wrap=True)
        for one in found[:limit]:
            _show_attempts(one, now)
    else:
        _show(found[:limit], now)
    say_if_cut(found, limit)


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
    from renderbell.replay import Chosen

    if event_id is None and (endpoint is None or since is None):
        raise BadInputError("say what to send again: an EVENT_ID, or --endpoint ID with --since TIME")
    now = datetime.now(UTC)
    chosen = Chosen(event_id=event_id, endpoint_id=endpoint, status=status, since=moment_of(since, now))
    again = Stack.open(context, local=local, name=stack).replay
    if endpoint is not None:
        with advising(ENDPOINTS_LISTED):
            again.rate_of(endpoint)
    never_went = endpoint is not None and status is None and since is None
    with advising(RING if never_went else "`renderbell deliveries` lists them"):
        plan = again.plan(chosen)
    if plan.pending:
        hints.print(f"On their way already, and left alone: {plan.pending}.")
    for endpoint_id, why in again.resting(plan).items():
        hints.print(plain(f"They will be held: {why} ({endpoint_id})."))
    if dry_run:
        counts = Counter(one.status.value for one in plan.waiting)
        would = "".join(f", {number} {word}" for word, number in counts.items())
        console.print(f"{len(plan.waiting)} would be sent again{would}.")
        return
    console.print(f"{again.send(plan, now)} sent again.")
    if plan.left:
        since_then = iso(plan.left[0].created_at)
        hints.print(f"{len(plan.left)} are left: in a quarter of an hour, the same with --since {since_then}")


def _summarize(stack: Stack, endpoint: str | None, since: datetime, now: datetime, *, json: bool) -> None:
    from renderbell.audit import MISSING, STUCK, Audit
    from renderbell.replay import Chosen

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
    shown = Listing("ENDPOINT", *(word.upper() for word in words), "TOTAL")
    for name, counts in [*by_endpoint.items(), ("total", total)]:
        shown.add_row(name, *(str(counts[word] or "") for word in words), str(counts.total()))
    shown.print()
    console.print(
        f"\nOf all endpoints, {lost[MISSING]} missing, {lost[STUCK]} stuck. The audit mends these by itself, every hour."
    )


def _show(found: "Sequence[Standing]", now: datetime) -> None:
    columns = ("WHEN", "EVENT", "VIDEO", "ENDPOINT", "STATUS", "ATTEMPTS", "NEXT", "EVENT ID")
    shown = Listing(*columns, give_way=("EVENT ID", "VIDEO"), together=True)
    for one in found:
        which, title = _video(one)
        following = coming(one.next_attempt_at, now) if one.status is DeliveryStatus.PENDING else ""
        what = (ago(one.created_at, now), one.event_type.removeprefix("video."), plain(title or which), one.endpoint_id)
        how = (status_text(one.status.value), str(one.attempt_count), following, one.event_id)
        shown.add_row(*what, *how, below={"why": plain(_why(one, now))})
    shown.print()


def _show_attempts(one: "Standing", now: datetime) -> None:
    why = _why(one, now) or ""
    said = f"{one.event_type} to {one.endpoint_id}: {one.status.value}. {why[:1].upper()}{why[1:]}"
    console.print(plain(said.rstrip()), soft_wrap=True)
    shown = Listing("ATTEMPT", "AT", "ANSWER", "MS")
    for line in one.attempts:
        if line.get("replayed"):
            shown.add_row("replayed", str(line["at"]), "", "")
            continue
        cells = (line.get("number"), line.get("at"), line.get("http_status", ""), line.get("milliseconds", ""))
        shown.add_row(
            *(f"{cell:g}" if isinstance(cell, int | float) else str(cell) for cell in cells), below={"why": plain(_words(line))}
        )
    shown.print()
    if one.status is DeliveryStatus.PENDING:
        console.print(f"The next attempt is due {coming(one.next_attempt_at, now)}.")


def _video(one: "Standing") -> tuple[str, str]:
    """Return the video as `renderbell video show` takes it, and its title. An alert is about an account, or about none."""
    from renderbell.replay import video_of

    video = video_of(one)
    account = "/".join(filter(None, (video["provider"], video["account"])))
    return " ".join(filter(None, (account, video["video_id"]))), video["title"] or ""


def _why(one: "Standing", now: datetime) -> str | None:
    if one.reason or one.status is not DeliveryStatus.PENDING or one.attempt_count:
        return one.reason
    # A lease is no longer than this. What is due later cannot be under way.
    is_later = one.next_attempt_at is not None and one.next_attempt_at > now + LEASE
    return "waits for its turn" if is_later else "is being attempted, or waits for its turn"


def _words(line: Mapping[str, Any]) -> str:
    return " ".join(str(line[name]) for name in ("error", "answer") if line.get(name))
