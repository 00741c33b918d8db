"""Makes and checks what opens a public URL to who holds it: hints of one account, links to one video.

Each ends in a MAC under the stack's own signing key, so that what nobody gave out is refused without asking anyone.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from renderbell.video import AccountName

MAC_BYTES: Final = 16
NONCE_BYTES: Final = 12
NONCE_LENGTH: Final = NONCE_BYTES * 4 // 3
KEY_BYTES: Final = 32


def new_signing_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and checks tokens with one signing key. Whoever changes the key makes all of them void."""

    key: str = field(repr=False)

    def new_hint(self, account: AccountName) -> str:
        """Return a token that nobody can guess, for an account's hint URL."""
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return nonce + self._mac("hint", str(account), nonce)

    def may_be_hint(self, account: AccountName, token: str) -> bool:
        """Say whether `token` was ever made for this account. Whether it is the one in use its store knows."""
        nonce, mac = token[:NONCE_LENGTH], token[NONCE_LENGTH:]
        return self._is(mac, "hint", str(account), nonce)

    def link(self, event_id: str, until: datetime) -> str:
        """Return the path of a link to the video of an event, which opens until then: `EVENT_ID/SECONDS/MAC`.

        It holds no id of a provider's: a PixVerse id contains an e-mail address.
        """
        end = str(int(until.timestamp()))
        return f"{event_id}/{end}/{self._mac('link', event_id, end)}"

    def linked(self, path: str) -> tuple[str, datetime] | None:
        """Return the event id and the end of a link that was made here, whether it is over or not; None for any other path."""
        parts = path.split("/")
        if len(parts) != 3 or not self._is(parts[2], "link", parts[0], parts[1]):  # noqa: PLR2004 - as `link` makes it
            return None
        return parts[0], datetime.fromtimestamp(int(parts[1]), UTC)

    def _is(self, mac: str, *words: str) -> bool:
        return hmac.compare_digest(mac.encode(errors="replace"), self._mac(*words).encode())

    def _mac(self, *words: str) -> str:
        digest = hmac.digest(self.key.encode(), "\n".join(words).encode(errors="replace"), "sha256")
        return base64.urlsafe_b64encode(digest[:MAC_BYTES]).decode().rstrip("=")
