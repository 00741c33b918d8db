"""What `fetch` answers: a video's URL as its provider gives it now, or why there is none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from renderbell.errors import BadInputError, NotFoundError, ProviderError, RateLimitedError
from renderbell.values import iso
from renderbell.video import Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """`error` is a word (`not_found`, `rate_limited`, ...) that `message` explains; None when asking worked."""

    status: str | None = None
    url: str | None = None
    url_expires_at: str | None = None
    error: str | None = None
    message: str | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, seen: Sighting) -> Self:
        gone = "the provider says that there is no such video" if seen.not_found else None
        return cls(
            status=seen.status.value,
            url=seen.url,
            url_expires_at=iso(seen.url_expires_at),
            error=NotFoundError.kind if gone else None,
            message=gone,
        )

    @classmethod
    def missing(cls, error: BadInputError | ProviderError) -> Self:
        kind = error.kind if isinstance(error, ProviderError) else "not_watched"
        wait = error.retry_after if isinstance(error, RateLimitedError) else None
        return cls(error=kind, message=str(error), retry_after=wait)

    def fields(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read what `fields` wrote. Raises TypeError for anything else."""
        return cls(**answer)
