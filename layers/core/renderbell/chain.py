"""When an account is looked at between the ticks of its schedule: while videos are in flight, and when its provider calls."""

import math
from datetime import datetime, timedelta
from typing import Final

LONGEST_DELAY: Final = timedelta(seconds=900)
"""The longest SQS keeps a message back."""

WITHOUT_A_TICK: Final = timedelta(minutes=1)
"""How long looks go on that no schedule began (a hint, a person): its next tick is not known, and comes soon."""


def looks(
    now: datetime, tick_ends: datetime | None, interval: timedelta, queued_until: datetime | None = None
) -> tuple[list[timedelta], datetime]:
    """Return the delays of the looks until the next tick, beyond those that are queued already, and until when they reach.

    They are queued all at once, by the poll that a tick began, and queue nothing themselves: so a chain ends by itself, and
    a look that comes twice is one look more, not a second chain.
    """
    until = min(tick_ends or now + WITHOUT_A_TICK, now + LONGEST_DELAY)
    delays, at = [], interval
    while now + at < until - interval / 2:
        # None of the queued ones is in the last half interval before their end.
        if queued_until is None or now + at >= queued_until - interval / 2:
            delays.append(at)
        at += interval
    return delays, until


HINT_GAP: Final = timedelta(seconds=5)
"""The least time between two looks that hints cause."""

FOLLOW_UPS: Final = (2, 3, 10)
"""Seconds from one look after a hint to the next, as long as no end is found: 2, 5 and 15 s after the first. A provider may
call before its listing shows what it calls for."""


def look_for_hint(now: datetime, free_from: datetime | None) -> tuple[int, datetime] | None:
    """Return in how many seconds to look because of a hint that came now, and from when the next hint is free to cause a look.

    `free_from` is what the hint before it left. The first of a burst causes a look at once, the second one that begins when
    HINT_GAP is over, and None says that this one comes before that look: it sees what the hint is about.
    """
    if free_from is None or free_from <= now:
        return 0, now + HINT_GAP
    if free_from <= now + HINT_GAP:
        return math.ceil((free_from - now).total_seconds()), free_from + HINT_GAP
    return None
