"""The short descriptions of AWS's services say what botocore says. That none is missing, tests/template/test_least_privilege.py
shows."""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.session import Session, get_session

from renderbell.aws import DESCRIBED, SERVICES, client, session
from tests.template.stack import ROOT, Stack

REGIONS = ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "of-the-year-2040-1"]


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "renderbell-poll")
    session.cache_clear()
    yield session()
    session.cache_clear()


@pytest.fixture
def somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def describe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("describe", ROOT / "layers" / "core" / "describe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_described_is_what_the_locked_botocore_says() -> None:
    """Where this fails botocore was updated without `make lock`, or somebody edited a file by hand."""
    said: Mapping[str, Any] = describe().described()
    assert {path.stem: json.loads(path.read_bytes()) for path in DESCRIBED.iterdir()} == said
    assert sorted(said) == sorted([*SERVICES, "endpoints"])


def test_the_descriptions_are_short() -> None:
    assert sum(path.stat().st_size for path in Path(DESCRIBED).iterdir()) < 200_000


@pytest.mark.parametrize(("service", "region"), list(product(SERVICES, REGIONS)))
def test_a_service_is_found_where_botocore_finds_it(in_lambda: Session, service: str, region: str) -> None:
    """Also in China, in the clouds of governments, and in a region that is not built yet."""
    ours, theirs = (one.create_client(service, region) for one in (in_lambda, get_session()))
    assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    assert ours.meta.service_model.signature_version == theirs.meta.service_model.signature_version


def test_a_service_that_is_not_described_is_refused_by_name(in_lambda: Session) -> None:
    with pytest.raises(UnknownServiceError, match=r"ec2.*dynamodb, lambda, sns, sqs, ssm"):
        in_lambda.create_client("ec2", "us-east-1")


@pytest.mark.usefixtures("somewhere")
@pytest.mark.parametrize("service", ["sns", "sqs", "ssm"])
def test_a_service_that_does_not_answer_is_an_error_before_the_function_that_delivers_ends(service: str) -> None:
    made: Any = client(service)  # type: ignore[call-overload] # one of several
    config: Any = made.meta.config
    seconds = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
    stack = Stack.read()
    assert seconds + 4 < stack.functions["DeliverFunction"]["Timeout"], "and a few between the attempts"


@pytest.mark.usefixtures("somewhere")
def test_who_asks_for_a_videos_url_is_patient_for_as_long_as_that_takes_and_asks_once() -> None:
    functions, made = Stack.read().functions, client("lambda")
    config: Any = made.meta.config
    timeouts = {name: functions[f"{name}Function"]["Timeout"] for name in ("Fetch", "Link", "Api")}
    assert timeouts["Fetch"] < config.read_timeout < min(timeouts["Link"], timeouts["Api"])
    assert config.retries["total_max_attempts"] == 1


def test_outside_lambda_every_service_can_be_asked_for_credentials_may_need_one() -> None:
    session.cache_clear()
    assert {"sts", "sso", "sso-oidc", "signin"} <= set(session().get_available_services())
