"""Who receives events: a URL, what it wants to hear of, and how it has been answering."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from renderbell.deliveries import GONE_REASON, Outcome
from renderbell.errors import BadInputError
from renderbell.events import EVENT_TYPES, Event
from renderbell.signing import PREFIX, Secrets
from renderbell.video import AccountName

TOPIC: Final = "topic"
"""The endpoint every stack has: its SNS topic `video-events`. It wants everything; its subscribers filter by attributes."""

STANDARD: Final = "standard"
CHATS: Final = ("slack", "discord")
FORMATS: Final = (STANDARD, *CHATS)
"""Signed webhooks, or messages to an incoming webhook of Slack or Discord, whose URL is a secret."""

DISABLED_AFTER: Final = timedelta(days=3)
"""How long an endpoint may fail without pause until it is disabled."""
WARNINGS: Final = ((timedelta(hours=1), "failing_for_an_hour"), (timedelta(hours=24), "failing_for_a_day"))
PROBE_EVERY: Final = timedelta(hours=1)
PROBE_GONE: Final = timedelta(hours=12)
RELEASED_A_SECOND: Final = 10.0
"""How fast held events are sent to an endpoint that has set no rate."""

QUICK: Final = 2.0
"""Seconds within which a good receiver answers. One that needs longer is not called more often than it can bear."""
AT_ONCE: Final = 3
"""Attempts that run at one time at an endpoint that is slow."""
UNPROVEN_GAP: Final = 5.0
"""Seconds between two attempts at an endpoint that has not answered yet. No power of two, as the gaps learnt from answers are:
so `is_doubtful` knows it again."""
MAX_GAP: Final = 60.0
"""Seconds between two attempts at an endpoint that does not answer at all."""
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE: Final = re.compile(r"[!-~]([ \t!-~]{0,2000}[!-~])?")
OURS: Final = frozenset(
    {
        *("content-type", "content-length", "content-encoding", "user-agent", "host", "date", "accept-encoding"),
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
    }
)
OURS_BEGIN: Final = ("webhook-", "proxy-", "sec-", "svix-")
HIDDEN: Final = "***"
SHORTEST: Final = 6
"""Characters of what is hidden where a receiver repeats it. What is shorter is a word like `prod`, and no secret."""
SHORTEST_STEP: Final = 12
"""Characters of one step of a secret path that are hidden by themselves: a token, which gives away any address it stands in."""
TROUBLED: Final = frozenset({None, 429, 502, 503, 504})
"""Statuses, and no answer at all, that mean: not now. Other refusals are answers like any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A URL that receives events. An empty filter lets everything through.

    `gap` is the number of seconds between two attempts, learnt from how long answers take; 0 means that it keeps up.
    """

    endpoint_id: str
    url: str
    """As it is shown. The URL of a chat's incoming webhook is a secret: here stands only where it is."""
    events: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    allow_http: bool = False
    description: str | None = None
    format: str = STANDARD
    rate: float | None = None
    """The most events a second that it wants."""
    created_at: datetime | None = None
    removed_at: datetime | None = None
    """When a person removed it. It is remembered for as long as deliveries to it are."""

    paused_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    held_at: datetime | None = None
    """When an event was held last, as long as there may be held ones."""
    probed_at: datetime | None = None
    failing_since: datetime | None = None
    """When the first attempt failed since the last one that did not."""
    last_failure: str | None = None
    taken_at: datetime | None = None
    """When it took the first event after one that it did not take, or after it was added or opened. None when it never did.

    What it took later is not written down: so nothing is written as long as all goes well."""
    warned: int = 0
    """How many of the warnings of this failure operators have had."""
    gap: float = UNPROVEN_GAP

    def wants(self, event: Event) -> bool:
        """Say whether `event` passes this endpoint's filters. One that rests still wants: its events are held."""
        return (
            (not self.events or event.type in self.events)
            and (not self.providers or event.account.provider in self.providers)
            and (not self.accounts or str(event.account) in self.accounts)
        )

    @property
    def rests(self) -> str | None:
        """Return why no event is sent to it now, None when it is open."""
        if self.paused_at is not None:
            return "the endpoint is paused"
        return f"the endpoint is disabled: {self.disabled_reason}" if self.disabled_at is not None else None

    @property
    def seconds_between(self) -> float:
        """Return how far apart its attempts begin; 0 when they need not take turns."""
        return max(self.gap, 1 / self.rate if self.rate else 0.0)

    @property
    def bears(self) -> float:
        """Return how many held events a second it may be sent: what it asked for, or less where it is known to be slow.

        Of a doubtful one nothing is known: whoever sends bounds the number instead (AT_ONCE).
        """
        asked = self.rate or RELEASED_A_SECOND
        return min(asked, 1 / self.gap) if self.gap and not self.is_doubtful else asked

    @property
    def is_doubtful(self) -> bool:
        """Whether it is not known yet if it keeps up: it is new, or did not answer just once."""
        return self.gap == UNPROVEN_GAP

    @property
    def state(self) -> str:
        """How it fares, in a word: `paused`, `disabled`, `failing` or `active`."""
        if self.paused_at is not None:
            return "paused"
        if self.disabled_at is not None:
            return "disabled"
        return "active" if self.failing_since is None else "failing"

    def after(self, outcome: Outcome, now: datetime) -> Self:
        """Return this endpoint after an attempt: whether it fails, and how often it may be called."""
        gap = gap_after(self.gap, outcome)
        if outcome.delivered:
            # Added or opened it is unproven, and no success leaves it that.
            is_news = self.failing_since is not None or gap != self.gap
            taken_at = now if is_news else self.taken_at
            return replace(self, gap=gap, taken_at=taken_at, failing_since=None, last_failure=None, warned=0)
        return replace(self, gap=gap, failing_since=self.failing_since or now, last_failure=outcome.in_words)

    def watched(self, now: datetime) -> tuple[Self, str | None]:
        """Return this endpoint as time has it, and what to tell operators: that it fails for an hour, a day, three days."""
        failing = now - self.failing_since if self.failing_since is not None and self.rests is None else timedelta()
        if failing >= DISABLED_AFTER:
            return self.disabled(f"failed for three days: {self.last_failure}", now), "disabled"
        due = sum(failing >= after for after, _ in WARNINGS)
        return (replace(self, warned=due), WARNINGS[due - 1][1]) if due > self.warned else (self, None)

    def may_be_probed(self, now: datetime) -> bool:
        """Say whether it is time to see if a disabled endpoint answers again. One that said it is gone is asked less often."""
        if self.paused_at is not None or self.disabled_at is None:
            return False
        return now - (self.probed_at or self.disabled_at) >= self._probe_every

    def probes_before(self, now: datetime) -> int:
        """Return how many times a disabled endpoint could have been probed before this time: the first probe finds 0."""
        return 0 if self.disabled_at is None else max(0, (now - self.disabled_at) // self._probe_every - 1)

    @property
    def _probe_every(self) -> timedelta:
        return PROBE_GONE if self.disabled_reason == GONE_REASON else PROBE_EVERY

    def disabled(self, reason: str, now: datetime) -> Self:
        return replace(self, disabled_at=self.disabled_at or now, disabled_reason=self.disabled_reason or reason)

    def opened(self) -> Self:
        """Return this endpoint as it is when a person resumes it, or a probe got through: as if new."""
        return replace(
            self,
            paused_at=None,
            disabled_at=None,
            disabled_reason=None,
            probed_at=None,
            failing_since=None,
            last_failure=None,
            warned=0,
            gap=UNPROVEN_GAP,
        )


def gap_after(gap: float, outcome: Outcome) -> float:
    """Return the seconds between attempts after one more outcome.

    A quick answer frees the endpoint. A slow one has so many seconds between attempts that AT_ONCE run at a time, in powers
    of two, so that it is seldom written anew. Where nothing answers the gap doubles.
    """
    seconds = outcome.milliseconds / 1000
    if outcome.http_status in TROUBLED:
        return min(MAX_GAP, max(UNPROVEN_GAP, gap * 2))
    return 0.0 if seconds <= QUICK else min(MAX_GAP, 2.0 ** math.ceil(math.log2(seconds / AT_ONCE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What an endpoint has that must stand in no table: its signing secrets, its headers, the URL of a chat."""

    secrets: Secrets
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str | None = field(default=None, repr=False)

    def dump(self) -> str:
        return json.dumps({**self.secrets.fields(), "headers": dict(self.headers), "url": self.url})

    @classmethod
    def parse(cls, value: str) -> Self:
        stored = json.loads(value)
        return cls(secrets=Secrets.read(stored), headers=stored.get("headers", {}), url=stored.get("url"))

    def hidden(self, text: str) -> str:
        """Return what a receiver said, with *** wherever it repeats what is private here, as it stands or in JSON."""
        found = sorted(self._secret_texts(), key=len, reverse=True)
        pattern = "|".join(re.escape(one).replace("/", r"\\?/") for one in found)  # JSON may write a slash as \/
        return re.sub(pattern, HIDDEN, text, flags=re.IGNORECASE) if found else text

    def _secret_texts(self) -> set[str]:
        signing = [self.secrets.current, *(secret for secret, _ in self.secrets.retiring)]
        values = [value.strip() for value in self.headers.values()]
        credentials = [value.partition(" ")[2] for value in values]  # of "Bearer sesame"
        path = (self.url or "").partition("://")[2].partition("/")[2]
        paths = [path, unquote(path)]
        steps = {step for one in paths for step in re.split("[/?&=]", one) if len(step) >= SHORTEST_STEP}
        texts = [*signing, *(secret.removeprefix(PREFIX) for secret in signing), *values, *credentials, *paths]
        return {text for text in texts if len(text) >= SHORTEST} | steps


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that HTTP or Renderbell sets itself, and what is no header. Raises BadInputError."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise BadInputError(f"{name!r} is not a header: write NAME: VALUE in plain ASCII, on one line")
        if name.lower() in OURS or name.lower().startswith(OURS_BEGIN):
            raise BadInputError(f"the header {name} is not yours to set: Renderbell or HTTP sets it")


def shown_url(url: str, format_: str) -> str:
    """Return a URL as it may stand in a table: the path of a chat's webhook is its password."""
    if format_ not in CHATS:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    return f"{parts.scheme}://{parts.netloc}/…"


def check_filters(events: frozenset[str], providers: frozenset[str], accounts: frozenset[str], known: frozenset[str]) -> None:
    """Refuse filters that could never let an event through. `known` are the providers. Raises BadInputError."""
    for event in events - set(EVENT_TYPES):
        raise BadInputError(f"there is no event {event!r}: {', '.join(EVENT_TYPES)} are sent")
    for provider in providers - known:
        raise BadInputError(f"there is no provider {provider!r}: {', '.join(sorted(known))} are known")
    for account in accounts:
        if AccountName.parse(account).provider not in known:
            raise BadInputError(f"{account!r} is at no known provider: {', '.join(sorted(known))}")
