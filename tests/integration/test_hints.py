"""Providers' own calls: each makes Renderbell look, none is believed."""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from renderbell.account import Account
from renderbell.errors import BadInputError
from renderbell.hints import Doorbell
from renderbell.poll import Poll
from renderbell.providers import PROVIDERS
from renderbell.queues import PollMessage
from renderbell.signing import new_secret
from renderbell.video import AccountName
from renderbell_cli.main import app
from tests.integration.delivering import NotingQueue
from tests.integration.world import HINT_URL, Context, World, video

CALLS: Final[Mapping[str, Mapping[str, Any]]] = {
    # docs.tavus.io/sections/troubleshooting/api-callbacks: the bare video object.
    "tavus": {"video_id": "v", "video_name": "Title of v", "status": "ready", "hosted_url": "https://tavus.video/v"},
    # docs.heygen.com/docs/using-heygens-webhook-events
    "heygen": {"event_type": "avatar_video.success", "event_data": {"video_id": "v", "url": "https://h.example/v"}},
    # api-tools.memories.ai/platform/upload-video-from-url
    "memories": {"videoNo": "v", "status": "PARSE"},
    # videogen-apimatic: webhook_event_name.py
    "videogen": {"type": "file.download_ready", "data": {"fileId": "v"}},
    # useapi.net/docs/api-pixverse-v2/post-pixverse-videos-create-v3: the video object.
    "pixverse": {"video_id": "v", "video_status_name": "COMPLETED", "video_status_final": True, "url": "https://p.example/v"},
}  # fmt: skip
"""What each provider sends, as documented (FACTS)."""


def door(world: World, account: AccountName, **more: Any) -> str:
    """Give the account a hint URL and return its path."""
    token = world.parameters.made_tokens().new_hint(account)
    world.parameters.put_doorbell(account, Doorbell(token=token, **more))
    return f"/{account}/{token}"


def call(
    world: World,
    path: str,
    body: bytes | str = b"{}",
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    after: timedelta = timedelta(),
) -> int:
    """Call the hint function as its URL does, and return the HTTP status."""
    said = body if isinstance(body, bytes) else body.encode()
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "example", **(headers or {})},
        "requestContext": {"http": {"method": method, "path": path}},
        "body": base64.b64encode(said).decode(),
        "isBase64Encoded": True,
    }
    hint: Any = world.apps["hint"]
    hint.hint = replace(hint.hint, now=lambda: datetime.now(UTC) + after)
    return int(hint.handler(event, Context())["statusCode"])


def queued(world: World) -> Sequence[PollMessage]:
    """Return the looks that are due now, and take them off the queue."""
    return [PollMessage.parse(body) for batch in world.batches("PollQueue") for body in batch]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_providers_call_in_its_documented_form_announces_its_video(provider: str, world: World) -> None:
    account = world.add_account(f"{provider}/main", first_look_done=True)
    path = door(world, account)
    world.library(account).add(video("v", born=time.time()))
    assert call(world, path, json.dumps(CALLS[provider])) == 200
    [message] = queued(world)
    world.poll(account, hinted=message.hinted)
    world.flow()
    assert [(ring["type"], ring["data"]["video_id"]) for ring in world.rings()] == [("video.completed", "v")]


def test_what_a_call_claims_is_not_believed(world: World) -> None:
    account = world.add_account("heygen/main", video("v", born=time.time(), generating=600), first_look_done=True)
    path = door(world, account)
    for _ in range(3):
        assert call(world, path, json.dumps(CALLS["heygen"])) == 200
    for message in queued(world):
        world.poll(account, hinted=message.hinted)
    world.flow()
    assert world.rings() == []
    assert world.statuses(account) == {"v": "generating"}


@pytest.mark.parametrize("tail", ["", "/", "/guessed", "/guessed/more"])
def test_a_wrong_token_gets_what_an_unknown_path_gets_and_causes_nothing(tail: str, world: World) -> None:
    account = world.add_account("heygen/main")
    door(world, account)
    assert call(world, f"/heygen/main{tail}") == 404
    assert call(world, f"/heygen/nobody{tail}") == 404
    assert call(world, "/wp-login.php") == 404
    assert queued(world) == []


def test_the_token_of_another_account_does_not_fit(world: World) -> None:
    path = door(world, world.add_account("heygen/main"))
    door(world, world.add_account("heygen/other"))
    assert call(world, path.replace("/main/", "/other/")) == 404


