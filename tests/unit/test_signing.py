"""Signatures are those of the Standard Webhooks specification, for every secret that is valid now."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import WebhookVerificationError

from renderbell.signing import OVERLAP, Secrets, new_secret, signed_headers

# From the specification's own examples (standard-webhooks/standard-webhooks, spec and libraries).
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY: Final = '{"test": 2432232314}'
ABROAD: Final = '{"title":"Grüße aus Köln — 完成 🎬\u2028","note":"\\u0000 \\"quoted\\""}'

type Verify = Callable[[str, str, Mapping[str, str]], object]
"""What a receiver does: it takes its secret, a body and the headers, and raises for a signature that is not good."""
VERIFIERS: Final[Mapping[str, Verify]] = {
    "standardwebhooks": lambda secret, body, headers: standardwebhooks.Webhook(secret).verify(
        body, dict(headers), json_parse=False
    ),
    "svix": lambda secret, body, headers: svix.webhooks.Webhook(secret).verify(body, dict(headers)),
    "svix, bytes": lambda secret, body, headers: svix.webhooks.Webhook(secret).verify(body.encode(), dict(headers)),
}
receivers = pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS.keys())


def now() -> int:
    """Return the time of the test itself: a signature is good for five minutes, the suite runs for longer."""
    return int(time.time())


def test_a_known_body_has_the_specification_s_known_signature() -> None:
    assert signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, [SECRET], 1614265330) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@receivers
@pytest.mark.parametrize("body", [BODY, ABROAD, "", "{}"])
def test_while_a_secret_is_rotated_the_old_one_and_the_new_one_verify_and_no_third(verify: Verify, body: str) -> None:
    headers = signed_headers("evt_1", body, [SECRET, OTHER], now())

    verify(SECRET, body, headers)
    verify(OTHER, body, headers)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        verify(new_secret(), body, headers)


@receivers
@given(body=st.text(), count=st.integers(1, 4))
def test_any_body_verifies_with_each_secret_that_signed_it(verify: Verify, body: str, count: int) -> None:
    secrets = [new_secret() for _ in range(count)]
    headers = signed_headers("evt_1", body, secrets, now())

    for secret in secrets:
        verify(secret, body, headers)


@receivers
@given(body=st.text(), sent=st.text())
def test_any_other_body_is_refused(verify: Verify, body: str, sent: str) -> None:
    headers = signed_headers("evt_1", body, [SECRET, OTHER], now())

    if sent != body:
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            verify(SECRET, sent, headers)


@receivers
@pytest.mark.parametrize(("seconds", "why"), [(-301, "too old"), (-86_400, "too old"), (310, "too new")])
def test_an_attempt_of_another_time_is_refused_played_again(verify: Verify, seconds: int, why: str) -> None:
    headers = signed_headers("evt_1", BODY, [SECRET], now() + seconds)

    with pytest.raises(WebhookVerificationError, match=why):
        verify(SECRET, BODY, headers)


@receivers
@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_all_three_headers_are_needed(verify: Verify, missing: str) -> None:
    headers = {name: value for name, value in signed_headers("evt_1", BODY, [SECRET], now()).items() if name != missing}

    with pytest.raises(WebhookVerificationError, match="Missing required headers"):
        verify(SECRET, BODY, headers)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + " "},
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": "a second later"},
        {"webhook-signature": "v1,AAAA"},
    ],
)
@receivers
def test_a_signature_holds_for_this_body_this_id_and_this_time_only(verify: Verify, changed: dict[str, str]) -> None:
    at = now()
    later = {name: str(at + 1) if name == "webhook-timestamp" else value for name, value in changed.items()}
    sent = {**signed_headers("evt_1", BODY, [SECRET], at), "body": BODY, **later}

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        verify(SECRET, sent.pop("body"), sent)


@given(body=st.text(), event_id=st.from_regex("evt_[0-9a-f]{32}", fullmatch=True), at=st.integers(0, 2**33))
def test_the_bytes_signed_are_the_body_in_utf_8(body: str, event_id: str, at: int) -> None:
    signed = b".".join([event_id.encode(), str(at).encode(), body.encode("utf-8")])
    expected = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()

    signature = signed_headers(event_id, body, [SECRET], at)["webhook-signature"]

    assert signature == "v1," + base64.b64encode(expected).decode()


@given(body=st.text())
def test_a_retry_signs_the_same_body_again_under_its_own_time(body: str) -> None:
    at = now()
    first, again = (signed_headers("evt_1", body, [SECRET], at + wait) for wait in (0, 5))

    assert first["webhook-id"] == again["webhook-id"]
    assert first["webhook-signature"] != again["webhook-signature"]


def test_a_new_secret_has_the_form_and_the_length_that_the_specification_asks_for() -> None:
    secret = new_secret()

    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert secret != new_secret()


# Rotation.

NOON: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOURS: Final = timedelta(hours=1)


def rotated(hours: Sequence[float]) -> Secrets:
    """Return secrets named a, b, c and so on: a from the beginning, each other from so many hours after noon."""
    secrets = Secrets(current="a")
    for name, hour in zip("bcdefghij", hours, strict=False):
        secrets = secrets.rotated(name, NOON + hour * HOURS)
    return secrets


@pytest.mark.parametrize(
    ("rotations", "asked", "valid"),
    [
        ([], 1000, "a"),
        ([0], 0, "ba"),
        ([0], 23.999, "ba"),
        ([0], 24, "b"),
        ([0, 10], 12, "cba"),
        ([0, 10], 24, "cb"),
        ([0, 10], 33.999, "cb"),
        ([0, 10], 34, "c"),
        ([0, 30], 31, "cb"),
        ([0, 0, 0], 1, "dcba"),
    ],
)
def test_every_secret_signs_for_24_hours_after_it_was_replaced_and_the_newest_comes_first(
    rotations: list[float], asked: float, valid: str
) -> None:
    assert "".join(rotated(rotations).valid(NOON + asked * HOURS)) == valid


@given(rotations=st.lists(st.floats(0, 100), max_size=9).map(sorted), asked=st.floats(0, 200))
def test_no_receiver_is_cut_off_before_its_24_hours_are_over(rotations: list[float], asked: float) -> None:
    done = [hour for hour in rotations if hour <= asked]
    replaced = dict(zip("abcdefghij", done, strict=False))

    valid = rotated(done).valid(NOON + asked * HOURS)

    for name in "abcdefghij"[: len(done) + 1]:
        assert (name in valid) is (name not in replaced or NOON + asked * HOURS < NOON + replaced[name] * HOURS + OVERLAP)


def test_a_rotation_asked_for_twice_is_done_once() -> None:
    secrets = rotated([0])

    assert secrets.rotated("b", NOON + 5 * HOURS) == secrets


def test_a_secret_that_comes_back_signs_once() -> None:
    back = rotated([0]).rotated("a", NOON + HOURS)

    assert back.valid(NOON + 2 * HOURS) == ["a", "b"]
    assert back.valid(NOON + 1000 * HOURS) == ["a"]


def test_a_secret_whose_time_is_over_is_forgotten_at_the_next_rotation() -> None:
    assert "a" not in json.dumps(rotated([0, 30]).fields()["retiring"][-1]["secret"])


@pytest.mark.parametrize(
    ("hours", "valid"), [(0, [True, True, False]), (23.9, [True, True, False]), (24.1, [True, False, False])]
)
@receivers
def test_a_receiver_has_a_day_to_change_its_secret(verify: Verify, hours: float, valid: list[bool]) -> None:
    at = datetime.fromtimestamp(now(), UTC)
    secrets = Secrets(current=OTHER).rotated(SECRET, at - hours * HOURS)
    headers = signed_headers("evt_1", ABROAD, secrets.valid(at), int(at.timestamp()))

    def verifies(secret: str) -> bool:
        try:
            verify(secret, ABROAD, headers)
        except WebhookVerificationError:
            return False
        return True

    assert [verifies(secret) for secret in (SECRET, OTHER, new_secret())] == valid


MOMENTS: Final = st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - bounds
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
SECRETS: Final = st.builds(
    lambda current, retiring: Secrets(current=current, retiring=tuple(retiring)),
    st.text(min_size=1),
    st.lists(st.tuples(st.text(min_size=1), MOMENTS), max_size=5),
)


@given(secrets=SECRETS)
def test_secrets_are_read_as_they_were_stored(secrets: Secrets) -> None:
    assert Secrets.read(json.loads(json.dumps(secrets.fields()))) == secrets


@pytest.mark.parametrize(
    ("stored", "valid"),
    [
        ({"secrets": [SECRET]}, [SECRET]),
        ({"secrets": [SECRET, OTHER]}, [SECRET, OTHER]),
        ({"secret": SECRET, "retiring": []}, [SECRET]),
    ],
)
def test_every_stored_form_is_read(stored: dict[str, Any], valid: list[str]) -> None:
    assert Secrets.read(stored).valid(NOON) == valid


def test_older_secrets_that_version_0_1_kept_without_a_time_end_a_day_after_the_next_rotation() -> None:
    kept = Secrets.read(Secrets.read({"secrets": [SECRET, OTHER]}).fields())
    after = kept.rotated("new", NOON)

    assert kept.valid(NOON + 10_000 * HOURS) == [SECRET, OTHER]
    assert after.valid(NOON + 23 * HOURS) == ["new", SECRET, OTHER]
    assert after.valid(NOON + 24 * HOURS) == ["new"]


@pytest.mark.parametrize(
    "stored", [{}, {"secrets": []}, {"secret": SECRET}, {"secret": SECRET, "retiring": [{"until": "2026"}]}]
)
def test_what_is_no_secrets_is_refused_without_a_secret_in_the_words(stored: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)) as refused:
        Secrets.read(stored)

    assert SECRET not in repr(refused.value)


def test_secrets_are_not_shown() -> None:
    secrets = Secrets(current=SECRET).rotated(OTHER, NOON)

    for shown in (repr(secrets), str(secrets), f"{secrets}"):
        assert SECRET not in shown
        assert OTHER not in shown
