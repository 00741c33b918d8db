"""The `renderbell` command: what a person types, and in which words it answers."""

import sys

import botocore.exceptions
import typer
from rich.console import Console

from renderbell.errors import BadInputError, ProviderError, RenderbellError
from renderbell_cli.commands import accounts, deliveries, endpoints, local, pages, videos, wait, watch
from renderbell_cli.stack import LocalFlag, StackChoice, StackName

USAGE = 2

app = typer.Typer(
    name="renderbell",
    help="Rings once, reliably, when an AI video is done.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(accounts.app, name="account")
app.add_typer(endpoints.app, name="endpoint")
app.command("videos")(videos.videos)
app.command("watch")(watch.watch)
app.command("wait")(wait.wait)
app.command("deliveries")(deliveries.deliveries)
app.command("replay")(deliveries.replay)
app.command("normalize")(pages.normalize)
app.command("check")(pages.check)
app.command("local")(local.local)


@app.callback()
def choose_stack(context: typer.Context, local_: LocalFlag = False, stack: StackName = None) -> None:  # noqa: FBT002
    """Rings once, reliably, when an AI video is done."""
    context.obj = StackChoice(local=local_, name=stack)


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 it did not work, 2 asked for wrongly, 130 interrupted."""
    try:
        app()
    except ProviderError as error:
        _stop(f"{error.kind}: {error}", 1)
    except BadInputError as error:
        _stop(f"renderbell: {error}", USAGE)
    except RenderbellError as error:
        _stop(f"renderbell: {error}", 1)
    except botocore.exceptions.BotoCoreError as error:
        _stop(f"renderbell: {_aws_words(error)}", 1)
    except botocore.exceptions.ClientError as error:
        _stop(f"renderbell: AWS refused: {error}", 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _aws_words(error: botocore.exceptions.BotoCoreError) -> str:
    match error:
        case botocore.exceptions.NoCredentialsError() | botocore.exceptions.PartialCredentialsError():
            return "no AWS credentials found: run `aws configure` or `aws sso login`, or use --local for a local stack"
        case botocore.exceptions.NoRegionError():
            return "no AWS region chosen: set AWS_REGION, or use --local for a local stack"
        case botocore.exceptions.EndpointConnectionError():
            return f"{error} Is `renderbell local` still running?"
        case _:
            return str(error)


def _stop(message: str, code: int) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, markup=False)
    sys.exit(code)


if __name__ == "__main__":
    main()
