"""What is asked for by id, and in which order, where a look cannot ask for all."""

import pytest

from renderbell.questions import awaited_first, born_first, moved_up, to_be_judged


@pytest.mark.parametrize(
    ("unread", "overdue", "bulk", "asked"),
    [
        ("abcd", "", 1, "abcd"),
        ("abcd", "ac", 1, "bda"),
        ("abcd", "ac", 100, "bdac"),
        ("abcd", "abcd", 1, "a"),
        ("", "a", 1, ""),
    ],
)
def test_all_that_is_awaited_is_asked_for_and_of_the_overdue_what_one_request_holds(
    unread: str, overdue: str, bulk: int, asked: str
) -> None:
    assert awaited_first(list(unread), overdue, bulk=bulk) == list(asked)


def test_what_moved_up_and_is_not_new_may_have_ended() -> None:
    assert moved_up(list("abcd"), updated="bcx", born="c") == ["b"]


@pytest.mark.parametrize(("most", "asked"), [(0, ""), (1, "b"), (3, "bdc"), (9, "bdca")])
def test_of_those_that_rest_new_ones_come_first_and_the_others_as_they_stand(most: int, asked: str) -> None:
    assert born_first(list("bcda"), born="bd", most=most) == list(asked)


@pytest.mark.parametrize(
    ("missed", "most", "asked"),
    [({}, 9, "abc"), ({}, 2, "ab"), ({"a": 0, "b": 1}, 9, "c"), ({"a": 2, "b": 1}, 9, "ac")],
)
def test_what_is_not_to_be_found_is_asked_for_again_once_two_full_sweeps_missed_it(
    missed: dict[str, int], most: int, asked: str
) -> None:
    assert to_be_judged(list("abca"), missed, most=most) == list(asked)
