"""`renderbell videos`: what is on record."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from renderbell.errors import BadInputError
from renderbell.events import VideoRecord, video_data
from renderbell.providers import PROVIDERS
from renderbell.store.videos import FINISHED, IN_FLIGHT, PHASES
from renderbell.video import Status
from renderbell_cli.show import ago, console, hints, json_lines, plain, status_text, table
from renderbell_cli.stack import LocalFlag, Stack, StackName


def videos(
    context: typer.Context,
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """List videos: those in flight first, then the finished ones, each newest first."""
    if provider is not None and provider not in PROVIDERS:
        raise BadInputError(f"there is no provider {provider!r}: {', '.join(PROVIDERS)} are known")
    found = list(islice(_videos(Stack.open(context, local=local, name=stack), provider, status), limit))
    if json:
        json_lines(map(video_data, found))
        return
    if not found:
        hints.print("No video on record that fits. `renderbell account list` shows whether accounts are being watched.")
        return
    shown = table("ACCOUNT", "VIDEO", "STATUS", "TITLE", "SINCE")
    for video in found:
        since = ago(video.finished_at or video.first_seen_at)
        shown.add_row(str(video.account), plain(video.video_id), status_text(video.status), plain(video.title), since)
    console.print(shown)


def _videos(stack: Stack, provider: str | None, status: Status | None) -> Iterator[VideoRecord]:
    names = stack.parameters.account_names(provider)
    for phase in _phases(status):
        newest_first = (stack.videos.in_account(name, phase) for name in names)
        found = heapq.merge(*newest_first, key=lambda video: video.finished_at or video.first_seen_at, reverse=True)
        yield from (video for video in found if status is None or video.status is status)


def _phases(status: Status | None) -> Sequence[str]:
    if status is None:
        return PHASES
    return (FINISHED,) if status.final else (IN_FLIGHT,)
