"""Tokens open what they were made for, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.tokens import Tokens
from renderbell.video import AccountName

TOKENS = Tokens("a key")
ACCOUNT = AccountName("heygen", "marketing")
EVENT = "evt_0123456789abcdef0123456789abcdef"
END = datetime(2026, 12, 24, tzinfo=UTC)


def test_a_hint_token_is_known_again_for_its_account_and_no_other() -> None:
    token = TOKENS.new_hint(ACCOUNT)
    assert TOKENS.may_be_hint(ACCOUNT, token)
    assert not TOKENS.may_be_hint(AccountName("heygen", "other"), token)
    assert not TOKENS.may_be_hint(AccountName("tavus", "marketing"), token)


def test_two_hint_tokens_of_one_account_are_not_the_same() -> None:
    assert len({TOKENS.new_hint(ACCOUNT) for _ in range(100)}) == 100


def test_another_key_knows_none_of_them() -> None:
    assert not Tokens("another key").may_be_hint(ACCOUNT, TOKENS.new_hint(ACCOUNT))
    assert Tokens("another key").linked(TOKENS.link(EVENT, END)) is None


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_a_guess_is_never_a_hint_token(guess: str) -> None:
    assert not TOKENS.may_be_hint(ACCOUNT, guess)


@given(st.integers(0, 37), st.characters(codec="ascii"))
def test_a_hint_token_with_one_letter_changed_is_none(place: int, letter: str) -> None:
    token = TOKENS.new_hint(ACCOUNT)
    if token[place] != letter:
        assert not TOKENS.may_be_hint(ACCOUNT, token[:place] + letter + token[place + 1 :])


def test_a_link_says_which_event_and_until_when() -> None:
    assert TOKENS.linked(TOKENS.link(EVENT, END)) == (EVENT, END)


def test_a_link_that_is_over_is_still_a_link() -> None:
    ended = END - timedelta(days=3000)
    assert TOKENS.linked(TOKENS.link(EVENT, ended)) == (EVENT, ended)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_link_cannot_be_altered_to_reach_another_video_or_to_last_longer(part: int) -> None:
    mine, other = (TOKENS.link(event, end).split("/") for event, end in [(EVENT, END), ("evt_other", END + timedelta(days=1))])
    mine[part] = other[part]
    assert TOKENS.linked("/".join(mine)) is None


@given(st.text(st.characters(exclude_categories=()), max_size=120))
def test_any_other_path_is_no_link(path: str) -> None:
    assert TOKENS.linked(path) is None


def test_a_hint_token_is_no_link_and_a_link_no_hint_token() -> None:
    account = AccountName("evt_x", "1798070400")
    assert TOKENS.linked(f"{account}/{TOKENS.new_hint(account)}") is None
    assert not TOKENS.may_be_hint(account, TOKENS.link("evt_x", END).rpartition("/")[2])


def test_the_key_is_not_shown() -> None:
    assert "a key" not in repr(TOKENS)
