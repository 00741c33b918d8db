"""What a look says of its account's health, and what operators are told of it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from renderbell.account_state import HEALTHY, AccountState
from renderbell.alerts import Alert, changes
from renderbell.errors import AuthError, NotFoundError, ProviderError, RateLimitedError
from renderbell.values import iso
from renderbell.video import AccountName

FAILURES_TO_ALERT: Final = 5
MOST_UNKNOWN_WORDS: Final = 20

VARYING: Final = re.compile(r"[0-9a-f]*[0-9][0-9a-f-]*")
"""Numbers and ids in a message."""

PAUSE_REFUSED_KEY: Final = timedelta(minutes=5)
PAUSE_RATE_LIMITED: Final = 60.0
MAX_PAUSE: Final = 3600.0
"""Seconds; without Retry-After, and at most whatever it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one look learnt: how it failed, if it did, the provider's notice of an end, words that no table names."""

    error: ProviderError | None
    read_a_page: bool
    notice: str | None
    unknown_words: Collection[str]
    order_lost: str | None
    """Why the licence was lost, if it was."""


def judged(account: AccountName, state: AccountState, findings: Findings, now: datetime) -> tuple[AccountState, list[Alert]]:
    """Return the account's state after a look, and what operators have to be told: each thing once, and its end, too."""
    error = findings.error
    health = HEALTHY if error is None else f"{error.kind}: {error}"
    # Ill since the first trouble, whatever its words: what was made meanwhile was seen by nobody.
    is_as_before = state.health is not None and (error is None) is (state.health == HEALTHY)
    state = replace(
        state,
        # A request's id, or how long to wait, is no reason to write the row anew.
        health=state.health if _alike(health, state.health) else health,
        health_since=state.health_since if is_as_before else now,
        # Counted up to where it matters: a provider that is down for a day is not written down at every poll.
        failures=0 if error is None else min(FAILURES_TO_ALERT, state.failures + 1),
    )
    found = _found(state, findings)
    counts = changes(state.alerts, found)
    alert = partial(Alert, account=account, at=now, watched_since=iso(state.first_look_began_at) or "")
    told = [alert(kind=kind, count=n, detail=found[kind] or "") for kind, n in counts.items()]
    # A provider that puts its progress into the word must not fill mailboxes, nor the account's row.
    room = MOST_UNKNOWN_WORDS - len(state.unknown_words)
    new_words = sorted(set(findings.unknown_words) - state.unknown_words)[: max(0, room)]
    told += [alert(kind="unknown_status", count=1, detail=word) for word in new_words]
    words = state.unknown_words | set(new_words)
    return replace(state, alerts={**state.alerts, **counts}, unknown_words=words), told


def _found(state: AccountState, findings: Findings) -> Mapping[str, str | None]:
    """Return what is wrong (a text) and what is right (None). What this look cannot tell is left out."""
    error, found = findings.error, dict[str, str | None]()
    if error is None:
        found |= {"key_refused": None, "listing_retired": None, "polls_failing": None}
    elif isinstance(error, AuthError):
        found["key_refused"] = str(error)
    elif isinstance(error, NotFoundError):
        found["listing_retired"] = str(error)
    elif state.failures >= FAILURES_TO_ALERT:
        found["polls_failing"] = f"{FAILURES_TO_ALERT} in a row; the last: {error.kind}: {error}"
    if findings.read_a_page:
        found["listing_retiring"] = findings.notice
    if findings.order_lost or state.licence is not None:
        found["order_lost"] = findings.order_lost
    return found


def _alike(one: str, other: str | None) -> bool:
    return other is not None and VARYING.sub("", one) == VARYING.sub("", other)


def pause_after(error: ProviderError | None) -> timedelta | None:
    """Return how long to leave the account alone."""
    if isinstance(error, RateLimitedError):
        asked = PAUSE_RATE_LIMITED if error.retry_after is None else error.retry_after
        return timedelta(seconds=min(asked, MAX_PAUSE))  # bounded as a number: a timedelta does not hold every header
    return PAUSE_REFUSED_KEY if isinstance(error, AuthError) else None
