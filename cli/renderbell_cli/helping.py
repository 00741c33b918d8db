"""How commands explain themselves: what an option takes is named in words, not by Python's types."""

from collections.abc import Callable
from enum import Enum
from typing import Any, override

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

PYDANTIC: str = "Value error, "
"""How Typer's library begins what it says of a wrong word."""


class Command(TyperCommand):
    @override
    def get_params(self, ctx: Any) -> list[Any]:
        return [_named(one) for one in super().get_params(ctx)]

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(PYDANTIC)
            raise


class Group(TyperGroup):
    @override
    def get_params(self, ctx: Any) -> list[Any]:
        return [_named(one) for one in super().get_params(ctx)]


class App(typer.Typer):
    """A Typer whose commands explain themselves so."""

    def __init__(self, **named: Any) -> None:
        super().__init__(cls=Group, no_args_is_help=True, **named)

    @override
    def command(self, name: str | None = None, **named: Any) -> Callable[..., Any]:
        return super().command(name, cls=Command, **named)


def _named(param: Any) -> Any:
    if isinstance(param, TyperArgument):
        param.display_type_rich = _nothing  # type: ignore[method-assign] # its name says it
    elif isinstance(param, TyperOption) and param.metavar is None:
        param.metavar = "" if param.is_flag else str(param.name).rstrip("_").upper()
    return param


def _nothing(ctx: Any) -> None:
    del ctx


def choices(words: type[Enum]) -> str:
    return ", ".join(str(one.value) for one in words)
