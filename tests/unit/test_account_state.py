"""How an account's state reads, and what follows from it."""

from datetime import UTC, datetime, timedelta

import pytest

from renderbell.account_state import AccountState
from renderbell.licence import CARRIED, FullSweep
from renderbell.page import Page
from renderbell.video import Sighting, Status

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (None, "not looked at yet"),
        ("ok", "ok"),
        ("auth: HTTP 401: no", "the key is refused: HTTP 401: no"),
        ("not_found: HTTP 404: gone", "the listing is gone: HTTP 404: gone"),
        ("provider_error: no answer from api: refused", "the provider is in trouble: no answer from api: refused"),
        ("settings: heygen/x: there is no API key", "the stored value cannot be used: heygen/x: there is no API key"),
    ],
)
def test_health_is_told_in_words(health: str | None, words: str) -> None:
    assert AccountState(health=health).in_words(NOW) == words


def test_a_pause_is_told_while_it_lasts() -> None:
    state = AccountState(health="rate_limited: HTTP 429: slow down", paused_until=NOW + timedelta(seconds=30.2))
    assert state.in_words(NOW).endswith("(left alone for 31 s)")
    assert not state.in_words(NOW + timedelta(minutes=1)).endswith(")")


@pytest.mark.parametrize(
    ("state", "unfinished"),
    [
        (AccountState(), False),
        (AccountState(first_look_began_at=NOW), True),
        (AccountState(first_look_began_at=NOW, first_look_ended_at=NOW), False),
        (AccountState(first_look_began_at=NOW, first_look_ended_at=NOW, full_sweep=FullSweep()), False),
        (
            AccountState(first_look_began_at=NOW, first_look_ended_at=NOW, full_sweep=FullSweep(expects_new=True)),
            True,
        ),
    ],
)
def test_a_first_look_and_a_sweep_after_unknown_videos_are_gone_on_with_soon(state: AccountState, unfinished: bool) -> None:  # noqa: FBT001
    assert state.unfinished is unfinished


def test_what_is_listed_is_not_missing() -> None:
    state = AccountState(missed={"a": 2, "b": 1})
    assert state.without_missed({"b", "c"}) == AccountState(missed={"a": 2})
    assert state.without_missed({"c"}) is state
    assert (state.missed_twice("a"), state.missed_twice("b"), state.missed_twice("c")) == (True, False, False)


def test_what_is_not_to_be_found_is_put_down_as_far_as_there_is_room_and_keeps_what_was_counted() -> None:
    assert AccountState(missed={"a": 1}).with_not_found(["a", "b"]).missed == {"a": 1, "b": 0}
    full = AccountState().with_not_found(str(n) for n in range(CARRIED + 9))
    assert len(full.missed) == CARRIED
    assert full.with_not_found(["one more"]) == full


def test_a_first_page_is_known_again_row_by_row() -> None:
    def page(*statuses: Status) -> Page:
        seen = [Sighting(video_id=str(n), status=status) for n, status in enumerate(statuses)]
        return Page(sightings=seen, ids=[one.video_id for one in seen], next=None)

    before = page(Status.GENERATING, Status.COMPLETED)
    state = AccountState(head=before.marks)
    assert state.is_as_it_was(page(Status.GENERATING, Status.COMPLETED))
    after = page(Status.COMPLETED, Status.COMPLETED)
    assert not state.is_as_it_was(after)
    assert state.as_before(after) == {"1"}
    assert not AccountState().is_as_it_was(page()), "nothing was on record of it"


def test_an_account_in_trouble_is_never_quiet() -> None:
    day = timedelta(days=1)
    well = AccountState(health="ok", changed_at=NOW - day)
    assert well.is_quiet(NOW, day)
    assert not AccountState(health="auth: no", changed_at=NOW - day).is_quiet(NOW, day)
    assert not AccountState(health="ok").is_quiet(NOW, day)
