"""What a month of Renderbell costs at AWS for so many accounts, from measured units and public prices.

    .venv/bin/python -m bench.cost [--accounts 1,10,1000] [--hot-hours 4] [--ends 20] [--webhooks 1] [--details]

An account is *hot* for `--hot-hours` a day, when a video is in flight, and is then looked at every 15 seconds. `--ends` are
its videos that end in a day. Each end goes to the SNS topic, one e-mail address and `--webhooks` endpoints. Every provider's
schedule is on, as it is by default. Left out: cold starts (a function that runs every minute has few), storage of logs, data
sent to the internet (100 GB are free), the HTTP API and links.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from tests.template.stack import Stack

DAYS: Final = 30
MINUTES: Final = DAYS * 24 * 60
PROVIDERS: Final = 5

# Prices in US dollars, us-east-1, on 2026-11-25 as far as public pages show; first tiers. Each with what is free every month.
MILLION: Final = 1e-6
LAMBDA_REQUEST: Final = 0.20 * MILLION, 1e6  # aws.amazon.com/lambda/pricing
LAMBDA_GB_SECOND: Final = 0.0000133334, 400_000.0  # arm64; the same page, as cloudchipr.com/blog/aws-lambda-pricing quotes it
DYNAMODB_READ: Final = (
    0.125 * MILLION,
    0.0,
)  # on demand, since November 2024: airbyte.com/data-engineering-resources/dynamodb-pricing
DYNAMODB_WRITE: Final = 0.625 * MILLION, 0.0  # the same
DYNAMODB_GB: Final = (
    0.25 + 0.20,
    0.0,
)  # storage and point-in-time recovery: aws.amazon.com/dynamodb/pricing; 25 GB are free without the latter
SQS_REQUEST: Final = 0.40 * MILLION, 1e6  # standard queues: aws.amazon.com/sqs/pricing
SNS_PUBLISH: Final = 0.50 * MILLION, 1e6  # aws.amazon.com/sns/pricing
SNS_EMAIL: Final = 20.0 * MILLION, 1000.0  # the same
SCHEDULER: Final = 1.00 * MILLION, 14e6  # cloudburn.io/blog/amazon-eventbridge-pricing, March 2026
LOGS_GB: Final = 0.50, 5.0  # aws.amazon.com/cloudwatch/pricing; factualminds.com, June 2026
METRIC: Final = 0.30, 10.0  # the same; signoz.io/guides/cloudwatch-pricing, February 2026
ALARM: Final = 0.10, 10.0  # the same
DASHBOARD: Final = 3.00, 3.0  # the same
KMS_REQUEST: Final = 3.0 * MILLION, 20_000.0  # requests to AWS's own keys, too, are charged: aws.amazon.com/kms/pricing, note 1
# Parameter Store is free: standard parameters at standard throughput.

# Units, from docs/performance.md.
IDLE_READS: Final = 1.5
HOT_READS: Final = 3.5
VIDEO_WRITES: Final = 2 + 3
"""A new video, and its end with the move from one index partition to the other."""
HEAD_WRITES: Final = 2
"""The account's row, of up to 2 KB: at each change of the listing's head, and at each tick while it is hot."""
DELIVERY_WRITES: Final = 2
NOTED_EVERY: Final = 5
"""Minutes between two writes of what an account's polls cost, see renderbell.spending."""

