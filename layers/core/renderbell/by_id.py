"""Asks by id for videos in flight that the listing did not show, or cannot tell of, as many as one look may."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import batched
from typing import Final

from renderbell.errors import ProviderError, RateLimitedError
from renderbell.questions import awaited_first, born_first, moved_up, to_be_judged
from renderbell.scene import Scene, shuffled
from renderbell.video import Sighting

MAX_FAILED_LOOKUPS: Final = 3
MAX_SPLITS: Final = 8
"""How often a look halves what it asks for: enough to find the one id among a hundred for which all are refused."""


def ask_for_the_rest(scene: Scene) -> None:
    """Ask, and record what is found. Raises RateLimitedError alone.

    The listing is what tells how the account fares. A look-up that fails may be its video's own trouble (not ours to see,
    for instance), and does not keep the others waiting; a few in a row are the provider's.
    """
    notebook, report = scene.notebook, scene.report
    notebook.state = notebook.state.without_missed(scene.pages.read)
    scene.recording.missed_twice = notebook.state.missed_twice
    most, failures, splits = scene.count("lookups_per_poll"), 0, 0
    waiting = deque(batched(_to_ask_for(scene, most), scene.provider.bulk, strict=False))
    while waiting and report.lookups < most and failures < MAX_FAILED_LOOKUPS and not scene.pages.out_of_time:
        batch = waiting.popleft()
        report.lookups += 1
        try:
            found = scene.provider.look_up(scene.client, batch)
        except RateLimitedError:
            raise
        except ProviderError as error:
            report.lookup_error = error
            if error.refused and len(batch) > 1 and splits < MAX_SPLITS:
                half = len(batch) // 2
                waiting.extendleft((batch[:half], batch[half:]))
                splits += 1
            else:
                failures += 1
        else:
            failures = 0
            scene.asked |= set(batch)
            _record(scene, found)


def _to_ask_for(scene: Scene, most: int) -> Sequence[str]:
    """Return what to ask for.

    Where the listing shows no end, each video in flight would cost a request at every look. But there a change moves it
    to the top: those that moved are asked for at once, then new ones, then a few of the others in turn.
    """
    if not scene.provider.blind:
        return awaited_first(shuffled(scene.unread()), scene.overdue(), bulk=scene.provider.bulk)
    told = {video_id for video_id, seen in scene.pages.read.items() if seen is not None and seen.conclusive}
    waiting = [video_id for video_id in scene.recording.in_flight if video_id not in told]
    born = set(scene.recording.born)
    moved = moved_up(waiting, scene.updated, born)
    rest = shuffled([video_id for video_id in waiting if video_id not in moved])
    resting = born_first(rest, born, most=scene.count("resting_lookups"))
    return [*moved, *resting, *_unestablished(scene, most)]


def _unestablished(scene: Scene, most: int) -> Sequence[str]:
    """Return some of what the first look could not judge, and note whether there is any left."""
    notebook, recording = scene.notebook, scene.recording
    if not (notebook.state.unestablished or recording.unestablished):
        return []
    missed = notebook.state.missed
    listed = [change.seen.video_id for change in recording.transitions if change.sequence == 0]
    on_record = list(recording.videos.unestablished(scene.account, most + len(missed)))
    notebook.state = replace(notebook.state, unestablished=bool(listed or on_record))
    return to_be_judged([*listed, *shuffled(on_record)], missed, most=most)


def _record(scene: Scene, found: Mapping[str, Sighting]) -> None:
    scene.pages.note_words(found.values())
    known = scene.recording.known(list(found))
    for video_id, seen in found.items():
        scene.recording.one(replace(seen, video_id=video_id, by_id=True), known.get(video_id))
    unestablished = {video_id for video_id, one in known.items() if one.sequence == 0}
    gone = [video_id for video_id, seen in found.items() if seen.not_found and video_id in unestablished]
    scene.notebook.state = scene.notebook.state.with_not_found(gone)
