"""`renderbell normalize` and `renderbell check`: providers' listings through the very code of the poll, without AWS."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from renderbell.account import Account
from renderbell.errors import BadInputError
from renderbell.events import PROVIDER_NAMES
from renderbell.values import iso
from renderbell.video import AccountName, Sighting
from renderbell_cli import completing
from renderbell_cli.arguments import JsonLines, check_provider
from renderbell_cli.keys import options_of, read_key
from renderbell_cli.show import Listing, ago, console, hints, json_lines, plain, status_text

if TYPE_CHECKING:
    from renderbell.providers import Provider

NO_KEY: Final = "normalize-needs-no-key"
OK: Final = 200

ProviderName = Annotated[
    str,
    typer.Argument(metavar="PROVIDER", help=f"One of {', '.join(PROVIDER_NAMES)}.", autocompletion=completing.providers),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="An account option; repeatable. They are explained below.",
        autocompletion=completing.options,
    ),
]


def normalize(
    provider: ProviderName,
    api_version: Annotated[str | None, typer.Option(metavar="VERSION", help="HeyGen: v1 or v3.")] = None,
    http_status: Annotated[int, typer.Option(metavar="CODE", help="The HTTP status the page came with.")] = OK,
    option: Options = None,
) -> None:
    """Read a saved listing page on stdin and print each of its videos as Renderbell sees it, one JSON object a line.

    An error page exits 1 with one line, `kind: message`, on stderr.
    """
    from renderbell.http import Answer

    options = options_of(option) | ({"api_version": api_version} if api_version else {})
    speaking, body = _provider(provider, NO_KEY, options), sys.stdin.buffer.read()
    if not body.strip() and http_status == OK:
        raise BadInputError(f"stdin is empty: `renderbell normalize {provider} < page.json` reads a saved page")
    page = speaking.page(Answer(status=http_status, body=body))
    json_lines(_fields(seen) for seen in page.sightings)
    if not page.sightings:
        hints.print("0 videos on this page")


def check(
    provider: ProviderName,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Another address of the provider's API.")] = None,
    option: Options = None,
    json: JsonLines = False,
) -> None:
    """Take one look at a provider's real listing with your key, without AWS.

    The key comes from PROVIDER_API_KEY in the environment, from stdin, or from a prompt.
    """
    from renderbell import http

    check_provider(provider)
    options = options_of(option) | ({"base_url": base_url} if base_url else {})
    key = os.environ.get(f"{provider.upper()}_API_KEY") or read_key(f"API key for {provider}")
    with http.client() as client:
        speaking = _provider(provider, key, options)
        page = speaking.page(speaking.send(client, speaking.page_request(None)))
    if json:
        json_lines(_fields(seen) for seen in page.sightings)
        return
    shown = Listing("VIDEO", "STATUS", "PROVIDER SAYS", "CREATED", "TITLE", give_way=("TITLE", "VIDEO"))
    for seen in page.sightings:
        words = (plain(seen.provider_status), ago(seen.created_at), plain(seen.title))
        shown.add_row(plain(seen.video_id), status_text(seen.status), *words)
    shown.print()
    total = f" of {page.total}" if page.total is not None else ""
    console.print(f"\nThe key works: {len(page.sightings)} videos on the first page{total}.")
    if not page.sightings and provider == "memories":
        console.print("Memories.ai answers an unknown unique_id with an empty list: is --option unique_id=... right?")


def _provider(name: str, key: str, options: Mapping[str, str]) -> "Provider":
    from renderbell.providers import provider_for

    check_provider(name)
    return provider_for(Account.of(AccountName(name), key, options))


def _fields(seen: Sighting) -> dict[str, Any]:
    return {
        "video_id": seen.video_id,
        "status": seen.status.value,
        "provider_status": seen.provider_status,
        "title": seen.title,
        "url": seen.url,
        "thumbnail_url": seen.thumbnail_url,
        "url_expires_at": iso(seen.url_expires_at),
        "error": seen.error,
        "duration_seconds": seen.duration_seconds,
        "created_at": iso(seen.created_at),
    }
