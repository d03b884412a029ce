"""Where a request comes from, when everybody on the way may have written into its header."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.http.client_address import address_of

OURS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
NOBODY = ()
ADDRESSES = st.ip_addresses().filter(lambda each: getattr(each, "ipv4_mapped", None) is None)
STRANGERS = ADDRESSES.filter(lambda each: not any(each in network for network in OURS))
PROXIES = st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fd00::/8")
PORTS = st.none() | st.integers(0, 65535)


@st.composite
def entries(draw: st.DrawFn, addresses: st.SearchStrategy[object]) -> tuple[str, str]:
    """An address, and how somebody has written it down."""
    found, port = str(draw(addresses)), draw(PORTS)
    six = f"[{found}]" if ":" in found and (port is not None or draw(st.booleans())) else found
    return found, six if port is None else f"{six}:{port}"


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("1.2.3.4", "1.2.3.4"), ("1.2.3.4:567", "1.2.3.4"), ("2001:db8::1", "2001:db8::1"), ("[::1]:567", "::1"),
        ("[::1]", "::1"), ("::ffff:1.2.3.4", "1.2.3.4"), ("[::ffff:1.2.3.4]:5", "1.2.3.4"), (" 1.2.3.4 ", "1.2.3.4"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
    ],
)  # fmt: skip
def test_an_address_is_read_however_a_proxy_writes_it(entry: str, address: str) -> None:
    assert address_of(entry, NOBODY) == address


@pytest.mark.parametrize(
    "entry",
    [
        None, "", " ", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4:", "1.2.3.4:x",
        "1.2.3.4:123456", "[1.2.3.4", "1.2.3.4]", "[::1]x", "[::1", "::1%eth0", "1.2.3.4 5.6.7.8", "\u0661.2.3.4",
        "10.0.0.1\u0000", "for=1.2.3.4", "1.2.3.4/32",
    ],
)  # fmt: skip
def test_what_is_no_address_is_not_known(entry: str | None) -> None:
    assert address_of(entry, OURS) is None


@given(st.text(max_size=60), entries(STRANGERS))
def test_what_a_client_claims_does_not_matter(claimed: str, seen: tuple[str, str]) -> None:
    assert address_of(f"{claimed},{seen[1]}", OURS) == seen[0]


@given(st.text(max_size=60), entries(STRANGERS), st.lists(entries(PROXIES), max_size=5))
def test_proxies_of_ones_own_are_passed_over(claimed: str, seen: tuple[str, str], ours: list[tuple[str, str]]) -> None:
    forwarded = ", ".join([claimed, seen[1], *(written for _, written in ours)])
    assert address_of(forwarded, OURS) == seen[0]
    assert address_of(forwarded, NOBODY) == (ours[-1] if ours else seen)[0]


@given(st.lists(entries(PROXIES), min_size=1, max_size=5))
def test_where_all_are_proxies_it_is_the_first(ours: list[tuple[str, str]]) -> None:
    assert address_of(",".join(written for _, written in ours), OURS) == ours[0][0]


@given(st.text(max_size=60), st.lists(entries(PROXIES), max_size=3))
def test_what_cannot_be_read_ends_the_search(claimed: str, ours: list[tuple[str, str]]) -> None:
    forwarded = ",".join([claimed, "garbage", *(written for _, written in ours)])
    assert address_of(forwarded, OURS) is None


@given(st.text())
def test_whatever_comes_it_is_an_address_or_nothing(forwarded: str) -> None:
    found = address_of(forwarded, OURS)
    assert found is None or str(ip_address(found)) == found
