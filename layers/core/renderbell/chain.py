"""When an account with videos in flight is looked at again before the next tick of its schedule."""

from datetime import datetime, timedelta
from typing import Final

LONGEST_DELAY: Final = timedelta(seconds=900)
"""The longest SQS keeps a message back."""

WITHOUT_A_TICK: Final = timedelta(minutes=1)
"""How long looks go on that no schedule began (a hint, a person): its next tick is not known, and comes soon."""


def looks(now: datetime, tick_ends: datetime | None, interval: timedelta) -> tuple[list[timedelta], datetime]:
    """Return the delays of the looks until the next tick, and until when they reach.

    They are queued all at once, by the poll that a tick began, and queue nothing themselves: so a chain ends by itself, and
    a look that comes twice is one look more, not a second chain.
    """
    until = min(tick_ends or now + WITHOUT_A_TICK, now + LONGEST_DELAY)
    delays, at = [], interval
    while now + at < until - interval / 2:
        delays.append(at)
        at += interval
    return delays, until
