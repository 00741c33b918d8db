"""Where a webhook may go: a URL of one plain form, all of whose addresses the whole internet reaches."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.addresses import MAX_URL, Resolve, Target
from renderbell.egress import HostNotFoundError, UnsafeUrl, vet

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


def pointing_to(*addresses: str, allow_local: bool = False) -> Target:
    """Vet a name that has these addresses."""
    return vet("https://team.example/hook", lambda _: list(addresses), allow_local=allow_local)


def refused(address: str, *, allow_local: bool = False) -> bool:
    try:
        pointing_to(address, allow_local=allow_local)
    except UnsafeUrl:
        return True
    return False


@pytest.mark.parametrize("address", [*LOOPBACK, *NOT_PUBLIC, *NO_ADDRESS, *NO_ADDRESS_EITHER])
def test_a_name_that_points_to_what_is_not_plainly_public_is_refused(address: str) -> None:
    with pytest.raises(UnsafeUrl, match=r"is not a public address \(team.example points there\)"):
        pointing_to(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed_even_beside_the_edge_of_a_special_network(address: str) -> None:
    assert pointing_to(address).addresses == (address,)
    assert pointing_to(address, allow_local=True).addresses == (address,)


@pytest.mark.parametrize("address", LOOPBACK)
def test_a_local_stack_allows_loopback(address: str) -> None:
    assert pointing_to(address, allow_local=True).addresses == (address,)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_local_stack_allows_nothing_but_loopback(address: str) -> None:
    assert refused(address, allow_local=True)


@pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:8.8.8.8"])
def test_one_bad_address_among_good_ones_refuses_them_all(bad: str) -> None:
    for addresses in ([PUBLIC[0], bad], [bad, PUBLIC[0]], [PUBLIC[0], PUBLIC[-1], bad]):
        with pytest.raises(UnsafeUrl, match="is not a public address"):
            pointing_to(*addresses)


def test_a_name_is_asked_for_once_and_an_address_never() -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["8.8.8.8", "8.8.8.8", "1.1.1.1"]

    assert vet("https://team.example", resolve).addresses == ("8.8.8.8", "1.1.1.1")
    assert vet("https://8.8.4.4", resolve).addresses == ("8.8.4.4",)
    assert vet("https://[2606:4700:4700::1111]:8443/x", resolve).authority == "[2606:4700:4700::1111]:8443"
    assert asked == ["team.example"]


def test_a_name_without_addresses_is_said_to_be_that() -> None:
    def failing(_: str) -> list[str]:
        raise OSError(5, "try again")

    nobody: Resolve = lambda _: []  # noqa: E731
    for resolve in (failing, nobody):
        with pytest.raises(HostNotFoundError, match="cannot find the host team"):
            vet("https://team.example", resolve)


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


# URLs.


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://team.example/hook", "team.example", 443, "/hook"),
        ("https://team.example", "team.example", 443, "/"),
        ("https://team.example?q=1", "team.example", 443, "/?q=1"),
        ("https://team.example:8443/hook?token=a%20b", "team.example", 8443, "/hook?token=a%20b"),
        ("HTTPS://TEAM.example/", "team.example", 443, "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://ｔｅａｍ．example/", "team.example", 443, "/"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:4700:0:0:0:0:1111]:8443/", "2606:4700:4700::1111", 8443, "/"),
        ("https://team.example/" + "x" * (MAX_URL - 21), "team.example", 443, "/" + "x" * (MAX_URL - 21)),
        ("https://team.example/@someone", "team.example", 443, "/@someone"),
        ("https://a_b.team.example/", "a_b.team.example", 443, "/"),
    ],
)
def test_a_url_of_a_plain_form_leads_where_it_says(url: str, host: str, port: int, path: str) -> None:
    target = vet(url, lambda _: ["8.8.8.8"])
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://team.example/", "local stack"),
        ("ftp://team.example/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("team.example/hook", "begins with https://"),
        ("//team.example/hook", "begins with https://"),
        ("https:team.example", "begins with https://"),
        ("", "begins with https://"),
        ("https://", "host"),
        ("https:///hook", "host"),
        ("https://:8443/", "host"),
        ("https://?q", "host"),
        ("https://user@team.example/", "no user name or password"),
        ("https://user:pass@team.example/", "no user name or password"),
        ("https://:pass@team.example/", "no user name or password"),
        ("https://8.8.8.8\\@team.example/", "backslashes"),
        ("https://team.example/a b", "no spaces"),
        (" https://team.example/", "no spaces"),
        ("https://team.example/\n", "control characters"),
        ("https://team\t.example/", "control characters"),
        ("https://team.example/\x00", "control characters"),
        ("https://team.example/\x7f", "control characters"),
        ("https://team.example/ü", "plain ASCII"),
        ("https://team.example/%zz", "plain ASCII"),
        ("https://team.example/#part", "fragment"),
        ("https://team.example/" + "x" * (MAX_URL - 20), "at most 2048 characters"),
        ("https://team.example:port/", "not a port"),
        ("https://team.example:99999/", "not a port"),
        ("https://team.example:0/", "not a port"),
        ("https://team.example:-1/", "not a port"),
        ("https://team.example:25/", "not for webhooks"),
        ("https://team.example:0443/", "not a port"),
        ("https://[::1/", "host"),
        ("https://[team.example]/", "host"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://team%2eexample/", "percent-encoded"),
        ("https://team.example./", "without a dot"),
        ("https://team..example/", "not a host"),
        ("https://-team.example/", "not a host"),
        ("https://xn--zz/", "not a host"),
        ("https://" + "x" * 64 + ".example/", "not a host"),
        # 127.0.0.1 and others, as some readers of URLs would have them
        ("https://2130706433/", "odd spelling"),
        ("https://0x7f000001/", "odd spelling"),
        ("https://0x7f.0.0.1/", "odd spelling"),
        ("https://0177.0.0.1/", "odd spelling"),
        ("https://127.1/", "odd spelling"),
        ("https://127.0.1/", "odd spelling"),
        ("https://127.0.0.1./", "odd spelling|without a dot"),
        ("https://127.0.0.01/", "odd spelling"),
        ("https://１２７.0.0.1/", "odd spelling|not a public"),
        ("https://127。0。0。1/", "odd spelling|not a public"),
        ("https://8.8.8.8.8/", "odd spelling"),
        ("https://127.0.0.1/", "not a public address"),
        ("https://[::ffff:127.0.0.1]/", "not a public address"),
        ("https://[::ffff:7f00:1]/", "not a public address"),
        ("https://169.254.169.254/latest/meta-data", "not a public address"),
    ],
)
def test_a_url_of_another_form_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(UnsafeUrl, match=reason):
        vet(url, lambda _: ["8.8.8.8"])


def test_a_local_stack_adds_http_and_any_port_and_nothing_else() -> None:
    target = vet("http://localhost:8000/hook", lambda _: ["127.0.0.1", "::1"], allow_local=True)
    assert target.url == "http://localhost:8000/hook"
    for url in ("ftp://127.0.0.1/", "http://user@127.0.0.1/", "http://10.0.0.1/", "http://127.1/"):
        with pytest.raises(UnsafeUrl):
            vet(url, lambda _: ["127.0.0.1"], allow_local=True)


@given(
    scheme=st.sampled_from(["", "https:", "https://", "http://"]),
    rest=st.text() | st.text("ab.:/@[]?#%\\0x19", max_size=20),
    addresses=st.lists(st.ip_addresses().map(str) | st.text(), max_size=3),
)
def test_any_text_leads_to_public_addresses_or_is_refused(scheme: str, rest: str, addresses: list[str]) -> None:
    try:
        target = vet(scheme + rest, lambda _: addresses)
    except UnsafeUrl:
        return
    assert target.addresses
    assert all(ip_address(address).is_global for address in target.addresses)
    assert vet(target.url, lambda _: addresses) == target, "what it says of itself leads to the same place"
