"""Says where a webhook may go: a URL of one plain form, whose every address anyone on the internet can reach."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import idna

from renderbell.errors import HostNotFoundError, UnsafeUrl

type Resolve = Callable[[str], Sequence[str]]
"""Finds the addresses of a host name. Raises OSError, or returns none, when there are none."""

MAX_URL: Final = 2048
PORTS: Final = {"https": 443, "http": 80}
FIRST_FREE_PORT: Final = 1024

LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All that is handed out of IPv6. Outside lie ::1 and every dress of an IPv4 address: mapped, compatible, translated, NAT64."""

SPECIAL: Final = (
    # Python 3.13 calls these global, all or in part, and IANA has given them a special purpose all the same.
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, benchmarks, ORCHID
    IPv6Network("2002::/16"),  # 6to4, with an IPv4 address inside
    IPv6Network("3fff::/20"),  # documentation
)

NAME: Final = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
NUMBER: Final = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
"""What ends in a number is read as an IPv4 address by somebody: `127.1`, `0x7f000001` and `0177.0.0.1` are 127.0.0.1."""
PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
REST: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads, as `vet` found it: connect to `addresses` and nowhere else."""

    scheme: str
    host: str
    """As it is asked for and as TLS verifies it: in ASCII, an IPv6 address without brackets."""
    port: int
    path: str
    """Path and query."""
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def vet(url: str, resolve: Resolve, *, allow_local: bool = False) -> Target:
    """Return where `url` leads if all of that is on the internet. Raises UnsafeUrl, which says what is wrong.

    A name is resolved once and every address it has must be reachable by anyone: one bad among good ones refuses it.
    `allow_local` is for a stack on a developer's machine: it adds http://, loopback and any port.
    """
    scheme, authority, path = _split(url)
    if scheme == "http" and not allow_local:
        raise UnsafeUrl("http:// is for a local stack only: use https://")
    host, port = _host_and_port(authority, scheme)
    if port < FIRST_FREE_PORT and port != PORTS["https"] and not allow_local:
        # They belong to mail, SSH, DNS: a handshake there is a nuisance to others, and a receiver has 64,000 ports more.
        raise UnsafeUrl(f"port {port} is not for webhooks: use 443, or one from {FIRST_FREE_PORT}")
    return Target(scheme=scheme, host=host, port=port, path=path, addresses=_addresses(host, resolve, allow_local=allow_local))


def _split(url: str) -> tuple[str, str, str]:
    """Split into scheme, authority, and path with query; `urlsplit` forgives what other readers of URLs do not."""
    if len(url) > MAX_URL:
        raise UnsafeUrl(f"a URL has at most {MAX_URL} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        raise UnsafeUrl("a URL has no spaces, control characters or backslashes")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in PORTS:
        raise UnsafeUrl("an endpoint's URL begins with https://")
    if "#" in rest:
        raise UnsafeUrl("a URL to post to has no #fragment: it would not be sent")
    end = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    if "@" in authority:
        raise UnsafeUrl("a URL carries no user name or password: it would be stored and logged")
    if "%" in authority:
        raise UnsafeUrl("a host's name is not percent-encoded, and its address has no zone")
    if not REST.fullmatch(path):
        raise UnsafeUrl("after its host, a URL is plain ASCII: percent-encode the rest")
    return scheme, authority, path if path.startswith("/") else f"/{path}"


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    if authority.startswith("["):
        literal, bracket, after = authority[1:].partition("]")
        host = _ipv6(literal) if bracket else ""
    else:
        name, colon, port = authority.partition(":")
        host, after = _name(name), colon + port
    if not host or (after and not after.startswith(":")):
        raise UnsafeUrl(f"{authority!r} names no host")
    return host, _port(after[1:]) if after else PORTS[scheme]


def _port(port: str) -> int:
    if not PORT.fullmatch(port) or int(port) > 0xFFFF:  # noqa: PLR2004 - 16 bits
        raise UnsafeUrl(f"{port!r} is not a port")
    return int(port)


def _ipv6(literal: str) -> str:
    """Return the one spelling of an IPv6 address, or nothing when it is none."""
    try:
        return str(IPv6Address(literal))
    except ValueError:
        return ""


def _name(given: str) -> str:
    """Return a name in ASCII, or an IPv4 address in its one spelling; other numbers and what DNS cannot hold are refused."""
    name = _ascii(given.lower())
    if NUMBER.fullmatch(name):
        try:
            if str(IPv4Address(name)) == given:
                return given
        except ValueError:
            pass
        raise UnsafeUrl(f"{given!r} is an odd spelling of an address: write it as four plain numbers")
    if name.endswith("."):
        raise UnsafeUrl("a host's name ends without a dot")
    if not NAME.fullmatch(name):
        raise UnsafeUrl(f"{given!r} is not a host's name")
    return name


def _ascii(name: str) -> str:
    """Map a name in other letters to the ASCII one that DNS knows (UTS 46), full-width digits and dots to plain ones."""
    if name.isascii() and "xn--" not in name:
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:
        raise UnsafeUrl(f"{name!r} is not a host's name") from None


def _addresses(host: str, resolve: Resolve, *, allow_local: bool) -> tuple[str, ...]:
    try:
        found: Sequence[str] = [str(ip_address(host))]
    except ValueError:
        found = _resolved(host, resolve)
    for address in found:
        if not _is_allowed(address, allow_local=allow_local):
            points = "" if address == host else f" ({host} points there)"
            raise UnsafeUrl(f"{address} is not a public address{points}")
    return tuple(dict.fromkeys(str(ip_address(address)) for address in found))


def _resolved(host: str, resolve: Resolve) -> Sequence[str]:
    try:
        found = resolve(host)
    except OSError as error:
        raise HostNotFoundError(f"cannot find the host {host}: {error.strerror or type(error).__name__}") from error
    if not found:
        raise HostNotFoundError(f"cannot find the host {host}: it has no address")
    return found


def _is_allowed(address: str, *, allow_local: bool) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if "%" in address:  # a zone: an interface of this machine
        return False
    return (allow_local and any(ip in network for network in LOOPBACK)) or _is_public(ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Say whether packets to `ip` go to one receiver that the whole internet reaches there."""
    if isinstance(ip, IPv6Address) and ip not in GLOBAL_UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in SPECIAL)
