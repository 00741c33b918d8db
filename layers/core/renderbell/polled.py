"""What one poll did and what it cost, as its log line and its metrics tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from renderbell.report import Report, Stopped
from renderbell.spending import Spent
from renderbell.transitions import Transition
from renderbell.video import AccountName, Status

ENDS: Final = (Status.COMPLETED, Status.FAILED, Status.DELETED)
METRICS: Final[Mapping[str, str]] = {
    "Requests": "requests",
    "Transitions": "transitions",
    "Completed": "completed",
    "Failed": "failed",
    "Deleted": "deleted",
    "Surprises": "surprises",
    "InFlight": "in_flight",
    "ReadUnits": "read_units",
    "WriteUnits": "write_units",
}
"""The metrics of a poll, each a count, and the fields of its log line that they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One poll. It has no `report` where the account's stored value gave nothing to look with."""

    account: AccountName
    stopped: Stopped
    error: str | None = None
    report: Report | None = None
    spent: Spent = field(default_factory=Spent)
    milliseconds: int = 0

    @classmethod
    def of(cls, report: Report) -> Self:
        error = None if report.error is None else str(report.error)
        return cls(account=report.account, stopped=report.stopped, error=error, report=report)

    @property
    def took(self) -> Sequence[float]:
        """How many seconds each video took that completed, from its creation, where that is known."""
        changes = self.report.transitions if self.report else ()
        return [seconds for change in changes if (seconds := _took(change)) is not None]

    def fields(self) -> dict[str, Any]:
        """Return the fields of the log line."""
        report = self.report
        return {
            "account": str(self.account),
            "stopped": self.stopped.value,
            **(self._done(report) if report else {}),
            **_said(error=self.error, lookup_error=report.lookup_error if report else None),
            "requests": self.spent.requests,
            "read_units": self.spent.read_units,
            "write_units": self.spent.write_units,
            "milliseconds": self.milliseconds,
        }

    def measured(self) -> Mapping[str, float]:
        """Return the metrics, but for those that are zero: what is measured in an hour costs by the hour."""
        fields = self.fields()
        return {metric: fields[name] for metric, name in METRICS.items() if fields.get(name)}

    def _done(self, report: Report) -> Mapping[str, Any]:
        told = [change.seen.status for change in report.transitions if change.rings]
        return {
            "pages": report.pages,
            "rows": report.rows,
            "lookups": report.lookups,
            "transitions": len(report.transitions),
            "rings": len(told),
            **{status.value: told.count(status) for status in ENDS},
            "took": self.took,
            "in_flight": report.in_flight,
            "stalled": report.stalled,
            "surprises": report.surprises,
        }


def _said(**errors: object) -> Mapping[str, str]:
    return {name: str(error) for name, error in errors.items() if error is not None}


def _took(change: Transition) -> float | None:
    made = change.seen.created_at
    if not change.rings or change.seen.status is not Status.COMPLETED or made is None:
        return None
    return round(max(0.0, (change.at - made).total_seconds()), 1)
