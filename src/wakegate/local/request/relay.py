"""The answer on its way back: what the gateway takes off, what it adds, and how its body is framed for the client."""

from typing import TYPE_CHECKING

from wakegate.local.http.framing import LAST_CHUNK, chunk, last_chunk
from wakegate.local.http.head import Body, Header
from wakegate.local.http.response import ResponseHead

if TYPE_CHECKING:
    from wakegate.local.request.exchange import Exchange

KEEP_AWAKE_MAX_S = 365 * 86_400


def take_off(exchange: "Exchange", response: ResponseHead) -> None:
    """Do what the app asks of the gateway; its session data is durable before the client sees the answer."""
    lane, visit = exchange.lane, exchange.visit
    assert lane is not None
    seconds = response.keep_awake
    if seconds is not None and seconds.isdigit():
        lane.keep_awake(min(int(seconds[:9]), KEEP_AWAKE_MAX_S), reason="the app asked for it")
    data = response.session_data
    if data is None or visit is None or lane.sessions is None:
        return
    limit = lane.spec.session.data_bytes_max
    if len(data) > limit:
        text = f"session data of {len(data)} bytes was not kept; the limit is {limit} (session.data_bytes_max)"
        exchange.client.front.warn(lane, text)
    else:
        lane.sessions.store_data(visit, data)


def client_head(exchange: "Exchange", response: ResponseHead) -> bytes:
    """Write the whole head that the client gets."""
    lines = [response.client, b"X-Request-Id: ", exchange.request_id, b"\r\n"]
    if not response.is_shareable and response.status != 101:
        lines.append(_cookie_line(exchange))
    if exchange.was_held:
        lines.append(b"Server-Timing: wake;dur=%.1f\r\n" % (1000 * (exchange.released_s - exchange.arrived_s)))
    if is_chunked(exchange, response):
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if exchange.closes and response.status != 101:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)


def plain_end(exchange: "Exchange", *, is_shareable: bool) -> bytes:
    """Write what follows the app's lines in the head of an answer that needs nothing else of its own."""
    return b"X-Request-Id: %b\r\n%b%b\r\n" % (
        exchange.request_id,
        b"" if is_shareable else _cookie_line(exchange),
        b"Connection: close\r\n" if exchange.closes else b"",
    )


def _cookie_line(exchange: "Exchange") -> bytes:
    """Write the line that sets the session's cookie, b"" where there is nothing to set, and take note that it is sent.

    An answer that a shared cache may keep must not have it.
    """
    visit, lane = exchange.visit, exchange.lane
    if visit is None or visit.set_cookie is None:
        return b""
    assert lane is not None
    if lane.sessions is None:  # a reload may have turned them off meanwhile
        return b""
    lane.sessions.cookie_sent(visit)
    adds_secure = exchange.head.is_https and not lane.spec.session.secure
    return b"Set-Cookie: %b%b\r\n" % (visit.set_cookie, b"; Secure" if adds_secure else b"")


def is_chunked(exchange: "Exchange", response: ResponseHead) -> bool:
    """Say whether the client gets chunks: where the length is not known, and it knows what chunks are."""
    return response.body in (Body.CHUNKED, Body.UNTIL_CLOSE) and exchange.head.is_http11


def piece(exchange: "Exchange", response: ResponseHead, data: bytes) -> bytes:
    """Frame a piece of the body; where there is none, it would be read as the next answer."""
    if response.body is Body.NONE:
        return b""
    return chunk(data) if is_chunked(exchange, response) else data


def last_piece(exchange: "Exchange", response: ResponseHead, trailers: list[Header]) -> bytes:
    """Frame the end of the body."""
    if not is_chunked(exchange, response):
        return b""
    return last_chunk(trailers) if trailers else LAST_CHUNK
