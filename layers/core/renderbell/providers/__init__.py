"""The five providers, by name. docs/adding-a-provider.md says what a new one needs."""

from collections.abc import Callable, Mapping
from typing import Final

from renderbell.account import Account
from renderbell.errors import BadInputError
from renderbell.page import Cursor, Page, Place
from renderbell.providers.base import Provider
from renderbell.providers.heygen import heygen
from renderbell.providers.memories import Memories
from renderbell.providers.pixverse import PixVerse
from renderbell.providers.reading import Reading
from renderbell.providers.tavus import Tavus
from renderbell.providers.videogen import VideoGen

PROVIDERS: Final[Mapping[str, Callable[[Account], Provider]]] = {
    "tavus": Tavus,
    "heygen": heygen,
    "memories": Memories,
    "videogen": VideoGen,
    "pixverse": PixVerse,
}


def provider_for(account: Account) -> Provider:
    """Return the provider that speaks for `account`. Raises BadInputError for one that nobody wrote yet."""
    name = account.name.provider
    if name not in PROVIDERS:
        raise BadInputError(f"there is no provider {name!r}: {', '.join(PROVIDERS)} are known")
    return PROVIDERS[name](account)


__all__ = ["PROVIDERS", "Cursor", "Page", "Place", "Provider", "Reading", "provider_for"]
