"""Which addresses an endpoint may have: the plainly public ones, and a URL of a plain form."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.addresses import MAX_URL, check_dialled, check_url
from renderbell.errors import BadInputError, UnsafeAddressError

LOOPBACK: Final = ["127.0.0.1", "127.0.0.2", "127.255.255.255", "::1"]
NOT_PUBLIC: Final = [
    # unspecified, broadcast
    *("0.0.0.0", "0.1.2.3", "255.255.255.255", "::"),  # noqa: S104 - an address to refuse, not to listen on
    # private
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"),
    *("fc00::1", "fd00::1", "fdff:ffff::1"),
    # carrier-grade NAT, where also some clouds keep their metadata
    *("100.64.0.0", "100.100.100.200", "100.127.255.255"),
    # link-local, and the metadata of EC2 and ECS
    *(
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.169.123",
        "fe80::1",
        "febf::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
    ),
    # site-local, deprecated
    *("fec0::1", "feff::1"),
    # multicast, also where it is global in scope
    *("224.0.0.1", "232.1.1.1", "239.255.255.255", "ff02::1", "ff0e::1"),
    # protocol assignments, documentation, benchmarks, reserved
    *("192.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "240.0.0.1"),
    *("2001:db8::1", "3fff::1", "3fff:fff::1", "100::1", "5f00::1", "4000::1"),
    # IPv4 inside IPv6, whatever address it is: mapped, compatible, NAT64, Teredo, 6to4 and its relays
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::8.8.8.8", "::a00:1"),
    *("64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2002:a00:1::1", "2002:808:808::1", "192.88.99.1"),
    # with a scope, whatever address it is
    *("fe80::1%eth0", "fe80::1%1", "2606:4700:4700::1111%eth0"),
]
PUBLIC: Final = [
    *("8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1"),
    *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888", "2600:1f18::1", "2003::1"),
]
NO_ADDRESS: Final = [
    "",
    " ",
    "localhost",
    "example.com",
    "8.8.8",
    "8.8.8.8.8",
    "256.1.1.1",
    "08.8.8.8",
    "0x7f.0.0.1",
    "2130706433",
]
NO_ADDRESS_EITHER: Final = [" 8.8.8.8", "8.8.8.8\n", "8.8.8.8%eth0", "[::1]", "fe80::1%", ":::", "8.8.8.8/32"]


def refused(address: str, *, allow_local: bool = False) -> bool:
    try:
        check_dialled(address, allow_local=allow_local)
    except UnsafeAddressError:
        return True
    return False


@pytest.mark.parametrize("address", [*LOOPBACK, *NOT_PUBLIC])
def test_an_address_that_is_not_plainly_public_is_refused(address: str) -> None:
    with pytest.raises(UnsafeAddressError, match="is not a public address"):
        check_dialled(address, allow_local=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed_even_beside_the_edge_of_a_special_network(address: str) -> None:
    check_dialled(address, allow_local=False)
    check_dialled(address, allow_local=True)


@pytest.mark.parametrize("address", LOOPBACK)
def test_local_use_allows_loopback(address: str) -> None:
    check_dialled(address, allow_local=True)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_local_use_allows_nothing_but_loopback(address: str) -> None:
    with pytest.raises(UnsafeAddressError, match="is not a public address"):
        check_dialled(address, allow_local=True)


@pytest.mark.parametrize("address", [*NO_ADDRESS, *NO_ADDRESS_EITHER])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UnsafeAddressError, match="is not an IP address"):
        check_dialled(address, allow_local=True)


@given(inner=st.ip_addresses(v=4))
def test_no_ipv4_address_passes_in_the_clothes_of_ipv6(inner: IPv4Address) -> None:
    number = int(inner)
    for disguised in (
        0xFFFF << 32 | number,  # mapped
        number,  # compatible
        0x64FF9B << 96 | number,  # NAT64
        0x64FF9B0001 << 80 | number,  # NAT64, local
        0x2002 << 112 | number << 80 | 1,  # 6to4
        0x20010000 << 96 | number ^ 0xFFFFFFFF,  # Teredo
    ):
        assert refused(str(IPv6Address(disguised)))


@given(address=st.ip_addresses())
def test_what_is_allowed_is_global_and_for_one_receiver(address: IPv4Address | IPv6Address) -> None:
    if not refused(str(address)):
        assert address.is_global
        assert not any([address.is_multicast, address.is_private, address.is_link_local, address.is_unspecified])


@given(address=st.ip_addresses(v=6).filter(lambda address: address not in IPv6Network("2000::/3")))
def test_no_ipv6_address_outside_the_public_eighth_is_allowed(address: IPv6Address) -> None:
    assert refused(str(address))


@given(address=st.ip_addresses())
def test_local_use_adds_loopback_and_nothing_else(address: IPv4Address | IPv6Address) -> None:
    assert refused(str(address), allow_local=True) == (refused(str(address)) and not address.is_loopback)


@given(text=st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    if not refused(text):
        assert ip_address(text).is_global


# URLs.


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://team.example/hook", "team.example"),
        ("https://team.example", "team.example"),
        ("https://team.example:8443/hook?token=a%20b#x", "team.example"),
        ("HTTPS://TEAM.example/", "team.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("https://8.8.8.8/", "8.8.8.8"),
        ("https://[2606:4700:4700::1111]:8443/", "2606:4700:4700::1111"),
        ("https://team.example/" + "x" * (MAX_URL - 21), "team.example"),
        ("https://team.example/@someone", "team.example"),
    ],
)
def test_a_url_of_a_plain_form_is_returned_in_parts(url: str, host: str) -> None:
    assert check_url(url, allow_http=False).hostname == host


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://team.example/", "begins with https://"),
        ("HTTP://team.example/", "begins with https://"),
        ("ftp://team.example/", "is not an https:// URL"),
        ("file:///etc/passwd", "is not an https:// URL"),
        ("team.example/hook", "is not an https:// URL"),
        ("//team.example/hook", "is not an https:// URL"),
        ("https:team.example", "is not an https:// URL"),
        ("https://", "is not an https:// URL"),
        ("https:///hook", "is not an https:// URL"),
        ("https://:8443/", "is not an https:// URL"),
        ("https://?q", "is not an https:// URL"),
        ("", "is not an https:// URL"),
        ("https://user@team.example/", "no user name or password"),
        ("https://user:pass@team.example/", "no user name or password"),
        ("https://:pass@team.example/", "no user name or password"),
        ("https://8.8.8.8\\@team.example/", "no user name or password"),
        ("https://team.example/a b", "without spaces"),
        (" https://team.example/", "without spaces"),
        ("https://team.example/\n", "printable ASCII"),
        ("https://team\t.example/", "printable ASCII"),
        ("https://team.example/\x00", "printable ASCII"),
        ("https://team.example/\x7f", "printable ASCII"),
        ("https://bücher.example/", "printable ASCII"),
        ("https://team.example/ü", "printable ASCII"),
        ("https://team.example/" + "x" * (MAX_URL - 20), "at most 2048 characters"),
        ("https://team.example:port/", "is not a URL"),
        ("https://team.example:99999/", "is not a URL"),
        ("https://team.example:-1/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("https://[team.example]/", "is not a URL"),
    ],
)
def test_a_url_of_another_form_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        check_url(url, allow_http=False)


def test_http_is_allowed_where_it_was_asked_for_and_nothing_else_with_it() -> None:
    assert check_url("http://127.0.0.1:8000/hook", allow_http=True).port == 8000
    with pytest.raises(BadInputError, match="is not an https:// URL"):
        check_url("ftp://127.0.0.1/", allow_http=True)
    with pytest.raises(BadInputError, match="no user name"):
        check_url("http://user@127.0.0.1/", allow_http=True)


@given(scheme=st.sampled_from(["", "https:", "https://", "http://"]), rest=st.text() | st.text("ab.:/@[]?#%\\0", max_size=20))
def test_any_text_is_a_url_we_deliver_to_or_bad_input(scheme: str, rest: str) -> None:
    url = scheme + rest
    try:
        parts = check_url(url, allow_http=False)
    except BadInputError:
        return
    assert parts.scheme == "https"
    assert parts.hostname
    assert (parts.username or "", parts.password or "") == ("", "")
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
