"""What a look says of its account, and what operators hear: each thing once, and its end, too."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from renderbell.account_state import AccountState
from renderbell.alerts import WORDS, Alert, alert_subject, alert_text, changes
from renderbell.errors import AuthError, NotFoundError, ProviderError, ProviderFaultError, RateLimitedError
from renderbell.health import FAILURES_TO_ALERT, Findings, judged
from renderbell.licence import Licence
from renderbell.report import Stopped
from renderbell.video import AccountName

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ACCOUNT = AccountName("heygen", "marketing")
WELL = Findings(error=None, read_a_page=True, notice=None, unknown_words=(), order_lost=None)


def failed(error: ProviderError) -> Findings:
    return replace(WELL, error=error, read_a_page=False)


def told(*looks: Findings, state: AccountState | None = None) -> list[str]:
    """Return the alerts of a row of looks, a cleared one with a minus."""
    now, heard = state or AccountState(), []
    for place, look in enumerate(looks):
        now, alerts = judged(ACCOUNT, now, look, NOW + timedelta(minutes=place))
        heard += [f"-{alert.kind}" if alert.cleared else alert.kind for alert in alerts]
    return heard


@pytest.mark.parametrize(
    ("looks", "heard"),
    [
        ([WELL, WELL], []),
        ([failed(AuthError("401"))] * 3, ["key_refused"]),
        ([failed(AuthError("401")), WELL, WELL], ["key_refused", "-key_refused"]),
        ([failed(AuthError("401")), failed(ProviderFaultError("500")), WELL], ["key_refused", "-key_refused"]),
        ([failed(AuthError("401")), WELL, failed(AuthError("401"))], ["key_refused", "-key_refused", "key_refused"]),
        ([failed(NotFoundError("404")), WELL], ["listing_retired", "-listing_retired"]),
        ([failed(ProviderFaultError("500"))] * 4, []),
        ([failed(ProviderFaultError("500"))] * 9, ["polls_failing"]),
        ([failed(RateLimitedError("429"))] * 6 + [WELL], ["polls_failing", "-polls_failing"]),
        ([replace(WELL, notice="sunset: tomorrow")] * 2 + [WELL], ["listing_retiring", "-listing_retiring"]),
        ([replace(WELL, unknown_words={"dreaming"})] * 3, ["unknown_status"]),
        ([replace(WELL, unknown_words={"a", "b"}), replace(WELL, unknown_words={"b", "c"})], ["unknown_status"] * 3),
    ],
)
def test_operators_hear_each_thing_once_and_its_end_too(looks: list[Findings], heard: list[str]) -> None:
    assert told(*looks) == heard


def test_a_lost_order_is_told_and_so_is_its_return() -> None:
    lost, after = judged(ACCOUNT, AccountState(), replace(WELL, order_lost="2 surprises"), NOW)[0], WELL
    assert lost.alerts == {"order_lost": 1}
    assert judged(ACCOUNT, lost, after, NOW)[1] == [], "there is no licence yet"
    (alert,) = judged(ACCOUNT, replace(lost, licence=Licence.OBSERVED), after, NOW)[1]
    assert (alert.kind, alert.cleared) == ("order_lost", True)


def test_the_same_health_keeps_its_beginning_and_a_long_outage_is_not_written_down_at_every_poll() -> None:
    state = AccountState()
    for minutes in range(FAILURES_TO_ALERT + 1):
        state, _ = judged(ACCOUNT, state, failed(ProviderFaultError("500")), NOW + timedelta(minutes=minutes))
    assert state.health_since == NOW
    assert judged(ACCOUNT, state, failed(ProviderFaultError("500")), NOW + timedelta(days=1))[0] == state


@pytest.mark.parametrize("kind", sorted(one.kind for one in ProviderError.__subclasses__()))
def test_every_error_is_a_reason_for_a_look_to_end_and_none_is_idle(kind: str) -> None:
    assert not Stopped(kind).idle


def alert(kind: str, count: int = 1, detail: str = "x") -> Alert:
    return Alert(account=ACCOUNT, kind=kind, count=count, detail=detail, at=NOW)


@pytest.mark.parametrize("kind", WORDS)
def test_every_alert_says_what_is_wrong_where_and_what_to_do(kind: str) -> None:
    told = alert(kind)
    import json

    body = json.loads(told.body)
    assert body["type"] == told.type == f"account.{kind}"
    words = alert_text(body)
    assert WORDS[kind][0] in words
    assert WORDS[kind][1] in words
    assert "HeyGen, account marketing" in words
    assert len(alert_subject(body)) < 100
    assert alert_subject(body).isascii()


def test_the_same_occurrence_has_the_same_id_and_another_has_another() -> None:
    first = alert("key_refused").event_id
    assert alert("key_refused", detail="other words").event_id == first
    assert len({first, *(alert("key_refused", count).event_id for count in (2, 3, 4))}) == 4
    assert alert("unknown_status", detail="a").event_id != alert("unknown_status", detail="b").event_id


def test_counts_rise_only_where_something_begins_or_ends() -> None:
    assert changes({"a": 1, "b": 2}, {"a": "still", "b": None, "c": "new"}) == {"c": 1}
    assert changes({"a": 1}, {"a": None}) == {"a": 2}
