"""What alarms watch: figures that are zero while all is well, and that nobody writes down while all is quiet."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from renderbell.account_state import AccountState
from renderbell.endpoints import Endpoint
from renderbell.spending import NOTED_EVERY, Spending
from renderbell.video import AccountName

UNPOLLED_AFTER: Final = timedelta(minutes=10)
FAILING_AFTER: Final = timedelta(hours=1)
COUNTED_EVERY: Final = 5
"""Minutes between two countings: each reads half a unit for each account."""


def is_counted_at(now: datetime) -> bool:
    """Say whether this tick counts: one in five minutes does. One that starts a minute late is missed; alarms bear that."""
    return now.minute % COUNTED_EVERY == 0


def of_accounts(
    states: Mapping[AccountName, AccountState],
    spending: Mapping[AccountName, Spending],
    now: datetime,
    every: Mapping[str, timedelta | None],
    quiet_every: timedelta = timedelta(),
) -> Mapping[str, int]:
    """Count accounts that no poll got through to for ten minutes, and those whose key is refused.

    `every` is the interval of each provider's schedule, `quiet_every` that of accounts where nothing happens. Polls are noted
    every five minutes. Where looks are further apart than that, an account counts only after two were missed; `quiet_every`
    counts even for an account that just stopped being quiet because a look failed. A schedule whose interval nobody knows is
    left out.
    """
    apart = {provider: max(interval, quiet_every) for provider, interval in every.items() if interval}
    limits = {provider: max(UNPOLLED_AFTER, 2 * longest + NOTED_EVERY) for provider, longest in apart.items()}
    return {
        "AccountsUnpolled": sum(
            _unpolled_for(states[name], spending.get(name), now) > limits[name.provider]
            for name in states
            if name.provider in limits
        ),
        "KeysRefused": sum("key_refused" in state.raised for state in states.values()),
    }


def of_endpoints(endpoints: Sequence[Endpoint], now: datetime) -> Mapping[str, int]:
    """Count endpoints that have been failing for an hour, and those that are disabled."""
    failing = (one for one in endpoints if one.rests is None and one.failing_since is not None)
    return {
        "EndpointsFailing": sum(now - one.failing_since >= FAILING_AFTER for one in failing if one.failing_since)
        + sum(one.disabled_at is not None for one in endpoints)
    }


def _unpolled_for(state: AccountState, spending: Spending | None, now: datetime) -> timedelta:
    """Return for how long no poll got through: since the last that did, or since the first look was begun in vain."""
    well = spending.polled_well_at if spending else None
    since = well or state.first_look_began_at or state.health_since
    return timedelta() if since is None else now - since
