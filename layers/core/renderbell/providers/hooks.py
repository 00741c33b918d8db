"""The word for a URL that a provider calls whenever anything happens in an account."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook as its provider registered it. The secret, by which its calls may be verified, is told only then."""

    hook_id: str
    secret: str | None = field(repr=False)
