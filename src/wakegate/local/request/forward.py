"""forward: one connection to the app, and the answers that come back on it."""

import asyncio
import time
from typing import TYPE_CHECKING, cast

import httptools

from wakegate.core.errors import BadResponseError, ConnectionLostError
from wakegate.local.http.head import Body, Header
from wakegate.local.http.response import ResponseHead, interim, oddity, read_response
from wakegate.local.http.upgrade import Tunnel
from wakegate.local.lane import Target
from wakegate.local.request.memo import Memo, memorize
from wakegate.local.request.relay import last_piece, piece, plain_end

if TYPE_CHECKING:
    from wakegate.local.request.exchange import Exchange

IDLE_MAX = 64  # connections kept for a target
HEAD_BYTES_MAX = 65_536  # of an answer


class UpstreamConnection(asyncio.Protocol):
    """One connection to a replica; one exchange at a time."""

    __slots__ = (
        "_failure", "_has_bytes", "_head", "_headers", "_in_body", "_is_complete", "_is_paused", "_keeps_alive",
        "_memo", "_out", "_parser", "_reason", "_trailers", "_unread", "_uses", "exchange", "is_lost", "since_s",
        "target", "transport", "tunnel",
    )  # fmt: skip

    def __init__(self, target: Target) -> None:
        self.target = target
        self.exchange: Exchange | None = None
        self.tunnel: Tunnel | None = None
        self.is_lost = False
        self.since_s = 0.0  # idle since then
        self._is_paused = False
        self._uses = 0
        self._memo: Memo | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reset()

    def _reset(self) -> None:
        self._head: ResponseHead | None = None
        self._headers: list[Header] = []
        self._trailers: list[Header] = []
        self._reason = b""
        self._out: list[bytes] = []
        self._unread = 0  # bytes since the last piece that was of use: the end of a head, some body
        self._has_bytes = False
        self._in_body = False
        self._is_complete = False
        self._keeps_alive = False
        self._failure = ""

    # -- what an exchange asks

    def begin(self, exchange: "Exchange") -> None:
        """Serve this exchange from now on."""
        self.exchange = exchange
        self._uses += 1

    def write(self, data: bytes) -> None:
        """Send bytes to the app."""
        if not self.is_lost:
            self.transport.write(data)

    def pause(self) -> None:
        """Read no more of the answer for now."""
        if not self.is_lost:
            self._is_paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        self._is_paused = False
        if not self.is_lost and not self.transport.is_closing():
            self.transport.resume_reading()

    def drop(self) -> None:
        """The exchange has ended before its answer was complete: this connection cannot be used again."""
        self.exchange = None
        self.transport.abort()

    def close(self) -> None:
        """Close an idle connection."""
        self.transport.close()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's have the methods, not the base class

    def data_received(self, data: bytes) -> None:
        """Pass an answer on; one whose head repeats the last one to the byte needs no parsing."""
        exchange, memo = self.exchange, self._memo
        if exchange is None:
            if self.tunnel is not None:
                self.tunnel.write(data)
            else:
                self.transport.abort()  # it speaks without being asked
            return
        if (
            memo is not None
            and not self._has_bytes
            and exchange.is_plain
            and len(data) == memo.total
            and data.startswith(memo.raw)
        ):
            end = plain_end(exchange, is_shareable=memo.is_shareable)
            exchange.client.write(b"".join((memo.client, end, data[len(memo.raw) :])))
            self.exchange = None
            self._pool()
            exchange.answered_plainly()
            return
        self._parse(exchange, data)

    def eof_received(self) -> bool:
        """The app has said all it will say; what it has not read yet of the request need not reach it any more."""
        if self.tunnel is not None:
            return self.tunnel.end()
        self.transport.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended: fine for an answer that is delimited by it, an error for any other."""
        self.is_lost = True
        if self in self.target.idle:
            self.target.idle.remove(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            if self.tunnel is not None:
                self.tunnel.close()
            return
        if self._head is not None and self._head.body is Body.UNTIL_CLOSE and exc is None:
            exchange.client.write(last_piece(exchange, self._head, []))
            exchange.response_end()
            return
        what = "in the middle of its answer" if self._has_bytes else "without an answer"
        error = ConnectionLostError(
            exchange.lane.spec.name if exchange.lane else "", f"the app closed the connection {what}"
        )
        exchange.upstream_lost(error, was_reused=self._uses > 1, has_bytes=self._has_bytes)

    def pause_writing(self) -> None:
        """The app reads slower than the client sends."""
        if self.tunnel is not None:
            self.tunnel.pause()
        elif self.exchange is not None:
            self.exchange.pause_client()

    def resume_writing(self) -> None:
        """The app has caught up."""
        if self.tunnel is not None:
            self.tunnel.resume()
        elif self.exchange is not None:
            self.exchange.resume_client()

    # -- httptools

    def on_message_begin(self) -> None:
        """An answer begins: the final one after a 1xx, or one that nobody asked for."""
        if self._is_complete:
            self._failure = "it sent a second answer"
        self._headers, self._reason = [], b""

    def on_status(self, reason: bytes) -> None:
        """A piece of the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer."""
        if self._in_body:
            self._trailers.append((name, value))
        else:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """A head is there."""
        exchange = self.exchange
        if exchange is None:
            return
        status = self._parser.get_status_code()
        if self._unread > HEAD_BYTES_MAX:
            self._check_size()
        self._unread = 0
        may_switch = exchange.wants_upgrade and self._parser.should_upgrade()
        self._failure = self._failure or oddity(self._headers, status=status, may_switch=may_switch)
        if self._failure:
            return
        if status < 200 and status != 101:
            exchange.response_interim(interim(self._headers, status=status, reason=self._reason))
            return
        is_head = exchange.method == "HEAD"
        self._head = read_response(self._headers, status=status, reason=self._reason, is_head=is_head)
        self._keeps_alive = self._parser.should_keep_alive()
        self._in_body = True
        self._out.append(exchange.response_head(self._head))
        if is_head:
            self._is_complete = True

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        exchange, head = self.exchange, self._head
        self._unread = 0
        if exchange is None or head is None:
            return
        if self._is_complete:
            self._failure = "it sent a body where there is none"
        else:
            self._out.append(piece(exchange, head, data))

    def on_message_complete(self) -> None:
        """The answer is complete, or a 1xx was."""
        if self._head is not None and self.exchange is not None and not self._is_complete:
            self._is_complete = True
            self._out.append(last_piece(self.exchange, self._head, self._trailers))

    # -- answers

    def _parse(self, exchange: "Exchange", data: bytes) -> None:
        is_first = not self._has_bytes
        self._has_bytes = True
        self._unread += len(data)
        exchange.last_s = time.monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            if not self._failure:
                self._switch(exchange, data[stop.args[0] :])
                return
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None  # a bug of ours, not of the app
        except httptools.HttpParserError as error:
            self._failure = self._failure or f"its answer is not HTTP: {error}"
        if self.exchange is None:
            return  # the exchange has ended on what it saw
        if self._unread > HEAD_BYTES_MAX and not self._failure and not self._is_complete:
            what = "trailers of its answer are" if self._in_body else "head of its answer is"
            self._failure = f"the {what} over {HEAD_BYTES_MAX} bytes"
        if self._failure and not self._is_complete:
            self._fail(exchange)
            return
        if self._out:
            exchange.client.write(b"".join(self._out))
            self._out.clear()
        if self._is_complete:
            self._complete(exchange, data if is_first else b"")

    def _check_size(self) -> None:
        """Refuse a head that is too large; what was read with it may be its body."""
        if sum(len(name) + len(value) + 4 for name, value in self._headers) > HEAD_BYTES_MAX:
            self._failure = f"the head of its answer is over {HEAD_BYTES_MAX} bytes"

    def _fail(self, exchange: "Exchange") -> None:
        self.exchange = None
        self.transport.abort()
        name = exchange.lane.spec.name if exchange.lane else ""
        exchange.upstream_lost(BadResponseError(name, self._failure), was_reused=False, has_bytes=True)

    def _complete(self, exchange: "Exchange", whole: bytes) -> None:
        """The answer has gone: remember its head if it came in one piece, and keep the connection."""
        head = self._head
        assert head is not None
        self.exchange = None
        if whole and exchange.is_plain:
            self._memo = memorize(whole, head) or self._memo
        if exchange.method == "HEAD":
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for the body that never comes
        is_reusable = self._keeps_alive and not self._failure and exchange.body.is_complete
        is_reusable = is_reusable and head.body is not Body.UNTIL_CLOSE
        self._reset()
        if is_reusable:
            self._pool()
        elif exchange.body.is_complete:
            self.transport.close()
        else:
            self.transport.abort()  # it need not read the rest of a request that it has answered
        exchange.response_end()

    def _pool(self) -> None:
        """Keep the connection for the next request, where there is still use for it."""
        target = self.target
        if target.shut or self.is_lost or len(target.idle) >= IDLE_MAX:
            self.transport.close()
        else:
            if self._is_paused:
                self.resume()  # the last of the answer was more than the client took at once
            self.since_s = time.monotonic()
            target.idle.append(self)

    def _switch(self, exchange: "Exchange", rest: bytes) -> None:
        """101: this connection belongs to the tunnel now; its end ends the client's connection, and so the exchange."""
        self.exchange = None
        exchange.client.write(b"".join(self._out))
        exchange.switch(self, rest)