def test_a_token_that_was_rotated_away_is_void(world: World) -> None:
    account = world.add_account("heygen/main")
    old, new = door(world, account), door(world, account)
    assert call(world, old) == 404
    assert call(world, new) == 200


def test_an_account_that_was_removed_is_called_in_vain(world: World) -> None:
    account = world.add_account("heygen/main")
    path = door(world, account)
    world.parameters.remove_doorbell(account)
    assert call(world, path) == 404


def test_heygens_question_whether_the_url_is_there_is_answered_and_causes_no_look(world: World) -> None:
    path = door(world, world.add_account("heygen/main"))
    assert call(world, path, b"", method="OPTIONS") == 200
    assert call(world, "/heygen/main/guessed", b"", method="OPTIONS") == 404
    assert queued(world) == []


def test_whatever_a_provider_sends_is_a_hint(world: World) -> None:
    path, burst_is_over = door(world, world.add_account("memories/main")), timedelta()
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        for body in (b"", b"{", b"\xff\xfe\x00", b"[1]", b"x" * 1024 * 1024):
            burst_is_over += timedelta(seconds=6)
            assert call(world, path, body, method=method, after=burst_is_over) == 200
            assert len(queued(world)) == 1


def test_a_body_beyond_a_megabyte_is_refused_and_causes_nothing(world: World) -> None:
    path = door(world, world.add_account("heygen/main"))
    assert call(world, path, b"x" * (1024 * 1024 + 1)) == 413
    assert queued(world) == []


def test_many_calls_at_once_cause_one_look_and_one_more_after_them(world: World) -> None:
    account = world.add_account("heygen/main", first_look_done=True)
    path = door(world, account)
    for _ in range(50):
        assert call(world, path) == 200
    attributes = world.sqs.get_queue_attributes(QueueUrl=world.names["PollQueue"], AttributeNames=["All"])["Attributes"]
    assert int(attributes["ApproximateNumberOfMessages"]) == 1
    assert int(attributes["ApproximateNumberOfMessagesDelayed"]) == 1


def test_a_call_that_comes_after_the_burst_is_over_causes_a_look_at_once(world: World) -> None:
    path = door(world, world.add_account("heygen/main", first_look_done=True))
    call(world, path)
    assert len(queued(world)) == 1
    assert call(world, path, after=timedelta(seconds=6)) == 200
    assert len(queued(world)) == 1


def test_the_listing_is_asked_again_three_times_while_it_shows_no_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = world.add_account("heygen/main", video("v", born=time.time(), generating=600), first_look_done=True)
    sent: list[tuple[PollMessage, int]] = []
    poll: Poll = world.apps["poll"].poll
    monkeypatch.setattr(poll.poll_queue, "send", lambda messages, delay=0: sent.extend((one, delay) for one in messages))
    message = PollMessage(account=account, hinted=1)
    for _ in range(5):
        before = len(sent)
        poll.look(message, lambda: 300.0)
        if len(sent) > before:
            message = sent[-1][0]
    assert [delay for _, delay in sent] == [2, 3, 10]
    assert sum(delay for _, delay in sent) == 15


def test_once_the_end_is_found_it_is_not_asked_again(world: World) -> None:
    account = world.add_account("heygen/main", video("v", born=time.time()), first_look_done=True)
    world.poll(account, hinted=1)
    attributes = world.sqs.get_queue_attributes(QueueUrl=world.names["PollQueue"], AttributeNames=["All"])["Attributes"]
    assert int(attributes["ApproximateNumberOfMessagesDelayed"]) == 0


def test_a_hint_does_not_disturb_an_account_that_asked_to_be_left_alone(world: World) -> None:
    account = world.add_account("heygen/main", video("v", born=time.time()), first_look_done=True)
    world.accounts.pause(account, datetime.now(UTC) + timedelta(minutes=5))
    assert call(world, door(world, account)) == 200
    [message] = queued(world)
    poll: Poll = world.apps["poll"].poll
    told = poll.look(message, lambda: 300.0).fields()
    assert (told["stopped"], told["requests"]) == ("paused", 0)


def test_videogens_signature_is_checked_where_its_secret_is_known(world: World) -> None:
    secret, body = new_secret(), json.dumps(CALLS["videogen"])
    path = door(world, world.add_account("videogen/main"), secret=secret)
    at = datetime.now(UTC)
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }
    assert call(world, path, body) == 401
    assert call(world, path, body + " ", headers=signed) == 401
    assert call(world, path, body, headers={**signed, "webhook-signature": "v1,\xe9"}) == 401
    assert queued(world) == []
    assert call(world, path, body, headers=signed) == 200
    assert len(queued(world)) == 1


