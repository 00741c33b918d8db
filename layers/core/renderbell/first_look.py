"""Begins a first look, which is silent: at a new account, at other videos, at what another key shows.

What was looked at before is news when it changes; what was not may be years old. So it has to be known whose listing
this is before anything of it is recorded.
"""

from datetime import datetime, timedelta
from typing import Final

from renderbell.account_state import HEALTHY, AccountState
from renderbell.head import Head
from renderbell.scene import Scene
from renderbell.transitions import FirstLook

MOMENT: Final = timedelta(hours=1)
"""How long looks with the key of before may come after one with a new key: functions are warm, messages are late."""


def begin_first_look(scene: Scene) -> None:
    """Begin a first look where there was none, or where the options mean other videos than those it looked at."""
    if _is_wanted(scene):
        scene.notebook.offer(_anew(scene, well_until=_well_until(scene)))
    if _is_wanted(scene):  # another poll wrote meanwhile, and not this
        scene.notebook.keep(_anew(scene, well_until=_well_until(scene)))
    _record_accordingly(scene)


def see_whose_listing_it_is(scene: Scene, head: Head) -> None:
    """With another key, or another way to ask, see whether the head shows videos that are known.

    If it does, it is the same listing. If all of it shows only others, they are looked at in silence first: those that
    were made before the account was last well.
    Raises the head's error where it broke off before it told: nothing of it may be recorded then, for it would ring.
    """
    notebook, way = scene.notebook, scene.provider.account.way
    state, video_ids = notebook.state, head.video_ids
    if state.way == way or (head.is_all and not video_ids):
        return
    if state.abandoned is not None and state.abandoned[0] == way:
        # Some of its videos may be on record, from the look that was given up. They do not make the others known.
        notebook.keep(_anew(scene, well_until=_resumed_from(state.abandoned[1], scene.now()) or _ill_since(state)))
        _record_accordingly(scene)
        return
    known = scene.recording.known(video_ids)
    if state.is_as_it_was(head.first) or known:
        notebook.state = state.with_way(way, scene.now(), known.values())
    elif head.error is not None:
        raise head.error
    else:
        notebook.keep(_anew(scene, well_until=_ill_since(state)))
    _record_accordingly(scene)


def _resumed_from(began: datetime, now: datetime) -> datetime | None:
    """Return when a first look began that was given up a moment ago: what was made since is news."""
    return began if now - began <= MOMENT else None


def _is_wanted(scene: Scene) -> bool:
    state = scene.notebook.state
    return state.first_look_began_at is None or state.scope != scene.provider.account.scope


def _anew(scene: Scene, *, well_until: datetime | None) -> AccountState:
    account = scene.provider.account
    return scene.notebook.state.looking_anew(scene.now(), way=account.way, scope=account.scope, well_until=well_until)


def _well_until(scene: Scene) -> datetime | None:
    """Return until when an account was well whose options now mean other videos: what both mean was looked at till then."""
    state = scene.notebook.state
    return None if state.first_look_began_at is None else _ill_since(state) or scene.last_well()


def _ill_since(state: AccountState) -> datetime | None:
    return state.health_since if state.health not in {HEALTHY, None} else None


def _record_accordingly(scene: Scene) -> None:
    state = scene.notebook.state
    if state.first_look_began_at is not None:
        announces = scene.provider.account.switch("announce_existing")
        scene.recording.first_look = FirstLook(began=state.first_look_began_at, announces=announces, over=state.first_look_over)
