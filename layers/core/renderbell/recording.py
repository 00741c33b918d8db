"""Records what is seen of an account's videos: each sighting that changes something becomes one conditional write."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

import httpx

from renderbell.errors import ProviderError, RateLimitedError
from renderbell.page import Page
from renderbell.providers import Provider
from renderbell.transitions import FirstLook, Known, Transition, transition
from renderbell.video import AccountName, Sighting, Status

MAX_CONTESTS: Final = 10
"""How often another poll may overtake the writing of one video before this one leaves it to the next look."""


class Videos(Protocol):
    """What is asked of store.videos, which says what each promises."""

    def known(self, account: AccountName, video_ids: Sequence[str], *, consistent: bool = ...) -> Mapping[str, Known]: ...
    def in_flight(self, account: AccountName) -> Mapping[str, Known]: ...
    def unestablished(self, account: AccountName, limit: int) -> Mapping[str, Known]: ...
    def record(self, account: AccountName, change: Transition) -> bool: ...
    def record_together(self, account: AccountName, changes: Sequence[Transition]) -> Sequence[Transition]: ...
    def note_stalled(self, account: AccountName, video_id: str, known: Known, now: datetime) -> bool: ...


@dataclass(slots=True, kw_only=True)
class Recording:
    """One look's recording. `in_flight` begins as what is on record and follows what is recorded."""

    provider: Provider
    client: httpx.Client
    videos: Videos
    now: Callable[[], datetime]
    in_flight: dict[str, Known]
    first_look: FirstLook | None = None
    missed_twice: Callable[[str], bool] = lambda _: False
    transitions: list[Transition] = field(default_factory=list)
    asked_too_often: RateLimitedError | None = None
    """The provider's word that no more details are to be asked for."""
    unestablished: bool = False
    """Whether a video came by of which it is not established whether it was done before the first look."""

    @property
    def account(self) -> AccountName:
        return self.provider.account.name

    @property
    def _looks_first(self) -> bool:
        return self.first_look is not None and not self.first_look.over

    @property
    def born(self) -> Sequence[str]:
        """The videos that were recorded for the first time."""
        return [change.seen.video_id for change in self.transitions if change.previous is None and change.sequence == 1]

    def obey(self) -> None:
        """Raise the provider's word that it is asked too often, where it came when a detail was asked for."""
        if self.asked_too_often is not None:
            raise self.asked_too_often

    def known(self, video_ids: Sequence[str]) -> Mapping[str, Known]:
        """Return what is on record of these videos; those in flight have been read already."""
        flying = {video_id: self.in_flight[video_id] for video_id in video_ids if video_id in self.in_flight}
        rest = [video_id for video_id in video_ids if video_id not in flying]
        # During the first look, what stands above a known video is new: a stale read would see newness where there is none.
        return {**flying, **self.videos.known(self.account, rest, consistent=self._looks_first)} if rest else flying

    def page(self, page: Page, as_before: Container[str] = ()) -> int:
        """Record a page's transitions; return how many of its videos were on nobody's record.

        Videos that are `as_before`, when they were on record, are not read again unless they are in flight.

        From the bottom up, so that below a video on record there never is one that is not. On a first look, which relies on
        no such thing, many in one request, and from the top down.
        """
        sightings = [seen for seen in page.sightings if seen.video_id in self.in_flight or seen.video_id not in as_before]
        known = self.known([seen.video_id for seen in sightings])
        # Rows that this look recorded further up may shift down and be read before the store has caught up.
        new = {seen.video_id for seen in sightings} - known.keys() - set(self.born)
        self.unestablished |= any(one.sequence == 0 for one in known.values())
        if self._looks_first:
            self._together(page, known)
        else:
            for seen in reversed(sightings):
                self.one(seen, known.get(seen.video_id), page)
        return len(new)

    def one(self, seen: Sighting, known: Known | None, page: Page | None = None, *, above: bool = False) -> None:
        """Record the transition that `seen` makes, if any, however many others write the same video meanwhile."""
        for _ in range(MAX_CONTESTS):
            change = self._change(seen, known, page, above=above)
            if change is None:
                return
            change = self._with_url(change)
            if self.videos.record(self.account, change):
                self._note(change)
                return
            known = self.videos.known(self.account, [seen.video_id], consistent=True).get(seen.video_id)

    def _together(self, page: Page, known: Mapping[str, Known]) -> None:
        above = self._above_known(page, known) if self.provider.newest_first else frozenset()
        silent: dict[str, Transition] = {}
        for seen in page.sightings:
            change = self._change(seen, known.get(seen.video_id), page, above=seen.video_id in above)
            if change is not None and not change.rings:
                silent.setdefault(seen.video_id, change)
        written = {change.seen.video_id for change in self.videos.record_together(self.account, list(silent.values()))}
        for change in silent.values():
            if change.seen.video_id in written:
                self._note(change)
        for seen in page.sightings:
            if seen.video_id not in written:
                self.one(seen, known.get(seen.video_id), page, above=seen.video_id in above)

    def _above_known(self, page: Page, known: Mapping[str, Known]) -> frozenset[str]:
        """Return the rows above one that this first look saw before: they came since. What older looks saw tells nothing."""
        began = self.first_look.began if self.first_look else None
        ids = [seen.video_id for seen in page.sightings]
        lately = {name for name, one in known.items() if one.since is not None and began is not None and one.since >= began}
        return frozenset(ids[: max((place for place, name in enumerate(ids) if name in lately), default=0)])

    def _change(self, seen: Sighting, known: Known | None, page: Page | None, *, above: bool) -> Transition | None:
        return transition(
            known,
            seen,
            at=self.now(),
            first_look=self._by_the_clock_of(page),
            above_known=above,
            restarts=self.provider.restarts,
            missed=self.missed_twice(seen.video_id),
        )

    def _by_the_clock_of(self, page: Page | None) -> FirstLook | None:
        """Return the first look as the provider's clock has it: `created_at` is by that clock."""
        if self.first_look is None or page is None:
            return self.first_look
        return replace(self.first_look, began=self.first_look.began + page.ahead)

    def _with_url(self, change: Transition) -> Transition:
        """Ask once for what the listing lacks of a completed video. Without an answer it rings all the same."""
        seen = change.seen
        if change.rings and seen.status is Status.COMPLETED and seen.url is None and self.asked_too_often is None:
            try:
                completed = self.provider.complete(self.client, seen)
            except RateLimitedError as error:
                self.asked_too_often = error
            except ProviderError:
                return change
            else:
                return replace(change, seen=replace(completed, video_id=seen.video_id))
        return change

    def _note(self, change: Transition) -> None:
        video_id, before = change.seen.video_id, self.in_flight.pop(change.seen.video_id, None)
        self.transitions.append(change)
        if change.sequence == 0:
            self.unestablished = True
        elif not change.seen.status.final:
            before = before or Known(status=change.seen.status, sequence=0, since=change.at, created_at=change.seen.created_at)
            self.in_flight[video_id] = replace(before, status=change.seen.status, sequence=change.sequence)
