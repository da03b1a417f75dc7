"""Request heads: checked beyond what llhttp checks, and rewritten for the app.

A head is prepared once and used for every request that repeats its header block on the same connection.
"""

import re
from enum import Enum

from wakegate.core.errors import BadRequestError, NotImplementedCodingError, VersionError
from wakegate.local.http.forwarded import Forwarded, read_forwarded
from wakegate.local.http.peer import Peer

Header = tuple[bytes, bytes]

HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
ABSOLUTE = re.compile(rb"https?://([^/?#]*)([/?].*)?", re.IGNORECASE | re.DOTALL)
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
TARGET = re.compile(rb"/[!-\"$-~]*")  # origin form: visible ASCII, no fragment

# Hop by hop (RFC 9110, 7.6.1), and what only the gateway may say. Everything else goes on verbatim and in order.
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade", b"http2-settings")
)
OURS = frozenset(
    (
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-forwarded-prefix",
        b"forwarded",
        b"x-wakegate-session",
        b"wakegate-session-data",
        b"wakegate-keep-awake",
    )
)
NOT_FORWARDED = HOP_BY_HOP | OURS
GUARDED = NOT_FORWARDED | {b"content-length", b"host", b"x-request-id"}
# What a Connection header may name without taking it off: without its length a body would be read as a next message,
# and without its id the app could not be asked about this one.
NEVER_DROPPED = frozenset((b"close", b"keep-alive", b"upgrade", b"te", b"content-length", b"x-request-id"))
LOOKED_AT = NOT_FORWARDED | {
    b"host", b"content-length", b"expect", b"cookie", b"user-agent", b"accept", b"sec-fetch-mode", b"sec-fetch-dest",
    b"sec-fetch-site", b"x-request-id",
}  # fmt: skip


NOTHING_TOLD = Forwarded()


class Body(Enum):
    """How a body is delimited."""

    NONE = 0
    FIXED = 1
    CHUNKED = 2
    UNTIL_CLOSE = 3  # responses only


class RequestHead:
    """What one header block says; strings are ASCII or latin-1, as sent."""

    __slots__ = (
        "_cookies", "body", "host", "is_http11", "is_https", "is_keep_alive", "is_memorable", "length", "peer",
        "request_id", "seen", "upgrade", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        host: bytes,
        *,
        peer: Peer,
        upstream: bytes,
        seen: dict[bytes, bytes],
        scheme: bytes = b"",
        is_http11: bool = True,
        is_keep_alive: bool = True,
        is_memorable: bool = True,
        body: Body = Body.NONE,
        length: int = 0,
        upgrade: bytes = b"",
    ) -> None:
        self.host = host.decode()
        self.peer = peer  # whom it came from; the forwarding headers in `upstream` name it
        self.is_https = (scheme or peer.scheme) == b"https"  # between the client and whatever ends its TLS
        self.upstream = upstream  # the header lines for the app, without the end of the head
        self.seen = seen  # the headers that were looked at, by lower-case name, the last of each
        self.is_http11 = is_http11
        self.is_keep_alive = is_keep_alive
        self.is_memorable = is_memorable  # its answer may be written from what the last one like it was
        self.body = body
        self.length = length
        self.upgrade = upgrade  # the protocol that a client asks for, b"" for none; never h2c
        self.request_id = seen.get(b"x-request-id", b"")
        self._cookies: tuple[str, str | None] | None = None  # the last one that was asked for

    @property
    def agent(self) -> str:
        """Return the User-Agent."""
        return self.seen.get(b"user-agent", b"").decode("latin-1")

    @property
    def accept(self) -> str:
        """Return the Accept header in lower case."""
        return self.seen.get(b"accept", b"").decode("latin-1").lower()

    @property
    def is_page(self) -> bool:
        """Say whether a GET with this head is a browser's navigation."""
        mode = self.seen.get(b"sec-fetch-mode")
        is_navigation = mode == b"navigate" or (mode is None and b"sec-fetch-dest" not in self.seen)
        return is_navigation and "text/html" in self.accept

    @property
    def is_stream(self) -> bool:
        """Say whether the client waits for server-sent events."""
        return self.accept.startswith("text/event-stream")

    @property
    def is_same_origin(self) -> bool:
        """Say whether a browser sent it from a page of the same origin (or no browser did)."""
        return self.seen.get(b"sec-fetch-site", b"same-origin") in (b"same-origin", b"none")

    def cookie(self, name: str) -> str | None:
        """Return the value of the first cookie of this name."""
        if self._cookies is None or self._cookies[0] != name:
            self._cookies = (name, _cookie(self.seen.get(b"cookie", b""), name.encode() + b"="))
        return self._cookies[1]


