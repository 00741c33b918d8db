"""An account's key and options: what is stored is what is read, and the key shows nowhere."""

import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.account import OPTIONS, Account
from renderbell.errors import BadInputError
from renderbell.video import AccountName

NAME = AccountName("heygen", "marketing")
SECRET = "sk-5ecret-0f-the-team"
SWITCH = st.sampled_from(["true", "false"])
PRINTABLE_ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
KEYS = st.text(PRINTABLE_ASCII, min_size=1).map(str.strip).filter(bool)
STORED_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "base_url": st.sampled_from(["https://proxy.example/heygen", "http://127.0.0.1:8080", "http://[::1]:1"]),
        "api_version": st.sampled_from(["v1", "v3"]),
        "folder_id": st.text().map(str.strip),
        "email": st.emails(),
        "unique_id": st.text().map(str.strip),
        "usable_when": st.sampled_from(["download", "any"]),
        "include_project_files": SWITCH,
        "page_size": st.integers(1, 1000).map(str),
        "lookups_per_poll": st.integers(1, 1000).map(str),
        "announce_existing": SWITCH,
    },
)


def stored(**fields: Any) -> str:
    return json.dumps({"key": SECRET, **fields})


@given(key=KEYS, options=STORED_OPTIONS)
def test_what_is_dumped_is_read_back(key: str, options: dict[str, str]) -> None:
    account = Account.of(NAME, key, options)

    assert Account.parse(NAME, account.dump()) == account
    assert (account.key, account.options) == (key, options)


def test_a_word_may_be_in_capitals() -> None:
    account = Account.of(NAME, SECRET, {"api_version": "V1", "usable_when": "Any", "announce_existing": "TRUE"})
    assert account.options == {"api_version": "v1", "usable_when": "any", "announce_existing": "true"}


def test_the_roundtrip_covers_every_option() -> None:
    assert Account.of(NAME, SECRET, dict.fromkeys(OPTIONS)).options == {}, "an option that is null is not set"
    with pytest.raises(BadInputError, match="unknown option"):
        Account.of(NAME, SECRET, dict.fromkeys([*OPTIONS, "another"]))


@pytest.mark.parametrize("value", [SECRET, f"  {SECRET}\n", stored(), json.dumps({"key": f" {SECRET} "})])
def test_a_bare_key_and_a_json_key_are_the_same_account(value: str) -> None:
    assert Account.parse(NAME, value) == Account(name=NAME, key=SECRET)


def test_a_key_that_begins_like_json_survives() -> None:
    account = Account.parse(NAME, json.dumps({"key": "{odd"}))

    assert Account.parse(NAME, account.dump()).key == "{odd"


def test_options_are_kept_as_text_and_read_as_what_they_mean() -> None:
    account = Account.parse(NAME, stored(page_size=20, announce_existing=True, folder_id=" f1 ", email=None))

    assert account.options == {"page_size": "20", "announce_existing": "true", "folder_id": "f1"}
    assert (account.count("page_size"), account.option("folder_id")) == (20, "f1")
    assert account.switch("announce_existing")


def test_an_option_that_is_not_set_is_what_its_sentence_says() -> None:
    account = Account.of(NAME, SECRET, {})
    told = {name: option.default for name, option in OPTIONS.items() if option.default}
    assert {name: account.option(name) for name in told} == told
    assert [name for name, default in told.items() if default not in OPTIONS[name].sentence] == []
    assert [account.option(name) for name in ("base_url", "folder_id", "email", "page_size")] == [""] * 4
    assert (account.count("hot_interval"), account.count("lookups_per_poll")) == (15, 50)
    assert not account.switch("announce_existing")
    assert Account.of(NAME, SECRET, told).options == told, "and may be set"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "there is no API key"),
        ("   ", "there is no API key"),
        ("{}", "there is no API key"),
        ('{"key": ""}', "there is no API key"),
        ('{"key": 42}', "there is no API key"),
        ('{"key": null}', "there is no API key"),
        ("{", "not valid JSON"),
        (f'{{"key": "{SECRET}"', "not valid JSON"),
        (f"{{{SECRET}}}", "not valid JSON"),
        (f"{SECRET}é", "no HTTP header can carry"),
        (f"{SECRET}\n{SECRET}", "no HTTP header can carry"),
        (f"{SECRET}\r\nx-injected: 1", "no HTTP header can carry"),
        (f"{SECRET}\x7f", "no HTTP header can carry"),
        (stored(colour="blue"), "unknown option 'colour'"),
        (stored(api_version="v2"), "api_version must be one of v1, v3"),
        (stored(usable_when=SECRET), "usable_when must be one of any, download"),
        (stored(announce_existing="yes"), "announce_existing must be one of false, true"),
        (stored(include_project_files=1), "include_project_files must be one of false, true"),
        (stored(page_size=0), "page_size must be a whole number"),
        (stored(page_size=-1), "page_size must be a whole number"),
        (stored(page_size="²"), "page_size must be a whole number"),
        (stored(page_size=""), "page_size must be a whole number"),
        (stored(lookups_per_poll=1.5), "lookups_per_poll must be a whole number"),
        (stored(lookups_per_poll=SECRET), "lookups_per_poll must be a whole number"),
        (stored(base_url=f"https://[{SECRET}"), "base_url is not a URL"),
        (stored(base_url="https://api.example:port"), "base_url is not a URL"),
        (stored(base_url="https://api.example:99999"), "base_url is not a URL"),
        (stored(base_url=f"https:///{SECRET}"), "base_url must begin with https://"),
    ],
)
def test_what_cannot_be_used_is_refused_by_account_and_reason_and_never_by_value(value: str, reason: str) -> None:
    with pytest.raises(BadInputError) as refused:
        Account.parse(NAME, value)

    told = "".join(traceback.format_exception(refused.value))
    assert str(refused.value).startswith("heygen/marketing: ")
    assert reason in str(refused.value)
    assert SECRET not in told


@pytest.mark.parametrize(
    "url",
    ["https://api.example", "https://api.example:8443/v1", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:80/x"],
)
def test_a_base_url_is_https_or_on_this_machine(url: str) -> None:
    assert Account.parse(NAME, stored(base_url=url)).option("base_url") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "api.example",
        "//api.example",
        "",
    ],
)
def test_a_base_url_that_would_carry_the_key_in_the_open_is_refused(url: str) -> None:
    with pytest.raises(BadInputError, match="so that the key never travels in the open"):
        Account.parse(NAME, stored(base_url=url))


@given(key=st.text(PRINTABLE_ASCII, min_size=9).map(str.strip).filter(lambda key: len(key) > 8))
def test_the_key_and_the_options_are_in_no_repr(key: str) -> None:
    account = Account.of(NAME, key, {"email": "someone@team.example"})

    assert repr(account) == f"{account!s}" == "Account(name=AccountName(provider='heygen', name='marketing'))"


@given(
    fields=st.dictionaries(
        st.sampled_from([*OPTIONS, "key", "other"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        max_size=4,
    )
)
def test_any_json_object_is_an_account_or_bad_input(fields: dict[str, Any]) -> None:
    try:
        account = Account.parse(NAME, json.dumps(fields))
    except BadInputError:
        return
    assert account.key == fields["key"].strip()
    assert set(account.options) <= set(OPTIONS)
    assert int(account.option("page_size") or 1) >= 1
