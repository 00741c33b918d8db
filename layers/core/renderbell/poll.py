"""Looks at the account that a message names: finds its key, looks once, looks again soon while it is worth it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx

from renderbell.account import Account
from renderbell.alerts import OPERATORS, Alert
from renderbell.chain import FOLLOW_UPS, looks
from renderbell.errors import BadInputError
from renderbell.http import Requests
from renderbell.look import Look
from renderbell.parameters import CACHED_FOR, Parameters
from renderbell.polled import Polled
from renderbell.providers import provider_for
from renderbell.queues import DeliveryMessage, PollMessage, Queue
from renderbell.report import Stopped
from renderbell.spending import Spent
from renderbell.store.accounts import Accounts
from renderbell.store.meter import Meter
from renderbell.store.spending import SpendingStore
from renderbell.store.videos import Videos


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    parameters: Parameters
    accounts: Accounts
    videos: Videos
    poll_queue: Queue
    delivery_queue: Queue
    client: httpx.Client
    requests: Requests
    meter: Meter
    spending: SpendingStore
    now: Callable[[], datetime]

    def look(self, message: PollMessage, seconds_left: Callable[[], float]) -> Polled:
        """Look at one account once, and count what it costs.

        An account whose key was removed meanwhile is no error. One whose stored value cannot be used stays as it is, with
        the reason as its health. Whatever the provider does ends in the account's health, too: only our own faults raise.
        """
        began, requests, reads, writes = time.monotonic(), self.requests.count, self.meter.reads, self.meter.writes
        polled = self._look(message, seconds_left)
        spent = Spent(
            polls=1,
            requests=self.requests.count - requests,
            read_units=self.meter.reads - reads,
            write_units=self.meter.writes - writes,
        )
        if not polled.stopped.idle:
            self.spending.count(message.account, spent, self.now(), well=polled.error is None)
        return replace(polled, spent=spent, milliseconds=round((time.monotonic() - began) * 1000))

    def _look(self, message: PollMessage, seconds_left: Callable[[], float]) -> Polled:
        try:
            account = self.parameters.account(message.account, message.edition)
            if account is None:
                return Polled(account=message.account, stopped=Stopped.REMOVED)
            provider = provider_for(account)
        except BadInputError as error:
            self.accounts.note_bad_settings(message.account, f"settings: {error}", self.now())
            return Polled(account=message.account, stopped=Stopped.SETTINGS, error=str(error))
        look = Look(
            provider=provider,
            client=self.client,
            videos=self.videos,
            accounts=self.accounts,
            tell_operators=self._tell_operators,
            now=self.now,
            seconds_left=seconds_left,
            last_well=lambda: self.spending.polled_well_at(message.account),
            # A hint may be about a video that was never seen in flight.
            in_between=message.in_between and not message.hinted,
            may_begin=not message.in_between and not message.hinted,
        )
        report = look.run()
        if not message.in_between and (report.awaited or report.unfinished):
            self._look_again_soon(message, account, report.looks_until)
        if 0 < message.hinted <= len(FOLLOW_UPS) and not any(change.seen.status.final for change in report.transitions):
            self._follow_up(message)
        return Polled.of(report)

    def _follow_up(self, message: PollMessage) -> None:
        """Look again soon after a hint: the provider called, and its listing shows no end as yet."""
        again = PollMessage(account=message.account, in_between=True, hinted=message.hinted + 1)
        self.poll_queue.send([again], delay=FOLLOW_UPS[message.hinted - 1])

    def _look_again_soon(self, message: PollMessage, account: Account, queued_until: datetime | None) -> None:
        """Queue all looks until the next tick that are not queued, unless another poll does.

        Where the tick is further off than a message can be delayed, a last one begins anew what this one began. That one is
        queued first: killed before the others are, the account is looked at again then, and without it at the next tick.
        """
        now, interval = self.now(), timedelta(seconds=account.count("hot_interval"))
        delays, until = looks(now, message.tick_ends, interval, queued_until)
        if queued_until is not None and until <= queued_until:
            return
        if message.tick_ends is not None and until < message.tick_ends:
            last = PollMessage(account=message.account, tick_ends=message.tick_ends)
            self.poll_queue.send([last], delay=int((until - now).total_seconds()))
        if not self.accounts.claim_looks(message.account, queued_until, until):
            return
        between = PollMessage(account=message.account, in_between=True)
        # By then a tick's word of which value is the present one is no longer to be relied upon.
        fresh, limit = replace(between, edition=message.edition), timedelta(seconds=CACHED_FOR)
        self.poll_queue.send_later((fresh if delay < limit else between, int(delay.total_seconds())) for delay in delays)

    def _tell_operators(self, alerts: Sequence[Alert]) -> None:
        self.delivery_queue.send(DeliveryMessage.of(OPERATORS, alert) for alert in alerts)
