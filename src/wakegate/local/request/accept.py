"""accept: read requests from one client connection, strictly, and serve them in order.

Over 300 lines because the callbacks of the loop, those of the parser and the order of the requests share one state:
each of them must know what the others have begun.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, cast

import httptools

from wakegate.core.errors import BadRequestError, CrowdedError, HeadTooLargeError, RequestError, RequestTimeoutError
from wakegate.core.spec import UNIX_PEER, GatewaySpec
from wakegate.local.http.head import Body, Header, read_head
from wakegate.local.http.known import read_known
from wakegate.local.http.peer import THIS_MACHINE, Peer, is_proxy
from wakegate.local.http.upgrade import Tunnel
from wakegate.local.lane import Lane
from wakegate.local.request.answer import answer
from wakegate.local.request.exchange import UPSTREAM_FULL, WAITING, Exchange, new_request_id
from wakegate.local.request.linger import Linger
from wakegate.local.request.presence import PROBE_AFTER_S, has_ended, is_reset, reset, watch

PIPELINE_MAX = 128  # requests of one read that wait; those behind are for another connection
TURNED_AWAY_MAX = 128  # connections beyond `connections_max` that are told so; those beyond these are cut

# Why reading is paused, beside the reasons of an exchange; it goes on when no reason is left.
QUEUED, UNREAD, PARKED = 1, 8, 16
ANY = QUEUED | WAITING | UPSTREAM_FULL | UNREAD  # not PARKED: from then on another process reads
NEVER = -1


class Front(Protocol):
    """What a client connection asks of its gateway."""

    spec: GatewaySpec
    connections: "set[ClientConnection]"
    stopping: bool

    @property
    def heir(self) -> "Heir | None":
        """Who is to get the connections that are free."""
        ...

    def route(self, host: str, path: str) -> Lane | None:
        """Return the lane of a host and a path."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> object:
        """Run something beside the requests."""
        ...

    def warn(self, lane: Lane, text: str) -> None:
        """Tell the operator what a request has shown to be wrong with a service."""
        ...


class Heir(Protocol):
    """Takes connections over from a gateway that leaves."""

    def take(self, connection: "ClientConnection") -> None:
        """Take it if it is free."""
        ...


