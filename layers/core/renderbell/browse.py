"""Looks through the videos on record: a page at a time, the newest first, over all accounts. No table is ever scanned."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from statistics import median, quantiles
from typing import Any, Final, Protocol

from renderbell.errors import BadInputError
from renderbell.events import VideoRecord, video_data
from renderbell.positions import NOT_OURS, cursor_of, place_of
from renderbell.store.videos import FINISHED, IN_FLIGHT, PHASES, HistoryLine, Listed, Videos
from renderbell.values import iso, moment
from renderbell.video import AccountName, Status

MOST_READ: Final = 1000
"""Videos that one page looks at. Where few of them are of the status asked for, it is short, and says where to go on."""
MOST_COUNTED: Final = 10_000
"""Ended videos of one provider that statistics are made of: the latest."""
LEAST_AT_ONCE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which videos. `since` is when those in flight began to be, and the others ended; `account` is PROVIDER/NAME."""

    provider: str | None = None
    account: AccountName | None = None
    status: Status | None = None
    since: datetime | None = None

    @property
    def phases(self) -> Sequence[str]:
        if self.status is None:
            return PHASES
        return (FINISHED,) if self.status.final else (IN_FLIGHT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPage:
    videos: Sequence[VideoRecord]
    cursor: str | None
    """Where the next page begins; None after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """One provider's. Times are seconds from a video's creation to its end."""

    provider: str
    by_status: Mapping[str, int]
    completed_median_seconds: float | None
    completed_p95_seconds: float | None
    failure_rate: float | None
    """Of those that completed or failed, how many failed, from 0 to 1."""
    truncated: bool
    """Whether more ended since then than were counted."""


class Names(Protocol):
    """What browsing asks of parameters."""

    def account_names(self, provider: str | None = None) -> Sequence[AccountName]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Browse:
    parameters: Names
    videos: Videos

    def page(self, wanted: Wanted, *, limit: int, cursor: str | None = None) -> VideoPage:
        """Return up to `limit` videos: those in flight first, then those that ended, each newest first.

        Raises BadInputError for a cursor that no page gave.
        """
        found: list[VideoRecord] = []
        for read, one in enumerate(self._from(wanted, limit, cursor), start=1):
            if wanted.status in {None, one.record.status}:
                found.append(one.record)
            if len(found) == limit or read == MOST_READ:
                return VideoPage(videos=found, cursor=cursor_of(one.place))
        return VideoPage(videos=found, cursor=None)

    def history(self, account: AccountName, video_id: str) -> tuple[VideoRecord, Sequence[HistoryLine]] | None:
        """Return a video and each of its transitions, the first first; None when it is not on record."""
        return self.videos.with_history(account, video_id)

    def newest(self, phase: str, limit: int) -> Sequence[Listed]:
        """Return the `limit` newest videos that are in flight, or that ended."""
        return list(islice(self._merged(Wanted(), phase, limit, None), limit))

    def usual_seconds(self, provider: str, since: datetime, *, of: int) -> float | None:
        """Return what a video usually takes at a provider: the median of those among the `of` latest ends that completed."""
        ended = islice(self._merged(Wanted(provider=provider, since=since), FINISHED, of, None), of)
        times = _times(one.record for one in ended if one.rang)
        return median(times) if times else None

    def statistics(self, provider: str, since: datetime) -> Statistics:
        """Count what is in flight at a provider, and what ended since then, but for what a first look found done already."""
        flying = self._merged(Wanted(provider=provider), IN_FLIGHT, MOST_READ, None)
        ended = list(islice(self._merged(Wanted(provider=provider, since=since), FINISHED, MOST_READ, None), MOST_COUNTED + 1))
        counted = [one.record for one in ended[:MOST_COUNTED] if one.rang]
        by_status = Counter(str(one.record.status) for one in flying) + Counter(str(video.status) for video in counted)
        times = _times(counted)
        failed, completed = by_status[Status.FAILED], by_status[Status.COMPLETED]
        return Statistics(
            provider=provider,
            by_status=dict(by_status),
            completed_median_seconds=round(median(times), 1) if times else None,
            completed_p95_seconds=_p95(times),
            failure_rate=round(failed / (failed + completed), 4) if failed + completed else None,
            truncated=len(ended) > MOST_COUNTED,
        )

    def _from(self, wanted: Wanted, limit: int, cursor: str | None) -> Iterator[Listed]:
        place = None if cursor is None else place_of(cursor, "phase", "since", "account", "video_id")
        phases = wanted.phases
        if place is not None:
            if place["phase"] not in phases or moment(place["since"]) is None:
                raise BadInputError(NOT_OURS)
            phases = phases[phases.index(place["phase"]) :]
        for number, phase in enumerate(phases):
            yield from self._merged(wanted, phase, limit, place if number == 0 else None)

    def _merged(self, wanted: Wanted, phase: str, limit: int, place: Mapping[str, Any] | None) -> Iterator[Listed]:
        """Merge the accounts' videos of one phase by time; of one moment, by account. Each goes on behind `place`."""
        names = sorted(self._accounts(wanted))
        at_once = max(LEAST_AT_ONCE, min(limit, 2 * limit // max(1, len(names))))
        lists = (self.videos.listed(name, phase, since=wanted.since, after=place, at_once=at_once) for name in names)
        return heapq.merge(*lists, key=lambda one: (-one.since.timestamp(), str(one.record.account)))

    def _accounts(self, wanted: Wanted) -> Sequence[AccountName]:
        if wanted.account is not None:
            return [wanted.account] if wanted.provider in {None, wanted.account.provider} else []
        return self.parameters.account_names(wanted.provider)


def _times(videos: Iterable[VideoRecord]) -> Sequence[float]:
    """Return how long each of those that completed took."""
    took = (video.seconds_in_flight for video in videos if video.status is Status.COMPLETED)
    return [seconds for seconds in took if seconds is not None]


def _p95(times: Sequence[float]) -> float | None:
    if not times:
        return None
    return round(max(times) if len(times) == 1 else quantiles(times, n=20, method="inclusive")[-1], 1)


def video_fields(video: VideoRecord) -> dict[str, Any]:
    """Return a video as programs get it: an event's data, and when it last changed."""
    return {**video_data(video), "changed_at": iso(video.changed_at), "stalled_at": iso(video.stalled_at)}