def test_a_signed_call_that_is_sent_again_much_later_is_refused(world: World) -> None:
    secret, body = new_secret(), "{}"
    path = door(world, world.add_account("videogen/main"), secret=secret)
    at = datetime.now(UTC) - timedelta(minutes=6)
    stamp = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp()))}
    assert call(world, path, body, headers={**stamp, "webhook-signature": Webhook(secret).sign("msg_1", at, body)}) == 401


# The commands.


type Command = Callable[..., Result]


@pytest.fixture
def command(local_stack: None) -> Command:
    del local_stack
    return lambda *words: CliRunner().invoke(app, ["--local", "account", *words])


def printed(result: Result) -> str:
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.stdout.strip()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_command_prints_a_url_that_works_and_what_to_do_with_it(provider: str, world: World, command: Command) -> None:
    account = world.add_account(f"{provider}/main")
    result = command("hint-url", str(account))
    url = printed(result)
    assert url.startswith(f"{HINT_URL}{account}/")
    what_to_do = PROVIDERS[provider](Account.of(account, "key", {})).hint_help
    pasted = what_to_do.replace("`renderbell account", "`renderbell --local account").replace(f"{provider}/NAME", str(account))
    assert pasted in result.stderr
    assert call(world, url.removeprefix(HINT_URL[:-1])) == 200


def test_the_url_stays_the_same_until_it_is_rotated(world: World, command: Command) -> None:
    world.add_account("tavus/main")
    first, again = printed(command("hint-url", "tavus/main")), printed(command("hint-url", "tavus/main"))
    other = json.loads(printed(command("hint-url", "tavus/main", "--rotate", "--json")))["url"]
    assert first == again != other
    assert call(world, first.removeprefix(HINT_URL[:-1])) == 404


def test_there_is_no_url_for_an_account_that_nobody_watches(world: World, command: Command) -> None:
    del world
    result = command("hint-url", "tavus/nobody")
    assert isinstance(result.exception, BadInputError)
    assert "renderbell account list" in str(result.exception)


@pytest.mark.parametrize("provider", ["heygen", "heygen-v1", "videogen"])
def test_the_command_registers_the_url_and_takes_it_back(provider: str, world: World, command: Command) -> None:
    more: dict[str, Any] = {"api_version": "v1"} if provider == "heygen-v1" else {}
    account = world.add_account(f"{provider.removesuffix('-v1')}/main", **more)
    registered = world.library(account).webhooks
    printed(command("hook", str(account)))
    [row] = registered.values()
    assert row["url"] == printed(command("hint-url", str(account)))
    doorbell = world.parameters.doorbell(account)
    assert doorbell is not None
    assert (doorbell.secret is not None) == (provider == "videogen"), "only VideoGen documents how it signs"
    printed(command("unhook", str(account)))
    assert registered == {}
    assert command("unhook", str(account)).exit_code == 0, "it is so already"


def test_hooked_again_there_is_one_hook_still(world: World, command: Command) -> None:
    account = world.add_account("heygen/main")
    printed(command("hook", str(account)))
    printed(command("hook", str(account)))
    assert len(world.library(account).webhooks) == 1


@pytest.mark.parametrize("provider", ["tavus", "memories", "pixverse"])
def test_a_provider_without_an_api_for_it_says_what_to_do_instead(provider: str, world: World, command: Command) -> None:
    account = world.add_account(f"{provider}/main")
    result = command("hook", str(account))
    assert isinstance(result.exception, BadInputError)
    assert PROVIDERS[provider](Account.of(account, "key", {})).hint_help in str(result.exception)


def test_removing_an_account_ends_its_url(world: World, command: Command) -> None:
    world.add_account("tavus/main")
    url = printed(command("hint-url", "tavus/main"))
    printed(command("remove", "tavus/main"))
    assert call(world, url.removeprefix(HINT_URL[:-1])) == 404


def test_a_hint_that_comes_before_its_listing_shows_the_video_is_followed_up(world: World) -> None:
    account, queue = world.add_account("heygen/main", first_look_done=True), NotingQueue()
    poll: Poll = replace(world.apps["poll"].poll, poll_queue=queue)
    poll.look(PollMessage(account=account, hinted=1), lambda: 300.0)
    world.library(account).add(video("v", born=time.time() - 20))
    [(again, _)] = queue.sent
    poll.look(again, lambda: 300.0)
    assert world.statuses(account) == {"v": "completed"}
