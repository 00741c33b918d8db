"""Takes a provider's own call as a reason to look at that account now. What the call says is neither believed nor kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from renderbell.errors import BadInputError
from renderbell.parameters import Parameters
from renderbell.queues import PollMessage, Queue
from renderbell.store.accounts import Accounts
from renderbell.video import AccountName

MAX_BODY: Final = 1024 * 1024


class Verdict(Enum):
    """What became of a call, and the HTTP status that says so."""

    LOOKING = 200
    """A look is on its way, or was already."""
    UNSIGNED = 401
    UNKNOWN = 404
    """No such account, no such token: nobody learns which."""
    TOO_LARGE = 413


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    parameters: Parameters
    accounts: Accounts
    queue: Queue
    now: Callable[[], datetime]

    def take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[Verdict, AccountName | None]:
        """Judge one call to `/PROVIDER/ACCOUNT/TOKEN`, and look if it is good; say whose it was where it was anybody's.

        HeyGen asks by OPTIONS whether the URL is there, which is no reason to look. Header names are lower case.
        """
        if len(body) > MAX_BODY:
            return Verdict.TOO_LARGE, None
        account, token = _read(path)
        # A token that was never given out is refused before anything is asked for: guessing costs nobody anything.
        tokens = self.parameters.tokens()
        if account is None or tokens is None or not tokens.may_be_hint(account, token):
            return Verdict.UNKNOWN, None
        doorbell = self.parameters.doorbell(account)
        if doorbell is None or not doorbell.opens_to(token):
            return Verdict.UNKNOWN, None
        if method == "OPTIONS":
            return Verdict.LOOKING, account
        if not doorbell.trusts(headers, body):
            return Verdict.UNSIGNED, account
        delay = self.accounts.claim_hint(account, self.now())
        if delay is not None:
            self.queue.send([PollMessage(account=account, hinted=1)], delay=delay)
        return Verdict.LOOKING, account


def _read(path: str) -> tuple[AccountName | None, str]:
    parts = path.strip("/").split("/")
    try:
        return (AccountName.parse(f"{parts[0]}/{parts[1]}"), parts[2]) if len(parts) == 3 else (None, "")  # noqa: PLR2004
    except BadInputError:
        return None, ""
