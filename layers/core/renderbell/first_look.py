"""Begins a first look, which is silent: at a new account, at other videos, at what another key shows.

What was looked at before is news when it changes; what was not may be years old. So it has to be known whose listing
this is before anything of it is recorded.
"""

from dataclasses import replace

from renderbell.account_state import HEALTHY, AccountState
from renderbell.head import Head
from renderbell.scene import Scene
from renderbell.transitions import FirstLook


def begin_first_look(scene: Scene) -> None:
    """Begin a first look where there was none, or where the options mean other videos than those it looked at."""
    if _is_wanted(scene):
        scene.notebook.offer(_anew(scene))
    if _is_wanted(scene):  # another poll wrote meanwhile, and not this
        scene.notebook.keep(_anew(scene))
    _record_accordingly(scene)


def see_whose_listing_it_is(scene: Scene, head: Head) -> None:
    """With another key, or another way to ask, see whether the head shows videos that are known.

    If it does, it is the same listing. If all of it shows only others, they are looked at in silence first: those that
    were made before the account was last well. What was earned or put down with the other way does not hold for this.
    Raises the head's error where it broke off before it told: nothing of it may be recorded then, for it would ring.
    """
    notebook, way = scene.notebook, scene.provider.account.way
    state, video_ids = notebook.state, head.video_ids
    if state.way == way or (head.is_all and not video_ids):
        return
    if state.is_as_it_was(head.first) or scene.recording.known(video_ids):
        notebook.state = replace(state, way=way, licence=None, listed=None, full_sweep=None, missed={})
    elif head.error is not None:
        raise head.error
    else:
        was_well_until = state.health_since if state.health not in {HEALTHY, None} else None
        anew = _anew(scene)
        notebook.keep(replace(anew, first_look_began_at=was_well_until or anew.first_look_began_at))
        _record_accordingly(scene)


def _is_wanted(scene: Scene) -> bool:
    state = scene.notebook.state
    return state.first_look_began_at is None or state.scope != scene.provider.account.scope


def _anew(scene: Scene) -> AccountState:
    account = scene.provider.account
    return scene.notebook.state.looking_anew(scene.now(), way=account.way, scope=account.scope)


def _record_accordingly(scene: Scene) -> None:
    state = scene.notebook.state
    if state.first_look_began_at is not None:
        announces = scene.provider.account.switch("announce_existing")
        scene.recording.first_look = FirstLook(began=state.first_look_began_at, announces=announces, over=state.first_look_over)
