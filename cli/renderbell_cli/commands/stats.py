"""`renderbell stats`: how videos fare at each provider, and how long they take."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renderbell.messages import spoken_duration
from renderbell.values import iso
from renderbell.video import Status
from renderbell_cli.advice import NO_ACCOUNT
from renderbell_cli.arguments import JsonLines, OnlyProvider, check_provider
from renderbell_cli.show import Listing, console, hints, json_lines
from renderbell_cli.stack import LocalFlag, Stack, StackName
from renderbell_cli.times import moment_of

if TYPE_CHECKING:
    from renderbell.browse import Statistics


def stats(
    context: typer.Context,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Count what ended since then: 90s, 30m, 2h, 3d, or a time.")
    ] = "7d",
    provider: OnlyProvider = None,
    json: JsonLines = False,
    local: LocalFlag = False,
    stack: StackName = None,
) -> None:
    """Count videos by status, at each provider: what is in flight, and what ended of late.

    And tell how long those that completed took, from their creation, and how many of those that ended failed.
    """
    began = moment_of(since, datetime.now(UTC)) or datetime.now(UTC)
    if provider is not None:
        check_provider(provider)
    opened = Stack.open(context, local=local, name=stack)
    watched = sorted({name.provider for name in opened.parameters.account_names(provider)})
    found = [opened.browse.statistics(name, began) for name in watched]
    if json:
        json_lines(_fields(one, began) for one in found)
    elif not found:
        hints.print(NO_ACCOUNT if provider is None else f"No account at {provider} is watched.")
    elif not any(one.by_status for one in found):
        hints.print(f"Nothing is in flight, and nothing ended since {iso(began)}.")
    else:
        _show(found)
        console.print(_legend(began), soft_wrap=True)
    for one in found:
        if one.truncated:
            from renderbell.browse import MOST_COUNTED

            hints.print(f"{one.provider}: only the latest {MOST_COUNTED:,} that ended are counted. Choose a later --since.")


def _show(found: "Sequence[Statistics]") -> None:
    statuses = [status for status in Status if any(one.by_status.get(status) for one in found)]
    counted = [status.upper() for status in statuses]
    shown = Listing(
        "PROVIDER", *counted, "MEDIAN", "P95", "FAILURES", give_way=("FAILURES", "P95", "MEDIAN", *reversed(counted))
    )
    for one in found:
        counts = (f"{count:,}" if (count := one.by_status.get(status)) else "" for status in statuses)
        failures = "" if one.failure_rate is None else f"{100 * one.failure_rate:.1f} %"
        times = (_time(one.completed_median_seconds), _time(one.completed_p95_seconds))
        shown.add_row(one.provider, *counts, *times, failures)
    shown.print()


def _legend(since: datetime) -> str:
    """Return what is counted, and of which time: a table's heads have no room for it."""
    return (
        f"\nIn flight now, or ended since {iso(since.replace(microsecond=0))}.\n"
        "MEDIAN, P95: from creation to the end, of those that completed.\n"
        "FAILURES: of those that completed or failed, how many failed."
    )


def _time(seconds: float | None) -> str:
    return "" if seconds is None else spoken_duration(seconds)


def _fields(one: "Statistics", since: datetime) -> Mapping[str, Any]:
    return {**asdict(one), "since": iso(since)}
