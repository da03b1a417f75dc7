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
    visit = exchange.visit
    lines = [response.client, b"X-Request-Id: ", exchange.request_id, b"\r\n"]
    if visit is not None and visit.set_cookie is not None and not response.is_shareable and response.status != 101:
        assert exchange.lane is not None
        if exchange.lane.sessions is not None:  # a reload may have turned them off meanwhile
            adds_secure = exchange.head.is_https and not exchange.lane.spec.session.secure
            lines += [b"Set-Cookie: ", visit.set_cookie, b"; Secure\r\n" if adds_secure else b"\r\n"]
            exchange.lane.sessions.cookie_sent(visit)
    if exchange.was_held:
        lines.append(b"Server-Timing: wake;dur=%.1f\r\n" % (1000 * (exchange.released_s - exchange.arrived_s)))
    if is_chunked(exchange, response):
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if exchange.closes and response.status != 101:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)


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
