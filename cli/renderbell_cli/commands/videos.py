"""`renderbell videos`: what is on record."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from renderbell.events import VideoRecord
from renderbell.video import AccountName, Status
from renderbell_cli.advice import check_watched
from renderbell_cli.arguments import JsonLines, OnlyAccount, OnlyProvider, Since, check_provider
from renderbell_cli.helping import choices
from renderbell_cli.show import Listing, ago, hints, json_lines, plain, say_if_cut, status_text
from renderbell_cli.stack import LocalFlag, Stack, StackName
from renderbell_cli.times import moment_of

if TYPE_CHECKING:
    from renderbell.browse import Browse, Wanted


def videos(
    context: typer.Context,
    provider: OnlyProvider = None,
    account: OnlyAccount = None,
    status: Annotated[Status | None, typer.Option(help=f"Only these: {choices(Status)}.")] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="At most this many.")] = 100,
    json: JsonLines = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List videos: those in flight first, then the finished ones, each newest first.

    With --since: what ended since then, and of what is in flight that which began to be since then.
    """
    from renderbell.browse import Wanted, video_fields

    wanted = Wanted(
        provider=provider,
        account=AccountName.parse(account) if account is not None else None,
        status=status,
        since=moment_of(since, datetime.now(UTC)),
    )
    for named in (provider, wanted.account.provider if wanted.account else None):
        if named is not None:
            check_provider(named)
    opened = Stack.open(context, local=local, name=stack)
    found = list(_newest(opened.browse, wanted, limit + 1))
    if not found and wanted.account is not None:  # the videos of one that was removed stay on record
        check_watched(opened.parameters, wanted.account)
    if json:
        json_lines(map(video_fields, found[:limit]))
    elif not found:
        hints.print("No video on record that fits. `renderbell account list` shows whether accounts are being watched.")
    else:
        _show(found[:limit])
    say_if_cut(found, limit)


def _show(found: Sequence[VideoRecord]) -> None:
    shown = Listing("ACCOUNT", "VIDEO", "STATUS", "SINCE", "TITLE", give_way=("TITLE", "VIDEO"))
    for video in found:
        began = ago(video.finished_at or video.first_seen_at)
        shown.add_row(str(video.account), plain(video.video_id), status_text(video.status), began, plain(video.title))
    shown.print()


def _newest(browse: "Browse", wanted: "Wanted", limit: int) -> Iterator[VideoRecord]:
    """Yield up to `limit` videos, a page at a time: no more is read than is asked for."""
    from renderbell.browse import MOST_READ

    left, cursor = limit, None
    while left:
        page = browse.page(wanted, limit=min(left, MOST_READ), cursor=cursor)
        yield from page.videos
        left, cursor = left - len(page.videos), page.cursor
        if cursor is None:
            return
