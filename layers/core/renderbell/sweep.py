"""Looks at one account: reads the head of its listing, asks by id for what stands further down, records what changed.

The stream of the Videos table tells the rest. Every write is conditional and every step may be repeated, so a look can be
killed anywhere and done again, and two looks at one account may run at once.

1. The head is read until it reaches down to a video that is on record, and recorded from the bottom up.
2. What licenses it to stop there is earned (see `licence`). A full sweep, spread over polls, verifies it at an interval of
   its own; without a licence full sweeps follow each other.
3. Videos in flight that were not read are asked for by id.
4. Nothing is concluded from what is missing, but from two full sweeps in a row and the provider's own "not found".
"""

import math
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched, islice
from typing import Final, Protocol

import httpx

from renderbell.account_state import HEALTHY, TWICE, AccountState
from renderbell.alerts import Alert
from renderbell.errors import AuthError, ProviderError, RateLimitedError
from renderbell.health import Look, judged, pause_after
from renderbell.licence import CARRIED, FullSweep, Licence
from renderbell.listing import moved
from renderbell.page import Page
from renderbell.providers import Provider, Reading
from renderbell.recording import Recording, Videos
from renderbell.transitions import FirstLook, Known, Transition
from renderbell.video import AccountName, Sighting, Status

PAGES_PER_POLL: Final = 10
LOOKUPS_PER_POLL: Final = 50
RESTING_LOOKUPS: Final = 1
"""Look-ups a poll spends on videos that do not seem to have changed, where the listing shows no end by itself."""
STALE_LOOKUPS: Final = 1
"""Look-up requests a poll spends on videos that have been in flight for longer than a day."""
MAX_FAILED_LOOKUPS: Final = 3
MAX_SPLITS: Final = 8
"""How often a look halves what it asks for: enough to find the one id among a hundred for which all are refused."""
TIME_TO_STOP: Final = 100.0
"""Seconds before the function's end at which nothing more is asked for: one answer may take a minute to drip in."""

FULL_SWEEP_MINUTES: Final = 60
STALLED_HOURS: Final = 24
EMPTY_FOR: Final = timedelta(minutes=1)
"""For how long a listing has to be empty before a first look believes it."""
FIRST_LOOK_PASSES: Final = 3
"""How often a first look reads a listing whose total says that rows are missing."""


class Accounts(Protocol):
    """What a sweep asks of store.accounts."""

    def state(self, account: AccountName) -> AccountState: ...
    def save(self, account: AccountName, before: AccountState, after: AccountState) -> bool: ...
    def pause(self, account: AccountName, until: datetime) -> None: ...


@dataclass(slots=True, kw_only=True)
class Report:
    """What a look did, and why it stopped."""

    account: AccountName
    stopped: str = "accounted for"
    pages: int = 0
    rows: int = 0
    lookups: int = 0
    surprises: int = 0
    stalled: int = 0
    in_flight: int = 0
    unfinished: bool = False
    error: ProviderError | None = None
    """Why the listing could not be read, or why the provider wants to be left alone."""
    lookup_error: ProviderError | None = None
    transitions: Sequence[Transition] = ()


