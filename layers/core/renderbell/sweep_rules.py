"""When a full sweep is due, what it looks out for, and what follows from its end. Pure."""

import math
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from renderbell.account_state import TWICE, AccountState
from renderbell.licence import CARRIED, FullSweep, Licence
from renderbell.page import Place
from renderbell.transitions import Known

EMPTY_FOR: Final = timedelta(minutes=1)
"""For how long a listing has to be empty before a first look believes it."""
FIRST_LOOK_PASSES: Final = 3
"""How often a first look reads a listing whose total says that rows are missing."""


def is_due(state: AccountState, licence: Licence | None, *, total: int | None, now: datetime, every: timedelta) -> bool:
    """Say whether the listing has to be read on below its head. `total` is what the provider says it has."""
    if not state.first_look_over or state.full_sweep is not None or licence is None or interval_is_over(state, now, every):
        return True
    return licence is Licence.TOTAL and total != state.listed  # something is new, and not at the head


def interval_is_over(state: AccountState, now: datetime, every: timedelta) -> bool:
    ended = state.full_sweep_ended_at
    return ended is None or now - ended >= every


def is_cheaper(place: Place, rows: int | None, questions: int) -> bool:
    """Say whether the rest of a listing of so many rows has fewer pages than there would be questions by id."""
    if rows is None:
        return False
    pages = math.ceil(rows / place.longest) - place.pages
    return 0 < pages < questions


def is_listed_here(state: AccountState, known: Known, way: str) -> bool:
    """Say whether the listing can be expected to show a video.

    One that came on record under another key or other options may be none of this listing's, and "not found" for this key.
    """
    since = state.way_since or state.first_look_began_at
    return state.way == way and since is not None and known.since is not None and known.since >= since


def missing(state: AccountState, unread: Sequence[str], *, in_flight: Container[str], read: Container[str]) -> frozenset[str]:
    """Return what a full sweep is to look out for, of the videos in flight that are `unread`: it can carry so many.

    First comes what the last one missed or is not to be found by id, then the others as they stand.
    """
    gone = [one for one, times in state.missed.items() if times < TWICE and one not in in_flight and one not in read]
    flying = sorted(unread, key=lambda video_id: video_id not in state.missed)
    return frozenset([*gone, *flying][:CARRIED])


def ended(
    state: AccountState, full: FullSweep, *, total: int | None, now: datetime, documented: bool, counts: bool
) -> AccountState:
    """Return an account's state after a full sweep that read its listing to the end.

    1. A first look reads again what lacks rows by the provider's own `total`: rows slipped by between two pages, and what
       it does not see would ring when it is found later.
    2. A first look does not believe an empty listing at once: by mistake, it would make news of every video that is there.
    3. Otherwise the sweep is over. It earns the licence, or takes it back (see FullSweep.licence); `documented` is whether
       the provider documents its order.
    4. What it missed is put down only if it `counts`. A short listing is swept whole at every look, one without a licence
       again and again: such sweeps are not worth a write, and two of them in a row are no two witnesses of a missing
       video, for a server that lags may answer both.
    """
    rows = full.place.rows
    if not state.first_look_over:
        if total is not None and rows < total and full.passes < FIRST_LOOK_PASSES:
            return replace(state, full_sweep=FullSweep(passes=full.passes + 1))
        if not rows and state.first_look_began_at is not None and now - state.first_look_began_at < EMPTY_FOR:
            return state
    return replace(
        state,
        full_sweep=None,
        full_sweep_ended_at=now if counts else state.full_sweep_ended_at,
        first_look_ended_at=state.first_look_ended_at or now,
        missed=_missed(state, full) if counts else state.missed,
        listed=rows if rows == total else None,
        licence=full.licence(state.licence, documented=documented, exact=rows == total),
    )


def _missed(state: AccountState, full: FullSweep) -> dict[str, int]:
    """Return what this sweep missed, and what was marked since it began: of that it can tell nothing."""
    marked = {video_id: 0 for video_id, times in state.missed.items() if not times}
    return marked | {video_id: min(TWICE, state.missed.get(video_id, 0) + 1) for video_id in full.missing}


def order_lost(before: AccountState, after: AccountState, full: FullSweep) -> str | None:
    """Return in words why a full sweep took the licence back, if it did."""
    if before.licence is None or after.licence is not None:
        return None
    if full.surprises:
        return f"{full.surprises} videos were found where none was to be expected"
    return "its videos are no longer listed newest first"