def _cookie(pairs: bytes, mark: bytes) -> str | None:
    for pair in pairs.split(b";"):
        stripped = pair.strip()
        if stripped.startswith(mark):
            return stripped[len(mark) :].strip(b'"').decode("latin-1")
    return None


def read_head(
    headers: list[Header], *, version: str, target: bytes, peer: Peer, trusted: tuple[str, ...] = ()
) -> tuple[RequestHead, bytes]:
    """Check a head and prepare it; return it with the target in origin form, or raise what is wrong with it.

    `trusted` are the proxies whose word counts, where the peer is one of them.
    """
    if version not in ("1.1", "1.0"):
        raise VersionError(f"HTTP/{version} is not spoken here, HTTP/1.1 is")
    kept, values = _sorted(headers)
    if len(values.get(b"transfer-encoding", ())) > 1:
        raise NotImplementedCodingError("one transfer coding is known here, chunked; several were given")
    seen = {name: several[-1] for name, several in values.items()}
    if b"cookie" in values:
        seen[b"cookie"] = b"; ".join(values[b"cookie"])
    target, host = _authority(target, values.get(b"host", []), version=version)
    body, length = _framing(seen, version=version)
    connection = [token.strip().lower() for token in b",".join(values.get(b"connection", ())).split(b",")]
    upgrade = _upgrade(seen, connection)
    dropped = {token for token in connection if token and token not in NEVER_DROPPED}
    if dropped:
        kept = [header for header in kept if header[0].lower() not in dropped]
    if b"trailers" in seen.get(b"te", b"").lower():
        kept.append((b"TE", b"trailers"))
    told = read_forwarded(values, trusted=trusted, host_form=HOST) if peer.is_trusted else NOTHING_TOLD
    is_http11 = version == "1.1"
    head = RequestHead(
        host,
        peer=peer,
        upstream=_upstream(kept, host=host, told=told, peer=peer, body=body, upgrade=upgrade),
        seen=seen,
        scheme=told.scheme,
        is_http11=is_http11,
        is_keep_alive=is_http11 and b"close" not in connection,
        is_memorable=is_http11 and body is Body.NONE and not upgrade and b"expect" not in seen,
        body=body,
        length=length,
        upgrade=upgrade,
    )
    return head, target


def _sorted(headers: list[Header]) -> tuple[list[Header], dict[bytes, list[bytes]]]:
    """Return the headers that go on as they are, and the values of those that are looked at, by lower-case name."""
    kept: list[Header] = []
    values: dict[bytes, list[bytes]] = {}
    for header in headers:
        name = header[0].lower()
        if name in LOOKED_AT:
            value = header[1].rstrip(b" \t")  # llhttp leaves the blanks behind a value (RFC 9112, 5.1)
            if name == b"x-request-id" and (name in values or not REQUEST_ID.fullmatch(value)):
                continue
            values.setdefault(name, []).append(value)
        elif is_forged(name):
            continue
        if name not in NOT_FORWARDED and name != b"host":
            kept.append(header)
    return kept, values


def is_forged(name: bytes) -> bool:
    """Say whether a lower-case name is one of ours, spelt with "_": WSGI and CGI apps could not tell it from ours."""
    return b"_" in name and name.replace(b"_", b"-") in GUARDED


