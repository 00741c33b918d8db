"""Other keys and other options: whose listing it is, what of it is news, and what a key that does not find a video may say."""

from dataclasses import replace

import pytest

from renderbell.account import Account
from renderbell.account_state import AccountState
from renderbell.providers import provider_for
from renderbell_cli.simulator import Library, http_error
from tests.model.machine import World
from tests.model.test_lies import EVERY, looks, made, opened, told


def with_key(world: World, key: str, **options: str) -> None:
    """Let the account be used with another key or other options from now on."""
    account = world.provider.account
    world.simulator.libraries[account.name.provider, key] = world.library  # type: ignore[index]
    world.provider = provider_for(Account.of(account.name, key, {**account.options, **options}))


@EVERY
def test_a_weekend_with_a_refused_key_silences_nothing_that_was_made_meanwhile(kind: str) -> None:
    world = opened(kind, videos=4)
    world.simulator.faults.add(http_error(401), times=None)
    for _ in range(3):
        looks(world, seconds=600)
    for n in range(7):  # more than a page
        world.library.add(made(f"new{n}", world.now - 100 + n))
    world.now += 2 * 86400
    looks(world, seconds=600)
    world.simulator.faults.clear()
    with_key(world, "a new key")
    looks(world, 10)
    assert sorted(told(world)) == [(f"new{n}", "completed") for n in range(7)]


def test_old_files_that_another_scope_shows_at_videogen_do_not_ring() -> None:
    world = World("videogen", newest_first=True, options={"page_size": "9", "pages_per_poll": "3"})
    for n in range(6):
        world.library.add(replace(made(f"old{n}", world.now - 500 - n), scope="PROJECT" if n % 2 else "GLOBAL"))
    looks(world, 12)
    with_key(world, "key", include_project_files="true")
    looks(world, 12)
    assert len(world.videos.rows) == 6
    assert told(world) == []


@EVERY
def test_an_account_that_was_removed_and_added_again_is_looked_at_in_silence(kind: str) -> None:
    world = opened(kind, videos=4)
    world.accounts.now = AccountState()
    for n in range(4):
        world.library.add(made(f"meanwhile{n}", world.now - 50 + n))
    looks(world, 12)
    assert told(world) == []
    assert len(world.videos.rows) == 8


@EVERY
def test_a_look_that_was_queued_before_an_account_was_removed_brings_nothing_of_it_back(kind: str) -> None:
    world = opened(kind, videos=4)
    world.library.add(made("v", world.now, 300))
    looks(world, 2)
    world.accounts.now = AccountState()
    world.look(may_begin=False)
    assert world.accounts.now == AccountState()
    world.now += 30 * 86400
    for n in range(6):
        world.library.add(made(f"meanwhile{n}", world.now - 10 * 86400 + n))
    looks(world, 12)
    assert told(world) in ([], [("v", "completed")])  # the one that was in flight is known, and may be told of


def with_key_to_others(world: World, key: str, videos: int) -> None:
    """Let the account be used with the key of another workspace, which has so many videos of its own."""
    library = Library(newest_first=True)
    for n in range(videos):
        library.add(made(f"other{n}", world.now - 9000 - n))
    account = world.provider.account
    world.simulator.libraries[account.name.provider, key] = library  # type: ignore[index]
    world.provider = provider_for(Account.of(account.name, key, account.options))


@pytest.mark.parametrize("others", [0, 4])
@EVERY
def test_what_the_key_of_another_workspace_does_not_find_is_not_deleted_and_is_told_when_the_right_key_is_back(
    kind: str, others: int
) -> None:
    world = opened(kind, videos=4)
    world.library.add(made("v", world.now, 4 * 3600))
    looks(world, 2)
    right = world.provider
    with_key_to_others(world, "another", others)
    for _ in range(3):
        looks(world, 6)
        world.now += 3700
    assert told(world) == []
    world.provider = right
    for _ in range(3):
        looks(world, 6)
        world.now += 3700
    assert told(world) == [("v", "completed")]


@pytest.mark.parametrize("seconds", [50, 3000])
@EVERY
def test_what_was_made_before_a_wrong_key_and_done_before_the_right_one_is_back_is_told(kind: str, seconds: int) -> None:
    world = opened(kind, videos=4)
    looks(world, 3)
    right = world.provider
    world.now += seconds
    world.library.add(made("v", world.now - seconds / 2, 10))
    for key in ("another", "yet another"):
        with_key_to_others(world, key, 4)
        looks(world, 6)
    world.provider = right
    looks(world, 12)
    assert told(world) == [("v", "completed")]


