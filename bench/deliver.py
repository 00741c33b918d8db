"""What the sending path adds to a post: deliveries a second beside a bare httpx loop that posts the same bytes.

    .venv/bin/python -m bench.deliver [--posts 3000] [--at-once 1,10] [--rounds 5]

The path is the product's: vet, sign, send, judge, record, into stores in memory. The receiver is a process of its own on this
machine that answers at once and would keep connections. All run in turn, in one process, and the median of the rounds is told.
In AWS each delivery is an invocation of its own, so a connection is made for each: `anew` is the bare loop that does the same,
`kept` one that posts everything over kept connections. Shares and overhead (the time of one delivery less that of a bare post,
at the median and the 99th percentile) are of the bare loop that connects anew, and the last column is the share of `kept`.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from multiprocessing.connection import Connection
from typing import Final

import httpx

from renderbell.deliver import Deliver
from renderbell.deliveries import DeliveryStatus
from renderbell.egress import Sender
from renderbell.endpoints import Endpoint
from renderbell.events import trial_event
from renderbell.queues import DeliveryMessage
from tests.model.delivering import START, MemoryDeliveries, MemoryEndpoints, MemoryPrivates, VirtualQueue

MOST_KEPT: Final = 20
ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=3000)
    parser.add_argument("--at-once", default="1,10")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    receiver = context.Process(target=receive, args=(theirs,), daemon=True)
    receiver.start()
    url = f"http://127.0.0.1:{ours.recv()}/hook"
    print("| at once | bare, anew | bare, kept | Renderbell | share | overhead p50 | overhead p99 | share of kept |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for at_once in map(int, asked.at_once.split(",")):
        rounds = [measured(url, asked.posts, at_once) for _ in range(asked.rounds + 1)]
        print(line(at_once, asked.posts, rounds[1:]), flush=True)
    receiver.terminate()


type Timed = tuple[float, list[float]]
"""Seconds of all posts, and of each."""


def measured(url: str, posts: int, at_once: int) -> tuple[Timed, Timed, Timed]:
    anew = asyncio.run(bare(url, posts, at_once, keeps=False))
    kept = asyncio.run(bare(url, posts, at_once, keeps=True))
    return anew, kept, asyncio.run(renderbell(url, posts, at_once))


def line(at_once: int, posts: int, rounds: Sequence[tuple[Timed, Timed, Timed]]) -> str:
    rates = [statistics.median(posts / one[side][0] for one in rounds) for side in range(3)]
    shares = [statistics.median(one[side][0] / one[2][0] for one in rounds) for side in (0, 1)]
    over = [statistics.median(at(ours[1], part) - at(anew[1], part) for anew, _, ours in rounds) for part in (0.5, 0.99)]
    cells = [str(at_once), *(f"{rate:,.0f}/s" for rate in rates), f"{shares[0]:.2f}"]
    return "| " + " | ".join([*cells, *(f"{1000 * seconds:.2f} ms" for seconds in over), f"{shares[1]:.2f}"]) + " |"


def at(times: Sequence[float], part: float) -> float:
    return sorted(times)[int(part * (len(times) - 1))]


async def timed(posts: int, at_once: int, post: Callable[[int], Awaitable[None]]) -> Timed:
    """Make so many posts, so many at once; return the seconds of all and of each."""
    times: list[float] = []
    numbers = iter(range(posts))

    async def work() -> None:
        for number in numbers:
            began = time.perf_counter()
            await post(number)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return time.perf_counter() - began, times


async def bare(url: str, posts: int, at_once: int, *, keeps: bool) -> Timed:
    body = trial_event("ep_bench", START).body.encode()
    limits = httpx.Limits(max_keepalive_connections=MOST_KEPT if keeps else 0)
    async with httpx.AsyncClient(limits=limits) as client:

        async def post(_: int) -> None:
            answer = await client.post(url, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 200  # noqa: PLR2004, S101 - a bench that posts in vain measures nothing

        return await timed(posts, at_once, post)


async def renderbell(url: str, posts: int, at_once: int) -> Timed:
    deliveries = MemoryDeliveries()
    deliver = Deliver(
        deliveries=deliveries,
        endpoints=MemoryEndpoints({"ep_bench": Endpoint(endpoint_id="ep_bench", url=url, created_at=START, gap=0.0)}),
        privates=MemoryPrivates(),
        queue=VirtualQueue(),
        sender=Sender(allow_local=True),
        topics={},
    )
    event = trial_event("ep_bench", START)

    async def post(number: int) -> None:
        message = DeliveryMessage(endpoint_id="ep_bench", event_id=f"evt_{number}", event_type=event.type, body=event.body)
        verdict = await deliver.attempt(message)
        assert verdict is not None  # noqa: S101
        assert verdict.status is DeliveryStatus.DELIVERED  # noqa: S101

    return await timed(posts, at_once, post)


def receive(told: Connection) -> None:
    asyncio.run(_receive(told))


class Receiver(asyncio.Protocol):
    """Answers each request as soon as its head and body are there: enough of HTTP for a bench."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport, self.read = transport, b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, end, body = self.read.partition(b"\r\n\r\n")
        if not end:
            return
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= size:
            self.read = body[size:]
            self.transport.write(ANSWER)


async def _receive(told: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    main()
