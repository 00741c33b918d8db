"""Asks a provider for one video now: the URL that its listing gave may have ended since."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx

from renderbell.errors import BadInputError, NotFoundError
from renderbell.parameters import Parameters
from renderbell.providers import provider_for
from renderbell.video import AccountName, Sighting, Status

FRESH_SECONDS: Final = 60.0
"""How long an answer is given again: a link that many open, or somebody leans on, must not use up the account's limits."""
MOST_KEPT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    parameters: Parameters
    client: httpx.Client
    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[AccountName, str], tuple[float, Sighting]] = field(default_factory=dict)

    def video(self, account: AccountName, video_id: str) -> Sighting:
        """Return what the provider says of a video, with its URL where it has one, at most a minute old.

        Raises BadInputError for an account that is not watched, NotFoundError where the provider says nothing conclusive of
        such a video, ProviderError.
        """
        kept = self._kept.get((account, video_id))
        if kept is not None and self.clock() - kept[0] < FRESH_SECONDS:
            return kept[1]
        found = self._ask(account, video_id)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[account, video_id] = self.clock(), found
        return found

    def _ask(self, account: AccountName, video_id: str) -> Sighting:
        stored = self.parameters.account(account)
        if stored is None:
            raise BadInputError(f"the account {account} is not watched")
        provider = provider_for(stored)
        seen = provider.look_up(self.client, [video_id]).get(video_id)
        if seen is None:
            raise NotFoundError("the provider says nothing of it by its id")
        return provider.complete(self.client, seen) if seen.status is Status.COMPLETED and seen.url is None else seen
