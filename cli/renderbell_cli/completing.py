"""What a shell completes: words that are known, and the accounts and endpoints of the chosen stack.

Nothing here keeps a prompt waiting: a stack that does not answer soon, or cannot be asked, completes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Final

import typer

from renderbell.account import OPTIONS
from renderbell.alerts import OPERATORS
from renderbell.endpoints import FORMATS, TOPIC
from renderbell.errors import RenderbellError
from renderbell.events import EVENT_TYPES, PROVIDER_NAMES
from renderbell_cli.stack import Stack

PATIENCE: Final = 2.0
"""Seconds that a stack is given to answer."""


def providers(incomplete: str) -> Sequence[str]:
    return _beginning(incomplete, PROVIDER_NAMES)


def formats(incomplete: str) -> Sequence[str]:
    return _beginning(incomplete, FORMATS)


def event_types(incomplete: str) -> Sequence[str]:
    """Complete the last of several that stand with commas between them."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{word}" for word in _beginning(last, EVENT_TYPES)]


def options(incomplete: str) -> Sequence[str]:
    return _beginning(incomplete, (f"{name}=" for name in OPTIONS))


def accounts(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _beginning(incomplete, _asked(context, _account_names))


def accounts_to_set(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Complete those there are, and the beginnings of new ones."""
    return _beginning(incomplete, [*_asked(context, _account_names), *(f"{provider}/" for provider in PROVIDER_NAMES)])


def endpoints(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _beginning(incomplete, _asked(context, _endpoint_ids))


def receivers(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Complete endpoints, and the SNS topics that are none but have deliveries, too."""
    return _beginning(incomplete, [TOPIC, OPERATORS, *_asked(context, _endpoint_ids)])


def _account_names(stack: Stack) -> Iterable[str]:
    return map(str, stack.parameters.account_names())


def _endpoint_ids(stack: Stack) -> Iterable[str]:
    return [endpoint.endpoint_id for endpoint in stack.endpoints.all()]


def _asked(context: typer.Context, question: Callable[[Stack], Iterable[str]]) -> Sequence[str]:
    found: list[str] = []

    def ask() -> None:
        from renderbell_cli.trouble import AWS_ERRORS

        with suppress(RenderbellError, *AWS_ERRORS):
            found.extend(question(_stack(context)))

    asking = Thread(target=ask, daemon=True)  # one that is still waiting for AWS does not keep the process
    asking.start()
    asking.join(PATIENCE)
    return found


def _stack(context: typer.Context) -> Stack:
    """Return the stack that was chosen so far, before the command or behind it: a completion runs no callback."""
    own, before = context.params, context.find_root().params
    local = bool(own.get("local") or before.get("local_"))
    return Stack.open(context, local=local, name=own.get("stack") or before.get("stack"))


def _beginning(incomplete: str, words: Iterable[str]) -> Sequence[str]:
    return [word for word in words if word.startswith(incomplete)]
