"""The words everything else is written in: provider, account, status, sighting."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from renderbell.errors import BadInputError


class Status(StrEnum):
    """Where a video stands, in Renderbell's words, whatever its provider calls it."""

    QUEUED = "queued"
    GENERATING = "generating"
    COMPLETED = "completed"
    FAILED = "failed"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    """A word that no provider's table names: never final, so the video stays watched."""

    @property
    def final(self) -> bool:
        return self in {Status.COMPLETED, Status.FAILED, Status.DELETED}


ACCOUNT_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
"""What an SSM parameter name may hold between its slashes."""


@dataclass(frozen=True, slots=True, order=True)
class AccountName:
    """One API key at one provider, written `heygen/marketing`."""

    provider: str
    name: str = "default"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `heygen/marketing`, or `heygen` for `heygen/default`.

        Raises BadInputError for anything else.
        """
        provider, _, name = text.partition("/")
        name = name or "default"
        if not provider or not (set(provider) | set(name)) <= ACCOUNT_NAME_CHARACTERS:
            raise BadInputError(
                f"{text!r} is not an account: write PROVIDER/NAME with letters, digits, '-', '_' and '.', "
                "for example heygen/marketing"
            )
        return cls(provider, name)

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a listing or a by-id look-up says of one video at one moment.

    `video_id` is the provider's own id, unchanged. `provider_status` is the provider's word as it came.
    `url` is set only on a completed video: several providers fill it long before the video can be played.
    Times are aware and in UTC.
    """

    video_id: str
    status: Status
    provider_status: str | None = None
    title: str | None = None
    url: str | None = None
    thumbnail_url: str | None = None
    url_expires_at: datetime | None = None
    error: str | None = None
    duration_seconds: float | None = None
    created_at: datetime | None = None
    conclusive: bool = True
    """False when the listing cannot know better (VideoGen before hydration): ask by id before believing it."""
    strange: frozenset[str] = frozenset()
    """Words of parts of it that no table names, where they do not decide its status."""
    by_id: bool = False
    """True for what a look-up found rather than the listing."""
    not_found: bool = False
    """True for the answer to a look-up that says there is no such video: believed only when full sweeps missed it, too."""
