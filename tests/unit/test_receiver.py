"""The receiver believes a good signature only, and answers what a test tells it to."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from renderbell_cli.receiver import HANG, Answer, Receiver

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
EVENT: Final = {"type": "video.completed", "data": {"video_id": "a"}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver({"/hook": SECRET, "/other": OTHER}, clock=lambda: 123.0) as running:
        yield running


def signed(webhook_id: str = "evt_1", body: bytes | None = None, *secrets: str, at: datetime | None = None) -> dict[str, Any]:
    """Return the `content` and `headers` of a delivery, signed with each of `secrets`."""
    content = json.dumps(EVENT).encode() if body is None else body
    moment = at or datetime.now(UTC)
    signatures = [Webhook(secret).sign(webhook_id, moment, content.decode()) for secret in secrets or (SECRET,)]
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return {"content": content, "headers": headers}


def test_a_good_delivery_is_answered_200_and_stored(receiver: Receiver) -> None:
    delivery = signed("evt_1")
    answer = httpx.post(f"{receiver.url}/hook?x=1", **delivery)

    assert answer.status_code == 200
    (received,) = receiver.events()
    assert (received.webhook_id, received.event, received.at) == ("evt_1", EVENT, 123.0)
    assert (received.path, received.attempt, received.body) == ("/hook", 1, delivery["content"])
    assert receiver.refused == 0


@pytest.mark.parametrize(
    "spoil",
    [
        {"webhook-signature": "v1,bm90IGl0"},
        {"webhook-signature": "v1,not base64"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v2,bm90IGl0"},
        {"webhook-signature": ""},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "nan"},
        {"webhook-id": "evt_2"},
    ],
)
def test_a_wrong_signature_is_answered_401_counted_and_stored_nowhere(spoil: dict[str, str], receiver: Receiver) -> None:
    delivery = signed()
    answer = httpx.post(f"{receiver.url}/hook", content=delivery["content"], headers={**delivery["headers"], **spoil})

    assert answer.status_code == 401
    assert receiver.refused == 1
    assert not receiver.events()


def test_a_delivery_without_a_signature_is_refused(receiver: Receiver) -> None:
    assert httpx.post(f"{receiver.url}/hook", json=EVENT).status_code == 401


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_delivery_from_another_time_is_refused(minutes: int, receiver: Receiver) -> None:
    delivery = signed(at=datetime.now(UTC) + timedelta(minutes=minutes))

    assert httpx.post(f"{receiver.url}/hook", **delivery).status_code == 401


def test_a_changed_body_is_refused(receiver: Receiver) -> None:
    delivery = signed()

    assert httpx.post(f"{receiver.url}/hook", headers=delivery["headers"], content=b"{}").status_code == 401


@pytest.mark.parametrize("body", [b"[]", b"not json"])
def test_a_well_signed_body_that_is_no_event_is_refused(body: bytes, receiver: Receiver) -> None:
    assert httpx.post(f"{receiver.url}/hook", **signed("evt_1", body)).status_code == 400
    assert (receiver.refused, receiver.events()) == (1, ())


def test_a_body_that_is_not_text_is_refused(receiver: Receiver) -> None:
    delivery = signed()

    assert httpx.post(f"{receiver.url}/hook", headers=delivery["headers"], content=b"\xff\xfe").status_code == 401


def test_each_path_has_a_secret_of_its_own(receiver: Receiver) -> None:
    paths = ("/hook", "/other", "/nowhere")

    assert [httpx.post(receiver.url + path, **signed("e", None, OTHER)).status_code for path in paths] == [
        401,
        200,
        401,
    ]


def test_secrets_may_be_looked_up_while_it_runs() -> None:
    secrets: dict[str, str] = {}
    with Receiver(secrets.get) as receiver:
        early = httpx.post(f"{receiver.url}/new", **signed())
        secrets["/new"] = SECRET
        late = httpx.post(f"{receiver.url}/new", **signed())

    assert [early.status_code, late.status_code] == [401, 200]


def test_one_good_signature_among_several_is_enough(receiver: Receiver) -> None:
    assert httpx.post(f"{receiver.url}/hook", **signed("evt_1", None, OTHER, SECRET)).status_code == 200


def test_answers_are_given_once_in_turn_and_attempts_are_counted(receiver: Receiver) -> None:
    receiver.answers.add("/hook", Answer(status=500, body=b"sorry"), Answer(status=429, headers={"retry-after": "3"}))
    receiver.answers.add("/hook", Answer(status=301, headers={"location": "/other"}), Answer(status=410))
    answers = [httpx.post(f"{receiver.url}/hook", **signed("evt_1")) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [500, 429, 301, 410, 200]
    assert (answers[0].text, answers[1].headers["retry-after"], answers[2].headers["location"]) == (
        "sorry",
        "3",
        "/other",
    )
    assert [received.attempt for received in receiver.events()] == [1, 2, 3, 4, 5]
    assert len({received.body for received in receiver.events()}) == 1


def test_attempts_are_counted_for_each_event_and_path(receiver: Receiver) -> None:
    for webhook_id, path, secret in (("a", "/hook", SECRET), ("a", "/other", OTHER), ("b", "/hook", SECRET)):
        httpx.post(receiver.url + path, **signed(webhook_id, None, secret))
    httpx.post(f"{receiver.url}/hook", **signed("a"))

    assert [(r.webhook_id, r.path, r.attempt) for r in receiver.events()] == [
        ("a", "/hook", 1),
        ("a", "/other", 1),
        ("b", "/hook", 1),
        ("a", "/hook", 2),
    ]


def test_an_answer_waits_for_the_delivery_it_is_meant_for(receiver: Receiver) -> None:
    receiver.answers.add("/other", Answer(status=500))

    assert httpx.post(f"{receiver.url}/hook", **signed()).status_code == 200
    assert httpx.post(f"{receiver.url}/other", **signed()).status_code == 401  # not even with a wrong signature
    assert httpx.post(f"{receiver.url}/other", **signed("e", None, OTHER)).status_code == 500


def test_an_answer_may_be_late_or_never_come(receiver: Receiver) -> None:
    receiver.answers.add("/hook", Answer(delay=0.2), Answer(delay=HANG))
    began = time.monotonic()
    httpx.post(f"{receiver.url}/hook", **signed("late"))
    assert time.monotonic() - began >= 0.2

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{receiver.url}/hook", timeout=0.1, **signed("never"))

    assert [received.webhook_id for received in receiver.wait_for(2)] == ["late", "never"]  # it arrived all the same


def test_waiting_ends_with_the_delivery_it_waits_for(receiver: Receiver) -> None:
    def deliver() -> None:
        for number in range(3):
            httpx.post(f"{receiver.url}/hook", **signed(f"evt_{number}"))

    sender = threading.Thread(target=deliver)
    sender.start()
    received = receiver.wait_for(3, timeout=10)
    sender.join()

    assert [one.webhook_id for one in received] == ["evt_0", "evt_1", "evt_2"]


def test_waiting_in_vain_says_how_many_came(receiver: Receiver) -> None:
    httpx.post(f"{receiver.url}/hook", **signed())

    with pytest.raises(TimeoutError, match="1 of 2"):
        receiver.wait_for(2, timeout=0.05)


def test_only_post_is_received(receiver: Receiver) -> None:
    answer = httpx.get(f"{receiver.url}/hook")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert receiver.refused == 0


def test_a_body_over_one_mebibyte_is_refused(receiver: Receiver) -> None:
    assert httpx.post(f"{receiver.url}/hook", content=b" " * (1024 * 1024 + 1)).status_code == 413
    assert not receiver.events()


def test_it_says_nothing_and_stops_at_once_with_a_delivery_hanging(capfd: pytest.CaptureFixture[str]) -> None:
    with Receiver({"/hook": SECRET}) as receiver:
        receiver.answers.add("/hook", Answer(delay=HANG))
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{receiver.url}/hook", timeout=0.1, **signed())
        httpx.post(f"{receiver.url}/hook", json={})
        began = time.monotonic()
        receiver.stop()
        took = time.monotonic() - began

    assert took < 1
    assert capfd.readouterr() == ("", "")


def test_a_client_that_goes_away_does_no_harm(receiver: Receiver) -> None:
    receiver.answers.add("/hook", Answer(delay=0.2, body=b"x" * 1_000_000))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{receiver.url}/hook", timeout=0.05, **signed())
    time.sleep(0.3)

    assert httpx.post(f"{receiver.url}/hook", **signed()).status_code == 200
