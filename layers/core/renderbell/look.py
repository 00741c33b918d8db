"""Looks at one account: reads the head of its listing, asks by id for what stands further down, records what changed.

The stream of the Videos table tells the rest. Every write is conditional and every step may be repeated, so a look can be
killed anywhere and done again, and two looks at one account may run at once.

1. The head is read until it reaches down to a video that is on record, and recorded from the bottom up: `head`. Whose
   listing it is, and whether it may ring: `first_look`.
2. What licenses a look to stop there is earned: `licence`. A full sweep, spread over looks, verifies it: `sweep`.
3. Videos in flight that were not read are asked for by id: `by_id`.
4. Nothing is concluded from what is missing, but from two full sweeps in a row and the provider's own "not found".

What is noted of the account meanwhile is in its `notebook`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import httpx

from renderbell.alerts import Alert
from renderbell.by_id import ask_for_the_rest
from renderbell.errors import AuthError, ProviderError, RateLimitedError
from renderbell.first_look import begin_first_look, see_whose_listing_it_is
from renderbell.head import forget_unasked, read_head, record_head
from renderbell.health import Findings, judged, pause_after
from renderbell.notebook import Accounts, Notebook
from renderbell.pages import Pages
from renderbell.providers import Provider, Reading
from renderbell.recording import Recording, Videos
from renderbell.report import Report, Stopped
from renderbell.scene import Scene
from renderbell.sweep import begun, sweep_on
from renderbell.transitions import Known
from renderbell.video import AccountName


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one account."""

    provider: Provider
    client: httpx.Client
    videos: Videos
    accounts: Accounts
    tell_operators: Callable[[Sequence[Alert]], None]
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    last_well: Callable[[], datetime | None] = lambda: None
    wait: Callable[[float], None] = time.sleep
    in_between: bool = False
    """Whether this look is for the sake of videos in flight: without any it does nothing."""
    may_begin: bool = True
    """Whether this look may begin a first look: not one that was queued while the account may still have been watched."""

    @property
    def account(self) -> AccountName:
        return self.provider.account.name

    def run(self) -> Report:
        """Look once and record every transition.

        An error ends the reading: what good pages showed is kept, nothing is concluded from what is missing, and the
        account's health says why until a look goes well again. Raises only what is not the provider's doing.
        """
        notebook = Notebook.open(self.account, self.accounts)
        if not notebook.state.is_due(self.now()):
            return Report(account=self.account, stopped=Stopped.PAUSED)
        if not self.may_begin and notebook.state.first_look_began_at is None:
            return Report(account=self.account, stopped=Stopped.NOT_BEGUN)
        in_flight = self.videos.in_flight(self.account)
        if self.in_between and not in_flight and not notebook.state.unfinished:
            return Report(account=self.account, stopped=Stopped.NOTHING_IN_FLIGHT)
        scene = self._scene(notebook, in_flight)
        begin_first_look(scene)
        _try(_read_listing, scene)
        if not isinstance(scene.report.error, AuthError | RateLimitedError):  # those ask us to leave the account alone
            _try(ask_for_the_rest, scene)
        forget_unasked(scene)
        _note_stalled(scene)
        self._remember(scene)
        return _reported(scene)

    def _scene(self, notebook: Notebook, in_flight: Mapping[str, Known]) -> Scene:
        return Scene(
            provider=self.provider,
            client=self.client,
            now=self.now,
            last_well=self.last_well,
            notebook=notebook,
            pages=Pages(provider=self.provider, now=self.now, seconds_left=self.seconds_left, wait=self.wait),
            recording=Recording(
                provider=self.provider, client=self.client, videos=self.videos, now=self.now, in_flight=dict(in_flight)
            ),
            report=Report(account=self.account, looks_until=notebook.state.looks_until),
        )

    def _remember(self, scene: Scene) -> None:
        """Tell operators, then write what changed, if anything did: told again after a crash, it is the same alert."""
        notebook, recording = scene.notebook, scene.recording
        notebook.state, alerts = judged(self.account, notebook.state, _found(scene), self.now())
        if recording.unestablished:
            notebook.state = replace(notebook.state, unestablished=True)
        notebook.date(self.now(), changed=bool(recording.transitions))
        if alerts:
            self.tell_operators(alerts)
        notebook.close()
        pauses = [pause for error in (scene.report.error, recording.asked_too_often) if (pause := pause_after(error))]
        if pause := max(pauses, default=None):
            self.accounts.pause(self.account, self.now() + pause)


def _try(step: Callable[[Scene], None], scene: Scene) -> None:
    try:
        step(scene)
    except ProviderError as error:
        scene.report.error, scene.report.stopped = error, Stopped(error.kind)


def _read_listing(scene: Scene) -> None:
    """Read the head, see what it may be taken for, record it, and read on where that is due."""
    notebook, reading = scene.notebook, Reading(scene.provider, scene.client)
    head = read_head(scene, reading)
    see_whose_listing_it_is(scene, head)
    full = notebook.state.full_sweep
    if not head.reached and (notebook.state.first_look_over or (full is not None and full.resumes)):
        # Before anything of it is recorded: what stands below the head is on nobody's record, and is not to be forgotten.
        notebook.keep(replace(notebook.state, full_sweep=replace(begun(scene, head), expects_new=True)))
    record_head(scene, head)
    scene.recording.obey()
    looks_first = not notebook.state.first_look_over
    if head.error is not None:
        if looks_first and notebook.state.full_sweep is None:
            notebook.state = replace(notebook.state, full_sweep=begun(scene, head))
        raise head.error
    scene.report.stopped = sweep_on(scene, reading, head) if head.reached or looks_first else Stopped.PAGE_LIMIT


def _note_stalled(scene: Scene) -> None:
    """Note what is in flight for too long. What was so at the first look is no news."""
    state, overdue = scene.notebook.state, scene.overdue()
    for video_id, known in scene.recording.in_flight.items():
        if video_id not in overdue or known.stalled:
            continue
        if not state.was_overdue_at_the_first_look(known, scene.stalled_after):
            noted = scene.recording.videos.note_stalled(scene.account, video_id, known, scene.now())
            scene.report.stalled += noted


def _found(scene: Scene) -> Findings:
    return Findings(
        error=scene.report.error,
        read_a_page=bool(scene.pages.count),
        notice=scene.pages.notice,
        unknown_words=scene.pages.unknown_words,
        order_lost=scene.report.order_lost,
    )


def _reported(scene: Scene) -> Report:
    in_flight = scene.recording.in_flight
    return replace(
        scene.report,
        pages=scene.pages.count,
        rows=scene.pages.rows,
        in_flight=len(in_flight),
        awaited=len(in_flight.keys() - scene.overdue()),
        unfinished=scene.notebook.state.unfinished,
        transitions=scene.recording.transitions,
    )
