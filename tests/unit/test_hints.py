"""What a hint URL takes is stored whole, shows nothing of itself, and trusts a signature or nothing."""

import pytest

from renderbell.hints import Doorbell
from renderbell.signing import new_secret


@pytest.mark.parametrize("doorbell", [Doorbell(token="t"), Doorbell(token="t", secret="whsec_x", hook_id="h")])
def test_what_was_stored_is_read_again(doorbell: Doorbell) -> None:
    assert Doorbell.parse(doorbell.dump()) == doorbell


@pytest.mark.parametrize("stored", ["", "{}", "[]", "t"])
def test_what_was_not_stored_by_us_is_no_doorbell(stored: str) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        Doorbell.parse(stored)


def test_neither_token_nor_secret_is_shown() -> None:
    assert "quiet" not in repr(Doorbell(token="quiet", secret="quiet"))


@pytest.mark.parametrize(("token", "opens"), [("t", True), ("", False), ("T", False), ("tt", False), ("\ud83d", False)])
def test_it_opens_to_its_token_alone(token: str, opens: bool) -> None:  # noqa: FBT001
    assert Doorbell(token="t").opens_to(token) is opens


def test_without_a_secret_any_call_will_do_and_with_one_no_unsigned_one() -> None:
    assert Doorbell(token="t").trusts({}, b"")
    assert not Doorbell(token="t", secret=new_secret()).trusts({}, b"")
    odd = {"webhook-id": "1", "webhook-timestamp": "soon", "webhook-signature": "v1,\xff"}
    assert not Doorbell(token="t", secret=new_secret()).trusts(odd, b"\xff")
