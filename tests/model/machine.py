"""One account in a hostile world, as a state machine: whatever happens, what is told is what is true, once.

A simulated provider gives birth to videos, lets them fail and vanish, serves stale pages and errors. Looks are killed
between any two of their steps, overtaken by other looks, and read what DynamoDB has not caught up with.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

import httpx
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from renderbell.account import Account
from renderbell.look import Look
from renderbell.providers import provider_for
from renderbell.report import Report
from renderbell.video import AccountName, Status
from renderbell_cli.simulator import (
    Fault,
    Library,
    SimulatedVideo,
    Simulator,
    error_in_200,
    html,
    http_error,
    repeated_page,
    truncated,
)
from renderbell_cli.simulator.serving import Call
from tests.model.memory import MemoryAccounts, MemoryVideos

START: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
KINDS: Final = ("tavus", "heygen", "heygen-v1", "memories", "videogen", "pixverse")
CONFESS: Final = frozenset({"heygen", "heygen-v1", "videogen"})
"""Those that say of an id that there is no such video."""
LONGEST: Final = 600.0
FAULTS: Final[dict[str, Fault]] = {
    "500": http_error(500),
    "429": http_error(429, retry_after="1"),
    "html": html(),
    "truncated": truncated(),
    "repeated": repeated_page(),
    "error in 200": error_in_200({"code": "9999", "error": {"message": "no"}, "message": "no", "failed": True}),
}


class Killed(BaseException):
    """The function ended here: out of time, out of memory, out of power."""


@dataclass
class Interruptions:
    """Counts the steps of a look, and does something at one of them."""

    at: int = -1
    what: Callable[[], object] = lambda: None
    steps: int = 0

    def __call__(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            self.what()


@dataclass
class Truth:
    """What really becomes of one video."""

    video: SimulatedVideo
    vanished_at: float | None = None
    was_watched: bool = False
    """Whether it was on record as in flight when it vanished."""


@dataclass
class World:
    """The provider, the store and the clock."""

    kind: str
    newest_first: bool
    options: dict[str, str]
    now: float = START
    behind: float = 0.0
    """Seconds by which the provider's next answers are stale."""
    clock_behind: float = 0.0
    """Seconds by which the provider's clock is behind ours."""
    well_until: float | None = None
    """When a poll last went well, as far as that is noted."""
    truths: dict[str, Truth] = field(default_factory=dict)
    requests: int = 0

    def __post_init__(self) -> None:
        name = AccountName(self.kind.removesuffix("-v1"), "main")
        version = {"api_version": "v1"} if self.kind == "heygen-v1" else {}
        account = Account.of(name, "key", {**self.options, **version})
        self.library = Library(newest_first=self.newest_first)
        self.simulator = Simulator(
            {(name.provider, "key"): self.library}, clock=lambda: self.now - self.behind - self.clock_behind
        )
        self.provider = provider_for(account)
        self.interruptions = Interruptions()
        self.videos = MemoryVideos(name, interrupt=self._step)
        self.accounts = MemoryAccounts(interrupt=self._step)
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.alerts: list[str] = []
        self.waits: list[float] = []

    def _step(self) -> None:
        self.interruptions()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._step()
        self.requests += 1
        target = request.url.raw_path.decode()
        call = Call(request.method, target, {k.lower(): v for k, v in request.headers.items()}, request.read())
        answer = self.simulator._respond(call)
        body = answer.body[: len(answer.body) - answer.withheld]
        date = format_datetime(datetime.fromtimestamp(self.now - self.clock_behind, UTC), usegmt=True)
        return httpx.Response(answer.status, headers={**answer.headers, "date": date}, content=body)

    def look(self, *, may_begin: bool = True) -> Report:
        clock = lambda: datetime.fromtimestamp(self.now, UTC)  # noqa: E731
        return Look(
            provider=self.provider,
            client=self.client,
            videos=self.videos,
            accounts=self.accounts,
            tell_operators=lambda alerts: self.alerts.extend(alert.event_id for alert in alerts),
            now=clock,
            seconds_left=lambda: 300.0,
            last_well=lambda: None if self.well_until is None else datetime.fromtimestamp(self.well_until, UTC),
            wait=self.waits.append,
            may_begin=may_begin,
        ).run()

    @property
    def first_look_began(self) -> float | None:
        began = self.accounts.now.first_look_began_at
        return None if began is None else began.timestamp()

    @property
    def first_look_ended(self) -> float | None:
        ended = self.accounts.now.first_look_ended_at
        return None if ended is None else ended.timestamp()


