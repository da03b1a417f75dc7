"""Bodies on the wire: chunks, their end, and trailers."""

from wakegate.local.http.head import HOP_BY_HOP, OURS, Header, is_forged

LAST_CHUNK = b"0\r\n\r\n"
# Trailers that change how a message is read or who sent it are not forwarded (RFC 9110, 6.5.1).
FORBIDDEN = HOP_BY_HOP | OURS | {
    b"content-length", b"content-encoding", b"content-type", b"content-range", b"host", b"trailer", b"authorization",
    b"cookie", b"set-cookie", b"cache-control", b"expect", b"max-forwards", b"x-request-id",
}  # fmt: skip


def chunk(data: bytes) -> bytes:
    """Frame a piece of a body as one chunk; an empty piece would end the body, so it becomes nothing."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def last_chunk(trailers: list[Header]) -> bytes:
    """End a chunked body, with the trailers that may be forwarded."""
    if not trailers:
        return LAST_CHUNK
    lines = [name + b": " + value + b"\r\n" for name, value in trailers if _may_trail(name.lower())]
    return b"0\r\n" + b"".join(lines) + b"\r\n"


def _may_trail(name: bytes) -> bool:
    return name not in FORBIDDEN and not is_forged(name)
