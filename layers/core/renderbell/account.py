"""An account's key and options, as they lie in Parameter Store."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urlsplit

from renderbell.errors import BadInputError
from renderbell.video import AccountName


@dataclass(frozen=True, slots=True)
class Option:
    """One option of an account: what it means, its default, and the values it may have."""

    meaning: str
    default: str = ""
    least: int = 0
    most: int | None = None
    """The greatest whole number it may be; None where it is none."""
    words: Sequence[str] = ()
    """All that it may be, where it is a word."""

    @property
    def sentence(self) -> str:
        """Its meaning, with the values it may have and its default."""
        values = " or ".join(self.words) if self.most is None else f"{self.least} to {self.most}"
        more = ", ".join(filter(None, (values, self.default and f"default {self.default}")))
        return f"{self.meaning} ({more})" if more else self.meaning


SWITCH: Final = ("true", "false")
OPTIONS: Final[Mapping[str, Option]] = {
    "base_url": Option("another address for the provider's API (https, or http on this machine)"),
    "api_version": Option("HeyGen: the version of its API", "v3", words=("v3", "v1")),
    "folder_id": Option("HeyGen: only the videos of this folder"),
    "email": Option("PixVerse: which PixVerse account, needed at useapi.net with more than one"),
    "unique_id": Option("Memories.ai: the namespace of the videos", "default"),
    "usable_when": Option(
        "VideoGen: what has to be ready for a file to be completed, its download or any rendition",
        "download",
        words=("download", "any"),
    ),
    "include_project_files": Option("VideoGen: watch files inside projects, too", "false", words=SWITCH),
    "deleted_when": Option(
        "Tavus: how a look-up by id says that a video which left the listing is deleted (refused: HTTP 400)",
        "not_found",
        words=("not_found", "refused"),
    ),
    "hot_interval": Option("seconds between looks while something is in flight", "15", 5, 900),
    "full_sweep_minutes": Option("minutes between full sweeps of the listing", "60", 1, 7 * 24 * 60),
    # At least two: Tavus's first page may come twice.
    "pages_per_poll": Option("pages of a full sweep that one poll may read", "10", 2, 1000),
    "stalled_hours": Option("hours in flight after which a video is called stalled", "24", 1, 31 * 24),
    "page_size": Option("rows asked for in one request; the provider's best documented size, if not set", "", 1, 1000),
    "lookups_per_poll": Option("by-id requests one poll may make", "50", 1, 1000),
    "resting_lookups": Option("VideoGen: look-ups a poll makes for files that do not seem to have changed", "1", 0, 1000),
    "announce_existing": Option("ring for videos that were done before the first look, too", "false", words=SWITCH),
}
"""Every option an account may carry."""

WAYS: Final = ("api_version", "base_url")
"""Options that change how an account's videos are asked for, not which they are."""

SCOPES: Final = ("email", "folder_id", "include_project_files", "unique_id")
"""Options that change which videos an account has."""

LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


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
        account = cls(name=name, key=key.strip(), options={k: _plain(k, v) for k, v in options.items() if v is not None})
        account._check()
        return account

    def dump(self) -> str:
        """Return the text that `parse` reads back."""
        as_json = self.options or self.key.startswith("{")
        return json.dumps({"key": self.key, **self.options}) if as_json else self.key

    def option(self, name: str) -> str:
        """Return an option as it is set, else its default; it is empty where it has none."""
        return self.options.get(name, OPTIONS[name].default)

    def count(self, name: str) -> int:
        return int(self.option(name))

    def switch(self, name: str) -> bool:
        return self.option(name) == "true"

    @property
    def way(self) -> str:
        """A mark that changes with the key and with how it is used. It is a hash, and too short a one to test keys against."""
        return _mark(self.key, *(self.options.get(name, "") for name in WAYS))

    @property
    def scope(self) -> str:
        """A mark that changes with the options that say which videos are meant."""
        return _mark(*(self.options.get(name, "") for name in SCOPES))

    def _check(self) -> None:
        for name, said in self.options.items():
            option = OPTIONS[name]
            if option.words and said not in option.words:
                raise BadInputError(f"{self.name}: option {name} must be one of {', '.join(sorted(option.words))}")
            if option.most is not None and not _is_between(said, option.least, option.most):
                raise BadInputError(f"{self.name}: option {name} must be a whole number from {option.least} to {option.most}")
        if "base_url" in self.options:
            self._check_base_url()

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


def _plain(name: str, value: Any) -> str:
    plain = str(value).strip()
    return plain.lower() if OPTIONS[name].words or isinstance(value, bool) else plain


def _is_between(said: str, least: int, most: int) -> bool:
    return said.isascii() and said.isdecimal() and len(said) <= len(str(most)) and least <= int(said) <= most
