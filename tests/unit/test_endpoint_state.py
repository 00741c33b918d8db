"""What attempts say of their endpoint: whether it fails, how often it may be called, when operators hear of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.deliveries import Outcome
from renderbell.endpoints import (
    AT_ONCE,
    MAX_GAP,
    PROBE_EVERY,
    PROBE_GONE,
    UNPROVEN_GAP,
    Endpoint,
    Private,
    check_headers,
    gap_after,
    shown_url,
)
from renderbell.errors import BadInputError
from renderbell.signing import Secrets, new_secret

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ENDPOINT: Final = Endpoint(endpoint_id="ep_1", url="https://team.example/hook", created_at=NOW)
OK: Final = Outcome(http_status=200, milliseconds=80)
REFUSED: Final = Outcome(http_status=500, milliseconds=80)


def test_it_fails_since_the_first_of_its_failures_until_one_gets_through() -> None:
    failing = ENDPOINT.after(REFUSED, NOW).after(REFUSED, NOW + timedelta(hours=5))
    assert (failing.failing_since, failing.last_failure) == (NOW, "answered 500")
    assert (failing.state, failing.last_failure) == ("failing", "answered 500")
    well = replace(failing, warned=1).after(OK, NOW)
    assert (well.failing_since, well.last_failure, well.warned, well.state) == (None, None, 0, "active")


def test_what_it_takes_is_written_down_when_it_is_news_and_not_as_long_as_all_goes_well() -> None:
    first = ENDPOINT.after(OK, NOW)
    assert (ENDPOINT.taken_at, first.taken_at) == (None, NOW)
    assert first.after(OK, NOW + PROBE_EVERY) == first
    failing = first.after(REFUSED, NOW + PROBE_EVERY)
    assert failing.taken_at == failing.opened().taken_at == NOW
    for before in (failing, failing.opened()):
        assert before.after(OK, NOW + 2 * PROBE_EVERY).taken_at == NOW + 2 * PROBE_EVERY


@pytest.mark.parametrize(
    ("hours", "kind"),
    [(0.9, None), (1, "failing_for_an_hour"), (23.9, "failing_for_an_hour"), (24, "failing_for_a_day"), (72, "disabled")],
)
def test_operators_hear_of_a_failure_by_its_age(hours: float, kind: str | None) -> None:
    after, told = ENDPOINT.after(REFUSED, NOW).watched(NOW + timedelta(hours=hours))
    assert told == kind
    again = after.watched(NOW + timedelta(hours=hours))
    assert again == (after, None), "once"


def test_a_resting_endpoint_is_not_warned_of() -> None:
    paused = replace(ENDPOINT.after(REFUSED, NOW), paused_at=NOW)
    assert paused.watched(NOW + timedelta(days=9)) == (paused, None)


@pytest.mark.parametrize(
    ("reason", "every"), [("failed for three days: no answer", PROBE_EVERY), ("answered 410 Gone", PROBE_GONE)]
)
def test_a_disabled_endpoint_may_be_probed_now_and_then(reason: str, every: timedelta) -> None:
    disabled = ENDPOINT.disabled(reason, NOW)
    assert not disabled.may_be_probed(NOW + every * 0.9)
    assert disabled.may_be_probed(NOW + every)
    assert not replace(disabled, probed_at=NOW + every).may_be_probed(NOW + every * 1.9)
    assert not replace(disabled, paused_at=NOW).may_be_probed(NOW + every)
    assert not ENDPOINT.may_be_probed(NOW + every)


@pytest.mark.parametrize(
    ("reason", "every"), [("failed for three days: no answer", PROBE_EVERY), ("answered 410 Gone", PROBE_GONE)]
)
def test_each_probe_finds_one_more_before_it_also_where_it_comes_a_little_late(reason: str, every: timedelta) -> None:
    disabled, late = ENDPOINT.disabled(reason, NOW), timedelta(seconds=50)
    assert [disabled.probes_before(NOW + number * (every + late)) for number in (1, 2, 3, 4)] == [0, 1, 2, 3]
    assert (disabled.probes_before(NOW), ENDPOINT.probes_before(NOW)) == (0, 0)


@pytest.mark.parametrize(
    ("gap", "outcome", "after"),
    [
        (UNPROVEN_GAP, OK, 0.0),
        (0.0, OK, 0.0),
        (UNPROVEN_GAP, REFUSED, 0.0),
        (0.0, Outcome(http_status=400, milliseconds=6_000), 2.0),
        (0.0, Outcome(http_status=200, milliseconds=6_000), 2.0),
        (0.0, Outcome(http_status=200, milliseconds=14_000), 8.0),
        (0.0, Outcome(error="no answer", milliseconds=15_000), 5.0),
        (5.0, Outcome(error="no answer", milliseconds=15_000), 10.0),
        (50.0, Outcome(http_status=503, milliseconds=10), MAX_GAP),
        (0.0, Outcome(http_status=429, milliseconds=10), 5.0),
    ],
)
def test_who_answers_at_once_takes_no_turns_and_who_does_not_answer_is_called_less_and_less(
    gap: float, outcome: Outcome, after: float
) -> None:
    assert gap_after(gap, outcome) == after


@given(gap=st.floats(0, MAX_GAP), seconds=st.floats(2.1, 15))
def test_at_a_slow_endpoint_no_more_than_a_few_attempts_run_at_a_time(gap: float, seconds: float) -> None:
    after = gap_after(gap, Outcome(http_status=200, milliseconds=round(seconds * 1000)))
    assert seconds / after <= AT_ONCE + 0.01


@pytest.mark.parametrize(("gap", "rate", "between"), [(0.0, None, 0.0), (0.0, 4.0, 0.25), (8.0, 4.0, 8.0), (1.0, 0.1, 10.0)])
def test_a_rate_and_what_was_learnt_hold_both(gap: float, rate: float | None, between: float) -> None:
    assert replace(ENDPOINT, gap=gap, rate=rate).seconds_between == between


@pytest.mark.parametrize(
    ("headers", "is_fine"),
    [
        ({"Authorization": "Bearer x"}, True),
        ({"X-Team": "video"}, True),
        ({"Webhook-Id": "x"}, False),
        ({"CONTENT-TYPE": "text/plain"}, False),
        ({"Host": "inside"}, False),
        ({"Transfer-Encoding": "chunked"}, False),
        ({"Proxy-Authorization": "x"}, False),
        ({"X": "two\r\nlines"}, False),
        ({"X": "ümlaut"}, False),
        ({"X": ""}, False),
        ({"two words": "x"}, False),
        ({"": "x"}, False),
    ],
)
def test_headers_are_ones_own_on_one_line(headers: dict[str, str], is_fine: bool) -> None:  # noqa: FBT001
    if is_fine:
        check_headers(headers)
        return
    with pytest.raises(BadInputError):
        check_headers(headers)


def test_of_a_chats_address_only_the_host_is_shown() -> None:
    assert shown_url("https://hooks.slack.com/services/T0/B0/secret", "slack") == "https://hooks.slack.com/…"
    assert shown_url("https://team.example/hook", "standard") == "https://team.example/hook"
    assert shown_url("https://[hooks/secret", "slack") == "…"


def test_what_is_private_comes_back_as_it_was_kept_and_shows_nothing_of_itself() -> None:
    secrets = Secrets(current=new_secret()).rotated(new_secret(), NOW)
    private = Private(secrets=secrets, headers={"authorization": "Bearer sesame"}, url="https://hooks.slack.com/secret")
    assert Private.parse(private.dump()) == private
    for secret in (*secrets.valid(NOW), "sesame", "hooks.slack.com"):
        assert secret not in repr(private)


SIGNING: Final = Secrets(current="whsec_q+w/e4==").rotated("whsec_Ab.d123", NOW)
PRIVATE: Final = Private(
    secrets=SIGNING,
    headers={"authorization": "Bearer sesame/1", "x-stage": "prod", "cookie": "open\n"},
    url="https://hooks.slack.com/services/T0/B0/a-token%2Dof-theirs",
)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no_team", "no_team"),
        ("it is prod", "it is prod"),
        ('{"authorization": "Bearer sesame/1"}', '{"authorization": "***"}'),
        (r'{"authorization":"Bearer sesame\/1"}', '{"authorization":"***"}'),
        ("no user SESAME/1", "no user ***"),
        ("whsec_Abcd123 whsec_Ab.d123 Ab.d123", "whsec_Abcd123 *** ***"),
        ("not signed with q+w/e4==", "not signed with ***"),
        ("moved to https://hooks.slack.com/services/T0/B0/a-token%2Dof-theirs/", "moved to https://hooks.slack.com/***/"),
        ("no /services/T0/B0/a-token-of-theirs", "no /***"),
        ("no ?key=a-token-of-theirs&of=T0", "no ?key=***&of=T0"),
    ],
)
def test_what_a_receiver_repeats_of_what_is_private_is_not_kept(said: str, kept: str) -> None:
    assert PRIVATE.hidden(said) == kept


def test_where_nothing_is_long_enough_to_be_a_secret_every_word_is_kept() -> None:
    assert Private(secrets=Secrets(current="x"), headers={"x": ""}).hidden("an answer") == "an answer"


def test_what_version_0_1_kept_is_read() -> None:
    secret = new_secret()
    assert Private.parse(f'{{"secrets": ["{secret}"]}}').secrets.valid(NOW) == [secret]
