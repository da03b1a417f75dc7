"""Who is on the other side of a connection: its address, how it speaks to us, and whether it may speak for others."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from wakegate.core.spec import UNIX_PEER

THIS_MACHINE = "127.0.0.1"  # what the app is told instead: it is where both ends of the socket are, and an address
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Peer(NamedTuple):
    """A tuple and no dataclass: remembered heads are compared by it at every request, and C does that."""

    address: str
    scheme: bytes = b"http"  # of the connection itself
    is_trusted: bool = False  # what it says of its own client is believed


@lru_cache(maxsize=1024)
def is_proxy(address: str, trusted: tuple[str, ...]) -> bool:
    """Say whether an address is within the trusted networks; a text that is no address is not, but for "unix"."""
    if address == UNIX_PEER:
        return UNIX_PEER in trusted
    read = address_of(address)
    return read is not None and any(read in network for network in _networks(trusted))


def address_of(text: str) -> Address | None:
    """Return the address that a text is: an IPv4 one that is written as IPv6 is itself, a zone means nothing here."""
    try:
        read = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = read.ipv4_mapped if isinstance(read, ipaddress.IPv6Address) else None
    return mapped or read


@lru_cache(maxsize=16)
def _networks(trusted: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(one) for one in trusted if one != UNIX_PEER)