class OneAccount(RuleBasedStateMachine):
    """Rules change the world and look at it; what was told is judged at once, what was not at the end."""

    world: World

    @initialize(
        kind=st.sampled_from(KINDS),
        newest_first=st.booleans(),
        page_size=st.integers(2, 5),
        pages=st.integers(2, 4),
        old=st.integers(0, 14),
        seed=st.integers(0, 1000),
    )
    def begin(self, kind: str, newest_first: bool, page_size: int, pages: int, old: int, seed: int) -> None:  # noqa: FBT001
        self.dice = random.Random(seed)  # noqa: S311 - makes examples, keeps no secret
        random.seed(seed)
        options = {"page_size": str(page_size), "pages_per_poll": str(pages)}
        # VideoGen documents its order; the others may list as they like.
        self.world = World(kind, newest_first or kind == "videogen", options)
        for age in range(old):
            self._bear(self.world.now - 1000 - 10 * age if age % 3 else self.world.now - 5 - age)
        self.judged = 0
        self.seen_from = 0.0

    def _bear(self, at: float) -> None:
        number = len(self.world.truths)
        made = SimulatedVideo(
            id=f"v{number:03}",
            title=f"Video {number}",
            born_at=at,
            queued_seconds=self.dice.uniform(0, 60),
            generating_seconds=self.dice.choice([0.0, self.dice.uniform(0, LONGEST - 60)]),
            outcome=self.dice.choice(["completed", "completed", "failed"]),
        )
        self.world.library.add(made)
        self.world.truths[made.id] = Truth(made)

    @rule(count=st.integers(1, 9))
    def videos_are_born(self, count: int) -> None:
        for place in range(count):
            self._bear(self.world.now - 0.5 + place * 0.01)

    @rule(seconds=st.sampled_from([1, 15, 60, 200, 700]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += seconds

    @rule()
    def look(self) -> None:
        self._look()

    @rule(step=st.integers(1, 60))
    def look_and_be_killed(self, step: int) -> None:
        def kill() -> None:
            raise Killed

        self._look(step, kill)

    @rule(step=st.integers(1, 60))
    def look_and_be_overtaken(self, step: int) -> None:
        self._look(step, self.world.look)

    @rule()
    def look_and_be_overtaken_at_the_write(self) -> None:
        self.world.videos.before_write = self.world.look
        self._look()
        self.world.videos.before_write = None

    @rule(step=st.integers(1, 60), seconds=st.sampled_from([1, 30, 300]))
    def time_passes_while_looking(self, step: int, seconds: int) -> None:
        def later() -> None:
            self.world.now += seconds

        self._look(step, later)

    @rule(lag=st.integers(1, 5))
    def look_while_the_store_is_late(self, lag: int) -> None:
        self.world.videos.lag = lag
        self._look()
        self.world.videos.lag = 0

    @rule(behind=st.sampled_from([5.0, 60.0, 400.0]))
    def look_at_stale_pages(self, behind: float) -> None:
        self.world.behind = behind
        if self._may_begin_or_goes_on():
            self.seen_from = max(self.seen_from, behind)  # what it shows in flight may have been done before the look began
        self._look()
        self.world.behind = 0.0

    def _may_begin_or_goes_on(self) -> bool:
        """Say whether a look is, or may be, part of the first."""
        waits = any(row.known.sequence == 0 for row in self.world.videos.rows.values())
        return self.world.first_look_ended is None or waits

    @rule(fault=st.sampled_from(sorted(FAULTS)), after=st.integers(0, 4), times=st.integers(1, 3))
    def something_breaks(self, fault: str, after: int, times: int) -> None:
        self.world.simulator.faults.add(FAULTS[fault], after=after, times=times)
        self._look()
        self.world.simulator.faults.clear()

    @precondition(lambda self: self.world.truths)
    @rule(which=st.integers(0, 1000))
    def a_video_vanishes(self, which: int) -> None:
        truths = [truth for truth in self.world.truths.values() if truth.vanished_at is None]
        if not truths:
            return
        truth = truths[which % len(truths)]
        self.world.library.remove(truth.video.id)
        truth.vanished_at = self.world.now
        row = self.world.videos.rows.get(truth.video.id)
        truth.was_watched = row is not None and row.known.sequence > 0 and not row.known.status.final

    @precondition(lambda self: self.world.truths)
    @rule(which=st.integers(0, 1000), looks=st.integers(1, 3))
    def a_video_is_away_for_a_while(self, which: int, looks: int) -> None:
        """By id it is there all the while, where ids are asked for one by one."""
        truths = [truth for truth in self.world.truths.values() if truth.vanished_at is None]
        if not truths or self.world.kind in CONFESS:
            return
        video = truths[which % len(truths)].video
        self.world.library.remove(video.id)
        for _ in range(looks):
            self._look()
        self.world.library.add(video)

    def _look(self, step: int = -1, what: Callable[[], object] = lambda: None) -> None:
        self.world.interruptions = Interruptions(step, what)
        try:
            self.world.look()
        except Killed:
            note("killed")
        self.world.interruptions = Interruptions()
        self.world.now += 1
        self._judge()

    def _judge(self) -> None:
        """What was told must be true by now, told once, and no news to those who looked before."""
        told = self.world.videos.told
        for one in told[self.judged :]:
            truth = self.world.truths[one.video_id]
            end = truth.video.finished_at
            if one.status is Status.DELETED:
                assert truth.vanished_at is not None, f"{one.video_id} is there, and was called deleted"
            else:
                assert one.status.value == truth.video.outcome, f"{one.video_id} was told as {one.status}"
                assert end <= one.at.timestamp() + 1e-6, f"{one.video_id} was told before it was true"
                began = self.world.first_look_began
                assert began is not None
                assert end >= began - self.seen_from, f"{one.video_id} was done before the first look"
        self.judged = len(told)
        repeated = [name for name, times in Counter(one.event_id for one in told).items() if times > 1]
        assert not repeated, f"told twice: {repeated}"
        ends = Counter((one.video_id, one.status) for one in told)
        assert all(times == 1 for times in ends.values()), f"told under two ids: {ends}"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.simulator.faults.clear()
        world = self.world
        world.now += LONGEST + 70
        pages = 2 + len(world.truths) // 2
        for _ in range(2 * pages):
            world.now += 20
            self._look()
        gone = any(truth.vanished_at is not None for truth in world.truths.values())
        if not gone:
            self._all_was_told("at once")
        for _ in range(4):
            world.now += 3600
            for _ in range(pages):
                world.now += 20
                self._look()
        self._all_was_told("in the end")

    def _all_was_told(self, when: str) -> None:
        told = {(one.video_id, one.status.value) for one in self.world.videos.told}
        for video_id, truth in self.world.truths.items():
            if not self._must_be_told(truth):
                continue
            if truth.vanished_at is None:
                assert (video_id, truth.video.outcome) in told, f"{video_id} was not told {when}"
            else:
                assert any(name == video_id for name, _ in told), f"{video_id} vanished and nothing was told {when}"

    def _must_be_told(self, truth: Truth) -> bool:
        """Say whether this video's end has to be told: it was made, or was seen in flight, after the first look began."""
        world, video = self.world, truth.video
        began, ended = world.first_look_began, world.first_look_ended
        assert began is not None
        assert ended is not None, "the first look never ended"
        if truth.vanished_at is not None:
            return truth.was_watched and world.kind in CONFESS
        if video.id in world.videos.flown or video.born_at >= ended:
            return True
        # VideoGen has no created_at: what is first seen during the first look is not known to be new.
        return video.born_at >= began and world.kind != "videogen"
