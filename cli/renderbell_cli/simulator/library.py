"""The videos of one account."""

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import Any, Self

from renderbell_cli.simulator.demo import demo_videos, later_videos
from renderbell_cli.simulator.videos import SimulatedVideo

type Place = tuple[float, str]
"""Where a video stands in a listing: its birth, and its id among those born in the same moment."""


class Library:
    """What one key sees at one provider. Any thread may read and change it at any time.

    `newest_first` is the order of its listing, which no provider but VideoGen documents (and VideoGen's, most recently
    updated first, does not follow it).
    """

    def __init__(
        self, videos: Iterable[SimulatedVideo] = (), *, newest_first: bool = True, later: Iterable[SimulatedVideo] = ()
    ) -> None:
        """Hold `videos`, and those of `later` that are born when it is asked: these come in that order, and may have no end."""
        self.newest_first = newest_first
        self.webhooks: dict[str, dict[str, Any]] = {}
        """What is registered for the account, by id, as it was answered then."""
        self._lock = threading.Lock()
        self._by_id: dict[str, SimulatedVideo] = {}
        self._in_order: list[SimulatedVideo] = []
        self._hydrated: dict[str, float] = {}
        self._later = iter(later)
        self._next = next(self._later, None)
        self.add(*videos)

    @classmethod
    def demo(cls, seed: int, now: float, provider: str = "tavus", *, endless: bool = False) -> Self:
        """Return a library that is good to watch: some videos done, many to be born in the minute after `now`.

        An `endless` one goes on, with about one a minute. The same arguments give the same videos; `provider` decides what
        their ids look like.
        """
        return cls(demo_videos(seed, now, provider), later=later_videos(seed, now, provider) if endless else ())

    def add(self, *videos: SimulatedVideo) -> None:
        """Add videos; one whose id is there already takes the old one's place (a re-render)."""
        with self._lock:
            for video in videos:
                self._add(video)

    def remove(self, video_id: str) -> None:
        """Take a video away without a trace, as if it had never been. Raises KeyError when there is none."""
        with self._lock:
            self._remove(self._by_id[video_id])

    def find(self, video_id: str, now: float) -> SimulatedVideo | None:
        """Return the video of that id, unless it is not born yet."""
        self._grow(now)
        with self._lock:
            video = self._by_id.get(video_id)
        return video if video is not None and video.born_at <= now else None

    def files(self, now: float) -> Sequence[SimulatedVideo]:
        """Return everything born by `now`, images and audio too, in the listing's order."""
        return self._listed(now, None)

    def videos(self, now: float, after: Place | None = None) -> Sequence[SimulatedVideo]:
        """Return the videos born by `now` in the listing's order; with `after`, those that come after that place."""
        return [video for video in self._listed(now, after) if video.kind == "VIDEO"]

    def hydrate(self, video_id: str, now: float) -> None:
        """Note that VideoGen was asked to sign a file's URLs at `now`; it has none to sign before the file is done."""
        with self._lock:
            if self._by_id[video_id].finished(now):
                self._hydrated[video_id] = now

    def hydrated_at(self, video_id: str) -> float | None:
        with self._lock:
            return self._hydrated.get(video_id)

    def _add(self, video: SimulatedVideo) -> None:
        if video.id in self._by_id:
            self._remove(self._by_id[video.id])
        self._by_id[video.id] = video
        insort(self._in_order, video, key=_place)

    def _grow(self, now: float) -> None:
        """Add what is born of what comes later."""
        with self._lock:
            while self._next is not None and self._next.born_at <= now:
                self._add(self._next)
                self._next = next(self._later, None)

    def _remove(self, video: SimulatedVideo) -> None:
        del self._in_order[bisect_left(self._in_order, _place(video), key=_place)]
        del self._by_id[video.id]
        self._hydrated.pop(video.id, None)

    def _listed(self, now: float, after: Place | None) -> Sequence[SimulatedVideo]:
        self._grow(now)
        with self._lock:
            born = self._in_order[: bisect_right(self._in_order, now, key=_born_at)]
        if self.newest_first:
            end = len(born) if after is None else bisect_left(born, after, key=_place)
            return born[:end][::-1]
        start = 0 if after is None else bisect_right(born, after, key=_place)
        return born[start:]


def _place(video: SimulatedVideo) -> Place:
    return (video.born_at, video.id)


def _born_at(video: SimulatedVideo) -> float:
    return video.born_at
