"""The header by which a proxy says who its client is, before the first byte of HTTP or TLS: PROXY protocol 1 and 2.

https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
"""

import ipaddress
import re
from dataclasses import dataclass

from wakegate.core.errors import ProxyHeaderError

V1, V1_BYTES_MAX = b"PROXY ", 107
PORT = rb"(?:0|[1-9][0-9]{0,4})"
ADDRESS = rb"([0-9A-Fa-f:.]+)"
LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [ -~]*)?|(TCP[46]) " + ADDRESS + b" " + ADDRESS + b" " + PORT + b" " + PORT + b")"
)
V2 = b"\r\n\r\n\0\r\nQUIT\n"
V2_HEAD_BYTES = 16
HEADER_BYTES_MAX = 4096  # what stands behind the addresses (TLVs) is skipped; a certificate chain is not a header
LOCAL, PROXY = 0x20, 0x21  # version and command: of the proxy itself (a health check), or of a client
ADDRESS_BYTES = {0x00: 0, 0x11: 4, 0x21: 16, 0x31: 108}  # by family and transport: none, TCP4, TCP6, a Unix socket
PORTS_BYTES = {0x00: 0, 0x11: 4, 0x21: 4, 0x31: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeader:
    """What was said; HTTP or TLS begins behind `size`."""

    size: int
    client: str  # an address; "": the connection is its own, of the proxy or of somebody who has no address


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Return the header that data begins with, None while more of it must come; raise `ProxyHeaderError` for none.

    While it returns None, all of data is a part of the header.
    """
    if data.startswith(V2):
        return _read_v2(data)
    if data.startswith(V1):
        return _read_v1(data)
    if V2.startswith(data) or V1.startswith(data):
        return None
    raise ProxyHeaderError("it does not begin with a PROXY header")


def _read_v1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, V1_BYTES_MAX)
    if end < 0 and len(data) < V1_BYTES_MAX:
        return None
    found = LINE.fullmatch(data, 0, max(end - 1, 0))
    if found is None or data[end - 1] != ord("\r"):
        raise ProxyHeaderError("its PROXY line is malformed")
    if found[1] is None:
        return ProxyHeader(size=end + 1, client="")
    kind = ipaddress.IPv4Address if found[1] == b"TCP4" else ipaddress.IPv6Address
    try:
        client, _ = (kind(text.decode("ascii")) for text in found.group(2, 3))
    except ValueError as error:
        raise ProxyHeaderError("the addresses in its PROXY line are none") from error
    if any(int(port) > 0xFFFF for port in data[:end].split()[-2:]):
        raise ProxyHeaderError("the ports in its PROXY line are none")
    return ProxyHeader(size=end + 1, client=str(client))


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < V2_HEAD_BYTES:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    size = V2_HEAD_BYTES + length
    if command not in (LOCAL, PROXY):
        raise ProxyHeaderError(f"its PROXY header has version and command 0x{command:02x}, and 0x20 and 0x21 are known")
    if size > HEADER_BYTES_MAX:
        raise ProxyHeaderError(f"its PROXY header is {size:,} bytes long; at most {HEADER_BYTES_MAX:,} are read")
    if command == PROXY:
        _check_family(family, length)
    if len(data) < size:
        return None
    octets = data[V2_HEAD_BYTES : V2_HEAD_BYTES + ADDRESS_BYTES.get(family, 0)]
    is_address = command == PROXY and family in (0x11, 0x21)
    return ProxyHeader(size=size, client=str(ipaddress.ip_address(octets)) if is_address else "")


def _check_family(family: int, length: int) -> None:
    if family not in ADDRESS_BYTES:
        raise ProxyHeaderError(f"its PROXY header is of family and transport 0x{family:02x}, which no stream has")
    if length < 2 * ADDRESS_BYTES[family] + PORTS_BYTES[family]:
        raise ProxyHeaderError("its PROXY header is too short for the addresses in it")