@pytest.mark.parametrize("kind", ["heygen", "heygen-v1"])
def test_what_a_key_to_a_part_of_the_workspace_does_not_find_is_not_deleted(kind: str) -> None:
    world = opened(kind, videos=4)
    world.library.add(made("v", world.now, 4 * 3600))
    looks(world, 2)
    right, part = world.provider, Library(newest_first=True)
    for n in range(3):
        for library in (part, world.library):
            library.add(made(f"shared{n}", world.now - 400 - n))
    looks(world, 2)
    world.simulator.libraries[right.account.name.provider, "part"] = part  # type: ignore[index]
    world.provider = provider_for(Account.of(right.account.name, "part", right.account.options))
    for _ in range(3):
        looks(world, 6)
        world.now += 3700
    world.provider = right
    for _ in range(3):
        looks(world, 6)
        world.now += 3700
    assert told(world) == [("v", "completed")]


@pytest.mark.parametrize("is_back", [True, False])
@EVERY
def test_what_was_in_flight_before_another_key_and_vanished_is_told_as_stalled(kind: str, *, is_back: bool) -> None:
    world = opened(kind, videos=4)
    world.library.add(made("v", world.now, 9e9))
    looks(world, 2)
    right = world.provider
    with_key_to_others(world, "another", 4)
    looks(world, 6)
    if is_back:
        world.provider = right
        looks(world, 6)
    world.library.remove("v")
    for _ in range(40):
        world.now += 3700
        looks(world, 2)
    assert told(world) == []
    assert world.videos.stalled == ["v"]


def test_what_was_made_since_the_last_look_is_told_though_other_options_make_a_first_look_necessary() -> None:
    world = opened("heygen", videos=4, folder_id="empty")
    looks(world, 3)
    assert world.videos.rows == {}
    world.well_until = world.now - 15
    world.library.add(made("v", world.now, 10))
    world.now += 50
    with_key(world, "key", folder_id="")
    looks(world, 12)
    assert len(world.videos.rows) == 5
    assert told(world) == [("v", "completed")]


@EVERY
def test_a_listing_of_others_that_breaks_off_after_its_first_page_is_no_news(kind: str) -> None:
    world = opened(kind, videos=4)
    with_key_to_others(world, "another", 9)
    world.simulator.faults.add(http_error(500), after=1, times=2)
    looks(world, 2)
    assert not any(video_id.startswith("other") for video_id in world.videos.rows), "nothing of it was recorded as yet"
    looks(world, 12)
    assert told(world) == []
    assert sum(video_id.startswith("other") for video_id in world.videos.rows) == 9


def another_workspace(world: World, number: int) -> Library:
    """Let the account have another key, to other videos, all done since it is watched; return these."""
    account, library = world.provider.account, Library(newest_first=True)
    for place in range(number):
        library.add(made(f"other{place:02}", world.now - 9000 - place))
    world.simulator.libraries[account.name.provider, "another"] = library  # type: ignore[index]
    world.provider = provider_for(Account.of(account.name, "another", account.options))
    return library


@EVERY
def test_a_late_look_with_the_key_of_before_makes_nothing_of_a_new_workspace_ring(kind: str) -> None:
    """A function is warm and knows the old value, another is cold and reads the new one: they take turns for a moment."""
    world = opened(kind, videos=4)
    world.now += 30 * 86400
    before, library, after = world.provider, another_workspace(world, 40), world.provider
    looks(world, 1)
    world.provider = before
    looks(world, 1)
    library.add(made("new", world.now - 1))
    world.provider = after
    looks(world, 30)
    assert told(world) == [("new", "completed")]


@EVERY
def test_a_workspace_that_was_looked_at_by_mistake_once_is_looked_at_in_silence_when_it_is_meant(kind: str) -> None:
    world = opened(kind, videos=4)
    before, library, after = world.provider, another_workspace(world, 4), world.provider
    looks(world, 12)
    world.provider = before
    looks(world, 12)
    world.now += 30 * 86400
    for place in range(5):
        library.add(made(f"month{place}", world.now - 9000 + place))
    world.provider = after
    looks(world, 30)
    assert told(world) == []
