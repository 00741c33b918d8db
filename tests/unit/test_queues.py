"""Messages on the queues: read back as they were written, refused when they are anything else; sent in tens."""

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.errors import BadInputError
from renderbell.queues import DeliveryMessage, PollMessage, Queue, QueueError
from renderbell.video import ACCOUNT_NAME_CHARACTERS, AccountName

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

NAMES = st.text(sorted(ACCOUNT_NAME_CHARACTERS), min_size=1)
BROKEN = ["", " ", "{", "null", "[]", "42", '"account"', "{}", "\x00"]


class FakeSQS:
    """Takes every message, or refuses the last of each batch."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.urls: set[str] = set()
        self._refuses = refuses

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.urls.add(QueueUrl)
        self.batches.append(Entries)
        refused = [{"Id": Entries[-1]["Id"], "SenderFault": False, "Code": "Busy", "Message": "come back later"}]
        return {"Failed": refused} if self._refuses else {"Successful": []}


def queue(sqs: FakeSQS) -> Queue:
    return Queue("https://queue.example", cast("SQSClient", sqs))


def polls(count: int) -> list[PollMessage]:
    return [PollMessage(account=AccountName("heygen", f"a{number}")) for number in range(count)]


@given(provider=NAMES, name=NAMES)
def test_a_poll_message_is_read_as_it_was_written(provider: str, name: str) -> None:
    message = PollMessage(account=AccountName(provider, name))

    assert PollMessage.parse(message.dump()) == message


@given(endpoint_id=st.text(), event_id=st.text())
def test_a_delivery_message_is_read_as_it_was_written(endpoint_id: str, event_id: str) -> None:
    message = DeliveryMessage(endpoint_id=endpoint_id, event_id=event_id)

    assert DeliveryMessage.parse(message.dump()) == message


@given(body=st.text(min_size=1), turn=st.booleans(), probe=st.booleans(), again=st.booleans())
def test_a_new_delivery_brings_its_event_to_the_character(body: str, turn: bool, probe: bool, again: bool) -> None:  # noqa: FBT001
    message = DeliveryMessage(endpoint_id="e", event_id="v", event_type="t", body=body, turn=turn, probe=probe, again=again)

    assert DeliveryMessage.parse(message.dump()) == message


def test_messages_are_sent_in_parts_that_sqs_takes_however_large_their_events_are() -> None:
    sqs = FakeSQS()
    large = [DeliveryMessage(endpoint_id="e", event_id=str(n), body="ü" * 20_000) for n in range(7)]

    assert queue(sqs).send(large) == 7
    sizes = [sum(len(entry["MessageBody"]) for entry in batch) for batch in sqs.batches]
    assert max(sizes) < 262_144
    assert [len(batch) for batch in sqs.batches] == [2, 2, 2, 1]


def test_a_message_may_carry_more_than_is_read() -> None:
    assert PollMessage.parse('{"account": "heygen", "hint": true}').account == AccountName("heygen", "default")


@pytest.mark.parametrize(
    "body", [*BROKEN, '{"account": null}', '{"account": 1}', '{"account": {"a": 1}}', '{"account": ""}', '{"account": "a b"}']
)
def test_what_names_no_account_is_no_poll_message(body: str) -> None:
    with pytest.raises(BadInputError, match="account"):
        PollMessage.parse(body)


@pytest.mark.parametrize(
    "body", [*BROKEN, '{"endpoint_id": "e"}', '{"event_id": "e"}', '{"endpoint_id": "e", "event_id": 1}', '[{"event_id": "e"}]']
)
def test_what_names_no_endpoint_or_no_event_is_no_delivery_message(body: str) -> None:
    with pytest.raises(BadInputError, match="endpoint_id and event_id"):
        DeliveryMessage.parse(body)


def test_messages_are_grouped_by_account_and_by_endpoint() -> None:
    assert PollMessage(account=AccountName("heygen", "marketing")).group == "heygen/marketing"
    assert DeliveryMessage(endpoint_id="ep_1", event_id="evt_1").group == "ep_1"


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_all_messages_are_sent_in_tens(count: int, sizes: list[int]) -> None:
    sqs = FakeSQS()

    assert queue(sqs).send(polls(count)) == count

    assert [len(batch) for batch in sqs.batches] == sizes
    assert [json.loads(entry["MessageBody"])["account"] for batch in sqs.batches for entry in batch] == [
        f"heygen/a{number}" for number in range(count)
    ]
    assert all(len({entry["Id"] for entry in batch}) == len(batch) for batch in sqs.batches)
    assert sqs.urls <= {"https://queue.example"}


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (15, 15), (900, 900), (901, 900), (86400, 900)])
def test_a_delay_is_at_most_what_sqs_keeps_back(asked: int, sent: int) -> None:
    sqs = FakeSQS()

    queue(sqs).send(polls(1), delay=asked)

    ((entry,),) = sqs.batches
    assert entry["DelaySeconds"] == sent
    assert entry["MessageGroupId"] == "heygen/a0"


def test_a_message_that_sqs_refuses_is_an_error_for_the_sender() -> None:
    with pytest.raises(QueueError, match="refused 1 of 3 messages: come back later"):
        queue(FakeSQS(refuses=True)).send(polls(3))
