"""What a page of `GET /videos` reads, with 100,000 videos on record: requests, items, bytes and DynamoDB's read units.

    .venv/bin/python -m bench.browse [--videos 100000] [--accounts 5] [--in-flight 200]

The table is the local engine's, which is slow with so many rows. It counts units by the request; here they are counted as AWS
does, half a unit for each 4 KB that a query read, from the sizes of the items that came back. A page of DynamoDB's own holds
1 MB, which is 128 units.
"""

import argparse
import math
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import boto3

from renderbell.browse import Browse, Wanted
from renderbell.store.tables import VideoRow, opened
from renderbell.store.videos import FINISHED, IN_FLIGHT, Videos, phase
from renderbell.video import AccountName, Status
from renderbell_cli.local.engine import engine
from renderbell_cli.stack import local_environment
from tests.template.stack import Stack

ROOT: Final = Path(__file__).parents[1]

if TYPE_CHECKING:
    from renderbell.parameters import Parameters

NOW: Final = datetime(2026, 11, 25, tzinfo=UTC)
QUESTIONS: Final[Mapping[str, Wanted]] = {
    "status=generating": Wanted(status=Status.GENERATING),
    "status=completed": Wanted(status=Status.COMPLETED),
    "status=failed (1 in 50)": Wanted(status=Status.FAILED),
    "everything": Wanted(),
    "one account": Wanted(account=AccountName("heygen", "a0")),
    "since an hour ago": Wanted(since=NOW - timedelta(hours=1)),
}


@dataclass(slots=True)
class Reads:
    """What queries read since the last time."""

    requests: int = 0
    items: int = 0
    size: int = 0
    units: float = 0.0
    seen: list[Any] = field(default_factory=list)

    def __call__(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        if model.name != "Query":
            return
        size = sum(item_size(item) for item in parsed["Items"])
        self.requests += 1
        self.items += len(parsed["Items"])
        self.size += size
        self.units += 0.5 * max(1, math.ceil(size / 4096))


def item_size(item: Mapping[str, Any]) -> int:
    """Return an item's size by DynamoDB's rules, near enough: names and values in UTF-8, lists and maps with their overhead."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return len(held) // 2 + 1
        case "L":
            return 3 + sum(1 + _value_size(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(one) for name, one in held.items())
    return 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, engine(ROOT, Path(folder) / "ministack.log") as url:
        os.environ.update(local_environment(url, "us-east-1"))
        names = [AccountName("heygen", f"a{number}") for number in range(asked.accounts)]
        table = seeded(names, asked.videos, asked.in_flight)
        videos, reads = Videos(table), Reads()
        row = videos._row  # noqa: SLF001 - where PynamoDB keeps its client
        row._get_connection().connection.client.meta.events.register("after-call.dynamodb", reads)  # noqa: SLF001
        known = SimpleNamespace(account_names=lambda _=None: names)
        browse = Browse(parameters=cast("Parameters", known), videos=videos)
        print(f"{asked.videos:,} videos of {asked.accounts} accounts, {asked.in_flight} of them in flight; pages of 50\n")
        print("| question | videos | requests | items read | KB read | read units | ms |\n|---|--:|--:|--:|--:|--:|--:|")
        for words, wanted in QUESTIONS.items():
            reads.requests = reads.items = reads.size = 0
            reads.units, began = 0.0, time.perf_counter()
            page = browse.page(wanted, limit=50)
            took = 1000 * (time.perf_counter() - began)
            counts = (len(page.videos), reads.requests, reads.items, round(reads.size / 1024), reads.units, round(took))
            print(f"| {words} | " + " | ".join(map(str, counts)) + " |", flush=True)


def seeded(names: list[AccountName], videos: int, in_flight: int) -> str:
    """Put the videos on record, a quarter of an hour apart in each account, and return the table's name."""
    properties = Stack.read().tables["VideosTable"]
    wanted = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
    given = {key: value for key, value in properties.items() if key in wanted}
    boto3.client("dynamodb").create_table(TableName="videos", **given)
    row = opened(VideoRow, "videos")
    with row.batch_write() as batch:
        for number in range(videos):
            batch.save(made(row, names[number % len(names)], number, flying=number < in_flight))
    return "videos"


def made(row: type[VideoRow], account: AccountName, number: int, *, flying: bool) -> VideoRow:
    at = NOW - timedelta(minutes=3 * number)
    status = Status.GENERATING if flying else Status.FAILED if number % 50 == 0 else Status.COMPLETED
    lines = [("generating", 1), (status.value, 2)][: 1 if flying else 2]
    return row(
        str(account),
        f"{number:032x}",
        status=status.value,
        sequence=len(lines),
        rings=not flying,
        phase=phase(account, IN_FLIGHT if flying else FINISHED),
        since=at,
        title=f"Spring launch, version {number}",
        url=None if flying else f"https://files.heygen.example/{number:032x}.mp4?Expires=1798070400&Signature={'s' * 340}",
        thumbnail_url=f"https://files.heygen.example/{number:032x}.jpg",
        provider_status="processing" if flying else "completed",
        created_at=at - timedelta(minutes=4),
        first_seen_at=at - timedelta(minutes=3),
        changed_at=at,
        finished_at=None if flying else at,
        history=[
            {
                "status": word,
                "provider_status": word,
                "at": at.isoformat(),
                "sequence": place,
                "rings": word == "completed",
                "by_id": False,
            }
            for word, place in lines
        ],
    )


if __name__ == "__main__":
    main()
