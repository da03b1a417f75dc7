"""The head of a request as the app gets it: what the client sent, and what the gateway adds for this request alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wakegate.local.request.exchange import Exchange


def app_head(exchange: "Exchange") -> bytes:
    """Write the request head for the app."""
    head, visit, lane, uri = exchange.head, exchange.visit, exchange.lane, exchange.uri
    assert lane is not None
    extra = b"" if head.request_id else b"X-Request-Id: " + exchange.request_id + b"\r\n"
    if lane.spec.forward.strip_path and lane.spec.path != "/":
        prefix = lane.spec.path.rstrip("/").encode()
        uri = uri[len(prefix) :]
        uri = uri if uri.startswith(b"/") else b"/" + uri
        extra += b"X-Forwarded-Prefix: " + prefix + b"\r\n"
    if visit is not None:
        extra += b"X-Wakegate-Session: " + visit.id.encode() + b"\r\n"
        if visit.data:
            extra += b"Wakegate-Session-Data: " + visit.data + b"\r\n"
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (exchange.method.encode(), uri, head.upstream, extra)
