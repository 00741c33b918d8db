"""`renderbell video ...`: one video, all that is on record of it, its URL of this moment, and its ring once more."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer

from renderbell.errors import NotOnRecordError, ProviderError
from renderbell.events import VideoRecord, event_id
from renderbell.fresh import Fresh
from renderbell.values import iso
from renderbell.video import AccountName
from renderbell_cli.advice import check_watched
from renderbell_cli.arguments import AccountOfVideo, AsJson, VideoId, check_provider
from renderbell_cli.helping import App
from renderbell_cli.show import Listing, ago, console, hints, json_lines, plain, roughly, status_text
from renderbell_cli.stack import LocalFlag, Stack, StackName

if TYPE_CHECKING:
    from renderbell.fetch import Fetch
    from renderbell.store.videos import HistoryLine

app = App(help="One video: all that is on record of it, its URL now, its ring once more.")

SEEN: Final = {"listing": "in the listing", "by_id": "by its id", None: ""}
RANG: Final = {True: "rang", False: "silent", None: ""}
NO_URL: Final = {
    "completed": "is completed, but its provider gives no link: find it there",
    "failed": "failed at its provider: there is no link",
    "deleted": "was deleted at its provider",
}


@app.command()
def show(
    context: typer.Context,
    account: AccountOfVideo,
    video: VideoId,
    json: AsJson = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Show all that is on record of a video, and each of its changes: when, how it was seen, whether it rang."""
    from renderbell.browse import video_fields

    name, opened = _name(account), Stack.open(context, local=local, name=stack)
    found = opened.browse.history(name, video)
    if found is None:
        raise _unknown(opened, name, video)
    record, history = found
    if json:
        lines = [{**asdict(line), "at": iso(line.at), "event_id": _event_id(record, line)} for line in history]
        json_lines([{**video_fields(record), "history": lines}])
        return
    for fact, value in video_fields(record).items():
        if value is not None:
            console.print(plain(f"{fact.replace('_', ' '):<20}{value}"), soft_wrap=True)
    _show_history(record, history)


@app.command()
def link(
    context: typer.Context,
    account: AccountOfVideo,
    video: VideoId,
    json: AsJson = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Ask the provider for a video's URL and print it, and nothing else: the one on record may have ended since.

    It exits with 1 where there is none; stderr says why. This reads the account's key.
    """
    from renderbell import http
    from renderbell.fetch import Fetch

    name, opened = _name(account), Stack.open(context, local=local, name=stack)
    check_watched(opened.parameters, name)
    with http.client() as client:
        fresh = _asked(Fetch(parameters=opened.parameters, client=client), name, video)
    if json:
        json_lines([fresh.fields()])
    elif fresh.url is not None:
        typer.echo(plain(fresh.url))
    if fresh.url is None:
        hints.print(plain(f"{name} {video} {_why_none(fresh)}."), soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def ring(
    context: typer.Context,
    account: AccountOfVideo,
    video: VideoId,
    json: AsJson = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Ring once more for a video that has ended: to all who want its event, under the event's own id."""
    name, opened = _name(account), Stack.open(context, local=local, name=stack)
    try:
        rung = opened.ring_again.ring(name, video, datetime.now(UTC))
    except NotOnRecordError:
        raise _unknown(opened, name, video) from None
    if json:
        json_lines([asdict(rung)])
        return
    console.print(f"{rung.event_id}: {rung.sent} sent, {rung.on_their_way} on their way already.")
    hints.print(f"See how it goes: renderbell deliveries {rung.event_id}")


def _name(account: str) -> AccountName:
    name = AccountName.parse(account)
    check_provider(name.provider)
    return name


def _unknown(stack: Stack, name: AccountName, video_id: str) -> NotOnRecordError:
    """Return the error of a video that is not on record. Raises BadInputError where not even its account is watched."""
    check_watched(stack.parameters, name)
    return NotOnRecordError(f"{name} has no video {video_id!r} on record: `renderbell videos --account {name}` lists them")


def _show_history(record: VideoRecord, history: Sequence["HistoryLine"]) -> None:
    columns = ("AT (UTC)", "AGE", "STATUS", "PROVIDER SAYS", "SEEN", "BELL", "EVENT ID")
    shown, now = Listing(*columns, give_way=("EVENT ID",)), datetime.now(UTC)
    for line in history:
        times = (f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", roughly(max(0.0, (now - line.at).total_seconds())))
        how = (SEEN.get(line.seen, line.seen or ""), RANG[line.rang])
        shown.add_row(*times, status_text(line.status), plain(line.provider_status), *how, _event_id(record, line) or "")
    console.print()
    shown.print()
    last = history[-1].sequence if history else None
    if last is not None and last < record.sequence:
        hints.print(f"Only its first {len(history)} changes are listed; the last was {ago(record.changed_at)}.")


def _event_id(record: VideoRecord, line: "HistoryLine") -> str | None:
    """Return the id of the event of a change that rang."""
    return event_id(record.account, record.video_id, line.sequence) if line.rang and line.sequence is not None else None


def _asked(fetch: "Fetch", name: AccountName, video_id: str) -> Fresh:
    try:
        return Fresh.of(fetch.video(name, video_id))
    except ProviderError as error:
        return Fresh.missing(error)


def _why_none(fresh: Fresh) -> str:
    if fresh.error is None:
        return NO_URL.get(str(fresh.status), f"is {fresh.status}: there is a link once it is completed")
    wait = f"; it asks to wait {fresh.retry_after:.0f} s" if fresh.retry_after else ""
    return f"has no link now: {fresh.message}{wait} ({fresh.error})"
