"""An account's key and options, as they lie in Parameter Store."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from renderbell.errors import BadInputError
from renderbell.video import AccountName

OPTIONS: Mapping[str, str] = {
    "base_url": "another address for the provider's API (https, or http on this machine)",
    "api_version": "HeyGen: v3 (default) or v1",
    "folder_id": "HeyGen: only the videos of this folder",
    "email": "PixVerse: which PixVerse account, needed at useapi.net with more than one",
    "unique_id": "Memories.ai: the namespace of the videos (default: default)",
    "usable_when": "VideoGen: a file is completed when its `download` is ready (default) or `any` rendition is",
    "include_project_files": "VideoGen: watch files inside projects too (true or false, default false)",
    "deleted_when": "Tavus: a video that left the listing is deleted when by id it is `not_found` (default) or `refused` (400)",
    "hot_interval": "seconds between looks while something is in flight (5 to 900, default 15)",
    "full_sweep_minutes": "minutes between full sweeps of the listing (default 60)",
    "pages_per_poll": "pages of a full sweep that one poll may read (from 2, default 10)",
    "stalled_hours": "hours in flight after which a video is called stalled (default 24)",
    "page_size": "rows asked for in one request (default: the provider's best documented size)",
    "lookups_per_poll": "by-id requests one poll may make (default 50)",
    "resting_lookups": "VideoGen: look-ups a poll makes for files that do not seem to have changed (default 1)",
    "announce_existing": "ring for videos that were done before the first look, too (true or false, default false)",
}
"""Every option an account may carry, with the sentence that explains it."""

COUNTS: Mapping[str, tuple[int, int]] = {
    "page_size": (1, 1000),
    "lookups_per_poll": (1, 1000),
    "resting_lookups": (0, 1000),
    "hot_interval": (5, 900),
    "full_sweep_minutes": (1, 7 * 24 * 60),
    "pages_per_poll": (2, 1000),  # two, for Tavus's first page may come twice
    "stalled_hours": (1, 31 * 24),
}
"""Options that are whole numbers, with the least and the most each may be."""

WAYS = ("api_version", "base_url")
"""Options that change how an account's videos are asked for, not which they are."""

SCOPES = ("email", "folder_id", "include_project_files", "unique_id")
"""Options that change which videos an account has."""

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One API key and how to use it. `repr` shows neither the key nor the options."""

    name: AccountName
    key: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, name: AccountName, value: str) -> Self:
        """Read a parameter's value: the bare key, or a JSON object with `key` and options.

        Raises BadInputError naming the account and the option, never the value.
        """
        stripped = value.strip()
        if not stripped.startswith("{"):
            return cls.of(name, stripped, {})
        try:
            fields = json.loads(stripped)
        except ValueError:
            raise BadInputError(f"{name}: the stored value begins like JSON but is not valid JSON") from None
        key = fields.pop("key", None)
        return cls.of(name, key if isinstance(key, str) else "", fields)

    @classmethod
    def of(cls, name: AccountName, key: str, options: Mapping[str, Any]) -> Self:
        """Check a key and options. Raises BadInputError as `parse` does."""
        if not key.strip():
            raise BadInputError(f"{name}: there is no API key")
        if not (key.isascii() and key.isprintable()):
            raise BadInputError(f"{name}: the API key holds characters that no HTTP header can carry")
        for option in options:
            if option not in OPTIONS:
                raise BadInputError(f"{name}: unknown option {option!r}; known are {', '.join(OPTIONS)}")
        account = cls(name=name, key=key.strip(), options={k: _plain(v) for k, v in options.items() if v is not None})
        account._check()
        return account

    def dump(self) -> str:
        """Return the text that `parse` reads back."""
        as_json = self.options or self.key.startswith("{")
        return json.dumps({"key": self.key, **self.options}) if as_json else self.key

    def option(self, name: str, default: str) -> str:
        return self.options.get(name, default)

    def count(self, name: str, default: int) -> int:
        return int(self.options.get(name, default))

    def switch(self, name: str, *, default: bool = False) -> bool:
        return self.options.get(name, str(default)).lower() == "true"

    @property
    def way(self) -> str:
        """A mark that changes with the key and with how it is used. It is a hash, and too short a one to test keys against."""
        return _mark(self.key, *(self.options.get(name, "") for name in WAYS))

    @property
    def scope(self) -> str:
        """A mark that changes with the options that say which videos are meant."""
        return _mark(*(self.options.get(name, "") for name in SCOPES))

    def _check(self) -> None:
        for option, (least, most) in COUNTS.items():
            said = self.options.get(option, str(least))
            if not (said.isascii() and said.isdecimal() and len(said) < 10 and least <= int(said) <= most):  # noqa: PLR2004
                raise BadInputError(f"{self.name}: option {option} must be a whole number from {least} to {most}")
        for option in ("include_project_files", "announce_existing"):
            self._check_choice(option, {"true", "false"})
        self._check_choice("api_version", {"v1", "v3"})
        self._check_choice("usable_when", {"download", "any"})
        self._check_choice("deleted_when", {"not_found", "refused"})
        if "base_url" in self.options:
            self._check_base_url()

    def _check_choice(self, option: str, choices: set[str]) -> None:
        if option in self.options and self.options[option].lower() not in choices:
            raise BadInputError(f"{self.name}: option {option} must be one of {', '.join(sorted(choices))}")

    def _check_base_url(self) -> None:
        try:
            url = urlsplit(self.options["base_url"])
            host = url.hostname or ""
            _ = url.port
        except ValueError:
            raise BadInputError(f"{self.name}: option base_url is not a URL") from None
        if not host or not (url.scheme == "https" or (url.scheme == "http" and host in LOCAL_HOSTS)):
            raise BadInputError(
                f"{self.name}: option base_url must begin with https:// (http:// only for this machine), "
                "so that the key never travels in the open"
            )


def _mark(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
