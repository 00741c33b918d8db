"""What commands say to type when something is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from renderbell.errors import BadInputError, NotOnRecordError
from renderbell.video import AccountName
from renderbell_cli.arguments import check_provider

if TYPE_CHECKING:
    from renderbell.parameters import Parameters

NO_ACCOUNT: Final = "No account yet. Add one: renderbell account set heygen/marketing"
ENDPOINTS_LISTED: Final = "`renderbell endpoint list` shows them"
ACCOUNTS_LISTED: Final = "`renderbell account list` shows them"


@contextmanager
def advising(what_to_do: str) -> Iterator[None]:
    """Add what to type to the error of what is not on record: programs get that error, too, and type nothing."""
    try:
        yield
    except NotOnRecordError as error:
        raise NotOnRecordError(f"{error}: {what_to_do}") from None


def check_watched(parameters: "Parameters", name: AccountName) -> None:
    """Raise BadInputError, with what to do, for an account that nobody looks at."""
    check_provider(name.provider)
    if name not in parameters.account_names(name.provider):
        raise BadInputError(
            f"{name} is not watched: `renderbell account list` shows what is, `renderbell account set {name}` adds it"
        )
