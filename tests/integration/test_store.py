"""The store in memory, on which the state machine rests, promises what the real one does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renderbell.account_state import AccountState
from renderbell.licence import FullSweep, Licence
from renderbell.page import Place
from renderbell.transitions import Known, Transition
from renderbell.video import AccountName, Sighting, Status
from tests.integration.world import World
from tests.model.memory import MemoryAccounts, MemoryVideos

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SEEN = st.sampled_from([Status.QUEUED, Status.GENERATING, Status.COMPLETED, Status.FAILED, Status.DELETED])
CHANGES = st.builds(
    lambda video_id, status, sequence: Transition(
        seen=Sighting(video_id=video_id, status=status), previous=None, sequence=sequence, at=NOW, rings=status.final
    ),
    st.sampled_from(["a", "b", "A"]),
    SEEN,
    st.integers(0, 3),
)
STEPS = st.lists(st.one_of(CHANGES, st.lists(CHANGES, max_size=3, unique_by=lambda change: change.seen.video_id)), max_size=12)
names = iter(range(10_000))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_both_stores_let_the_same_writes_through_and_know_the_same(
    world: World, steps: list[Transition | list[Transition]]
) -> None:
    account = AccountName("tavus", f"n{next(names)}")
    memory = MemoryVideos(account)
    for step in steps:
        if isinstance(step, list):
            written: Any = world.videos.record_together(account, step) if step else []
            assert list(written) == list(memory.record_together(account, step) if step else [])
        else:
            assert world.videos.record(account, step) == memory.record(account, step)
    assert known(world.videos.known(account, ["a", "b", "A"], consistent=True)) == known(memory.known(account, ["a", "b", "A"]))
    assert known(world.videos.in_flight(account)) == known(memory.in_flight(account))
    assert set(world.videos.unestablished(account, 10)) == set(memory.unestablished(account, 10))


def known(found: Any) -> dict[str, tuple[Status, int]]:
    return {video_id: (one.status, one.sequence) for video_id, one in found.items()}


def test_a_stall_is_noted_once_and_not_of_a_video_that_moved_on(world: World) -> None:
    account = AccountName("tavus", "main")
    first = Transition(seen=Sighting(video_id="v", status=Status.QUEUED), previous=None, sequence=1, at=NOW, rings=False)
    assert world.videos.record(account, first)
    stale, right = Known(status=Status.QUEUED, sequence=0), Known(status=Status.QUEUED, sequence=1)
    assert [world.videos.note_stalled(account, "v", one, NOW) for one in (stale, right, right)] == [False, True, False]
    assert world.videos.in_flight(account)["v"].stalled


FULL = AccountState(
    way="w",
    way_since=NOW + timedelta(microseconds=2),
    scope="s",
    first_look_began_at=NOW,
    first_look_ended_at=NOW + timedelta(microseconds=1),
    earlier_first_look=(NOW - timedelta(days=1), NOW - timedelta(microseconds=3)),
    abandoned=("0a1b2c3d", NOW - timedelta(hours=1)),
    head=("12345678", "abcdefgh"),
    licence=Licence.TOTAL,
    listed=7,
    full_sweep=FullSweep(place=Place(cursor="0", pages=3, rows=9, longest=4), missing=frozenset({"x", "y"})),
    full_sweep_ended_at=NOW,
    missed={"x": 1},
    unestablished=True,
    health="ok",
    health_since=NOW,
    failures=3,
    alerts={"key_refused": 2},
    unknown_words=frozenset({"dreaming"}),
    changed_at=NOW,
)


def test_an_accounts_state_is_read_as_it_was_written_and_what_ends_is_gone(world: World) -> None:
    account, memory = AccountName("tavus", "main"), MemoryAccounts()
    for accounts in (world.accounts, memory):
        nothing = accounts.state(account)
        assert accounts.save(account, nothing, FULL)
        assert not accounts.save(account, nothing, AccountState()) or nothing == AccountState()
        written = accounts.state(account)
        assert written == AccountState(**{**fields(FULL), "version": 1})
        assert not accounts.save(account, nothing, AccountState(way="other")), "another wrote meanwhile"
        assert accounts.save(account, written, AccountState(way="w"))
        assert accounts.state(account) == AccountState(way="w", version=2)
        accounts.pause(account, NOW + timedelta(hours=1))
        accounts.pause(account, NOW)
        assert accounts.state(account).paused_until == NOW + timedelta(hours=1)


def fields(state: AccountState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in AccountState.__dataclass_fields__}
