"""Response heads: what they say of their body, what is taken off for the gateway, and the lines for the client."""

from dataclasses import dataclass
from datetime import datetime

from wakegate.core.session import shareable
from wakegate.local.http.head import HOP_BY_HOP, NEVER_DROPPED, Body, Header

OURS = frozenset((b"wakegate-session-data", b"wakegate-keep-awake", b"x-request-id"))
TAKEN_OFF = HOP_BY_HOP | OURS
LOOKED_AT = TAKEN_OFF | {b"content-length", b"cache-control", b"content-type", b"expires"}
CONTROLS = bytes((*range(9), *range(10, 32), 127))  # llhttp lets them through in a reason phrase
INTERIM_TAKEN_OFF = TAKEN_OFF | {b"content-length"}
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


@dataclass(slots=True, eq=False)
class ResponseHead:
    """What one response head says. Not frozen: an answer that joins an open event stream is framed as that is."""

    status: int
    client: bytes  # status line and header lines for the client, without framing and the end of the head
    body: Body
    length: int
    is_shareable: bool  # a shared cache may keep it: it must carry no cookie
    is_event_stream: bool
    session_data: bytes | None
    keep_awake: bytes | None


def oddity(headers: list[Header], *, status: int, may_switch: bool) -> str:
    """Say what llhttp lets through and nobody could relay; "" for nothing."""
    if status < 100:
        return f"its status is {status:03d}"
    if status == 101 and not may_switch:
        return "it switched to another protocol without being asked"
    codings = [value.strip().lower() for name, value in headers if name.lower() == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):
        return "its transfer coding is not known here, chunked is"
    return ""


def read_response(headers: list[Header], *, status: int, reason: bytes, is_head: bool) -> ResponseHead:
    """Read a final response head that llhttp has accepted."""
    seen: dict[bytes, bytes] = {}
    lines = [b"HTTP/1.1 %d %b" % (status, reason.translate(None, CONTROLS))]
    connection: list[bytes] = []
    for name, value in headers:
        lower = name.lower()
        if lower in LOOKED_AT:
            if lower == b"connection":
                connection += [token.strip().lower() for token in value.split(b",")]
            elif lower == b"cache-control" and lower in seen:
                value = seen[lower] + b"," + value  # noqa: PLW2901  read as one list (RFC 9110, 5.3)
            seen[lower] = value
            if lower in TAKEN_OFF:
                continue
        lines.append(name + b": " + value)
    dropped = [token for token in connection if token not in NEVER_DROPPED] if connection else []
    if status in (101, 204):
        dropped.append(b"content-length")  # RFC 9110, 8.6: there is no body, whatever the app says
    if dropped:
        lines = lines[:1] + [line for line in lines[1:] if line.partition(b":")[0].lower() not in dropped]
    if status == 101:
        lines += [b"Connection: Upgrade", b"Upgrade: " + seen.get(b"upgrade", b"")]
    body, length = _framing(seen, status=status, is_head=is_head)
    return ResponseHead(
        status=status,
        client=b"\r\n".join(lines) + b"\r\n",
        body=body,
        length=length,
        is_shareable=(b"cache-control" in seen or b"expires" in seen) and _is_shareable(seen, headers),
        is_event_stream=seen.get(b"content-type", b"").startswith(b"text/event-stream"),
        session_data=seen.get(b"wakegate-session-data"),
        keep_awake=seen.get(b"wakegate-keep-awake"),
    )


def interim(headers: list[Header], *, status: int, reason: bytes) -> bytes:
    """Return a whole 1xx response for the client."""
    lines = [b"HTTP/1.1 %d %b" % (status, reason.translate(None, CONTROLS))]
    lines += [name + b": " + value for name, value in headers if name.lower() not in INTERIM_TAKEN_OFF]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _is_shareable(seen: dict[bytes, bytes], headers: list[Header]) -> bool:
    """Say whether a shared cache may keep it: Cache-Control says so, or else Expires does (RFC 9111, 4.2.1)."""
    control = seen.get(b"cache-control", b"").decode("latin-1")
    if shareable(control):
        return True
    if b"expires" not in seen or any(word in control.lower() for word in ("no-store", "private", "max-age")):
        return False
    dates = [value for name, value in headers if name.lower() == b"date"]
    expires = _date(seen[b"expires"])
    sent = _date(dates[-1]) if dates else None
    return expires is not None and (sent is None or expires > sent)


def _date(value: bytes) -> datetime | None:
    """Read a date; None for one that says nothing, like `Expires: 0`."""
    try:
        return datetime.strptime(value.decode("latin-1").strip(), HTTP_DATE)
    except ValueError:
        return None


def _framing(seen: dict[bytes, bytes], *, status: int, is_head: bool) -> tuple[Body, int]:
    """Return how the body is delimited (RFC 9112, 6.3)."""
    if is_head or status in (204, 304) or status < 200:
        return Body.NONE, 0
    if b"transfer-encoding" in seen:
        return Body.CHUNKED, 0
    length = seen.get(b"content-length")
    if length is not None:
        return Body.FIXED, int(length)
    return Body.UNTIL_CLOSE, 0
