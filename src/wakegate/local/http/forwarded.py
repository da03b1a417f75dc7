"""What a trusted proxy says of its client: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).

Each proxy appends to the right, so only the right end is sure: from there, addresses of trusted proxies are passed
over, and the first that is none is the client. What stands left of it the client has written itself; it is dropped.

X-Forwarded-For decides where there is one: most proxies that set it let a Forwarded of the client's through.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wakegate.local.http.peer import address_of, is_proxy

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
PAIR = re.compile(rb"[ \t]*+(" + TOKEN + rb")=(" + TOKEN + rb'|"(?:[^"\\]|\\.)*+")[ \t]*+([;,]|\Z)', re.DOTALL)
HOPS_MAX = 32  # more proxies than anybody has; what stands left of them is not read
SCHEMES = {b"http": b"http", b"https": b"https", b"ws": b"http", b"wss": b"https"}
PORT = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What is believed; empty is what was not said, or not in a form that can be."""

    hops: tuple[str, ...] = ()  # the client first, then the proxies up to the peer, which is not among them
    scheme: bytes = b""
    host: bytes = b""


def read_forwarded(
    values: Mapping[bytes, Sequence[bytes]], *, trusted: tuple[str, ...], host_form: re.Pattern[bytes]
) -> Forwarded:
    """Return what the headers of a trusted peer say; `host_form` is what a host must look like."""
    if b"x-forwarded-for" in values or b"forwarded" not in values:
        hops = _believed(b",".join(values.get(b"x-forwarded-for", ())).rsplit(b",", HOPS_MAX)[-HOPS_MAX:], trusted)
        scheme, host = _last(values.get(b"x-forwarded-proto", ())), _last(values.get(b"x-forwarded-host", ()))
    else:
        elements = _elements(b",".join(values[b"forwarded"]))[-HOPS_MAX:]
        hops = _believed([element.get(b"for", b"") for element in elements], trusted)
        newest = elements[-1] if elements else {}
        scheme, host = newest.get(b"proto", b""), newest.get(b"host", b"")
    return Forwarded(
        hops=hops, scheme=SCHEMES.get(scheme.lower(), b""), host=host if host_form.fullmatch(host) else b""
    )


def _believed(hops: Iterable[bytes], trusted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the right end of the hops, as far as the first one that is no trusted proxy, or is no address."""
    believed: list[str] = []
    for hop in reversed(tuple(hops)):
        address = _address(hop.strip().decode("latin-1"))
        if not address:
            break
        believed.append(address)
        if not is_proxy(address, trusted):
            break
    return tuple(reversed(believed))


def _address(hop: str) -> str:
    """Return the address of a hop, without the port that some proxies add; "" where it names none."""
    with_port = PORT.fullmatch(hop)
    read = address_of(with_port[1] or with_port[2] if with_port else hop)
    return "" if read is None else str(read)


def _last(values: Sequence[bytes]) -> bytes:
    return values[-1].rpartition(b",")[2].strip() if values else b""


def _elements(text: bytes) -> list[dict[bytes, bytes]]:
    """Return the pairs of each element; none at all where one is malformed: nobody knows where the next begins."""
    elements: list[dict[bytes, bytes]] = [{}]
    at = 0
    while at < len(text):
        pair = PAIR.match(text, at)
        if pair is None:
            return []
        value = pair[2]
        if value.startswith(b'"'):
            value = re.sub(rb"\\(.)", rb"\1", value[1:-1], flags=re.DOTALL)
        elements[-1][pair[1].lower()] = value
        if pair[3] == b",":
            elements.append({})
        at = pair.end()
    return elements
