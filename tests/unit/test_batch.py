"""Of a batch, what fails comes again and nothing else, and the log says why."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import pytest

from renderbell.batch import Answer, BatchError, Record, all_at_once, each
from renderbell.log import logger_of

LOGGER: Final = logger_of("batch")


def queued(*bodies: str) -> Record:
    return {"Records": [{"messageId": f"id of {body}", "body": body} for body in bodies]}


def work(record: Record) -> None:
    if record["body"].startswith("bad"):
        raise ValueError(record["body"])


async def work_later(record: Record) -> None:
    await asyncio.sleep(0)
    work(record)


type Batch = Callable[[Record], Answer]
EVERY: Final = pytest.mark.parametrize(
    "batch", [lambda event: each(event, work, LOGGER), lambda event: all_at_once(event, work_later, LOGGER)]
)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    logger = logging.getLogger("batch")
    logger.addHandler(caplog.handler)
    return caplog


@EVERY
def test_what_went_well_does_not_come_again(batch: Batch) -> None:
    assert batch(queued("good", "well")) == {"batchItemFailures": []}


@EVERY
def test_what_failed_comes_again_alone_and_the_log_says_why(batch: Batch, heard: pytest.LogCaptureFixture) -> None:
    assert batch(queued("good", "bad one", "well", "bad two")) == {
        "batchItemFailures": [{"itemIdentifier": "id of bad one"}, {"itemIdentifier": "id of bad two"}]
    }
    assert "ValueError: bad one" in heard.text
    assert "ValueError: bad two" in heard.text


@EVERY
def test_an_invocation_of_which_nothing_went_well_has_failed(batch: Batch, heard: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BatchError, match="all 1 records failed"):
        batch(queued("bad"))
    assert "ValueError: bad" in heard.text


@EVERY
def test_an_empty_batch_is_done(batch: Batch) -> None:
    assert batch(queued()) == {"batchItemFailures": []}


def test_records_at_once_do_not_wait_for_one_another() -> None:
    met = asyncio.Event()

    async def meet(record: Record) -> None:
        if record["body"] == "first":
            await asyncio.wait_for(met.wait(), 5)
        else:
            met.set()

    assert all_at_once(queued("first", "second"), meet, LOGGER) == {"batchItemFailures": []}


def test_a_streams_record_is_known_by_its_place() -> None:
    def refuse(record: Record) -> None:
        if "dynamodb" in record:
            raise KeyError(record["eventID"])

    event: dict[str, Any] = {"Records": [{"eventID": "e", "dynamodb": {"SequenceNumber": "2"}}, *queued("good")["Records"]]}
    answer = each(event, refuse, LOGGER)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
