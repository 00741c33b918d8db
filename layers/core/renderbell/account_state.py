"""What is remembered of an account between polls."""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Self

from renderbell.licence import CARRIED, FullSweep, Licence
from renderbell.page import Page
from renderbell.transitions import Known

HEALTHY: Final = "ok"
HEALTH_WORDS: Final[Mapping[str, str]] = {
    "auth": "the key is refused",
    "rate_limited": "asked too often",
    "not_found": "the listing is gone",
    "provider_error": "the provider is in trouble",
    "bad_response": "the answer cannot be read",
    "settings": "the stored value cannot be used",
}
"""What is wrong, by the kind of the error."""

TWICE: Final = 2
"""Full sweeps in a row that must miss a video before "not found" by id is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """One account between polls. `health` is "ok", or `kind: message` of what is wrong since `health_since`."""

    version: int = 0
    """Counts the writes: of two polls that end at once, one is remembered."""
    way: str | None = None
    scope: str | None = None
    """Marks of the key and options in use, see Account."""
    way_since: datetime | None = None
    """Since when this way is in use; None for always."""
    first_look_began_at: datetime | None = None
    first_look_ended_at: datetime | None = None
    earlier_first_look: tuple[datetime, datetime] | None = None
    """When the earlier first look began and ended. Another key, which shows other videos, made a new one necessary."""
    abandoned: tuple[str, datetime] | None = None
    """The way whose first look was given up because the earlier key came back, and when that look began."""
    head: tuple[str, ...] = ()
    """The first page, as marks of its rows, when all of it was on record (listing.marks)."""
    licence: Licence | None = None
    listed: int | None = None
    """How many rows the listing has, where its total was found to be true."""
    full_sweep: FullSweep | None = None
    full_sweep_ended_at: datetime | None = None
    missed: Mapping[str, int] = field(default_factory=dict)
    """Videos that the last full sweep did not list, and how many in a row did not, up to two: in flight, or of those that the
    first look could not establish and that were not to be found by id."""
    unestablished: bool = False
    """Whether there may be videos that the first look saw without learning whether they are done."""
    health: str | None = None
    health_since: datetime | None = None
    failures: int = 0
    """Polls in a row that failed."""
    alerts: Mapping[str, int] = field(default_factory=dict)
    """How often each alert was raised and cleared: odd while it is raised."""
    unknown_words: frozenset[str] = frozenset()
    changed_at: datetime | None = None
    paused_until: datetime | None = None
    looks_until: datetime | None = None
    """Until when looks at the hot interval are on the queue."""
    hints_free_from: datetime | None = None
    """From when on a hint is free to cause a look, see chain.look_for_hint."""

    @property
    def first_look_over(self) -> bool:
        return self.first_look_ended_at is not None

    @property
    def raised(self) -> Sequence[str]:
        """The alerts that operators know of and that are not over."""
        return [kind for kind, count in self.alerts.items() if count % 2]

    @property
    def unfinished(self) -> bool:
        """Whether a first look, or a sweep after videos that nobody knows yet, has to go on."""
        expecting = self.full_sweep is not None and self.full_sweep.expects_new
        return self.first_look_began_at is not None and (not self.first_look_over or expecting)

    def in_words(self, now: datetime) -> str:
        """Return how the account fares, for people: `ok`, or what is wrong and what the provider said."""
        if self.health is None:
            return "not looked at yet"
        kind, _, detail = self.health.partition(": ")
        words = f"{HEALTH_WORDS[kind]}: {detail}" if kind in HEALTH_WORDS else self.health
        paused = f" (left alone for {math.ceil((self.paused_until - now).total_seconds())} s)" if self.paused_until else ""
        return words if self.is_due(now) else words + paused

    def is_due(self, now: datetime) -> bool:
        return self.paused_until is None or self.paused_until <= now

    def is_quiet(self, now: datetime, after: timedelta) -> bool:
        """Say whether for so long nothing has changed at the account, nothing is in flight, and nothing is wrong with it."""
        hot = self.looks_until is not None and now - self.looks_until < after
        return self.health == HEALTHY and not hot and self.changed_at is not None and now - self.changed_at >= after

    def looking_anew(self, now: datetime, *, way: str, scope: str, well_until: datetime | None = None) -> Self:
        """Return the state of an account whose first look begins: only what operators were told of it is kept.

        It is silent about what was made before the account was last well. The first look under the earlier key is remembered,
        in case the new key was a mistake.
        """
        earlier = self.earlier_first_look
        if earlier is None and self.first_look_began_at is not None and self.first_look_ended_at is not None:
            earlier = (self.first_look_began_at, self.first_look_ended_at)
        return type(self)(
            version=self.version,
            way=way,
            way_since=now,
            scope=scope,
            first_look_began_at=well_until or now,
            earlier_first_look=earlier if scope == self.scope else None,
            health=self.health,
            health_since=self.health_since,
            alerts=self.alerts,
            unknown_words=self.unknown_words,
        )

    def with_way(self, way: str, now: datetime, known: Iterable[Known]) -> Self:
        """Return the state of an account whose listing is the same by another key or another way to ask for it.

        What was earned or put down with the other way does not hold for this. Where videos are listed that were on record
        before the present first look, it was not theirs: the earlier one was.
        """
        same = replace(self, way=way, way_since=now, licence=None, listed=None, full_sweep=None, missed={})
        began, earlier = self.first_look_began_at, self.earlier_first_look
        if earlier is None or began is None or all(one.since is None or one.since >= began for one in known):
            return same
        abandoned = None if self.way is None else (self.way, began)
        return replace(
            same, first_look_began_at=earlier[0], first_look_ended_at=earlier[1], earlier_first_look=None, abandoned=abandoned
        )

    def was_overdue_at_the_first_look(self, known: Known, limit: timedelta) -> bool:
        """Say whether a video had been in flight for longer than `limit` when the first look found it, for all that is known.

        While that look is under way, it may be so of all.
        """
        began, ended = self.first_look_began_at, self.first_look_ended_at
        if began is None or ended is None or known.since is None:
            return True
        return began <= known.since <= ended and (known.created_at is None or known.since - known.created_at >= limit)

    def is_as_it_was(self, first: Page) -> bool:
        """Say whether the first page shows what it showed when all of it was on record."""
        return bool(self.head) and self.head == first.marks

    def as_before(self, page: Page) -> frozenset[str]:
        """Return the rows that stood on the first page with the same status when all of it was on record."""
        before = set(self.head)
        return frozenset(video_id for video_id, mark in zip(page.ids, page.marks, strict=True) if mark in before)

    def without_missed(self, listed: Container[str]) -> Self:
        """Return this state after some videos were listed: what is listed is not missing."""
        missed = {video_id: times for video_id, times in self.missed.items() if video_id not in listed}
        return self if len(missed) == len(self.missed) else replace(self, missed=missed)

    def with_not_found(self, video_ids: Iterable[str]) -> Self:
        """Return this state after videos that the first look saw were not to be found by id.

        They are asked for no more until two full sweeps have missed them: a server may lag.
        """
        new = (video_id for video_id in video_ids if video_id not in self.missed)
        room = max(0, CARRIED - len(self.missed))
        return replace(self, missed={**self.missed, **dict.fromkeys(islice(new, room), 0)})

    def missed_twice(self, video_id: str) -> bool:
        return self.missed.get(video_id, 0) >= TWICE
