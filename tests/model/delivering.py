"""The delivery of thousands of events in a moment: stores in memory, a queue and receivers in virtual time."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from renderbell.deliver import Deliver
from renderbell.deliveries import LEASE, Attempt, Delivery, DeliveryStatus, Outcome
from renderbell.endpoints import Endpoint, Private
from renderbell.queues import DeliveryMessage
from renderbell.signing import Secrets, new_secret
from renderbell.store.endpoints import LONGEST_TURN

START: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PRIVATE: Final = Private(secrets=Secrets(current=new_secret()))


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which nobody waits: when nothing is to be done now, it is later."""

    def __init__(self) -> None:
        super().__init__()
        self._later = 0.0

    def time(self) -> float:
        return self._later

    def _run_once(self) -> None:
        loop: Any = self
        if not loop._ready and loop._scheduled:
            self._later = max(self._later, loop._scheduled[0]._when)
        super()._run_once()  # type: ignore[misc] # the one method through which every turn of the loop goes


@dataclass
class Row:
    delivery: Delivery
    status: DeliveryStatus
    next_attempt_at: datetime | None


@dataclass
class MemoryDeliveries:
    """What store.deliveries promises to `deliver`."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)

    def claim(self, message: DeliveryMessage, now: datetime) -> Delivery | None:
        row = self._free(message, now)
        if row is None:
            return None
        row.status, row.next_attempt_at = DeliveryStatus.PENDING, now + LEASE
        return row.delivery

    def renew(self, message: DeliveryMessage, now: datetime) -> bool:
        del message, now
        raise AssertionError("no person is in this model")

    def due_again(self, message: DeliveryMessage) -> datetime | None:
        row = self.rows.get((message.endpoint_id, message.event_id))
        return row.next_attempt_at if row is not None and row.status is DeliveryStatus.PENDING else None

    def put_off(self, message: DeliveryMessage, until: datetime, now: datetime) -> bool:
        row = self._free(message, now)
        if row is None:
            return False
        row.next_attempt_at = until
        return True

    def set_aside(self, message: DeliveryMessage, status: DeliveryStatus, reason: str, now: datetime) -> bool:
        del reason
        row = self._free(message, now)
        if row is None:
            return False
        row.status, row.next_attempt_at = status, None
        return True

    def retry_at(self, delivery: Delivery, attempt: Attempt, when: datetime) -> None:
        row = self.rows[delivery.endpoint_id, delivery.event_id]
        row.next_attempt_at, row.delivery = when, _counted(delivery, attempt)

    def end(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus, reason: str | None, now: datetime) -> None:
        del reason, now
        row = self.rows[delivery.endpoint_id, delivery.event_id]
        row.status, row.next_attempt_at, row.delivery = status, None, _counted(delivery, attempt)

    def _free(self, message: DeliveryMessage, now: datetime) -> Row | None:
        key = (message.endpoint_id, message.event_id)
        row = self.rows.get(key)
        if row is None and message.body is not None:
            made = Delivery(endpoint_id=key[0], event_id=key[1], event_type=message.event_type, body=message.body)
            row = self.rows[key] = Row(made, DeliveryStatus.PENDING, now)
        due = row is not None and row.status is DeliveryStatus.PENDING and row.next_attempt_at is not None
        return row if due and row is not None and row.next_attempt_at is not None and row.next_attempt_at <= now else None


def _counted(delivery: Delivery, attempt: Attempt) -> Delivery:
    return replace(delivery, attempts=attempt.number, began_at=delivery.began_at or attempt.at)


@dataclass
class MemoryEndpoints:
    """What store.endpoints promises to `deliver`."""

    known: dict[str, Endpoint] = field(default_factory=dict)
    turns: dict[str, datetime] = field(default_factory=dict)

    def get(self, endpoint_id: str) -> Endpoint | None:
        return self.known.get(endpoint_id)

    def note(self, before: Endpoint, after: Endpoint) -> None:
        changed = {
            name: getattr(after, name) for name in ("gap", "failing_since", "last_failure", "taken_at", "warned", "disabled_at")
        }
        different = {name: value for name, value in changed.items() if value != getattr(before, name)}
        self._change(after.endpoint_id, **different)

    def note_held(self, endpoint_id: str, now: datetime) -> None:
        self._change(endpoint_id, held_at=now)

    def _change(self, endpoint_id: str, **changes: Any) -> None:
        if endpoint_id in self.known:
            self.known[endpoint_id] = replace(self.known[endpoint_id], **changes)

    def take_turn(self, endpoint: Endpoint, now: datetime) -> datetime | None:
        if endpoint.endpoint_id not in self.known:
            return None
        turn = max(self.turns.get(endpoint.endpoint_id, now), now)
        if turn > now + LONGEST_TURN or (turn > now and endpoint.is_doubtful):
            return None
        self.turns[endpoint.endpoint_id] = turn + timedelta(seconds=endpoint.seconds_between)
        return turn


class MemoryPrivates:
    def endpoint_private(self, endpoint_id: str) -> Private | None:
        del endpoint_id
        return PRIVATE


@dataclass
class VirtualQueue:
    """A queue whose delayed messages come when their time has come, in the loop's time."""

    waiting: list[tuple[float, int, DeliveryMessage]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def send(self, messages: Sequence[DeliveryMessage], *, delay: int = 0) -> int:
        at = asyncio.get_running_loop().time() + delay
        for message in messages:
            heapq.heappush(self.waiting, (at, next(self._numbers), message))
        return len(messages)

    async def receive(self) -> DeliveryMessage:
        loop = asyncio.get_running_loop()
        while not self.waiting or self.waiting[0][0] > loop.time():  # noqa: ASYNC110 - as SQS is polled
            await asyncio.sleep(0.05 if not self.waiting else min(1.0, max(0.01, self.waiting[0][0] - loop.time())))
        return heapq.heappop(self.waiting)[2]


@dataclass
class Receivers:
    """Receivers by their URL: how long each takes, and what it answers. Counts how many posts run at a time."""

    seconds: dict[str, float]
    running: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    async def post(self, url: str, headers: object, body: object, shown: object) -> Outcome:
        del headers, body, shown
        self.running[url] += 1
        self.most[url] = max(self.most[url], self.running[url])
        seconds = self.seconds[url]
        await asyncio.sleep(min(seconds, 15.0))
        self.running[url] -= 1
        milliseconds = round(min(seconds, 15.0) * 1000)
        if seconds >= 15:
            return Outcome(error="no whole answer within 15 s", milliseconds=milliseconds)
        self.taken[url] += 1
        return Outcome(http_status=200, milliseconds=milliseconds)


@dataclass
class Delivering:
    """Endpoints by their URL, whose receivers take so many seconds; `workers` deliverers at a time."""

    seconds: dict[str, float]
    workers: int = 100
    deliveries: MemoryDeliveries = field(default_factory=MemoryDeliveries)
    endpoints: MemoryEndpoints = field(default_factory=MemoryEndpoints)
    queue: VirtualQueue = field(default_factory=VirtualQueue)

    def __post_init__(self) -> None:
        self.receivers = Receivers(self.seconds)
        self.endpoints.known |= {url: Endpoint(endpoint_id=url, url=url, created_at=START) for url in self.seconds}

    def run(self, messages: Iterable[DeliveryMessage], done: Callable[[], bool], at_most: float) -> float:
        """Deliver until `done`; return how many seconds that took. Raises TimeoutError after `at_most`."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(self._run(list(messages), done, at_most))

    async def _run(self, messages: Sequence[DeliveryMessage], done: Callable[[], bool], at_most: float) -> float:
        loop = asyncio.get_running_loop()
        deliver = Deliver(
            deliveries=self.deliveries,
            endpoints=self.endpoints,
            privates=MemoryPrivates(),
            queue=self.queue,
            sender=self.receivers,
            topics={},
            now=lambda: START + timedelta(seconds=loop.time()),
        )
        self.queue.send(messages)
        workers = [asyncio.create_task(self._work(deliver.attempt)) for _ in range(self.workers)]
        try:
            while not done():
                if loop.time() > at_most:
                    raise TimeoutError(f"not done after {at_most} s")
                await asyncio.sleep(0.05)
            return loop.time()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, attempt: Callable[[DeliveryMessage], Awaitable[object]]) -> None:
        while True:
            await attempt(await self.queue.receive())
