"""Reads what must never stand on a command line: keys. And what may: options."""

import getpass
import sys
from collections.abc import Sequence

from renderbell.errors import BadInputError


def read_key(prompt: str) -> str:
    """Return a key typed at a prompt that does not show it, or piped in on stdin."""
    key = getpass.getpass(f"{prompt}: ") if sys.stdin.isatty() else sys.stdin.read()
    if not key.strip():
        raise BadInputError("no key given: type it at the prompt, or pipe it in: `... < key.txt`")
    return key.strip()


def options_of(given: Sequence[str] | None) -> dict[str, str]:
    """Read `NAME=VALUE` options."""
    options = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise BadInputError(f"--option takes NAME=VALUE, not {name!r}")
        options[name.strip()] = value.strip()
    return options
