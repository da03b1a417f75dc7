"""PROXY headers, from proxies that keep to the protocol and from everybody else."""

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.core.errors import ProxyHeaderError
from wakegate.local.proxy_header import HEADER_BYTES_MAX, V2, ProxyHeader, read_proxy_header

V4, V6 = st.ip_addresses(v=4), st.ip_addresses(v=6)
PORTS = st.integers(0, 0xFFFF)
REST = b"GET / HTTP/1.1\r\n"


def v2(command: int, family: int, body: bytes) -> bytes:
    """Return a header of version 2."""
    return V2 + struct.pack("!BBH", command, family, len(body)) + body


@st.composite
def headers(draw: st.DrawFn) -> tuple[bytes, str]:
    """Draw a valid header, and the address of the client in it."""
    source, target = draw(st.one_of(st.tuples(V4, V4), st.tuples(V6, V6)))
    ports = draw(PORTS), draw(PORTS)
    tlvs = draw(st.binary(max_size=300))
    v4 = source.version == 4
    octets = source.packed + target.packed + struct.pack("!HH", *ports) + tlvs
    return draw(
        st.sampled_from(
            [
                (f"PROXY TCP{source.version} {source} {target} {ports[0]} {ports[1]}\r\n".encode(), str(source)),
                (v2(0x21, 0x11 if v4 else 0x21, octets), str(source)),
                (b"PROXY UNKNOWN\r\n", ""),
                (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ""),
                (v2(0x20, 0x00, b""), ""),
                (v2(0x20, 0x11, octets), ""),
                (v2(0x20, draw(st.integers(0, 0xFF)), tlvs), ""),  # the protocol: a receiver must ignore all of it
                (v2(0x21, 0x00, tlvs), ""),
                (v2(0x21, 0x31, bytes(216) + tlvs), ""),
            ]
        )
    )


@given(headers(), st.binary(max_size=50))
def test_a_header_is_read_from_any_number_of_pieces_and_nothing_behind_it(
    header: tuple[bytes, str], rest: bytes
) -> None:
    """What stands behind it is TLS or HTTP, which begins with the next byte."""
    data, client = header
    assert [read_proxy_header(data[:size]) for size in range(len(data))] == [None] * len(data)
    assert read_proxy_header(data + rest) == ProxyHeader(size=len(data), client=client)


@st.composite
def mangled(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw a header in which a few bytes are others."""
    changed = bytearray(data)
    for index in draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=4)):
        changed[index] = draw(st.integers(0, 255))
    return bytes(changed)


@given(st.one_of(st.binary(max_size=300), headers().flatmap(lambda header: mangled(header[0]))))
def test_anything_is_a_header_or_the_one_error_or_wants_more(data: bytes) -> None:
    """It comes from the network: nothing in it may be a surprise."""
    try:
        found = read_proxy_header(data)
    except ProxyHeaderError:
        return
    if found is None:
        assert len(data) < HEADER_BYTES_MAX
    else:
        assert found.size <= len(data)
        assert not found.client or str(ipaddress.ip_address(found.client)) == found.client


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.5 1 22\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2 \r\n",
        b"PROXY  TCP4 1.2.3.4 1.2.3.5 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.5 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n",
        b"PROXY TCP4 1.2.3.04 1.2.3.5 1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        b"PROXY UDP4 1.2.3.4 1.2.3.5 1 2\r\n",
        b"PROXY UNKNOWNX\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\r\n",
        b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",  # one more than fits
        b"PROXY UNKNOWN " + b"x" * 200,
    ],
)
def test_a_line_that_is_not_quite_one_is_refused(line: bytes) -> None:
    """Two readers of a sloppy header could see two clients in it."""
    with pytest.raises(ProxyHeaderError, match="PROXY line"):
        read_proxy_header(line)


def test_the_longest_line_is_read() -> None:
    """107 bytes with its end, as the protocol says."""
    line = b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"
    assert len(line) == 107
    assert read_proxy_header(line + REST) == ProxyHeader(size=107, client="")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (v2(0x11, 0x11, bytes(12)), "version and command 0x11"),
        (v2(0x22, 0x11, bytes(12)), "version and command 0x22"),
        (v2(0x21, 0x12, bytes(12)), "family and transport 0x12"),
        (v2(0x21, 0x41, bytes(12)), "family and transport 0x41"),
        (v2(0x21, 0x11, bytes(11)), "too short for the addresses"),
        (v2(0x21, 0x21, bytes(35)), "too short for the addresses"),
        (v2(0x21, 0x31, bytes(215)), "too short for the addresses"),
        (v2(0x20, 0x00, bytes(HEADER_BYTES_MAX - 15)), r"is 4,097 bytes long; at most 4,096 are read"),
        (REST, "does not begin with a PROXY header"),
        (b"\x16\x03\x01", "does not begin with a PROXY header"),
        (b"\r\n\r\nG", "does not begin with a PROXY header"),
        (b"PROXY\r\n", "does not begin with a PROXY header"),
        (b"proxy TCP4", "does not begin with a PROXY header"),
    ],
)
def test_what_is_none_is_refused_as_soon_as_it_can_be_known(data: bytes, why: str) -> None:
    """Not when the last of its 65,535 bytes has come."""
    head = data if not data.startswith(V2) else data[:16]
    with pytest.raises(ProxyHeaderError, match=why):
        read_proxy_header(head)


def test_the_longest_header_is_read() -> None:
    """One byte more is refused."""
    data = v2(0x21, 0x11, socket.inet_aton("1.2.3.4") + bytes(HEADER_BYTES_MAX - 20))
    assert read_proxy_header(data + REST) == ProxyHeader(size=HEADER_BYTES_MAX, client="1.2.3.4")
