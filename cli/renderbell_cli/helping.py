"""How commands explain themselves: what an option takes is named in words, not by Python's types."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, override

import typer
from rich.box import ROUNDED
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from renderbell.account import OPTIONS
from renderbell_cli.show import console

PYDANTIC: Final = "Value error, "
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

    @override
    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if any("--option" in one.opts for one in self.params):
            _explain_options()


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


def _explain_options() -> None:
    """Print what an account may be set with, as Typer prints the options of a command."""
    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, option in OPTIONS.items():
        shown.add_row(Text(name, style="bold cyan", no_wrap=True), Text(option.sentence))
    title = "Account options, as --option NAME=VALUE"
    console.print(Panel(shown, title=title, title_align="left", border_style="dim", box=ROUNDED))


def choices(words: type[Enum]) -> str:
    return ", ".join(str(one.value) for one in words)
