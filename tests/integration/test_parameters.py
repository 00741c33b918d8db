"""Keys are opened as seldom as can be, for KMS charges for it, and a new one is used at once."""

import json
import time
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest

from renderbell import parameters
from renderbell.account import Account
from renderbell.endpoints import Private
from renderbell.parameters import Parameters
from renderbell.queues import PollMessage
from renderbell.signing import Secrets, new_secret
from renderbell.video import AccountName
from tests.integration.world import Context, World, video


class Counted:
    """The parameters of the world, and how often one was opened."""

    def __init__(self, world: World) -> None:
        client = boto3.client("ssm")
        client.meta.events.register("before-call.ssm.GetParameter", self.count)
        self.opened = 0
        self.parameters = Parameters(world.prefix, client)

    def count(self, **_: Any) -> None:
        self.opened += 1

    def key(self, account: AccountName, edition: str | None = None) -> str | None:
        found = self.parameters.account(account, edition)
        return None if found is None else found.key


def store(world: World, account: AccountName, key: str) -> str:
    """Store a key and return its edition."""
    world.parameters.put_account(Account.of(account, key, {}))
    return world.parameters.account_editions(account.provider)[account]


def test_a_warm_function_opens_a_key_once_however_long_it_lives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "CACHED_FOR", 0)
    account, counted = AccountName("tavus", "main"), Counted(world)
    edition = store(world, account, "key")
    assert [counted.key(account, edition) for _ in range(5)] == ["key"] * 5
    assert counted.opened == 1


def test_a_new_key_is_used_by_the_next_tick(world: World) -> None:
    account, counted = AccountName("tavus", "main"), Counted(world)
    assert counted.key(account, store(world, account, "old")) == "old"
    assert counted.key(account, store(world, account, "new")) == "new"
    assert counted.opened == 2


class Late:
    """Parameter Store's client, whose answers are those of a while ago."""

    def __init__(self) -> None:
        self.real = boto3.client("ssm")
        self.exceptions = self.real.exceptions
        self.known: Any = None
        self.asked = 0

    def get_parameter(self, **asked: Any) -> Any:
        self.asked += 1
        self.known = self.known or self.real.get_parameter(**asked)
        return self.known


def test_a_late_answer_is_not_taken_for_the_edition_that_was_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account, client = AccountName("tavus", "main"), Late()
    late = Parameters(world.prefix, cast("Any", client))

    def key(edition: str) -> str:
        found = late.account(account, edition)
        assert found is not None
        return found.key

    old = store(world, account, "old")
    assert key(old) == "old"
    new = store(world, account, "new")
    assert [key(new), key(new)] == ["old", "old"], "for a minute it is better than none"
    assert client.asked == 2
    client.known = None
    later = time.monotonic() + parameters.CACHED_FOR + 1
    monkeypatch.setattr("time.monotonic", lambda: later)
    assert key(new) == "new"


def test_what_a_function_stores_or_removes_it_does_not_take_from_its_memory(world: World) -> None:
    private = Private(secrets=Secrets(current=new_secret()))
    for stored in (private, replace(private, headers={"x-key": "sesame"})):
        world.parameters.put_endpoint_private("ep_1", stored)
        assert world.parameters.endpoint_private("ep_1") == stored
    world.parameters.remove_endpoint_private("ep_1")
    assert world.parameters.endpoint_private("ep_1") is None


def test_a_key_that_was_removed_and_stored_anew_is_another(world: World) -> None:
    account, counted = AccountName("tavus", "main"), Counted(world)
    assert counted.key(account, store(world, account, "old")) == "old"
    world.parameters.remove_account(account)
    time.sleep(0.01)
    assert counted.key(account, store(world, account, "new")) == "new"


def test_without_an_edition_a_key_is_used_for_a_minute_and_one_that_was_removed_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, counted = AccountName("tavus", "main"), Counted(world)
    store(world, account, "key")
    assert [counted.key(account), counted.key(account)] == ["key", "key"]
    assert counted.opened == 1
    world.parameters.remove_account(account)
    later = time.monotonic() + parameters.CACHED_FOR + 1
    monkeypatch.setattr("time.monotonic", lambda: later)
    assert counted.key(account) is None
    store(world, account, "back")
    assert counted.key(account) == "back"


def test_a_tick_says_which_edition_it_found_and_looks_within_the_next_minute_rely_on_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.add_account("tavus/main", video("v", born=time.time(), generating=3600), first_look_done=True)
    edition = world.parameters.account_editions()[account]
    world.apps["dispatch"].handler({"provider": "tavus", "rate": "rate(5 minutes)"}, Context())
    [tick] = [PollMessage.parse(body) for batch in world.batches("PollQueue") for body in batch]
    assert tick.edition == edition
    sent: list[tuple[PollMessage, int]] = []
    monkeypatch.setattr(world.apps["poll"].poll.poll_queue, "send_later", sent.extend)
    world.poll(**{"account": account, **{name: value for name, value in json.loads(tick.dump()).items() if name != "account"}})
    assert len(sent) > 10
    assert [one.edition for one, delay in sent] == [edition if delay < 60 else None for _, delay in sent]