class ClientConnection(asyncio.Protocol):
    """One connection from a client, for as many requests as it sends."""

    __slots__ = (
        "_broken", "_head_s", "_headers", "_in_message", "_is_deaf", "_is_probed", "_is_serving", "_is_tls", "_linger",
        "_must_be_tls", "_parser", "_paused", "_queue", "_receiving", "_rest", "_taken_s", "_trailers", "_turned_away",
        "_unread", "_unsent", "_upgrading", "_url", "current", "front", "has_ended", "is_full", "is_lost", "last_s",
        "peer", "told", "transport", "tunnel",
    )  # fmt: skip

    def __init__(self, front: Front, told: str = "", *, must_be_tls: bool = False) -> None:
        self.front = front
        self.told = told  # the client's address, where the connection has another
        self._must_be_tls = must_be_tls
        self._is_tls = False
        self.current: Exchange | None = None  # the one that is being served
        self.tunnel: Tunnel | None = None  # after an upgrade: where bytes go
        self.is_lost = False
        self.is_full = False  # it reads slower than it is written to
        self.has_ended = False  # it will send nothing more, but may read its answers
        self.last_s = time.monotonic()  # the newest byte, or the end of the last exchange
        self._parser: httptools.HttpRequestParser | None = None  # until there is something to parse
        self._queue: deque[Exchange] = deque()  # pipelined: what one read brought, never more
        self._receiving: Exchange | None = None  # the one whose request is being read
        self._upgrading: Exchange | None = None  # nothing is parsed until the app has answered this one
        self._in_message = False
        self._unread = 0  # bytes since the last piece that was of use: the end of a head, some body, the end of it
        self._head_s = self.last_s
        self._headers: list[Header] = []
        self._trailers: list[Header] = []
        self._url = b""
        self._paused = 0
        self._rest = bytearray()  # sent after an upgrade request, before the app has agreed
        self._is_serving = False  # the queue is being worked off
        self._is_deaf = False  # no further request is read; the connection closes behind those that were
        self._broken: RequestError | None = None  # what was read last, and is answered last
        self._turned_away: RequestError | None = None  # what its first request is answered, whatever it asks for
        self._linger: Linger | None = None
        self._is_probed = False
        self._unsent = NEVER  # bytes that wait for a client that is slow, at the last look
        self._taken_s = 0.0  # when it was last seen to take some

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's have the methods, not the base class
        self.peer = self._peer()
        most = self.front.spec.connections_max
        beyond = len(self.front.connections) - most
        if self.front.stopping or beyond >= TURNED_AWAY_MAX:
            self.transport.abort()
            return
        if self._must_be_tls and not self._is_tls:
            self._turned_away = BadRequestError("this is plain HTTP, and HTTPS is spoken here: use https://")
        elif beyond >= 0:
            self._turned_away = CrowdedError("as many clients are connected as gateway.connections_max lets in")
        self._in_message = self._turned_away is not None  # parsed, so that it is told why
        self.front.connections.add(self)

    def _peer(self) -> Peer:
        """Say who connected."""
        name = self.transport.get_extra_info("peername")
        is_unix = not self.told and self._socket.family == socket.AF_UNIX
        address = self.told or (THIS_MACHINE if is_unix or not name else str(name[0]))  # no name: it has gone already
        self._is_tls = self.transport.get_extra_info("sslcontext") is not None
        trusted = self.front.spec.trusted_proxies
        return Peer(
            address,
            scheme=b"https" if self._is_tls else b"http",
            is_trusted=bool(trusted) and is_proxy(UNIX_PEER if is_unix else address, trusted),
        )

    def data_received(self, data: bytes) -> None:
        """Parse what came; a request that is whole and repeats header lines from before is known without parsing it."""
        self.last_s = time.monotonic()
        if self.current is None and not self._in_message and self._begin_known(data):
            return
        if self.tunnel is not None:
            self.tunnel.write(data)
        elif self._linger is not None:
            self._linger.heard(now_s=self.last_s)
        elif self._upgrading is not None:
            self._keep_rest(data)
        elif not self._is_deaf:
            self._parse(data)

    def eof_received(self) -> bool:
        """The client has said all it will say: it gets its answers, but a request that is not whole has ended."""
        if self.tunnel is not None:
            return self.tunnel.end()
        self._forget_unfinished()
        if self.current is None or self._receiving is not None or self._is_tls:  # TLS has no half-closed connections
            return False
        self.has_ended = self._is_deaf = True
        watch(self._socket)
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """The client has gone, whatever it was doing."""
        self.is_lost = self._is_deaf = True
        self.front.connections.discard(self)
        exchange, self.current = self.current, None
        if exchange is not None:
            exchange.abandon()
        self._queue.clear()
        self._parser = None  # they refer to each other

    def pause_writing(self) -> None:
        """The client reads slower than it is written to: let the app wait, or its next request."""
        self.is_full = True
        self._unsent = NEVER
        if self.tunnel is not None:
            self.tunnel.pause()
        elif self.current is not None:
            self.current.pause_upstream()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.is_full = False
        if self.tunnel is not None:
            self.tunnel.resume()
        elif self.current is not None:
            self.current.resume_upstream()
        elif self._paused & UNREAD:
            self.resume(UNREAD)
            self._serve_queue()

    # -- httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_message = True
        self._head_s = self.last_s
        self._headers, self._trailers, self._url = [], [], b""

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer where the body is being read."""
        if self._receiving is None:
            self._headers.append((name, value))
        else:
            self._trailers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there: check it; a request with a body is served from here on."""
        if self._unread > self.front.spec.head_bytes_max:
            self._check_size()
        self._unread = 0
        if self._turned_away is not None:
            raise self._turned_away
        parser = self._parser
        assert parser is not None
        method = parser.get_method()
        if method == b"CONNECT":
            raise BadRequestError("CONNECT is for forward proxies; this is a gateway")
        head, target = read_head(
            self._headers,
            version=parser.get_http_version(),
            target=self._url,
            peer=self.peer,
            trusted=self.front.spec.trusted_proxies,
        )
        if target == b"*" and method != b"OPTIONS":
            raise BadRequestError("* is a target for OPTIONS only")
        exchange = Exchange(self, head, method=method, target=target, arrived_s=self.last_s)
        self._receiving = exchange
        if head.body is not Body.NONE:
            self._start(exchange)

    def on_body(self, data: bytes) -> None:
        """A piece of a request body."""
        self._unread = 0
        if self._receiving is not None:
            self._receiving.request_body(data)

    def on_message_complete(self) -> None:
        """The request is there as a whole."""
        self._unread = 0
        exchange, self._receiving = self._receiving, None
        self._in_message = False
        assert exchange is not None
        if exchange.head.upgrade and not self._is_deaf:
            self._upgrading = exchange
        exchange.request_end(self._trailers)
        if exchange.head.body is Body.NONE:
            self._start(exchange)

    # -- one after the other

    def _parse(self, data: bytes) -> None:
        self._unread += len(data)
        parser = self._parser = self._parser or httptools.HttpRequestParser(self)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._parser = None  # this one has ended
            self._behind_upgrade(data[stop.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, RequestError):
                raise
            self._refuse(error.__context__)
        except httptools.HttpParserError as error:
            self._refuse(BadRequestError(_why_not_http(data, error)))
        else:
            if self._in_message and self._unread > self.front.spec.head_bytes_max:
                self._refuse(self._too_large("trailers are" if self._receiving is not None else "head is"))
        if self._is_deaf:
            self._in_message = True  # whatever the parser has seen behind the last request

    def _check_size(self) -> None:
        """Refuse a head that is too large; what was read with it may belong to the request before."""
        size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._headers)
        if size > self.front.spec.head_bytes_max:
            raise self._too_large("head is")

    def _too_large(self, what: str) -> HeadTooLargeError:
        return HeadTooLargeError(f"the request's {what} over {self.front.spec.head_bytes_max} bytes")

    def _begin_known(self, data: bytes) -> bool:
        """Serve a request that is whole in this read and whose head is known; say whether it was."""
        if len(data) > self.front.spec.head_bytes_max:
            return False
        known = read_known(data, peer=self.peer)
        if known is None:
            return False
        method, target, head = known
        exchange = Exchange(self, head, method=method, target=target, arrived_s=self.last_s)
        exchange.body.is_complete = True
        self.current = exchange
        exchange.begin()
        return True

    def _start(self, exchange: Exchange) -> None:
        """Serve it now, or after those before it; not at all where the connection ends before its turn."""
        if self._is_deaf:
            return
        if self.current is None and not self.is_full:
            self.current = exchange
            exchange.begin()
        elif len(self._queue) < PIPELINE_MAX:
            self._queue.append(exchange)
            self.pause(QUEUED)
        else:
            self._is_deaf = True

    def done(self, *, close: bool) -> None:
        """The current exchange has ended: serve the next one, or wait for it, or close."""
        self.current = None
        self.last_s = time.monotonic()
        if close or self.is_lost:
            self._end()
        elif self.is_full:
            self.pause(UNREAD)  # answers wait for it already: its next request waits for them
        elif self._queue or self._is_serving:
            self._serve_queue()
        elif self._paused or self._is_deaf or self._upgrading is not None or self._in_message:
            self._go_on()
        if self.front.heir is not None:
            self.front.heir.take(self)

    def _serve_queue(self) -> None:
        """Serve those that wait: one that ends at once comes by here again, so that this is a loop and no recursion."""
        if self._is_serving:
            return
        self._is_serving = True
        try:
            while self._queue and self.current is None and not self.is_full:
                exchange = self.current = self._queue.popleft()
                exchange.arrived_s = exchange.released_s = self.last_s  # its time begins with its turn
                if not self._queue:
                    self.resume(QUEUED)  # the rest of its body may still be in the socket
                exchange.begin()
        finally:
            self._is_serving = False
        if self.current is None and not self.is_full:
            self._go_on()

    def _go_on(self) -> None:
        """Nothing waits any more: say what was wrong with the last request, or read on."""
        if self._linger is not None or self.transport.is_closing():
            return
        if self._broken is not None:
            self._say_broken(self._broken)
        elif self._is_deaf:
            self.linger()  # there may be more unread
        else:
            self._head_s = self.last_s  # of a head that began to come meanwhile
            self.resume(ANY)
            rest, self._rest, self._upgrading = bytes(self._rest), bytearray(), None
            if rest:
                self._parse(rest)

    def _end(self) -> None:
        """Close behind what was written."""
        self._is_deaf = self._in_message = True
        self._queue.clear()
        if self._paused and not self.is_lost:
            self.linger()  # something unread would turn the close into a reset
        else:
            self.transport.close()

    def write(self, data: bytes) -> None:
        """Send bytes to the client; none once it has gone."""
        if not self.is_lost:
            self.transport.write(data)

    def pause(self, reason: int) -> None:
        """Read no more for this reason."""
        if not self._paused and not self.is_lost:
            self.transport.pause_reading()
        self._paused |= reason

    def resume(self, reasons: int) -> None:
        """Read again when no other reason is left."""
        before, self._paused = self._paused, self._paused & ~reasons
        if before and not self._paused and not self.is_lost and not self.transport.is_closing():
            self.last_s = time.monotonic()  # it could not send before
            self.transport.resume_reading()

    # -- errors of the client

    def _refuse(self, error: RequestError) -> None:
        """Answer something that is not a request that can be served, in its turn, and close."""
        if self._is_deaf:
            return
        if self.current is not None and self._receiving is self.current:
            self._is_deaf = self._in_message = True
            self.current.fail(error)
            return
        self._forget_unfinished()
        self._is_deaf = self._in_message = True
        self._broken = error
        if self.current is None and not self._queue:
            self._say_broken(error)

    def _forget_unfinished(self) -> None:
        """Drop a request that waits for its turn and will never be whole."""
        if self._queue and self._queue[-1] is self._receiving:
            self._queue.pop()
        if self._receiving is not self.current:
            self._receiving = None

    def _say_broken(self, error: RequestError) -> None:
        self.write(
            answer(
                error,
                request_id=new_request_id().decode(),
                wants_html=False,
                is_head=False,
                keep_alive=False,
                progress=None,
                path="/",
                show_errors=False,
            )
        )
        self.linger()

    def linger(self) -> None:
        """Close, but let the client read its answer first: what it still sends is read and dropped for a while."""
        self.current = None
        self._is_deaf = self._in_message = True
        self._queue.clear()
        if self.is_lost or self.transport.is_closing():
            return
        if self.has_ended:
            self.transport.close()
            return
        self._linger = Linger(now_s=time.monotonic())
        if not self._is_tls:
            self.transport.write_eof()
        self.resume(ANY)

    # -- upgrade

    def _behind_upgrade(self, rest: bytes) -> None:
        """The parser has stopped behind an upgrade request: keep what follows until the app has answered."""
        if self._upgrading is not None:
            self._keep_rest(rest)
        elif rest and not self._is_deaf:
            self._parse(rest)

    def _keep_rest(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) > self.front.spec.head_bytes_max:
            self.pause(WAITING)

    def take_rest(self) -> bytes:
        """Return what the client sent ahead, for the tunnel that is open now."""
        rest, self._rest = bytes(self._rest), bytearray()
        self.resume(ANY)
        return rest

    # -- limits

    def sweep(self, now_s: float) -> None:
        """Enforce the limits that have passed by now."""
        spec = self.front.spec
        if self._linger is not None:
            if self._linger.is_over(now_s=now_s, unsent=self.transport.get_write_buffer_size()):
                self.transport.abort()
        elif self.transport.is_closing() or (self.is_full and self.current is None):
            if self._takes_nothing(now_s):
                self.transport.abort()
        elif self.current is not None:
            self._sweep_exchange(self.current, now_s)
        elif self._in_message:
            if now_s - self._head_s > spec.head_timeout_s:  # also one that keeps dripping (slowloris)
                self._refuse(RequestTimeoutError(f"the request head was not there after {spec.head_timeout_s:g} s"))
        elif now_s - self.last_s > spec.keepalive_timeout_s:
            self.transport.close()

    def _sweep_exchange(self, exchange: Exchange, now_s: float) -> None:
        limit_s = self.front.spec.body_timeout_s
        if (self._paused or self.has_ended) and self.tunnel is None and self._has_gone(now_s):
            self.transport.abort()
        elif self.is_full and self._takes_nothing(now_s):
            self.cut()
        elif self._receiving is exchange and not self._paused and now_s - self.last_s > limit_s:
            self._refuse(RequestTimeoutError(f"no byte of the request body came for {limit_s:g} s"))
        else:
            exchange.sweep(now_s)

    def _has_gone(self, now_s: float) -> bool:
        """Say whether the client has not only ended its side, but is gone; ask it where that cannot be known."""
        if not self.has_ended and not has_ended(self._socket):
            return False
        if is_reset(self._socket):
            return True
        if not self._is_probed and self.current is not None and now_s - self.last_s > PROBE_AFTER_S:
            self._is_probed = True
            self.current.probe()
        return False

    def _takes_nothing(self, now_s: float) -> bool:
        """Say whether the client has taken nothing of what waits for it, for longer than it may."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._taken_s = unsent, now_s
        return now_s - self._taken_s > self.front.spec.send_timeout_s

    @property
    def _socket(self) -> Any:
        return self.transport.get_extra_info("socket")

    @property
    def is_paused(self) -> bool:
        """Say whether the client is made to wait: it cannot send, whatever it wants."""
        return bool(self._paused)

    # -- another gateway takes over

    @property
    def is_between(self) -> bool:
        """Say whether a request has begun to come and is not being served yet."""
        return bool(self._queue) or (self._in_message and self.current is None and not self._is_deaf)

    @property
    def is_new(self) -> bool:
        """Say whether its first request is still to come, and only to this process: its TLS is known to no other."""
        return self._is_tls and self._head_s == self.last_s

    @property
    def is_free(self) -> bool:
        """Say whether nothing has begun that has not ended: another process could go on with it."""
        is_over = self._is_deaf or self.has_ended or self.is_lost or self.transport.is_closing()
        is_busy = self.is_between or self.current is not None or self.tunnel is not None or self._upgrading is not None
        return not is_over and not is_busy and self._linger is None and not self._paused & PARKED

    def park(self) -> None:
        """Read nothing more; what is spoken in TLS can be told to nobody else, and ends."""
        if self._is_tls:
            self.transport.close()
        else:
            self.pause(PARKED)

    def give_away(self) -> socket.socket | None:
        """Return its socket, for another process, and forget it here; None while something is still to be sent."""
        if self.transport.get_write_buffer_size():
            return None
        given = socket.socket(fileno=os.dup(self._socket.fileno()))
        self.transport.abort()  # closes this descriptor only
        return given

    def drain(self) -> None:
        """Finish what is being served, then close; close at once where nothing is."""
        if self.current is None and self.tunnel is None:
            self.transport.close()

    def cut(self) -> None:
        """End in the middle of an answer; where it has neither length nor chunks, only a reset says so."""
        if self.current is not None and not self.current.head.is_http11:
            reset(self._socket)
        self.transport.abort()

    def abort(self) -> None:
        """Close without waiting for anything."""
        self.transport.abort()


def _why_not_http(data: bytes, error: httptools.HttpParserError) -> str:
    """Say what was spoken instead, where that can be seen, else what the parser says."""
    if data.startswith(b"\x16\x03"):
        return "this is TLS, and plain HTTP is spoken here: use http://, or put a front that speaks TLS before it"
    if data.startswith(b"PRI * HTTP/2"):
        return "this is HTTP/2, and HTTP/1.1 is spoken here"
    return f"the request is not HTTP/1.1: {error}"