@dataclass(slots=True, kw_only=True)
class Sweep:
    """One look at one account."""

    provider: Provider
    client: httpx.Client
    videos: Videos
    accounts: Accounts
    tell_operators: Callable[[Sequence[Alert]], None]
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    wait: Callable[[float], None] = time.sleep
    in_between: bool = False
    """Whether this look is for the sake of videos in flight: without any it does nothing."""
    may_begin: bool = True
    """Whether this look may begin a first look: not one that was queued while the account may still have been watched."""

    before: AccountState = field(init=False)
    """What is on record of the account."""
    state: AccountState = field(init=False)
    """What will be."""
    recording: Recording = field(init=False)
    report: Report = field(init=False)
    read: dict[str, Sighting | None] = field(init=False, default_factory=dict)
    """Every row that was read, with what it says where it is a video."""
    updated: frozenset[str] = field(init=False, default=frozenset())
    """Rows that may have been updated, where the listing shows no end."""
    notice: str | None = field(init=False, default=None)
    order_lost: str | None = field(init=False, default=None)

    @property
    def account(self) -> AccountName:
        return self.provider.account.name

    def run(self) -> Report:
        """Look once and record every transition.

        An error ends the reading: what good pages showed is kept, nothing is concluded from what is missing, and the
        account's health says why until a look goes well again. Raises only what is not the provider's doing.
        """
        self.report = Report(account=self.account)
        self.before = self.state = self.accounts.state(self.account)
        if not self.state.is_due(self.now()):
            self.report.stopped = "paused"
            return self.report
        if not self.may_begin and self.state.first_look_began_at is None:
            self.report.stopped = "not begun"
            return self.report
        in_flight = dict(self.videos.in_flight(self.account))
        if self.in_between and not in_flight and not self.state.unfinished:
            self.report.stopped = "nothing in flight"
            return self.report
        self.recording = Recording(
            provider=self.provider, client=self.client, videos=self.videos, now=self.now, in_flight=in_flight
        )
        self._begin_first_look()
        self._try(self._read_listing)
        if not isinstance(self.report.error, AuthError | RateLimitedError):  # those ask us to leave the account alone
            self._try(self._ask_for_the_rest)
        self._note_stalled()
        self._remember()
        self.report.transitions = self.recording.transitions
        self.report.in_flight = sum(not self._is_stale(known) for known in self.recording.in_flight.values())
        self.report.unfinished = self.state.unfinished
        return self.report

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except ProviderError as error:
            self._note_error(error)

    def _note_error(self, error: ProviderError) -> None:
        self.report.error, self.report.stopped = error, error.kind

    # 1. The head.

    def _read_listing(self) -> None:
        reading = Reading(self.provider, self.client)
        head, reached, error = self._read_head(reading)
        self._see_whose_listing_it_is(head, ended=reading.ended, error=error)
        under_way = self.state.full_sweep is not None and self.state.full_sweep.resumes
        if not reached and (self.state.looked or under_way):
            # Before anything of it is recorded: what stands below the head is on nobody's record, and is not to be forgotten.
            expecting = replace(self._new_full_sweep(), expects_new=True).began(head, reading.place)
            self._save_now(replace(self.state, full_sweep=expecting))
        self._record_head(head)
        if error is not None:
            if not self.state.looked and self.state.full_sweep is None:
                self.state = replace(self.state, full_sweep=self._new_full_sweep().began(head, reading.place))
            raise error
        if reached or not self.state.looked:
            self._sweep_on(reading, head)
        else:
            self.report.stopped = "page limit"

    def _read_head(self, reading: Reading) -> tuple[Sequence[Page], bool, ProviderError | None]:
        """Read down to a page whose last video is on record, and say whether it was reached. Raises without a first page."""
        head = [self._next(reading)]
        reached = reading.ended or self._is_as_it_was(head[0]) or self._ends_on_record(head[0])
        while not reached:
            if len(head) >= self._pages_per_poll or self._out_of_time():
                return head, False, None
            try:
                head.append(self._next(reading))
            except ProviderError as error:
                return head, False, error
            reached = reading.ended or self._ends_on_record(head[-1])
        return head, True, None

    def _next(self, reading: Reading) -> Page:
        if self.report.pages and self.provider.seconds_between_pages:
            self.wait(self.provider.seconds_between_pages)
        page = reading.next()
        self.report.pages += 1
        self.report.rows += len(page.ids)
        self.read |= dict.fromkeys(page.ids) | {seen.video_id: seen for seen in page.sightings}
        self.notice = page.notice or self.notice
        return page

    def _ends_on_record(self, page: Page) -> bool:
        """Say whether the page's last video is on record. Below it, by the licence, stands nothing new.

        Where the listing shows the last updated first, an updated video says nothing of what stands below it: only a
        finished one stays where it is.
        """
        if not page.sightings:
            return False
        last = page.sightings[-1].video_id
        if last in self._as_before(page) and not (self.provider.blind and last in self.recording.in_flight):
            return True
        known = self.recording.known([last]).get(last)
        return known is not None and (known.status.final or not self.provider.blind)

    def _is_as_it_was(self, page: Page) -> bool:
        return bool(self.state.head) and self.state.head == page.marks

    def _as_before(self, page: Page) -> frozenset[str]:
        """Return the rows that stood on the first page with the same status when all of it was on record."""
        before = set(self.state.head)
        return frozenset(video_id for video_id, mark in zip(page.ids, page.marks, strict=True) if mark in before)

    def _record_head(self, head: Sequence[Page]) -> None:
        first = head[0]
        self.updated = frozenset(first.ids[: moved(self.state.head, first.marks)]) if self.provider.blind else frozenset()
        if self._is_as_it_was(first):
            return
        for page in reversed(head) if self.state.looked else head:
            self.recording.page(page, self._as_before(page))
        self.state = replace(
            self.state,
            head=first.marks,
            listed=None if self.state.listed is None else self.state.listed + len(self.recording.born),
        )

    # 2. The full sweep.

    def _sweep_on(self, reading: Reading, head: Sequence[Page]) -> None:
        """Go on with the full sweep that is under way, or begin one when it is due: a bounded number of pages."""
        full, resumed = self.state.full_sweep, False
        ended = reading.ended and not (full is not None and full.expects_new and full.place.rows > reading.place.rows)
        if full is not None and full.resumes and not ended:
            trusted = not full.restarts
            reading = Reading(self.provider, self.client, full.place, counted=self.read.keys(), trusts_total=trusted)
            resumed = True
        elif reading.ended or self._full_sweep_is_due(head[0], reading):
            full = replace(full or FullSweep(), missing=self._missing(), surprises=0).began(head, reading.place)
        else:
            return
        budget = full.pages(self._pages_per_poll) - (0 if resumed else len(head))
        while not reading.ended and budget > 0 and not self._out_of_time():
            try:
                page = self._next(reading)
            except ProviderError as error:
                full = replace(full, missing=full.missing - self.read.keys())
                self.state = replace(self.state, full_sweep=full.after(error))
                raise
            new, budget = self.recording.page(page), budget - 1
            full = full.read(page, reading.place, new=new, licensed=self.state.looked and self._licence is not None)
        full = replace(full, missing=full.missing - self.read.keys())
        if reading.ended:
            self._end_full_sweep(full, reading.total)
        else:
            self.report.stopped = "page limit" if budget <= 0 else "out of time"
            self.state = replace(self.state, full_sweep=full)

    def _full_sweep_is_due(self, first: Page, reading: Reading) -> bool:
        if not self.state.looked or self.state.full_sweep is not None or self._licence is None or self._interval_is_over():
            return True
        if self._licence is Licence.TOTAL and first.total != self.state.listed:
            return True  # something is new, and not at the head
        return self._walking_on_is_cheaper(first, reading)

    def _interval_is_over(self) -> bool:
        ended, minutes = self.state.full_sweep_ended_at, self._option("full_sweep_minutes", FULL_SWEEP_MINUTES)
        return ended is None or self.now() - ended >= timedelta(minutes=minutes)

    def _walking_on_is_cheaper(self, first: Page, reading: Reading) -> bool:
        """Say whether the rest of the listing has fewer pages than asking by id for what was not read takes requests."""
        rows = first.total if first.total is not None else self.state.listed
        if rows is None or self.provider.blind:
            return False
        pages = math.ceil(rows / reading.place.longest) - reading.place.pages
        return 0 < pages < math.ceil(len(self._fresh(self._unread())) / self.provider.bulk)

    @property
    def _licence(self) -> Licence | None:
        return Licence.DOCUMENTED if self.provider.newest_first else self.state.licence

    def _new_full_sweep(self) -> FullSweep:
        return FullSweep(missing=self._missing())

    def _missing(self) -> frozenset[str]:
        """Return what a full sweep is to look out for: what the last one missed or is not to be found, then others in turn."""
        flying = self.recording.in_flight
        ours = _shuffled([video_id for video_id in self._unread() if self._is_listed_here(flying[video_id])])
        ours.sort(key=lambda video_id: video_id not in self.state.missed)
        gone = [one for one, times in self.state.missed.items() if times < TWICE and one not in flying and one not in self.read]
        return frozenset([*gone, *ours][:CARRIED])

    def _is_listed_here(self, known: Known) -> bool:
        """Say whether the listing can be expected to show a video.

        One that came on record under another key or other options may be none of this listing's, and "not found" for this key.
        """
        began = self.state.first_look_began_at
        ours = began is not None and known.since is not None and known.since >= began
        return ours and self.state.way == self.provider.account.way

    def _end_full_sweep(self, full: FullSweep, total: int | None) -> None:
        """Conclude from a listing that was read to its end."""
        now, state, rows = self.now(), self.state, full.place.rows
        self.report.stopped, self.report.surprises = "end of list", full.surprises
        if not state.looked and total is not None and rows < total and full.passes < FIRST_LOOK_PASSES:
            # Rows slipped by between two pages. What the first look does not see would ring when it is found later.
            self.state = replace(state, full_sweep=replace(self._new_full_sweep(), passes=full.passes + 1))
            return
        began = state.first_look_began_at
        if not state.looked and not rows and began is not None and now - began < EMPTY_FOR:
            return  # an answer that was empty by mistake would make news of every video that is there
        licence = full.licence(state.licence, documented=self.provider.newest_first, exact=rows == total)
        if state.licence is not None and licence is None:
            found = f"{full.surprises} videos were found where none was to be expected"
            self.order_lost = found if full.surprises else "its videos are no longer listed newest first"
        # A short listing is swept whole at every poll, one without a licence again and again. Such sweeps are not worth a
        # write, and two of them in a row are no two witnesses of a missing video: a server that lags may answer both.
        counts = self._interval_is_over()
        missed: dict[str, int] = {
            video_id: times for video_id, times in state.missed.items() if not times
        }  # marked since the sweep began
        missed |= {video_id: min(TWICE, state.missed.get(video_id, 0) + 1) for video_id in full.missing}
        self.state = replace(
            state,
            full_sweep=None,
            full_sweep_ended_at=now if counts else state.full_sweep_ended_at,
            first_look_ended_at=state.first_look_ended_at or now,
            missed=missed if counts else state.missed,
            listed=rows if rows == total else None,
            licence=licence,
        )

    # 3. By id.

    def _unread(self) -> Sequence[str]:
        return [video_id for video_id in self.recording.in_flight if video_id not in self.read]

    def _ask_for_the_rest(self) -> None:
        """Ask by id for videos in flight that the listing did not show, or cannot tell of, as many as one poll may.

        One that cannot be asked about does not keep the others waiting; a few in a row are the provider's trouble.
        """
        self.state = self.state.without_missed(self.read.keys())
        self.recording.missed_twice = self.state.missed_twice
        budget, failures, splits = self._option("lookups_per_poll", LOOKUPS_PER_POLL), 0, 0
        waiting = deque(batched(self._to_ask_for(budget), self.provider.bulk, strict=False))
        while waiting and self.report.lookups < budget and failures < MAX_FAILED_LOOKUPS and not self._out_of_time():
            batch = waiting.popleft()
            self.report.lookups += 1
            try:
                found = self.provider.look_up(self.client, batch)
            except RateLimitedError:
                raise
            except ProviderError as error:
                # The listing is what tells of the account. This may be one video's own: not ours to see, for instance.
                self.report.lookup_error = error
                if error.refused and len(batch) > 1 and splits < MAX_SPLITS:
                    waiting.extendleft((batch[: len(batch) // 2], batch[len(batch) // 2 :]))
                    splits += 1
                else:
                    failures += 1
                continue
            failures = 0
            self._record_found(found)

    def _record_found(self, found: Mapping[str, Sighting]) -> None:
        known = self.recording.known(list(found))
        for video_id, seen in found.items():
            self.recording.one(replace(seen, video_id=video_id, by_id=True), known.get(video_id))
        # What the first look saw is asked for no more once it is not to be found: two full sweeps are to miss it first.
        gone = [video_id for video_id, seen in found.items() if seen.not_found and _is_unestablished(known.get(video_id))]
        room = CARRIED - len(self.state.missed)
        waits = {video_id: 0 for video_id in gone if video_id not in self.state.missed}
        self.state = replace(self.state, missed={**self.state.missed, **dict(islice(waits.items(), max(0, room)))})

    def _to_ask_for(self, budget: int) -> Sequence[str]:
        """Return what to ask for, in random order so that none waits for ever.

        Where the listing shows no end, each video in flight would cost a request at every poll. But there a change moves it
        to the top: those that moved are asked for at once, then new ones, then a few of the others in turn.
        """
        if not self.provider.blind:
            unread = _shuffled(self._unread())
            fresh = self._fresh(unread)
            stale = [video_id for video_id in unread if video_id not in fresh]
            return [*fresh, *stale[: STALE_LOOKUPS * self.provider.bulk]]
        told = {video_id for video_id, seen in self.read.items() if seen is not None and seen.conclusive}
        waiting = [video_id for video_id in self.recording.in_flight if video_id not in told]
        born = set(self.recording.born)
        first = [video_id for video_id in waiting if video_id in self.updated and video_id not in born]
        resting = _shuffled([video_id for video_id in waiting if video_id not in first])
        resting.sort(key=lambda video_id: video_id not in born)
        return [*first, *resting[: self._option("resting_lookups", RESTING_LOOKUPS)], *self._unestablished(budget)]

    def _unestablished(self, limit: int) -> Sequence[str]:
        if not (self.state.unestablished or self.recording.unestablished):
            return []
        listed = [change.seen.video_id for change in self.recording.transitions if change.sequence == 0]
        rest = self.videos.unestablished(self.account, limit + len(self.state.missed))
        self.state = replace(self.state, unestablished=bool(listed or rest))
        waiting = dict.fromkeys([*listed, *_shuffled(list(rest))])
        return [one for one in waiting if self.state.missed.get(one, TWICE) >= TWICE][:limit]

    def _fresh(self, video_ids: Sequence[str]) -> Sequence[str]:
        return [video_id for video_id in video_ids if not self._is_stale(self.recording.in_flight[video_id])]

    def _is_stale(self, known: Known) -> bool:
        """Say whether a video is in flight for so long that nobody waits for it by the second any more."""
        limit = timedelta(hours=self._option("stalled_hours", STALLED_HOURS))
        return known.since is not None and self.now() - known.since >= limit

    def _note_stalled(self) -> None:
        """Note what is in flight for too long. What was so when the first look came by is no news."""
        looked_at = self.state.first_look_ended_at
        for video_id, known in self.recording.in_flight.items():
            lately = looked_at is not None and known.since is not None and known.since > looked_at
            if lately and not known.stalled and self._is_stale(known):
                self.report.stalled += self.videos.note_stalled(self.account, video_id, known, self.now())

    # The account.

    def _begin_first_look(self) -> None:
        """Begin a first look where there was none, or where the options mean other videos than those it looked at."""
        if self._wants_a_first_look():
            self.accounts.save(self.account, self.before, self._first_look_anew())
            self.before = self.state = self.accounts.state(self.account)
        if self._wants_a_first_look():  # another poll wrote meanwhile, and not this
            self._save_now(self._first_look_anew())
        self._look_as_the_state_says()

    def _wants_a_first_look(self) -> bool:
        return self.state.first_look_began_at is None or self.state.scope != self.provider.account.scope

    def _see_whose_listing_it_is(self, head: Sequence[Page], *, ended: bool, error: ProviderError | None) -> None:
        """With another key, or another way to ask, see whether the head shows videos that are known.

        If it does, it is the same listing. If all of it shows only others, they are looked at in silence first: those that
        were made before the account was last well. What was earned or put down with the other way does not hold for this.
        Raises `error` where the head broke off before it told: nothing of it may be recorded then, for it would ring.
        """
        way = self.provider.account.way
        ids = [seen.video_id for page in head for seen in page.sightings]
        if self.state.way == way or (ended and not ids):
            return
        if self._is_as_it_was(head[0]) or self.recording.known(ids):
            self.state = replace(self.state, way=way, licence=None, listed=None, full_sweep=None, missed={})
        elif error is not None:
            raise error
        else:
            was_well_until = self.state.health_since if self.state.health not in {HEALTHY, None} else None
            anew = self._first_look_anew()
            self._save_now(replace(anew, first_look_began_at=was_well_until or anew.first_look_began_at))
            self._look_as_the_state_says()

    def _first_look_anew(self) -> AccountState:
        account = self.provider.account
        return self.state.looking_anew(self.now(), way=account.way, scope=account.scope)

    def _look_as_the_state_says(self) -> None:
        if self.state.first_look_began_at is not None:
            announces = self.provider.account.switch("announce_existing")
            self.recording.first_look = FirstLook(
                began=self.state.first_look_began_at, announces=announces, over=self.state.looked
            )

    def _save_now(self, state: AccountState) -> None:
        """Write before going on. What another poll wrote meanwhile is replaced: it will find out anew."""
        while not self.accounts.save(self.account, self.before, state):
            self.before = self.accounts.state(self.account)
        self.before = self.state = self.accounts.state(self.account)

    def _remember(self) -> None:
        """Tell operators, then write what changed, if anything did: told again after a crash, it is the same alert."""
        unknown = (seen for seen in self.read.values() if seen is not None and seen.status is Status.UNKNOWN)
        look = Look(
            error=self.report.error,
            read_a_page=bool(self.report.pages),
            notice=self.notice,
            unknown_words={seen.provider_status[:50] for seen in unknown if seen.provider_status},
            order_lost=self.order_lost,
        )
        self.state, alerts = judged(self.account, self.state, look, self.now())
        if self.recording.unestablished and not self.state.unestablished:
            self.state = replace(self.state, unestablished=True)
        changed_at = self.state.changed_at
        if changed_at is None or (self.recording.transitions and (self.state != self.before or self._is_old(changed_at))):
            self.state = replace(self.state, changed_at=self.now())
        if alerts:
            self.tell_operators(alerts)
        self.accounts.save(self.account, self.before, self.state)
        pause = pause_after(self.report.error or self.recording.asked_too_often)
        if pause is not None:
            self.accounts.pause(self.account, self.now() + pause)

    # Small things.

    @property
    def _pages_per_poll(self) -> int:
        return self._option("pages_per_poll", PAGES_PER_POLL)

    def _option(self, name: str, default: int) -> int:
        return self.provider.account.count(name, default)

    def _is_old(self, moment: datetime) -> bool:
        return self.now() - moment >= timedelta(hours=1)

    def _out_of_time(self) -> bool:
        return self.seconds_left() < TIME_TO_STOP


def _is_unestablished(known: Known | None) -> bool:
    return known is not None and known.sequence == 0


def _shuffled(video_ids: Sequence[str]) -> list[str]:
    return random.sample(video_ids, len(video_ids))
