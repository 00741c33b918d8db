"""What the rows of a listing tell by themselves: whether they changed, what moved, how they are ordered."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.listing import ID_PART, marks, moved, newest_first
from renderbell.video import Sighting, Status

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), unique=True, max_size=60)


def seen(video_id: str = "v", status: Status = Status.GENERATING, **more: Any) -> Sighting:
    return replace(Sighting(video_id=video_id, status=status, provider_status=status.value), **more)


@pytest.mark.parametrize(
    "same",
    [
        {"url": "https://x/?Signature=2"},
        {"thumbnail_url": "https://y"},
        {"title": "another"},
        {"duration_seconds": 3.0},
        {"url_expires_at": NOW},
    ],
)
def test_what_changes_by_itself_changes_no_mark(same: dict[str, Any]) -> None:
    assert marks(["v"], [seen()]) == marks(["v"], [seen(**same)])


@pytest.mark.parametrize(
    "other",
    [{"status": Status.COMPLETED}, {"provider_status": "rendering"}, {"conclusive": False}],
)
def test_another_status_changes_a_rows_mark_but_not_the_part_that_is_its_id(other: dict[str, Any]) -> None:
    (before,), (after,) = marks(["v"], [seen()]), marks(["v"], [replace(seen(), **other)])
    assert before != after
    assert before[:ID_PART] == after[:ID_PART]


@given(IDS)
def test_every_row_has_a_mark_of_eight_characters_and_different_rows_have_different_ones(ids: list[str]) -> None:
    found = marks(ids, [])
    assert all(len(mark) == 8 for mark in found)
    assert len(set(found)) == len(ids)


def test_ids_that_differ_only_in_case_are_two_videos() -> None:
    assert marks(["Ab"], [])[0][:ID_PART] != marks(["aB"], [])[0][:ID_PART]


def rows(*ids: str) -> tuple[str, ...]:
    return marks(ids, [])


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("abcd", "abcd", 1),  # the first may have been updated where it stood
        ("abcd", "cabd", 1),
        ("abcd", "cbad", 2),
        ("abcd", "xabc", 1),
        ("abcd", "xyab", 2),
        ("abcd", "xcab", 2),
        ("abcd", "dcba", 3),
        ("abcd", "bcd", 1),  # a row was deleted
        ("", "abc", 1),
        ("abcd", "", 0),
    ],
)
def test_what_stands_above_rows_that_kept_their_order_may_have_been_updated(before: str, after: str, count: int) -> None:
    assert moved(rows(*before), rows(*after)) == count


@given(st.lists(st.integers(0, 40), unique=True, min_size=1), st.data())
def test_every_row_that_was_updated_is_among_those_that_moved(numbers: list[int], data: st.DataObject) -> None:
    before = [f"v{number}" for number in numbers]
    updated = data.draw(st.lists(st.sampled_from(before), unique=True, max_size=5))
    random.shuffle(updated)
    after = [*updated, *(video_id for video_id in before if video_id not in updated)]
    count = moved(rows(*before), rows(*after))
    # What is updated and stays in its order cannot be told, but for the very first.
    told = set(after[:count])
    unseen = [video_id for video_id in updated if video_id not in told]
    assert after[: len(updated)] != before[: len(updated)] or len(told) >= 1
    assert (
        unseen == []
        or before[: len(updated)] == after[: len(updated)]
        or after[count:] == [video_id for video_id in before if video_id in set(after[count:])]
    )


@pytest.mark.parametrize(
    ("minutes", "verdict"),
    [([3, 2, 1], True), ([3, 3, 1], True), ([1, 2], False), ([3, 1, 2], False), ([1, 1], None), ([1], None), ([], None)],
)
def test_an_order_takes_two_different_times_to_be_told(minutes: list[int], verdict: bool | None) -> None:  # noqa: FBT001
    assert newest_first([seen(created_at=NOW + timedelta(minutes=m)) for m in minutes]) is verdict


def test_videos_without_a_time_of_creation_say_nothing_of_the_order() -> None:
    assert newest_first([seen("a"), seen("b")]) is None
