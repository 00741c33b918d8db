"""Who receives events: a URL and what it wants to hear of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from renderbell.errors import BadInputError
from renderbell.events import EVENT_TYPES, Event
from renderbell.video import AccountName

TOPIC: Final = "topic"
"""The endpoint every stack has: its SNS topic `video-events`. It wants everything; its subscribers filter by attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A URL that receives signed webhooks. An empty filter lets everything through."""

    endpoint_id: str
    url: str
    events: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    allow_http: bool = False
    description: str | None = None
    created_at: datetime | None = None
    disabled_reason: str | None = None

    def wants(self, event: Event) -> bool:
        """Say whether `event` passes this endpoint's filters. A disabled endpoint still wants: its events are held."""
        return (
            (not self.events or event.type in self.events)
            and (not self.providers or event.account.provider in self.providers)
            and (not self.accounts or str(event.account) in self.accounts)
        )


def check_filters(events: frozenset[str], providers: frozenset[str], accounts: frozenset[str], known: frozenset[str]) -> None:
    """Refuse filters that could never let an event through. `known` are the providers. Raises BadInputError."""
    for event in events - set(EVENT_TYPES):
        raise BadInputError(f"there is no event {event!r}: {', '.join(EVENT_TYPES)} are sent")
    for provider in providers - known:
        raise BadInputError(f"there is no provider {provider!r}: {', '.join(sorted(known))} are known")
    for account in accounts:
        if AccountName.parse(account).provider not in known:
            raise BadInputError(f"{account!r} is at no known provider: {', '.join(sorted(known))}")
