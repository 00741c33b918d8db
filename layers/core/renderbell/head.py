"""The head of a listing: read until it reaches down to a video that is on record, and recorded from the bottom up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from renderbell.errors import ProviderError
from renderbell.listing import moved, without
from renderbell.page import Page, Place
from renderbell.providers import Reading
from renderbell.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The pages with which a look begins, one at least."""

    pages: Sequence[Page]
    place: Place
    """Where the page after them begins."""
    reached: bool
    """Whether they reach down to a video that is on record, or to the end of the listing."""
    is_all: bool
    """Whether they are the whole listing."""
    error: ProviderError | None = None
    """Why they break off, where they do."""

    @property
    def first(self) -> Page:
        return self.pages[0]

    @property
    def video_ids(self) -> Sequence[str]:
        return [seen.video_id for page in self.pages for seen in page.sightings]


def read_head(scene: Scene, reading: Reading) -> Head:
    """Read down to a page whose last video is on record. Raises ProviderError without a first page."""
    first = scene.pages.next(reading)
    pages, error = [first], None
    reached = reading.ended or scene.notebook.state.is_as_it_was(first) or _ends_on_record(scene, first)
    while not reached and len(pages) < scene.pages.per_poll and not scene.pages.out_of_time:
        try:
            pages.append(scene.pages.next(reading))
        except ProviderError as broke_off:
            error = broke_off
            break
        reached = reading.ended or _ends_on_record(scene, pages[-1])
    return Head(pages=pages, place=reading.place, reached=reached, is_all=reading.ended, error=error)


def record_head(scene: Scene, head: Head) -> None:
    """Record what changed at the head. One that is as it was costs nothing."""
    state, first = scene.notebook.state, head.first
    if scene.provider.blind:
        scene.updated = frozenset(first.ids[: moved(state.head, first.marks)])
    if state.is_as_it_was(first):
        return
    for page in reversed(head.pages) if state.first_look_over else head.pages:
        scene.recording.page(page, state.as_before(page))
    listed = None if state.listed is None else state.listed + len(scene.recording.born)
    scene.notebook.state = replace(state, head=first.marks, listed=listed)


def forget_unasked(scene: Scene) -> None:
    """Let what may have been updated, and was not asked for after all, count as updated at the next look, too."""
    known = scene.recording.in_flight.keys() - set(scene.recording.born)
    left = [video_id for video_id in scene.updated if video_id in known and video_id not in scene.asked]
    if left:
        state = scene.notebook.state
        scene.notebook.state = replace(state, head=without(state.head, left))


def _ends_on_record(scene: Scene, page: Page) -> bool:
    """Say whether the page's last video is on record. Below it, by the licence, stands nothing new.

    Where the listing shows the last updated first, an updated video says nothing of what stands below it: only a
    finished one stays where it is.
    """
    if not page.sightings:
        return False
    last, blind = page.sightings[-1].video_id, scene.provider.blind
    if last in scene.notebook.state.as_before(page) and not (blind and last in scene.recording.in_flight):
        return True
    known = scene.recording.known([last]).get(last)
    return known is not None and (known.status.final or not blind)
