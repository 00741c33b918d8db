"""What a look did, and why it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from renderbell.errors import ProviderError
from renderbell.transitions import Transition
from renderbell.video import AccountName


class Stopped(StrEnum):
    """Why a look ended. An error ends it under the error's own `kind`."""

    REMOVED = "removed"
    PAUSED = "paused"
    NOT_BEGUN = "not begun"
    """It may not begin a first look, and there was none."""
    NOTHING_IN_FLIGHT = "nothing in flight"

    ACCOUNTED_FOR = "accounted for"
    """Nothing new can be hiding further down, see Licence."""
    END_OF_LIST = "end of list"
    PAGE_LIMIT = "page limit"
    OUT_OF_TIME = "out of time"

    SETTINGS = "settings"
    """The account's stored value cannot be used."""
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    PROVIDER_ERROR = "provider_error"
    BAD_RESPONSE = "bad_response"

    @property
    def idle(self) -> bool:
        """Whether it ended, and for no error, before the provider was asked for anything."""
        return self in {Stopped.REMOVED, Stopped.PAUSED, Stopped.NOT_BEGUN, Stopped.NOTHING_IN_FLIGHT}


@dataclass(slots=True, kw_only=True)
class Report:
    """What a look did: its steps write it down as they go, so that an error loses nothing of it."""

    account: AccountName
    stopped: Stopped = Stopped.ACCOUNTED_FOR
    pages: int = 0
    rows: int = 0
    lookups: int = 0
    surprises: int = 0
    stalled: int = 0
    in_flight: int = 0
    awaited: int = 0
    """Those in flight that are not overdue. While there are any, the account is looked at again soon."""
    unfinished: bool = False
    looks_until: datetime | None = None
    """Until when looks were queued as it began."""
    order_lost: str | None = None
    """Why the licence was lost, if it was."""
    error: ProviderError | None = None
    """Why the listing could not be read, or why the provider wants to be left alone."""
    lookup_error: ProviderError | None = None
    transitions: Sequence[Transition] = ()
