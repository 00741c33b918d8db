"""The full sweep: reads on below the head to the end of the listing, a bounded number of pages at each look.

It verifies, at an interval of its own, what licenses looks to stop at the head (see `licence`); without a licence full
sweeps follow each other. Its rules are in `sweep_rules`.
"""

import math
from dataclasses import replace
from datetime import timedelta

from renderbell.errors import ProviderError
from renderbell.head import Head
from renderbell.licence import FullSweep
from renderbell.providers import Reading
from renderbell.report import Stopped
from renderbell.scene import Scene, shuffled
from renderbell.sweep_rules import ended, interval_is_over, is_cheaper, is_due, is_listed_here, missing, order_lost


def begun(scene: Scene, head: Head, full: FullSweep | None = None) -> FullSweep:
    """Return a full sweep that has read the head: a new one, or `full` from the beginning."""
    return replace(full or FullSweep(), missing=_missing(scene), surprises=0).began(head.pages, head.place)


def sweep_on(scene: Scene, reading: Reading, head: Head) -> Stopped:
    """Go on with the full sweep that is under way, or begin one when it is due; say why it stopped.

    Raises ProviderError, and then what it read is kept and it goes on from there at the next look.
    """
    full = scene.notebook.state.full_sweep
    if full is not None and _goes_on_below(full, head):
        counted, trusted = scene.pages.read, not full.restarts
        reading = Reading(scene.provider, scene.client, full.place, counted=counted, trusts_total=trusted)
        budget = full.pages(scene.pages.per_poll)
    elif head.is_all or _is_due(scene, head):
        full = begun(scene, head, full)
        budget = full.pages(scene.pages.per_poll) - len(head.pages)
    else:
        return Stopped.ACCOUNTED_FOR
    while not reading.ended and budget > 0 and not scene.pages.out_of_time:
        full, budget = _one_page_more(scene, full, reading), budget - 1
    full = full.came_across(scene.pages.read)
    if reading.ended:
        _end(scene, full, reading.total)
        return Stopped.END_OF_LIST
    scene.notebook.state = replace(scene.notebook.state, full_sweep=full)
    return Stopped.PAGE_LIMIT if budget <= 0 else Stopped.OUT_OF_TIME


def _goes_on_below(full: FullSweep, head: Head) -> bool:
    """Say whether a sweep goes on at its own place. Where the head is the whole listing, the head is all it has to read.

    Unless it is after new videos and was further down already: that a listing is so short now may be a mistake.
    """
    further_down = full.expects_new and full.place.rows > head.place.rows
    return full.resumes and (further_down or not head.is_all)


def _one_page_more(scene: Scene, full: FullSweep, reading: Reading) -> FullSweep:
    notebook = scene.notebook
    try:
        page = scene.pages.next(reading)
    except ProviderError as error:
        notebook.state = replace(notebook.state, full_sweep=full.came_across(scene.pages.read).after(error))
        raise
    new = scene.recording.page(page)
    licensed = notebook.state.first_look_over and scene.licence is not None
    full = full.read(page, reading.place, new=new, licensed=licensed)
    notebook.state = replace(notebook.state, full_sweep=full.came_across(scene.pages.read))
    scene.recording.obey()
    return full


def _is_due(scene: Scene, head: Head) -> bool:
    state, total = scene.notebook.state, head.first.total
    if is_due(state, scene.licence, total=total, now=scene.now(), every=_interval(scene)):
        return True
    if scene.provider.blind:  # by id it is asked for few, whatever was read
        return False
    awaited = len(set(scene.unread()) - scene.overdue())
    rows = state.listed if total is None else total
    return is_cheaper(head.place, rows, questions=math.ceil(awaited / scene.provider.bulk))


def _missing(scene: Scene) -> frozenset[str]:
    """Return what a full sweep is to look out for, at random where it cannot carry all: in turn each has its chance."""
    state, flying = scene.notebook.state, scene.recording.in_flight
    listed_here = [one for one in scene.unread() if is_listed_here(state, flying[one], scene.provider.account.way)]
    return missing(state, shuffled(listed_here), in_flight=flying, read=scene.pages.read)


def _end(scene: Scene, full: FullSweep, total: int | None) -> None:
    now, before = scene.now(), scene.notebook.state
    counts = interval_is_over(before, now, _interval(scene))
    after = ended(before, full, total=total, now=now, documented=scene.provider.newest_first, counts=counts)
    scene.notebook.state = after
    scene.report.surprises, scene.report.order_lost = full.surprises, order_lost(before, after, full)


def _interval(scene: Scene) -> timedelta:
    return timedelta(minutes=scene.count("full_sweep_minutes"))
