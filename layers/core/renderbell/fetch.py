"""Asks a provider for one video now: the URL that its listing gave may have ended since."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx

from renderbell.errors import BadInputError, NotFoundError, ProviderError, RateLimitedError
from renderbell.health import MAX_PAUSE, PAUSE_RATE_LIMITED
from renderbell.parameters import Parameters
from renderbell.providers import provider_for
from renderbell.video import AccountName, Sighting, Status

FRESH_SECONDS: Final = 60.0
"""How long an answer is given again: a link that many open, or somebody leans on, must not use up the account's limits."""
ERROR_SECONDS: Final = 10.0
"""How long an error is given again: somebody who tries once more is to see that it is over."""
MOST_KEPT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    parameters: Parameters
    client: httpx.Client
    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[AccountName, str], tuple[float, Sighting | ProviderError]] = field(default_factory=dict)
    """What was answered, and until when it is given again."""

    def video(self, account: AccountName, video_id: str) -> Sighting:
        """Return what the provider says of a video, with its URL where it has one, at most a minute old.

        An error is given again for a moment, or for as long as the provider asks to be left alone.
        Raises BadInputError for an account that is not watched, NotFoundError where the provider says nothing conclusive of
        such a video, ProviderError.
        """
        kept = self._kept.get((account, video_id))
        if kept is None or kept[0] <= self.clock():
            answer = self._answer(account, video_id)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[account, video_id] = self.clock() + _kept_for(answer), answer
        if isinstance(kept[1], ProviderError):
            raise kept[1].with_traceback(None)  # which would grow each time the same error is raised
        return kept[1]

    def _answer(self, account: AccountName, video_id: str) -> Sighting | ProviderError:
        try:
            return self._ask(account, video_id)
        except ProviderError as error:
            return error

    def _ask(self, account: AccountName, video_id: str) -> Sighting:
        stored = self.parameters.account(account)
        if stored is None:
            raise BadInputError(f"the account {account} is not watched")
        provider = provider_for(stored)
        seen = provider.look_up(self.client, [video_id]).get(video_id)
        if seen is None:
            raise NotFoundError("the provider says nothing of it by its id")
        return provider.complete(self.client, seen) if seen.status is Status.COMPLETED and seen.url is None else seen


def _kept_for(answer: Sighting | ProviderError) -> float:
    if isinstance(answer, RateLimitedError):
        return min(MAX_PAUSE, answer.retry_after or PAUSE_RATE_LIMITED)
    return ERROR_SECONDS if isinstance(answer, ProviderError) else FRESH_SECONDS
