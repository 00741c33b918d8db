"""Looks at the account that a message names: finds its key, sweeps its listing, says what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from renderbell.errors import BadInputError
from renderbell.parameters import Parameters
from renderbell.providers import provider_for
from renderbell.store.accounts import Accounts
from renderbell.store.videos import Videos
from renderbell.sweep import Report, Sweep
from renderbell.video import AccountName


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    parameters: Parameters
    accounts: Accounts
    videos: Videos
    client: httpx.Client
    now: Callable[[], datetime]

    def look(self, name: AccountName, seconds_left: Callable[[], float]) -> dict[str, Any]:
        """Sweep one account and return the fields of its log line.

        An account whose key was removed meanwhile is no error. One whose stored value cannot be used stays as it is, with
        the reason as its health. Whatever the provider does ends in the account's health, too: only our own faults raise.
        """
        try:
            account = self.parameters.account(name)
            if account is None:
                return {"account": str(name), "stopped": "removed"}
            provider = provider_for(account)
        except BadInputError as error:
            self._note_bad_settings(name, f"settings: {error}")
            return {"account": str(name), "stopped": "settings", "error": str(error)}
        sweep = Sweep(
            provider=provider,
            client=self.client,
            videos=self.videos,
            accounts=self.accounts,
            now=self.now,
            seconds_left=seconds_left,
        )
        return _log_line(sweep.run())

    def _note_bad_settings(self, name: AccountName, health: str) -> None:
        if self.accounts.state(name).health != health:
            self.accounts.record_health(name, health, self.now())


def _log_line(report: Report) -> dict[str, Any]:
    stopped = report.error.kind if report.error else ("end of list" if report.complete else "out of time")
    return {
        "account": str(report.account),
        "stopped": stopped,
        "pages": report.pages,
        "rows": report.rows,
        "lookups": report.lookups,
        "transitions": len(report.transitions),
        "rings": sum(change.rings for change in report.transitions),
        **({"error": str(report.error)} if report.error else {}),
    }
