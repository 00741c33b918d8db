"""Accounts' keys, endpoints' secrets and the stack's own, in Parameter Store: the only place where any is kept."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from renderbell.account import Account
from renderbell.endpoints import Private
from renderbell.errors import BadInputError
from renderbell.hints import Doorbell
from renderbell.tokens import Tokens, new_signing_key
from renderbell.video import AccountName

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import ParameterTypeDef

CACHED_FOR: Final = 60
"""Seconds a warm function uses a value before it asks again: a new one works within a minute."""

SIGNING_KEY: Final = "signing-key"

MISSED_FOR: Final = 5
"""Seconds for which a signing key that nobody has made is not asked for again: anybody may call `hint` and `link`."""

MAX_VALUE: Final = 4096
"""Characters that a standard parameter holds."""


class Kept(NamedTuple):
    """A value as a warm function keeps it."""

    value: str
    edition: str
    asked: str | None
    until: float


class Parameters:
    """The parameters below one prefix, `/renderbell/<stack>`."""

    def __init__(self, prefix: str, ssm: "SSMClient") -> None:
        self._prefix = prefix.rstrip("/")
        self._ssm = ssm
        self._kept: dict[str, Kept] = {}
        self._no_key_until = 0.0

    def account_names(self, provider: str | None = None) -> Sequence[AccountName]:
        """Return the accounts that have a key, of one provider or of all, by name. No value is decrypted."""
        return list(self.account_editions(provider))

    def account_editions(self, provider: str | None = None) -> Mapping[AccountName, str]:
        """Return the accounts that have a key, by name, each with what tells its present value from older ones."""
        root = f"{self._prefix}/accounts/"
        path = root + provider if provider else root.rstrip("/")
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True, WithDecryption=False)
        found = {
            parameter["Name"].removeprefix(root): _edition(parameter) for page in pages for parameter in page["Parameters"]
        }
        return {AccountName.parse(name): found[name] for name in sorted(found) if name.count("/") == 1}

    def account(self, name: AccountName, edition: str | None = None) -> Account | None:
        """Return an account with its key, None when it has been removed. Raises BadInputError for a value unlike DESIGN's.

        A warm function asks once for each `edition`, as `account_editions` tells it: KMS charges for each time a key is opened.
        Without one, and where Parameter Store's answer is another edition still, it asks again after a minute.
        """
        value = self._value(self._account_path(name), edition)
        return None if value is None else Account.parse(name, value)

    def put_account(self, account: Account) -> None:
        self._put(
            self._account_path(account.name),
            account.dump(),
            "API key and options of an account that Renderbell watches",
        )

    def remove_account(self, name: AccountName) -> bool:
        """Delete the key. False when there was none."""
        return self._remove(self._account_path(name))

    def endpoint_private(self, endpoint_id: str, *, fresh: bool = False) -> Private | None:
        """Return what an endpoint has that stands in no table; None when it has been removed.

        Who changes it needs it `fresh`: what another function stored within the last minute would be undone.
        """
        path = self._endpoint_path(endpoint_id)
        if fresh:
            self._kept.pop(path, None)
        value = self._value(path)
        return None if value is None else Private.parse(value)

    def put_endpoint_private(self, endpoint_id: str, private: Private) -> None:
        self._put(self._endpoint_path(endpoint_id), private.dump(), "Signing secrets and headers of an endpoint")

    def remove_endpoint_private(self, endpoint_id: str) -> bool:
        return self._remove(self._endpoint_path(endpoint_id))

    def doorbell(self, name: AccountName) -> Doorbell | None:
        """Return what an account's hints must bring; None where there is no hint URL, or no longer."""
        value = self._value(self._hint_path(name))
        return None if value is None else Doorbell.parse(value)

    def put_doorbell(self, name: AccountName, doorbell: Doorbell) -> None:
        self._put(self._hint_path(name), doorbell.dump(), "Token of the URL at which a provider may call")

    def remove_doorbell(self, name: AccountName) -> bool:
        return self._remove(self._hint_path(name))

    def tokens(self) -> Tokens | None:
        """Return what makes and checks tokens; None as long as nobody needed the stack's signing key."""
        if time.monotonic() < self._no_key_until:
            return None
        value = self._value(self._signing_key_path)
        if value is None:
            self._no_key_until = time.monotonic() + MISSED_FOR
            return None
        return Tokens(value)

    def made_tokens(self) -> Tokens:
        """Return what makes and checks tokens. The first who needs the stack's signing key makes it."""
        found = self.tokens()
        if found is None:
            found, self._no_key_until = Tokens(self._made(self._signing_key_path, new_signing_key())), 0.0
        return found

    @property
    def _signing_key_path(self) -> str:
        return f"{self._prefix}/{SIGNING_KEY}"

    def _made(self, path: str, value: str) -> str:
        """Store `value` unless another was quicker; return what is stored."""
        words = "Signs hint URLs and links; delete it to make all of them void"
        try:
            self._ssm.put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=False, Description=words)
        except self._ssm.exceptions.ParameterAlreadyExists:
            return str(self._ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"])
        return value

    def _hint_path(self, name: AccountName) -> str:
        return f"{self._prefix}/hints/{name}"

    def _account_path(self, name: AccountName) -> str:
        return f"{self._prefix}/accounts/{name}"

    def _endpoint_path(self, endpoint_id: str) -> str:
        return f"{self._prefix}/endpoints/{endpoint_id}"

    def _value(self, path: str, edition: str | None = None) -> str | None:
        kept = self._kept.get(path)
        if kept is None or not _is_present(kept, edition):
            self._kept.pop(path, None)
            try:
                found = self._ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]
            except self._ssm.exceptions.ParameterNotFound:
                return None
            kept = self._kept[path] = Kept(found["Value"], _edition(found), edition, time.monotonic() + CACHED_FOR)
        return kept.value

    def _put(self, path: str, value: str, description: str) -> None:
        check_room(value)
        self._kept.pop(path, None)
        self._ssm.put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=True, Description=description)

    def _remove(self, path: str) -> bool:
        self._kept.pop(path, None)
        try:
            self._ssm.delete_parameter(Name=path)
        except self._ssm.exceptions.ParameterNotFound:
            return False
        return True


def check_room(value: str) -> None:
    """Raise BadInputError where a parameter cannot hold `value`."""
    if len(value) > MAX_VALUE:
        raise BadInputError(f"what is kept in Parameter Store may take {MAX_VALUE} characters, this takes {len(value)}")


def _edition(parameter: "ParameterTypeDef") -> str:
    """Return what tells a parameter's value from older ones: not its version alone, for one that is made anew has its first."""
    return f"{parameter['Version']} {parameter['LastModifiedDate'].timestamp()}"


def _is_present(kept: Kept, edition: str | None) -> bool:
    """Say whether a kept value may be used. Parameter Store may have answered with one older than the listing told of."""
    return kept.edition == edition or (edition in {None, kept.asked} and time.monotonic() < kept.until)
