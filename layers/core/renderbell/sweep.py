"""Looks at one account: reads its listing, records what changed. The stream of the Videos table tells the rest.

Every write is conditional and every step may be repeated, so a sweep can be killed anywhere and run again, and two sweeps
of one account may run at once.
"""

import random
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import httpx

from renderbell.errors import AuthError, ProviderError, RateLimitedError
from renderbell.providers import Page, Provider
from renderbell.store.accounts import HEALTHY, Accounts, AccountState
from renderbell.store.videos import Videos
from renderbell.transitions import FirstLook, Known, Transition, transition
from renderbell.video import AccountName, Sighting, Status

LOOKUPS_PER_POLL: Final = 50
MAX_FAILED_LOOKUPS: Final = 3
TIME_TO_STOP: Final = 30.0
"""Seconds before the function's end at which no further page is asked for."""

PAUSE_REFUSED_KEY: Final = timedelta(minutes=5)
PAUSE_RATE_LIMITED: Final = 60.0
MAX_PAUSE: Final = 3600.0
"""Seconds; without Retry-After, and at most whatever it says."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a sweep did: one log line."""

    account: AccountName
    pages: int = 0
    rows: int = 0
    lookups: int = 0
    complete: bool = False
    error: ProviderError | None = None
    transitions: list[Transition] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One pass over an account's listing."""

    provider: Provider
    client: httpx.Client
    videos: Videos
    accounts: Accounts
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]

    @property
    def account(self) -> AccountName:
        return self.provider.account.name

    def run(self) -> Report:
        """Read the whole listing and record every transition.

        An error ends the pass: what good pages showed is kept, nothing is concluded from what is missing, and the
        account's health says why until a pass goes well again. Raises only what is not the provider's doing.
        """
        state = self.accounts.state(self.account)
        first_look = self._first_look(state)
        report = Report(account=self.account)
        inconclusive = self._read_all(report, first_look)
        if not isinstance(report.error, AuthError | RateLimitedError):  # those ask us to leave the account alone
            self._settle(inconclusive, report, first_look)
        if report.complete and first_look is not None:
            self.accounts.end_first_look(self.account, self.now())
        self._record_health(state, report)
        return report

    def _first_look(self, state: AccountState) -> FirstLook | None:
        if state.first_look_ended_at is not None:
            return None
        began = state.first_look_began_at or self.accounts.begin_first_look(self.account, self.now())
        return FirstLook(began=began, announces=self.provider.account.switch("announce_existing"))

    def _read_all(self, report: Report, first_look: FirstLook | None) -> Sequence[Sighting]:
        """Record page after page; return the sightings that only a by-id look-up can settle."""
        inconclusive: list[Sighting] = []
        try:
            for page in self.provider.pages(self.client):
                report.pages += 1
                report.rows += len(page.ids)
                inconclusive += self._record_page(page, report, first_look)
                if self.seconds_left() < TIME_TO_STOP:
                    return inconclusive
            report.complete = True
        except ProviderError as error:
            report.error = error
        return inconclusive

    def _record_page(self, page: Page, report: Report, first_look: FirstLook | None) -> Sequence[Sighting]:
        """Record a page's transitions; return its sightings that only a by-id look-up can settle."""
        ids = [seen.video_id for seen in page.sightings]
        # During the first look, what stands above a known video is new: a stale read would see newness where there is none.
        known = self.videos.known(self.account, ids, consistent=first_look is not None)
        above = _above_known(ids, known) if self.provider.newest_first else frozenset()
        for seen in page.sightings:
            self._record(seen, known.get(seen.video_id), report, first_look, above_known=seen.video_id in above)
        return [seen for seen in page.sightings if not seen.conclusive and not _is_final(known.get(seen.video_id))]

    def _record(
        self,
        seen: Sighting,
        known: Known | None,
        report: Report,
        first_look: FirstLook | None,
        *,
        above_known: bool = False,
    ) -> None:
        """Record the transition that `seen` makes, if any, however many others write the same video meanwhile."""
        while True:
            change = transition(
                known,
                seen,
                at=self.now(),
                first_look=first_look,
                above_known=above_known,
                restarts=self.provider.restarts,
            )
            if change is None:
                return
            change = self._with_url(change)
            if self.videos.record(self.account, change):
                report.transitions.append(change)
                return
            known = self.videos.known(self.account, [seen.video_id], consistent=True).get(seen.video_id)

    def _with_url(self, change: Transition) -> Transition:
        """Ask once for what the listing lacks of a completed video. Without an answer it rings all the same."""
        seen = change.seen
        if change.rings and seen.status is Status.COMPLETED and seen.url is None:
            with suppress(ProviderError):
                return replace(change, seen=self.provider.complete(self.client, seen))
        return change

    def _settle(self, inconclusive: Sequence[Sighting], report: Report, first_look: FirstLook | None) -> None:
        """Ask by id about videos that the listing cannot tell the status of, as many as one poll may.

        One that cannot be asked about does not keep the others waiting; a few in a row are the provider's trouble.
        """
        failures = 0
        budget = self.provider.account.count("lookups_per_poll", LOOKUPS_PER_POLL)
        known = self.videos.known(self.account, [seen.video_id for seen in inconclusive], consistent=True)
        for seen in islice(_in_turn(inconclusive, known), budget):
            if self.seconds_left() < TIME_TO_STOP or failures >= MAX_FAILED_LOOKUPS:
                return
            report.lookups += 1
            try:
                settled = self.provider.settle(self.client, seen)
            except ProviderError as error:
                report.error, failures = error, failures + 1
                if isinstance(error, AuthError | RateLimitedError):
                    return
                continue
            self._record(settled, known.get(seen.video_id), report, first_look)

    def _record_health(self, state: AccountState, report: Report) -> None:
        health = HEALTHY if report.error is None else f"{report.error.kind}: {report.error}"
        pause = _pause(report.error)
        if health != state.health or pause is not None:
            self.accounts.record_health(self.account, health, self.now(), pause)


def _above_known(ids: Sequence[str], known: Container[str]) -> frozenset[str]:
    last = max((place for place, video_id in enumerate(ids) if video_id in known), default=0)
    return frozenset(ids[:last])


def _is_final(known: Known | None) -> bool:
    return known is not None and known.status.final


def _in_turn(inconclusive: Sequence[Sighting], known: Mapping[str, Known]) -> Iterator[Sighting]:
    """Yield videos known to be in flight, in random order so that none waits for ever; then the unestablished, as listed."""
    unestablished = [seen for seen in inconclusive if _sequence(known.get(seen.video_id)) == 0]
    in_flight = [seen for seen in inconclusive if _sequence(known.get(seen.video_id)) > 0]
    yield from random.sample(in_flight, len(in_flight))
    yield from unestablished


def _sequence(known: Known | None) -> int:
    return 0 if known is None else known.sequence


def _pause(error: ProviderError | None) -> timedelta | None:
    """Return how long to leave the account alone."""
    if isinstance(error, RateLimitedError):
        asked = PAUSE_RATE_LIMITED if error.retry_after is None else error.retry_after
        return timedelta(seconds=min(asked, MAX_PAUSE))  # bounded as a number: a timedelta does not hold every header
    return PAUSE_REFUSED_KEY if isinstance(error, AuthError) else None
