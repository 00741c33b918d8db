"""Signatures are those of the Standard Webhooks specification, for every secret that is valid now."""

import base64
import hashlib
import hmac
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from renderbell.signing import new_secret, signed_headers

# From the specification's own examples (standard-webhooks/standard-webhooks, spec and libraries).
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY: Final = '{"test": 2432232314}'


def now() -> int:
    """Return the time of the test itself: a signature is good for five minutes, the suite runs for longer."""
    return int(time.time())


def test_a_known_body_has_the_specification_s_known_signature() -> None:
    assert signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, [SECRET], 1614265330) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_that_is_valid_now_verifies_and_no_other_does() -> None:
    headers = dict(signed_headers("evt_1", BODY, [SECRET, OTHER], now()))

    assert Webhook(SECRET).verify(BODY, headers) == {"test": 2432232314}
    assert Webhook(OTHER).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + " "},
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": "a second later"},
        {"webhook-signature": "v1,AAAA"},
    ],
)
def test_a_signature_holds_for_this_body_this_id_and_this_time_only(changed: dict[str, str]) -> None:
    at = now()
    later = {name: str(at + 1) if name == "webhook-timestamp" else value for name, value in changed.items()}
    sent = {**signed_headers("evt_1", BODY, [SECRET], at), "body": BODY, **later}

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(SECRET).verify(sent.pop("body"), sent)


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
