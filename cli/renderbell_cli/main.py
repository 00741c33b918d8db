"""The `renderbell` command: what a person types, and in which words it answers."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from renderbell.errors import BadInputError, ProviderError, RenderbellError
from renderbell_cli.__main__ import INTERRUPTED
from renderbell_cli.commands import accounts, deliveries, endpoints, local, pages, stats, video, videos, wait, watch
from renderbell_cli.helping import App
from renderbell_cli.show import console, hints, plain
from renderbell_cli.stack import LocalFlag, StackChoice, StackName

FAILED = 1
USAGE = 2
UNHEARD = 141
"""As a shell tells the end of a command whose reader went away: `| head` has read enough."""

app = App(
    name="renderbell",
    epilog="Exit codes: 0 done, 1 it did not work, 2 asked for wrongly, 130 interrupted. `renderbell wait` has its own.",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("videos")(videos.videos)
app.add_typer(video.app, name="video")
app.command("watch")(watch.watch)
app.command("wait")(wait.wait)
app.command("stats")(stats.stats)
app.add_typer(accounts.app, name="account")
app.add_typer(endpoints.app, name="endpoint")
app.command("deliveries")(deliveries.deliveries)
app.command("replay")(deliveries.replay)
app.command("normalize")(pages.normalize)
app.command("check")(pages.check)
app.command("local")(local.local)


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if asked:
        from importlib.metadata import version

        typer.echo(f"renderbell {version('renderbell')}")
        raise typer.Exit


@app.callback()
def choose_stack(
    context: typer.Context,
    local_: LocalFlag = False,  # noqa: FBT002
    stack: StackName = None,
    version: Annotated[  # noqa: FBT002
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Rings once, reliably, when an AI video is done."""
    del version
    context.obj = StackChoice(local=local_, name=stack)
    context.obj.in_hints()


def main() -> None:
    """Run the command, and say what went wrong in words, with what to do: a traceback is a bug."""
    try:
        _run()
    except ProviderError as error:
        _stop(f"{error.kind}: {error}", FAILED)
    except BadInputError as error:
        _stop(f"renderbell: {error}", USAGE)
    except RenderbellError as error:
        _stop(f"renderbell: {error}", FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        from renderbell_cli.trouble import AWS_ERRORS, words_of  # knows AWS's libraries: `--help` needs none of them

        if not isinstance(error, AWS_ERRORS):
            raise
        _stop(f"renderbell: {words_of(error)}", FAILED)


def _run() -> None:
    """Run the command. Where the reader of its output goes away, it ends quietly."""
    try:
        try:
            app()
        finally:
            console.file.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python's own last flush goes
        sys.exit(UNHEARD)
    except SystemExit as stopped:
        if isinstance(stopped.__context__, BrokenPipeError):  # Rich and Typer make it a failure
            sys.exit(UNHEARD)
        raise


def _stop(message: str, code: int) -> NoReturn:
    hints.print(plain(message))
    sys.exit(code)
