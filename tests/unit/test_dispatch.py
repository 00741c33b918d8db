"""Which accounts a tick looks at, and when the next tick is thought to come."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from renderbell.account_state import AccountState
from renderbell.dispatch import Dispatch
from renderbell.endpoints import Endpoint
from renderbell.schedules import interval_of, schedules_of
from renderbell.spending import Spending
from renderbell.video import AccountName

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAMES = [AccountName("heygen", f"a{n}") for n in range(20)]


@pytest.mark.parametrize(
    ("rate", "minutes"),
    [
        ("rate(1 minute)", 1),
        ("rate(5 minutes)", 5),
        ("rate(1 hour)", 60),
        ("rate(2 days)", 2880),
        (None, 1),
        ("cron(0 * * * ? *)", None),
    ],
)
def test_a_schedules_rate_tells_when_its_next_tick_is_and_a_cron_does_not(rate: str | None, minutes: int | None) -> None:
    assert interval_of(rate) == (None if minutes is None else timedelta(minutes=minutes))


class Fakes:
    """Parameters, accounts, their spending, endpoints and a queue in one."""

    def __init__(self, state: AccountState) -> None:
        self.state = state
        self.polled_at = NOW
        self.sent: list[str] = []

    def account_editions(self, _: str) -> dict[AccountName, str]:
        return dict.fromkeys(NAMES, "1")

    def account_names(self) -> list[AccountName]:
        return NAMES

    def of(self, names: list[AccountName]) -> dict[AccountName, Spending]:
        return dict.fromkeys(names, Spending(version=1, polled_at=self.polled_at, polled_well_at=self.polled_at))

    def all(self) -> list[Endpoint]:
        return []

    def states(self, names: dict[AccountName, str]) -> dict[AccountName, AccountState]:
        return dict.fromkeys(names, self.state)

    def send(self, messages: Any) -> int:
        sent = [str(message.account) for message in messages]
        self.sent += sent
        return len(sent)


def dispatching(fakes: Fakes) -> Dispatch:
    some = cast("Any", fakes)
    return Dispatch(
        parameters=some,
        accounts=some,
        deliveries=some,
        endpoints=some,
        poll_queue=some,
        delivery_queue=some,
        spending=some,
        quiet_every=timedelta(minutes=30),
    )


def polled(state: AccountState, minutes: range, rate: str | None) -> list[str]:
    fakes = Fakes(state)
    dispatch = dispatching(fakes)
    for minute in minutes:
        dispatch.polls("heygen", NOW + timedelta(minutes=minute), rate)
    return fakes.sent


QUIET = AccountState(health="ok", changed_at=NOW - timedelta(days=2))


def test_every_quiet_account_has_its_turn() -> None:
    sent = polled(QUIET, range(60), "rate(1 minute)")
    assert {name: sent.count(str(name)) for name in NAMES} == dict.fromkeys(NAMES, 2)


@pytest.mark.parametrize(
    ("minutes", "rate", "unpolled"),
    [(40, "rate(1 minute)", 0), (64, "rate(1 minute)", 0), (66, "rate(1 minute)", 20), (66, "rate(1 hour)", 0)],
)
def test_an_account_that_nobody_looked_at_because_it_is_quiet_is_not_late(minutes: int, rate: str, unpolled: int) -> None:
    fakes = Fakes(QUIET)
    fakes.polled_at = NOW - timedelta(minutes=minutes)
    schedules = schedules_of(f"heygen ENABLED {rate}")
    assert dispatching(fakes).vitals(NOW, schedules)["AccountsUnpolled"] == unpolled


def test_a_cron_schedule_slows_no_account_down_for_nobody_knows_its_next_tick() -> None:
    assert len(polled(QUIET, range(0, 180, 60), "cron(0 * * * ? *)")) == 3 * len(NAMES)


@pytest.mark.parametrize(
    "state",
    [
        AccountState(),
        AccountState(health="ok", changed_at=NOW),
        AccountState(health="auth: no", changed_at=NOW - timedelta(days=2)),
        AccountState(health="ok", changed_at=NOW - timedelta(days=2), looks_until=NOW - timedelta(minutes=3)),
    ],
)
def test_new_busy_ailing_and_hot_accounts_are_looked_at_at_every_tick(state: AccountState) -> None:
    assert len(polled(state, range(5), "rate(1 minute)")) == 5 * len(NAMES)


def test_a_paused_account_is_left_alone() -> None:
    paused = AccountState(paused_until=NOW + timedelta(minutes=3))
    assert len(polled(paused, range(5), "rate(1 minute)")) == 2 * len(NAMES)