# Seconds of a processor, as bench/cold_start.py finds them warm, rounded up; what is waited for; bytes of our own log lines.
TRIP: Final = 0.010
"""A request to a service of AWS in the same region: an assumption."""
PROVIDER: Final = 0.400
RECEIVER: Final = 0.300
"""How long a provider and a receiver take: assumptions."""
PROCESSOR: Final = 1769
"""MB of memory with which a function has one whole processor (docs.aws.amazon.com/lambda: configure memory)."""
ENVIRONMENT_HOURS: Final = 2
"""How long Lambda keeps an environment that is in use: an assumption."""
PLATFORM_LINES: Final = 600
"""Bytes that Lambda itself logs of each invocation, `platform.start` and `platform.report`: an assumption."""
EMPTY_RECEIVES: Final = 5 * 3
"""Lambda keeps five pollers at each queue; each asks every 20 seconds, and SQS charges for answers without a message."""
POLL_METRICS: Final = 8  # while something happens; an idle provider has two
OTHER_METRICS: Final = 7 + 3 + 4  # of audit, dispatch and deliver
VIDEO_KB: Final = 2 * 1.1
"""A finished video and its index entry, as bench/browse.py finds it."""
DELIVERY_KB: Final = 1.5
TABLES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How the product is used, for each account and day."""

    accounts: int
    hot_hours: float
    ends: float
    webhooks: int


@dataclass(frozen=True, slots=True)
class Line:
    service: str
    what: str
    amount: float
    price: tuple[float, float]

    @property
    def cost(self) -> float:
        return self.amount * self.price[0]

    @property
    def beyond_free(self) -> float:
        return max(0.0, self.amount - self.price[1]) * self.price[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocations:
    count: float
    memory: int
    processor: float
    """Seconds of one whole processor."""
    waits: float
    logs: int
    """Bytes of its own lines."""

    @property
    def seconds(self) -> float:
        return self.processor * max(1.0, PROCESSOR / self.memory) + self.waits

    @property
    def gb_seconds(self) -> float:
        return self.count * self.memory / 1024 * self.seconds

    @property
    def logged_gb(self) -> float:
        return self.count * (self.logs + PLATFORM_LINES) / 1e9


def lines(use: Use, stack: Stack) -> Iterator[Line]:
    """Yield what is used in a month, service by service."""
    memory = {name.removesuffix("Function").lower(): int(one["MemorySize"]) for name, one in stack.functions.items()}
    watched = min(use.accounts, PROVIDERS)
    hot_minutes = use.accounts * use.hot_hours * 60 * DAYS
    idle_polls, hot_polls = use.accounts * MINUTES - hot_minutes, hot_minutes * 4
    polls, ends = idle_polls + hot_polls, use.accounts * use.ends * DAYS
    deliveries, ticks, audits = ends * (1 + use.webhooks), MINUTES * (PROVIDERS + 1), DAYS * 25
    run = [
        Invocations(count=ticks, memory=memory["dispatch"], processor=0.010, waits=3 * TRIP, logs=420),
        Invocations(count=idle_polls, memory=memory["poll"], processor=0.020, waits=3 * TRIP + PROVIDER, logs=1250),
        Invocations(count=hot_polls, memory=memory["poll"], processor=0.025, waits=4 * TRIP + 2 * PROVIDER, logs=1250),
        Invocations(count=ends, memory=memory["notify"], processor=0.010, waits=2 * TRIP, logs=460),
        Invocations(count=deliveries, memory=memory["deliver"], processor=0.015, waits=4 * TRIP + RECEIVER, logs=920),
        Invocations(count=audits, memory=memory["audit"], processor=0.050, waits=10 * TRIP, logs=1060),
    ]
    yield Line("Lambda", "requests", sum(one.count for one in run), LAMBDA_REQUEST)
    yield Line("Lambda", "GB-seconds", sum(one.gb_seconds for one in run), LAMBDA_GB_SECOND)
    noted = use.accounts * MINUTES / NOTED_EVERY
    reads = idle_polls * IDLE_READS + hot_polls * HOT_READS + noted + use.accounts * MINUTES * 0.5 + MINUTES * 1.5 + ends
    yield Line("DynamoDB", "read units", reads, DYNAMODB_READ)
    heads = hot_minutes + 2 * ends
    writes = ends * VIDEO_WRITES + (heads + noted) * HEAD_WRITES + deliveries * DELIVERY_WRITES
    yield Line("DynamoDB", "write units", writes, DYNAMODB_WRITE)
    yield Line("DynamoDB", "GB, of a month's videos", (ends * VIDEO_KB + deliveries * DELIVERY_KB) / 1e6, DYNAMODB_GB)
    yield Line("SQS", "empty receives", 2 * EMPTY_RECEIVES * MINUTES, (SQS_REQUEST[0], SQS_REQUEST[1] / 2))
    queued = MINUTES * watched * math.ceil(use.accounts / watched / 10) + hot_minutes + ends
    yield Line("SQS", "other requests", queued + 2 * (polls + deliveries), (SQS_REQUEST[0], SQS_REQUEST[1] / 2))
    yield Line("SNS", "published", ends, SNS_PUBLISH)
    yield Line("SNS", "e-mails", ends, SNS_EMAIL)
    yield Line("EventBridge Scheduler", "invocations", ticks + audits, SCHEDULER)
    yield Line("CloudWatch", "GB of logs", sum(one.logged_gb for one in run), LOGS_GB)
    yield Line("CloudWatch", "metrics", watched * POLL_METRICS + OTHER_METRICS, METRIC)
    yield Line("CloudWatch", "alarms", len(stack.of_type("AWS::CloudWatch::Alarm")), ALARM)
    yield Line("CloudWatch", "dashboards", len(stack.of_type("AWS::CloudWatch::Dashboard")), DASHBOARD)
    # Each environment of poll opens each account's key once; encrypted tables ask for their key every five minutes.
    environments = math.ceil(sum(one.count * one.seconds for one in run[1:3]) / (MINUTES * 60))
    opened = use.accounts * min(MINUTES, environments * DAYS * 24 / ENVIRONMENT_HOURS)
    yield Line("KMS", "requests", opened + ends + deliveries + TABLES * MINUTES / 5, KMS_REQUEST)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", default="1,10,1000")
    parser.add_argument("--hot-hours", type=float, default=4.0)
    parser.add_argument("--ends", type=float, default=20.0)
    parser.add_argument("--webhooks", type=int, default=1)
    parser.add_argument("--details", action="store_true", help="what is used, too")
    asked = parser.parse_args()
    stack = Stack.read()
    numbers = [int(number) for number in asked.accounts.split(",")]
    uses = [Use(accounts=one, hot_hours=asked.hot_hours, ends=asked.ends, webhooks=asked.webhooks) for one in numbers]
    columns = [list(lines(use, stack)) for use in uses]
    print(f"{asked.hot_hours:g} hot hours and {asked.ends:g} ends a day for each account, {asked.webhooks} webhooks.\n")
    shown = " | ".join(f"{number:,} account{'s' * (number > 1)}" for number in numbers)
    print(f"| US dollars a month | {shown} |\n|---|{'--:|' * len(numbers)}")
    for service, rows in groupby(zip(*columns, strict=True), key=lambda row: row[0].service):
        row(service, [sum(line.cost for line in column) for column in zip(*rows, strict=True)])
    row("**all**", [sum(line.cost for line in column) for column in columns])
    row("**beyond what is free every month**", [sum(line.beyond_free for line in column) for column in columns])
    row("an account", [sum(line.cost for line in column) / number for column, number in zip(columns, numbers, strict=True)])
    if asked.details:
        print(f"\n| used | {' | '.join(map(str, numbers))} |\n|---|{'--:|' * len(numbers)}")
        for line in zip(*columns, strict=True):
            print(
                f"| {line[0].service}, {line[0].what} | {' | '.join(f'{one.amount:,.1f} (${one.cost:,.2f})' for one in line)} |"
            )


def row(name: str, dollars: Sequence[float]) -> None:
    print(f"| {name} | {' | '.join(f'{one:,.2f}' for one in dollars)} |")


if __name__ == "__main__":
    main()