def _authority(target: bytes, hosts: list[bytes], *, version: str) -> tuple[bytes, bytes]:
    """Return the target in origin form and the host it is for; an absolute target's host wins (RFC 9112, 3.2.2)."""
    if len(hosts) > 1:
        raise BadRequestError("more than one Host header was sent")
    if not hosts and version == "1.1":
        raise BadRequestError("no Host header was sent; HTTP/1.1 asks for one")
    host = hosts[0] if hosts else b""
    if host and not HOST.fullmatch(host):
        raise BadRequestError(f"Host {_shown(host)} is not a host name with an optional port")
    absolute = ABSOLUTE.fullmatch(target)
    if absolute:
        host, rest = absolute[1], absolute[2] or b"/"
        if not HOST.fullmatch(host):
            raise BadRequestError(f"{_shown(target)} does not name a host with an optional port")
        target = rest if rest.startswith(b"/") else b"/" + rest
    if not TARGET.fullmatch(target) and target != b"*":
        raise BadRequestError(f"{_shown(target)} is not a request target that a gateway forwards")
    if hosts and not host:
        raise BadRequestError("the Host header is empty")
    return target, host


def _framing(seen: dict[bytes, bytes], *, version: str) -> tuple[Body, int]:
    """Return how the body is delimited; whatever two parsers could read differently is refused."""
    coding, length = seen.get(b"transfer-encoding"), seen.get(b"content-length")
    if coding is not None:
        if version == "1.0":
            raise BadRequestError("Transfer-Encoding does not exist in HTTP/1.0")
        if length is not None:
            raise BadRequestError("Content-Length and Transfer-Encoding were both sent")
        if coding.strip().lower() != b"chunked":
            raise NotImplementedCodingError(f"transfer coding {_shown(coding)} is not known here, chunked is")
        return Body.CHUNKED, 0
    if length is None:
        return Body.NONE, 0
    if not length.isdigit() or len(length) > 18:
        raise BadRequestError(f"Content-Length {_shown(length)} is not a number of bytes")
    return (Body.FIXED, int(length)) if int(length) else (Body.NONE, 0)


def _upgrade(seen: dict[bytes, bytes], connection: list[bytes]) -> bytes:
    """Return the protocols to choose from; h2c is not offered on (a tunnel of it would bypass every check)."""
    if b"upgrade" not in connection:
        return b""
    wanted = [protocol.strip() for protocol in seen.get(b"upgrade", b"").split(b",")]
    return b", ".join(protocol for protocol in wanted if protocol and not protocol.lower().startswith(b"h2c"))


def _upstream(kept: list[Header], *, host: bytes, told: Forwarded, peer: Peer, body: Body, upgrade: bytes) -> bytes:
    """Write the header lines that the app gets."""
    lines = [name + b": " + value for name, value in kept]
    if body is Body.CHUNKED:
        lines.append(b"Transfer-Encoding: chunked")
    if upgrade:
        lines += [b"Connection: Upgrade", b"Upgrade: " + upgrade]
    return upstream_block(lines, host=host, peer=peer, told=told)


def upstream_block(lines: list[bytes], *, host: bytes, peer: Peer, told: Forwarded = NOTHING_TOLD) -> bytes:
    """Put the host first and the forwarding headers last: the client's address, then those of the proxies on its way.

    Both kinds say the same; host and scheme are the client's, so they stand with the first address.
    """
    scheme, asked = told.scheme or peer.scheme, told.host or host
    addresses = [hop.partition("%")[0].encode() for hop in (*told.hops, peer.address)]  # a zone means nothing elsewhere
    nodes = [b'for="[' + address + b']"' if b":" in address else b"for=" + address for address in addresses]
    nodes[0] += (b';host="' + asked + b'"' if asked else b"") + b";proto=" + scheme
    return b"\r\n".join(
        [
            b"Host: " + (host or b"localhost"),
            *lines,
            b"X-Forwarded-For: " + b", ".join(addresses),
            b"X-Forwarded-Host: " + asked,
            b"X-Forwarded-Proto: " + scheme,
            b"Forwarded: " + b", ".join(nodes),
            b"",
        ]
    )


def _shown(value: bytes) -> str:
    """Quote something that a client sent, short and printable."""
    text = value[:60].decode("latin-1")
    return '"' + "".join(char if char.isprintable() else "�" for char in text) + ("…" if len(value) > 60 else "") + '"'
