"""Hands a batch's records to what works on them, and answers which have to come again.

Powertools has this too, but brings the events of every service with it: 80 ms of a cold start.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger

from renderbell.errors import RenderbellError

type Record = Mapping[str, Any]
type Answer = dict[str, list[dict[str, str]]]
"""ReportBatchItemFailures: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"""


class BatchError(RenderbellError):
    """No record of a batch went well: the invocation is one that failed, and Lambda counts it as that."""


def each(event: Record, work: Callable[[Record], None], logger: Logger) -> Answer:
    """Work on each record, whatever becomes of the others. Raises BatchError when none went well."""
    failed = [record for record in event["Records"] if not _went_well(record, work, logger)]
    return _answer(event, failed)


def all_at_once(event: Record, work: Callable[[Record], Awaitable[None]], logger: Logger) -> Answer:
    """Work on all records at once, whatever becomes of the others. Raises BatchError when none went well."""
    import asyncio  # `deliver` alone needs it

    async def run() -> Sequence[BaseException | None]:
        return await asyncio.gather(*map(work, event["Records"]), return_exceptions=True)

    outcomes = zip(event["Records"], asyncio.run(run()), strict=True)
    return _answer(event, [record for record, error in outcomes if not _was_well(record, error, logger)])


def _went_well(record: Record, work: Callable[[Record], None], logger: Logger) -> bool:
    try:
        work(record)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and the record comes again
        return _was_well(record, error, logger)
    return True


def _was_well(record: Record, error: BaseException | None, logger: Logger) -> bool:
    if error is not None:
        logger.error("record failed", extra={"record": _id(record)}, exc_info=error)
    return error is None


def _answer(event: Record, failed: Sequence[Record]) -> Answer:
    if failed and len(failed) == len(event["Records"]):
        raise BatchError(f"all {len(failed)} records failed: the log says why")
    return {"batchItemFailures": [{"itemIdentifier": _id(record)} for record in failed]}


def _id(record: Record) -> str:
    """Return what Lambda knows a record of a queue or of a table's stream by."""
    return str(record["messageId"] if "messageId" in record else record["dynamodb"]["SequenceNumber"])
