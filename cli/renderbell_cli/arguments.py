"""What several commands are asked with, each with its help and with what completes it."""

from typing import Annotated

import typer

from renderbell.errors import BadInputError
from renderbell.events import PROVIDER_NAMES
from renderbell_cli import completing

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
OnlyProvider = Annotated[
    str | None, typer.Option("--provider", help="Only this provider's videos.", autocompletion=completing.providers)
]
OnlyAccount = Annotated[
    str | None,
    typer.Option("--account", metavar="PROVIDER/NAME", help="Only this account's videos.", autocompletion=completing.accounts),
]
OfAccount = Annotated[
    str,
    typer.Argument(
        metavar="PROVIDER/NAME",
        help="For example heygen/marketing; heygen is heygen/default.",
        autocompletion=completing.accounts,
    ),
]
AccountOfVideo = Annotated[
    str,
    typer.Argument(metavar="PROVIDER/ACCOUNT", help="For example heygen/marketing.", autocompletion=completing.accounts),
]
VideoId = Annotated[str, typer.Argument(metavar="VIDEO", help="The provider's id of it.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only since then: 90s, 30m, 2h, 3d, or a time such as 2026-11-24T10:00Z."),
]


def check_provider(provider: str) -> None:
    if provider not in PROVIDER_NAMES:
        raise BadInputError(f"there is no provider {provider!r}: {', '.join(PROVIDER_NAMES)} are known")
