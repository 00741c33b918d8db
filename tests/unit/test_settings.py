"""The environment of a function is read once, and what is missing is named at once."""

import pytest

from renderbell.errors import BadInputError
from renderbell.settings import DeliverSettings, HintSettings, NotifySettings, Settings

EVERY = pytest.mark.parametrize("settings", Settings.__subclasses__(), ids=lambda settings: settings.__name__)


def variables(settings: type[Settings]) -> list[str]:
    return [name.upper() for name in settings.names()]


@EVERY
def test_every_missing_variable_is_named(settings: type[Settings]) -> None:
    with pytest.raises(BadInputError) as refused:
        settings.read({"PATH": "/usr/bin"})

    assert str(refused.value) == f"the function's environment lacks {', '.join(variables(settings))}"


@EVERY
def test_only_the_missing_are_named_and_an_empty_one_is_missing(settings: type[Settings]) -> None:
    first, last = variables(settings)[0], variables(settings)[-1]
    present = {name: "a value" for name in variables(settings) if name != first}

    with pytest.raises(BadInputError) as refused:
        settings.read({**present, last: ""})

    assert str(refused.value) == f"the function's environment lacks {', '.join(dict.fromkeys([first, last]))}"


def test_a_whole_environment_becomes_settings_and_the_rest_is_ignored() -> None:
    environment = {"PARAMETERS_PREFIX": "/p", "ACCOUNTS_TABLE": "accounts", "POLL_QUEUE_URL": "q", "LANG": "C"}

    settings = HintSettings.read(environment)

    assert vars(settings) == {"parameters_prefix": "/p", "accounts_table": "accounts", "poll_queue_url": "q"}


@pytest.mark.parametrize(("name", "value"), [("LINK_DAYS", "a month"), ("LINK_DAYS", "1.5")])
def test_a_value_that_is_not_what_it_should_be_is_named(name: str, value: str) -> None:
    environment = dict.fromkeys(variables(NotifySettings), "30") | {name: value}
    with pytest.raises(BadInputError, match=f"{name} in the function's environment is '{value}'"):
        NotifySettings.read(environment)


@pytest.mark.parametrize(("value", "is_on"), [("true", True), ("false", False)])
def test_numbers_and_switches_are_read_as_such(value: str, *, is_on: bool) -> None:
    environment = dict.fromkeys(variables(DeliverSettings), value)
    assert DeliverSettings.read(environment).allow_local_endpoints is is_on
    assert NotifySettings.read(dict.fromkeys(variables(NotifySettings), "30")).link_days == 30
    with pytest.raises(BadInputError, match="ALLOW_LOCAL_ENDPOINTS"):
        DeliverSettings.read(environment | {"ALLOW_LOCAL_ENDPOINTS": "True"})


def test_names_are_upper_case_only() -> None:
    with pytest.raises(BadInputError, match="ENDPOINTS_TABLE"):
        NotifySettings.read({"endpoints_table": "e", "DELIVERIES_TABLE": "d", "DELIVERY_QUEUE_URL": "q"})
