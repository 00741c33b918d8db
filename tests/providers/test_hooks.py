"""A URL is registered as a webhook for a whole account, and taken back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import pytest

from renderbell.account import Account
from renderbell.errors import (
    AuthError,
    BadInputError,
    BadResponseError,
    NotFoundError,
    ProviderError,
    ProviderFaultError,
    RateLimitedError,
)
from renderbell.providers import PROVIDERS, provider_for
from renderbell.providers.hooks import Hook
from renderbell.video import AccountName
from renderbell_cli.simulator import Library, Simulator
from tests.providers.fakes import KEY, KINDS, always, provider

URL: Final = "https://hints.example/heygen/marketing/f3b1"
SECRET: Final = "whsec_c2VjcmV0"
KEY_HEADERS: Final = {
    "heygen": ("x-api-key", KEY),
    "heygen-v1": ("x-api-key", KEY),
    "videogen": ("authorization", f"Bearer {KEY}"),
}
REGISTRATIONS: Final = {
    "heygen": ("POST", "/v3/webhooks/endpoints"),
    "heygen-v1": ("POST", "/v1/webhook/endpoint.add"),
    "videogen": ("POST", "/v1/webhooks/endpoints"),
}
DELETIONS: Final = {
    "heygen": ("DELETE", "/v3/webhooks/endpoints/ep_1"),
    "heygen-v1": ("DELETE", "/v1/webhook/endpoint.delete?endpoint_id=ep_1"),
    "videogen": ("DELETE", "/v1/webhooks/endpoints/ep_1"),
}
HOOKING: Final = tuple(REGISTRATIONS)
VIDEOGEN_EVENTS: Final = {
    "tool_execution.succeeded",
    "tool_execution.failed",
    "tool_execution.cancelled",
    "workflow_run.succeeded",
    "workflow_run.failed",
    "workflow_run.cancelled",
    "project_export.succeeded",
    "project_export.failed",
    "project_export.cancelled",
    "assistant_message.succeeded",
    "assistant_message.failed",
    "assistant_message.cancelled",
    "file.upload.completed",
    "file.upload.failed",
    "file.playback_ready",
    "file.download_ready",
    "file.analysis_completed",
    "file.analysis_failed",
}


def registered(kind: str, hook_id: Any = "ep_1", secret: Any = SECRET) -> Mapping[str, Any]:
    """Return the documented answer to a registration."""
    if kind == "videogen":
        return {
            "endpointId": hook_id,
            "url": URL,
            "events": ["tool_execution.succeeded"],
            "description": None,
            "createdAt": 1_764_000_000,
            "signingSecret": secret,
            "signingSecretLast4": "XJld",
        }
    row = {
        "endpoint_id": hook_id,
        "url": URL,
        "status": "enabled",
        "created_at": "2026-11-24T10:00:00Z",
        "events": None,
        "secret": secret,
    }
    return {"code": 100, "data": {**row, "username": "ana"}, "message": None} if kind == "heygen-v1" else {"data": row}


# What is asked.


@pytest.mark.parametrize("kind", HOOKING)
def test_a_registration_is_one_request_with_the_key(kind: str) -> None:
    server = always(200, registered(kind))
    provider(kind).hook(server.client, URL)
    assert server.asked == [REGISTRATIONS[kind]]
    name, value = KEY_HEADERS[kind]
    assert server.requests[0].headers[name] == value


@pytest.mark.parametrize("kind", ["heygen", "heygen-v1"])
def test_heygen_is_asked_for_all_events_by_naming_none(kind: str) -> None:
    server = always(200, registered(kind))
    provider(kind).hook(server.client, URL)
    assert json.loads(server.requests[0].content) == {"url": URL}


def test_videogen_is_asked_for_all_events_by_naming_each() -> None:
    server = always(201, registered("videogen"))
    provider("videogen").hook(server.client, URL)
    asked = json.loads(server.requests[0].content)
    assert set(asked) == {"url", "events", "description"}
    assert (asked["url"], asked["description"]) == (URL, "Renderbell")
    assert len(asked["events"]) == len(VIDEOGEN_EVENTS)
    assert set(asked["events"]) == VIDEOGEN_EVENTS


@pytest.mark.parametrize("kind", HOOKING)
def test_taking_back_is_one_request_with_the_key_and_without_a_body(kind: str) -> None:
    server = always(200, {"code": 100, "data": {}})
    provider(kind).unhook(server.client, "ep_1")
    assert server.asked == [DELETIONS[kind]]
    name, value = KEY_HEADERS[kind]
    assert server.requests[0].headers[name] == value
    assert server.requests[0].content == b""


@pytest.mark.parametrize("kind", HOOKING)
def test_an_id_stays_one_part_of_the_address(kind: str) -> None:
    server = always(200, {"code": 100, "data": {}})
    provider(kind).unhook(server.client, "a/b?c&d")
    assert server.asked == [("DELETE", DELETIONS[kind][1].replace("ep_1", "a%2Fb%3Fc%26d"))]


# What is read.


@pytest.mark.parametrize("kind", HOOKING)
def test_the_id_and_the_secret_are_read(kind: str) -> None:
    assert provider(kind).hook(always(200, registered(kind)).client, URL) == Hook(hook_id="ep_1", secret=SECRET)


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize("secret", [None, "", "null", {}])
def test_a_webhook_without_a_secret_is_a_webhook(kind: str, secret: Any) -> None:
    assert provider(kind).hook(always(200, registered(kind, secret=secret)).client, URL) == Hook(hook_id="ep_1", secret=None)


def test_a_secret_does_not_show_where_a_webhook_is_printed() -> None:
    assert repr(Hook(hook_id="ep_1", secret=SECRET)) == "Hook(hook_id='ep_1')"


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize("hook_id", [None, "", " ", {}, [], True])
def test_an_answer_without_an_id_is_a_bad_response(kind: str, hook_id: Any) -> None:
    with pytest.raises(BadResponseError, match=r"has no endpoint"):
        provider(kind).hook(always(200, registered(kind, hook_id)).client, URL)


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"data": null}', b'{"data": []}', b'{"code": 100, "data": "x"}']
)
def test_an_answer_of_another_shape_is_a_bad_response(kind: str, body: bytes) -> None:
    with pytest.raises(BadResponseError):
        provider(kind).hook(always(200, body).client, URL)


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize("act", ["hook", "unhook"])
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, ProviderFaultError), (401, AuthError), (403, AuthError), (429, RateLimitedError), (500, ProviderFaultError)],
)
def test_a_refusal_is_an_error_of_its_kind(kind: str, act: str, status: int, error: type[ProviderError]) -> None:
    with pytest.raises(error, match=f"HTTP {status}: no"):
        getattr(provider(kind), act)(always(status, {"message": "no"}).client, URL)


def test_an_error_of_heygen_v1_inside_http_200_is_an_error() -> None:
    with pytest.raises(AuthError, match="40009"):
        provider("heygen-v1").hook(always(200, {"code": 40009, "message": "Invalid credentials"}).client, URL)


@pytest.mark.parametrize("kind", HOOKING)
def test_a_key_that_is_echoed_is_not_in_the_error(kind: str) -> None:
    with pytest.raises(AuthError) as caught:
        provider(kind).hook(always(401, {"message": f"bad key {KEY}"}).client, URL)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("kind", HOOKING)
def test_a_registration_is_not_sent_on_where_the_answer_leads(kind: str) -> None:
    server = always(307, {}, location="https://elsewhere.example/")
    with pytest.raises(BadResponseError, match=r"elsewhere\.example"):
        provider(kind).hook(server.client, URL)
    assert len(server.requests) == 1


# What is taken back.


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_answer_is_a_good_one_to_a_deletion(kind: str, status: int) -> None:
    provider(kind).unhook(always(status, b"").client, "ep_1")


@pytest.mark.parametrize("kind", HOOKING)
def test_a_webhook_that_is_gone_already_is_no_error(kind: str) -> None:
    provider(kind).unhook(always(404, {"code": "not_found", "message": "not found"}).client, "ep_1")


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize(("status", "body"), [(404, b"<html>"), (404, b""), (410, b"{}")])
def test_a_404_that_the_provider_did_not_write_says_nothing_about_the_webhook(kind: str, status: int, body: bytes) -> None:
    with pytest.raises(NotFoundError):
        provider(kind).unhook(always(status, body).client, "ep_1")


@pytest.mark.parametrize("kind", HOOKING)
def test_a_page_in_html_is_no_deletion(kind: str) -> None:
    with pytest.raises(BadResponseError):
        provider(kind).unhook(always(200, b"<html>").client, "ep_1")


# What a provider says of itself.


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_says_whether_it_has_an_api_for_webhooks(kind: str) -> None:
    assert provider(kind).hooks == (kind in HOOKING)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in HOOKING])
@pytest.mark.parametrize("act", ["hook", "unhook"])
def test_a_provider_without_such_an_api_says_what_to_do_instead_and_asks_nothing(kind: str, act: str) -> None:
    server, asked = always(), provider(kind)
    with pytest.raises(BadInputError) as caught:
        getattr(asked, act)(server.client, URL)
    assert str(caught.value) == f"{kind} has no API to register a webhook for an account. {asked.hint_help}"
    assert server.requests == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_says_in_a_sentence_or_two_what_to_do_with_a_hint_url(name: str) -> None:
    words = provider(name).hint_help
    assert words.endswith(".")
    assert len(words) < 200
    assert "`" in words


@pytest.mark.parametrize("kind", HOOKING)
def test_where_a_webhook_can_be_registered_the_help_names_our_command(kind: str) -> None:
    asked = provider(kind)
    assert f"renderbell account hook {asked.name}/" in asked.hint_help


@pytest.mark.parametrize("kind", KINDS)
def test_only_videogen_signs_by_a_scheme_that_it_documents(kind: str) -> None:
    assert provider(kind).signs_hints == (kind == "videogen")


# Against the simulators.


def hooks(library: Library) -> dict[str, str]:
    return {hook_id: row["url"] for hook_id, row in library.webhooks.items()}


LISTS: Final = {
    "heygen": "/v3/webhooks/endpoints",
    "heygen-v1": "/v1/webhook/endpoint.list",
    "videogen": "/v1/webhooks/endpoints",
}


@pytest.fixture
def libraries() -> dict[str, Library]:
    return {"heygen": Library(), "videogen": Library()}


@pytest.fixture
def simulator(libraries: Mapping[str, Library]) -> Iterator[Simulator]:
    with Simulator({(name, KEY): library for name, library in libraries.items()}) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.mark.parametrize("kind", HOOKING)
def test_a_simulator_registers_and_takes_back(
    kind: str, simulator: Simulator, libraries: Mapping[str, Library], client: httpx.Client
) -> None:
    asked = provider(kind, base_url=simulator.url)
    library = libraries[asked.name]
    assert hooks(library) == {}

    one, other = asked.hook(client, URL), asked.hook(client, "https://hints.example/other")
    assert hooks(library) == {one.hook_id: URL, other.hook_id: "https://hints.example/other"}
    assert one.secret
    assert one.secret != other.secret

    asked.unhook(client, one.hook_id)
    assert hooks(library) == {other.hook_id: "https://hints.example/other"}
    asked.unhook(client, one.hook_id)  # gone already
    assert [recorded.status for recorded in simulator.requests][-1] == 404


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize("act", ["hook", "unhook"])
def test_a_simulator_refuses_a_wrong_key(
    kind: str, act: str, simulator: Simulator, libraries: Mapping[str, Library], client: httpx.Client
) -> None:
    right = provider(kind, base_url=simulator.url)
    hook = right.hook(client, URL)
    options = {**KINDS[kind], "base_url": simulator.url}
    wrong = provider_for(Account.of(AccountName(right.name), "sk-wrong", options))
    with pytest.raises(AuthError):
        getattr(wrong, act)(client, hook.hook_id)
    assert hooks(libraries[right.name]) == {hook.hook_id: URL}


@pytest.mark.parametrize("kind", HOOKING)
def test_a_simulator_refuses_what_is_no_address(kind: str, simulator: Simulator, client: httpx.Client) -> None:
    with pytest.raises(ProviderFaultError, match="HTTP 400"):
        provider(kind, base_url=simulator.url).hook(client, "ftp://hints.example")


@pytest.mark.parametrize("kind", HOOKING)
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"url": 1}', b'{"url": "https://hints.example", "events": "all"}'])
def test_a_simulator_refuses_a_registration_of_another_shape(
    kind: str, body: bytes, simulator: Simulator, client: httpx.Client
) -> None:
    answer = client.post(simulator.url + REGISTRATIONS[kind][1], content=body, headers=dict([KEY_HEADERS[kind]]))
    assert answer.status_code == 400


@pytest.mark.parametrize("events", [None, []])
def test_the_simulated_videogen_wants_at_least_one_event(
    events: list[str] | None, simulator: Simulator, client: httpx.Client
) -> None:
    asked = {"url": URL, "events": events}
    answer = client.post(f"{simulator.url}/v1/webhooks/endpoints", json=asked, headers=dict([KEY_HEADERS["videogen"]]))
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", HOOKING)
def test_a_simulator_lists_what_is_registered(kind: str, simulator: Simulator, client: httpx.Client) -> None:
    hook = provider(kind, base_url=simulator.url).hook(client, URL)
    answer = client.get(simulator.url + LISTS[kind], headers=dict([KEY_HEADERS[kind]]))
    body = answer.json()
    (row,) = body["endpoints"] if kind == "videogen" else body["data"]
    assert (row["endpointId" if kind == "videogen" else "endpoint_id"], row["url"]) == (hook.hook_id, URL)
    if kind != "heygen-v1":  # the other two say that the secret is told once
        assert hook.secret
        assert hook.secret not in answer.text


@pytest.mark.parametrize("kind", HOOKING)
def test_a_simulator_knows_no_other_way(kind: str, simulator: Simulator, client: httpx.Client) -> None:
    answer = client.put(simulator.url + LISTS[kind], headers=dict([KEY_HEADERS[kind]]))
    assert answer.status_code == 404
