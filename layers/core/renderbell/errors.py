"""Everything that can go wrong on purpose. The type says what the caller should do.

RenderbellError
├── BadInputError            a person or a program gave something unusable: say so, change nothing
│   ├── NotOnRecordError     it names a video, an endpoint, a delivery or an account that there is not
│   └── NotEndedError        it is for videos that have ended, and this one has not
├── UnsafeUrl                an endpoint points where Renderbell must not connect: never dial it
│   └── HostNotFoundError    nothing to dial: its name has no address, at least not now
└── ProviderError            a provider did not give what was asked; `kind` names it in one word
    ├── AuthError            the key is refused: tell the operators, ask less often
    ├── RateLimitedError     asked too often: wait `retry_after` seconds
    ├── NotFoundError        no such video, or no such listing
    ├── ProviderFaultError   the provider's own trouble, or no connection: try again at the next tick
    └── BadResponseError     an answer that cannot be read as documented: believe nothing in it
"""

import re
from typing import ClassVar, Final

E_MAIL: Final = re.compile(r"\S+(?:@|%40)\S+", re.IGNORECASE)


class RenderbellError(Exception):
    """Root of everything Renderbell raises on purpose."""


class BadInputError(RenderbellError):
    pass


class NotOnRecordError(BadInputError):
    pass


def no_endpoint(endpoint_id: str) -> NotOnRecordError:
    return NotOnRecordError(f"there is no endpoint {endpoint_id!r}")


class NotEndedError(BadInputError):
    pass


class UnsafeUrl(RenderbellError):  # noqa: N818 - the name that was asked for; it reads as the verdict it is
    """`str()` of it is the reason, in words for the person who set the URL."""


class HostNotFoundError(UnsafeUrl):
    pass


class ProviderError(RenderbellError):
    """`str()` of it is one line, safe to log: the account's key is never in it, nor is an e-mail address."""

    kind: ClassVar[str] = "provider_error"

    def __init__(self, message: str, *, http_status: int | None = None) -> None:
        super().__init__(" ".join(E_MAIL.sub("***@***", message).split())[:500])
        self.http_status = http_status

    @property
    def refused(self) -> bool:
        """Whether the provider found fault with what it was asked, and not with itself."""
        return self.http_status is not None and 400 <= self.http_status < 500  # noqa: PLR2004 - the 4xx class


class AuthError(ProviderError):
    kind = "auth"


class RateLimitedError(ProviderError):
    kind = "rate_limited"

    def __init__(self, message: str, *, http_status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, http_status=http_status)
        self.retry_after = retry_after
        """Seconds the provider asked us to wait; None when it did not say."""


class NotFoundError(ProviderError):
    kind = "not_found"

    def __init__(self, message: str, *, http_status: int | None = None, by_provider: bool = True) -> None:
        super().__init__(message, http_status=http_status)
        self.by_provider = by_provider
        """Whether the provider itself said so; False for a bare 404 that any gateway on the way may have made."""


class ProviderFaultError(ProviderError):
    kind = "provider_error"


class BadResponseError(ProviderError):
    kind = "bad_response"
