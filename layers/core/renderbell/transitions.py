"""Decides what a sighting changes, and whether anyone is told. Pure: the table of cases in the tests is the specification."""

from dataclasses import dataclass, replace
from datetime import datetime

from renderbell.video import Sighting, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is on record of a video: its status, and how many transitions brought it there.

    `sequence` 0 is a video that the first look saw without learning whether it is done (see Sighting.conclusive). `since` is
    when it began to be in flight, or ended; `stalled` says that a long flight was told already.
    """

    status: Status
    sequence: int
    since: datetime | None = None
    stalled: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of status to be recorded. `sequence` counts a video's transitions from 1; `rings` says the world is told."""

    seen: Sighting
    previous: Status | None
    sequence: int
    at: datetime
    rings: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """An account's first full sweep, under way or `over`.

    It is silent about videos that were final before it `began`, by the provider's clock; `announces` is the account's option
    to ring for them too.
    """

    began: datetime
    announces: bool = False
    over: bool = False


def transition(
    known: Known | None,
    seen: Sighting,
    *,
    at: datetime,
    first_look: FirstLook | None = None,
    above_known: bool = False,
    restarts: bool = False,
    missed: bool = False,
) -> Transition | None:
    """Return the change that `seen` makes to `known`, None when there is none.

    1. The same status is no change, whatever else differs: URLs are signed anew at every look.
    2. Final is sticky: a stale page cannot un-finish a video. Only `deleted` follows `completed` or `failed`, and, where
       the provider is known to render again under the same id (`restarts`), a status that is not final.
    3. It rings when it is final, except for a video that nobody saw before and that was made before the first look: it was
       there, whether that look came across it or not.
    4. What the first look could not establish is recorded as sequence 0, and its first conclusive sighting is still part
       of that look: silent.
    5. An inconclusive sighting changes nothing that is on record: the listing would undo at every poll what a look-up found.
       Of a new video it is believed that it exists, not that it is done.
    6. "Not found" by id makes a video `deleted` only when full sweeps `missed` it as well: one answer of one server may lag.
       Where the first look could not establish anything of it, that is silent, too.
    """
    if seen.not_found and not (missed and known is not None):
        return None
    if known is None:
        if not seen.conclusive and seen.status.final:
            seen = replace(seen, status=Status.GENERATING, error=None)
        new = first_look is None or _born_since(first_look, seen, above_known=above_known)
        established = new or seen.conclusive
        return Transition(seen=seen, previous=None, sequence=int(established), at=at, rings=new and seen.status.final)
    if not seen.conclusive:
        return None
    if known.sequence == 0:
        rings = seen.status.final and not seen.not_found and first_look is not None and first_look.announces
        return Transition(seen=seen, previous=None, sequence=1, at=at, rings=rings)
    if not _may_follow(known.status, seen.status, restarts=restarts):
        return None
    return Transition(seen=seen, previous=known.status, sequence=known.sequence + 1, at=at, rings=seen.status.final)


def _may_follow(known: Status, seen: Status, *, restarts: bool) -> bool:
    if seen is known:
        return False
    if not known.final:
        return True
    if seen is Status.DELETED:
        return True
    return restarts and known is not Status.DELETED and seen in {Status.QUEUED, Status.GENERATING}


def _born_since(first_look: FirstLook, seen: Sighting, *, above_known: bool) -> bool:
    """Say whether a video that nobody saw before was made after the first look began.

    Its `created_at` tells. Without one, it was if that look is over; while it is under way, standing above videos that are
    on record already tells, in a listing whose order is newest first.
    """
    if first_look.announces:
        return True
    if seen.created_at is not None:
        return seen.created_at >= first_look.began.replace(microsecond=0)  # providers' times are whole seconds
    return first_look.over or above_known
