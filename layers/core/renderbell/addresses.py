"""Says which network addresses an endpoint may have. Everything that is not plainly public is refused."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from renderbell.errors import BadInputError, UnsafeAddressError

MAX_URL: Final = 2048
TRANSLATED: Final = (
    # Each of these carries an IPv4 address inside, so "public" says nothing about where a packet ends.
    IPv6Network("::ffff:0:0/96"),  # mapped
    IPv6Network("::/96"),  # compatible
    IPv6Network("64:ff9b::/96"),  # NAT64
    IPv6Network("64:ff9b:1::/48"),  # NAT64, local
    IPv6Network("2001::/32"),  # Teredo
    IPv6Network("2002::/16"),  # 6to4
)
NOT_PUBLIC: Final = (
    # Python 3.13 counts these among the global addresses.
    IPv6Network("fec0::/10"),  # site-local
    IPv6Network("3fff::/20"),  # documentation
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
)


def check_dialled(address: str, *, allow_local: bool) -> None:
    """Refuse an IP address that is private, loopback, link-local, metadata, multicast, translated or otherwise special.

    `allow_local` is for a stack on a developer's machine, whose receivers are there too. Raises UnsafeAddressError.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        raise UnsafeAddressError(f"{address!r} is not an IP address") from None
    if allow_local and ip.is_loopback:
        return
    special = any(ip in network for network in (*TRANSLATED, *NOT_PUBLIC))
    scoped = isinstance(ip, IPv6Address) and ip.scope_id is not None
    if not ip.is_global or ip.is_multicast or ip.is_reserved or special or scoped:
        raise UnsafeAddressError(f"{ip} is not a public address")


def check_url(url: str, *, allow_http: bool) -> SplitResult:
    """Return an endpoint's URL in parts when its form is one we deliver to. Raises BadInputError that says what is wrong."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadInputError(f"{url!r} is not a URL") from None
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInputError(f"an endpoint's URL is printable ASCII of at most {MAX_URL} characters, without spaces")
    if parts.scheme == "http" and not allow_http:
        raise BadInputError("an endpoint's URL begins with https:// (--allow-http permits http:// for local use)")
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise BadInputError(f"{url!r} is not an https:// URL")
    if parts.username or parts.password:
        raise BadInputError("an endpoint's URL carries no user name or password: it would be stored and logged")
    return parts
