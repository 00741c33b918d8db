"""When an attempt is repeated, what its outcome means, and when it is over."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.deliveries import (
    ANSWER_LIMIT,
    DEADLINE,
    DELAYS,
    JITTER,
    KEEP_FOR,
    LEASE,
    MAX_RETRY_AFTER,
    DeliveryStatus,
    Outcome,
    Verdict,
    packed,
    unpacked,
    verdict,
)

BODY: Final = (
    '{"type":"video.completed","timestamp":"2026-11-24T22:42:00.123Z","data":{"provider":"heygen","account":"defaul'
    't","video_id":"1f2e3d4c5b6a7988","title":"Product tour","status":"completed","provider_status":"completed","pr'
    'evious_status":"generating","url":"https://files.example.com/1f2e3d4c.mp4","thumbnail_url":null,"url_expires_a'
    't":null,"error":null,"duration_seconds":42.1,"created_at":"2026-11-24T22:39:00Z","first_seen_at":"2026-11-24T2'
    '2:40:00.423Z","finished_at":"2026-11-24T22:42:00.123Z","seconds_in_flight":180.1,"sequence":2}}'
)
REFUSED: Final = Outcome(http_status=500)
NO_ANSWER: Final = Outcome(error="ConnectError")
HOUR: Final = timedelta(hours=1)
ATTEMPTS: Final = st.integers(1, len(DELAYS))
JITTERS: Final = st.floats(-1, 1)
STATUSES: Final = st.none() | st.integers(100, 999)


def wait_of(decided: Verdict) -> timedelta:
    assert decided.status is DeliveryStatus.PENDING
    assert decided.wait is not None
    return decided.wait


def test_waits_grow_from_seconds_to_half_days_and_end_after_three_days() -> None:
    assert [delay.total_seconds() for delay in DELAYS] == [
        *(5, 30, 300, 1800, 7200, 18000, 36000),
        *(43200, 43200, 43200, 43200, 23040),
    ]


def test_all_waits_together_last_about_three_days_whatever_the_jitter() -> None:
    for jitter in (-1.0, 0.0, 1.0):
        total = sum((wait_of(verdict(REFUSED, attempt, jitter)) for attempt in range(1, len(DELAYS) + 1)), timedelta())
        assert timedelta(days=2.39) < total <= timedelta(days=3.6)


@pytest.mark.parametrize(("attempt", "delay"), list(enumerate(DELAYS, start=1)))
def test_an_attempt_without_jitter_waits_exactly_its_delay(attempt: int, delay: timedelta) -> None:
    assert verdict(REFUSED, attempt, 0.0) == Verdict(status=DeliveryStatus.PENDING, wait=delay)


@given(attempt=ATTEMPTS, jitter=JITTERS)
def test_jitter_spreads_a_wait_by_a_fifth_at_most(attempt: int, jitter: float) -> None:
    delay = DELAYS[attempt - 1]

    assert delay * 0.8 <= wait_of(verdict(REFUSED, attempt, jitter)) <= delay * 1.2


def test_jitter_does_spread() -> None:
    assert JITTER == 0.2
    assert wait_of(verdict(REFUSED, 4, -1.0)) == timedelta(minutes=24)
    assert wait_of(verdict(REFUSED, 4, 1.0)) == timedelta(minutes=36)


@given(status=STATUSES, attempt=st.integers(1, len(DELAYS) + 5), jitter=JITTERS)
def test_2xx_is_success_and_nothing_else_is(status: int | None, attempt: int, jitter: float) -> None:
    decided = verdict(Outcome(http_status=status), attempt, jitter)

    succeeded = status is not None and status // 100 == 2
    assert (decided.status is DeliveryStatus.DELIVERED) == succeeded
    assert (decided.wait is not None) == (decided.status is DeliveryStatus.PENDING)
    assert (decided.disables is not None) == (status == 410)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_ends_the_delivery_even_at_the_last_attempt(status: int) -> None:
    assert verdict(Outcome(http_status=status), 13, 0.0) == Verdict(status=DeliveryStatus.DELIVERED)


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 302, 307, 304, 400, 401, 404, 409, 429, 500, 503])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert verdict(Outcome(http_status=status), 1, 0.0).status is DeliveryStatus.PENDING


@pytest.mark.parametrize("attempt", [1, 12, 13])
def test_410_disables_the_endpoint_and_holds_the_event(attempt: int) -> None:
    assert verdict(Outcome(http_status=410, retry_after=60), attempt, 0.0) == Verdict(
        status=DeliveryStatus.HELD, disables="answered 410 Gone"
    )


@pytest.mark.parametrize("outcome", [REFUSED, NO_ANSWER, Outcome(http_status=429, retry_after=60)])
def test_a_delivery_is_exhausted_after_its_thirteenth_attempt(outcome: Outcome) -> None:
    assert verdict(outcome, 12, 0.0).status is DeliveryStatus.PENDING
    assert verdict(outcome, 13, 0.0) == Verdict(status=DeliveryStatus.EXHAUSTED)
    assert verdict(outcome, 14, 0.0) == Verdict(status=DeliveryStatus.EXHAUSTED)


@pytest.mark.parametrize(
    ("attempt", "asked", "wait"),
    [
        (1, 60.0, timedelta(seconds=60)),
        (1, 5.0, timedelta(seconds=5)),
        (1, 0.0, timedelta(seconds=5)),
        (4, 60.0, timedelta(minutes=30)),
        (4, 1801.0, timedelta(seconds=1801)),
        (1, 12 * 3600.0, 12 * HOUR),
        (1, 12 * 3600.0 + 1, 12 * HOUR),
        (1, 1e300, 12 * HOUR),
        (1, -1e300, timedelta(seconds=5)),
        (1, None, timedelta(seconds=5)),
    ],
)
def test_retry_after_lengthens_a_wait_up_to_twelve_hours_and_never_shortens_it(
    attempt: int, asked: float | None, wait: timedelta
) -> None:
    assert wait_of(verdict(Outcome(http_status=503, retry_after=asked), attempt, 0.0)) == wait


@given(
    attempt=ATTEMPTS,
    jitter=JITTERS,
    asked=st.floats(allow_nan=False, allow_infinity=False),
    status=st.sampled_from([None, 429, 503]),
)
def test_no_retry_after_breaks_the_bounds_of_a_wait(attempt: int, jitter: float, asked: float, status: int | None) -> None:
    unasked = wait_of(verdict(Outcome(http_status=status), attempt, jitter))
    wait = wait_of(verdict(Outcome(http_status=status, retry_after=asked), attempt, jitter))

    assert unasked <= wait <= max(unasked, MAX_RETRY_AFTER)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(http_status=500), "answered 500"),
        (Outcome(error="ConnectError"), "ConnectError"),
        (Outcome(http_status=301, error="answered 301 to https://b"), "answered 301 to https://b"),
    ],
)
def test_an_outcome_is_told_in_words(outcome: Outcome, words: str) -> None:
    assert outcome.in_words == words


def test_a_claim_outlasts_the_attempt_it_protects() -> None:
    assert LEASE >= 2 * DEADLINE


def test_the_bounds_of_an_attempt_are_those_of_the_design() -> None:
    assert timedelta(seconds=15) == DEADLINE
    assert ANSWER_LIMIT == 16_384
    assert timedelta(hours=12) == MAX_RETRY_AFTER


def test_a_delivery_stays_on_record_longer_than_its_event_is_held() -> None:
    assert timedelta(days=30) < KEEP_FOR


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_body_is_kept_to_the_character(body: str) -> None:
    assert unpacked(packed(body)) == body


def test_what_was_packed_by_an_earlier_version_can_be_read() -> None:
    kept = bytes.fromhex(
        "23250a0d0d758d4c428c8cac4c8cac0c0cf40c8d8ca394b0462bb131669866946a9c62926c9a6496686e69618114830145f929a5c9250a"
        "25f9a545c4c726fe68c4137d69c08c53ac975a9108d20f0a057d98db407985aa916b62a467882d72e1a16b6c6905ca5c38e21a110906a0"
        "483081440296e8c71e5b585284a18501c84528c90200"
    )
    assert unpacked(kept) == BODY


def test_an_event_is_kept_in_a_third_of_its_size() -> None:
    assert len(packed(BODY)) * 3 <= len(BODY)
