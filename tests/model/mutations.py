"""Bugs to plant, each the removal of one thing that keeps a promise. The state machine must find every one of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from renderbell import transitions
from renderbell.errors import ProviderError
from renderbell.licence import Licence
from renderbell.page import Page
from renderbell.providers.base import Provider
from renderbell.providers.pixverse import PixVerse
from renderbell.scene import Scene
from renderbell.video import Status
from tests.model.memory import MemoryVideos


def _no_version_condition(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryVideos, "_holds", lambda *_: True)


def _an_error_is_an_empty_list(patch: pytest.MonkeyPatch) -> None:
    page = Provider.page

    def empty(self: Provider, *arguments: Any) -> Page:
        try:
            return page(self, *arguments)
        except ProviderError:
            return Page(sightings=(), ids=(), next=None)

    patch.setattr(Provider, "page", empty)


def _the_final_flag_is_believed(patch: pytest.MonkeyPatch) -> None:
    status = PixVerse._status

    def believing(self: PixVerse, row: Mapping[str, Any]) -> Status:
        said = status(self, row)
        return Status.FAILED if row.get("video_status_final") and not said.final else said

    patch.setattr(PixVerse, "_status", believing)


def _stops_early_without_a_licence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Scene, "licence", property(lambda _: Licence.OBSERVED))


def _rings_at_the_first_look(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "_born_since", lambda *_, **__: True)


def _not_found_is_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("renderbell.account_state.AccountState.missed_twice", lambda *_: True)


def _final_is_not_sticky(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "_may_follow", lambda known, seen, **_: seen is not known)


PLANTED: Final[Mapping[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "no version condition": _no_version_condition,
    "an error is an empty list": _an_error_is_an_empty_list,
    "the final flag is believed": _the_final_flag_is_believed,
    "stops early without a licence": _stops_early_without_a_licence,
    "rings at the first look": _rings_at_the_first_look,
    "not found is believed at once": _not_found_is_believed_at_once,
    "final is not sticky": _final_is_not_sticky,
}


@contextmanager
def planted(bug: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        PLANTED[bug](patch)
        yield
