"""The client's address: the last one in X-Forwarded-For that is not one of the trusted proxies.

App Service's front end appends the address that it sees, with a port. So the right end of the list is true, and the
left end is only what the client claims. The list is read from the right, and trusted proxies are skipped.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from shared.access.policy import Network


def address_of(forwarded: str | None, proxies: Sequence[Network]) -> str | None:
    """Returns the client's address; None if the header is absent or malformed."""
    address = None
    for entry in reversed((forwarded or "").split(",")):
        address = _address(entry.strip())
        if address is None or not any(address in network for network in proxies):
            break
    return str(address) if address else None


_PORT = r"(?::[0-9]{1,5})?"
_ENTRY = re.compile(rf"\[(?P<six>[0-9A-Fa-f:.]+)\]{_PORT}|(?P<four>[0-9.]+){_PORT}|(?P<bare>[0-9A-Fa-f:.]+)")


def _address(entry: str) -> IPv4Address | IPv6Address | None:
    """Parses `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1` or `[2001:db8::1]:567`; IPv4-mapped IPv6 becomes IPv4."""
    if not (match := _ENTRY.fullmatch(entry)):
        return None
    try:
        address = ip_address(match["six"] or match["four"] or match["bare"])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
