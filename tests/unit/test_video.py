"""The words: which statuses are final, and how an account is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.errors import BadInputError
from renderbell.video import ACCOUNT_NAME_CHARACTERS, AccountName, Status

NAMES = st.text(sorted(ACCOUNT_NAME_CHARACTERS), min_size=1)


@pytest.mark.parametrize(
    ("status", "final"),
    [
        (Status.QUEUED, False),
        (Status.GENERATING, False),
        (Status.COMPLETED, True),
        (Status.FAILED, True),
        (Status.DELETED, True),
        (Status.UNKNOWN, False),
    ],
)
def test_a_status_is_final_or_stays_watched(status: Status, *, final: bool) -> None:
    assert status.final is final


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("heygen/marketing", AccountName("heygen", "marketing")),
        ("heygen", AccountName("heygen", "default")),
        ("heygen/", AccountName("heygen", "default")),
        ("pixverse/team_1.a-B", AccountName("pixverse", "team_1.a-B")),
    ],
)
def test_an_account_is_read_from_its_written_form(text: str, account: AccountName) -> None:
    assert AccountName.parse(text) == account


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/marketing",
        "heygen/a/b",
        "hey gen",
        "heygen/a b",
        "heygen/a\n",
        "heygen/a#b",
        "heygen/a:b",
        "heygen/é",
        "heygen/*",
    ],
)
def test_what_is_no_account_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInputError, match="for example heygen/marketing"):
        AccountName.parse(text)


@given(provider=NAMES, name=NAMES)
def test_an_account_written_is_the_account_read(provider: str, name: str) -> None:
    account = AccountName(provider, name)

    assert AccountName.parse(str(account)) == account
