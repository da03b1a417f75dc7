"""One request and its answer: it waits for a target, is forwarded, and ends exactly once.

Over 300 lines because it is one state machine: what each event means depends on the state, and a request must leave
its lane exactly once whichever comes last.

    NEW → HELD → CONNECTING → SENT → ANSWERING → DONE
           ↑_________|  ↑_______|        |→ TUNNEL → DONE
         no connection   sent again      an upgrade that the app agrees to
"""

import json
import os
import time
from itertools import count
from typing import TYPE_CHECKING

from wakegate.answer.answer import wants_html
from wakegate.answer.reserved import is_reserved, routed_path
from wakegate.core.errors import (
    BodyTooLargeError,
    ConnectionLostError,
    RequestError,
    ResponseTimeoutError,
    ServiceUnknownError,
    StoppingError,
)
from wakegate.core.say import say_bytes
from wakegate.local.http.framing import LAST_CHUNK, chunk
from wakegate.local.http.head import Body, Header, RequestHead
from wakegate.local.http.response import ResponseHead
from wakegate.local.http.upgrade import join
from wakegate.local.lane import Lane, Target, Visit
from wakegate.local.request.answer import answer, reserved
from wakegate.local.request.app_head import app_head
from wakegate.local.request.body import RequestBody
from wakegate.local.request.forward import UpstreamConnection
from wakegate.local.request.limits import overdue
from wakegate.local.request.pool import connect_or_cut, take
from wakegate.local.request.relay import client_head, take_off

if TYPE_CHECKING:
    from wakegate.local.request.accept import ClientConnection

WAITING, UPSTREAM_FULL = 2, 4  # why its client is not read; accept.py has one more
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))  # RFC 9110, 9.2.2
SAFE_REUSE_S = 1.0  # others only go by a connection used just now: one that the app is closing would lose them
REPLAYS_MAX = 2
EVENT_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n"
)

NEW, HELD, CONNECTING, SENT, ANSWERING, TUNNEL, DONE = range(7)

_prefix = os.urandom(6).hex().encode()
_numbers = count(1)


def new_request_id() -> bytes:
    """Return an id that no other request has: random for the process, counted within it."""
    return b"%b%08x" % (_prefix, next(_numbers))


class Exchange:
    """Implements `lane.Waiter`; driven by its client connection on one side and an upstream connection on the other."""

    __slots__ = (
        "_has_answered", "_is_stream_open", "_replays", "arrived_s", "body", "client", "closes", "counts", "head",
        "is_plain", "lane", "last_s", "method", "path", "released_s", "request_id", "session_id", "state", "target",
        "upstream", "uri", "visit", "was_held",
    )  # fmt: skip

    def __init__(
        self, client: "ClientConnection", head: RequestHead, *, method: bytes, target: bytes, arrived_s: float
    ) -> None:
        self.client = client
        self.head = head
        self.method = method.decode()
        self.uri = target
        self.path = target.partition(b"?")[0].decode("latin-1")
        self.arrived_s = arrived_s
        self.counts = True
        self.lane: Lane | None = None
        self.session_id: str | None = None
        self.visit: Visit | None = None
        self.target: Target | None = None
        self.upstream: UpstreamConnection | None = None
        self.request_id = head.request_id or new_request_id()
        self.state = NEW
        self.was_held = False
        self.is_plain = False  # its answer needs little but what the last one on its connection had
        self.closes = not head.is_keep_alive  # the client's connection ends with the answer
        self.released_s = self.last_s = arrived_s
        self.body = RequestBody(head.body, is_replayable=self.method in IDEMPOTENT)
        self._replays = 0
        self._has_answered = False  # lane.answered was called for the present target
        self._is_stream_open = False  # comment lines were sent: the head of the answer is gone already

    # -- its beginning

    def begin(self) -> None:
        """Find the service, and a target or a place in its line."""
        front, head = self.client.front, self.head
        if is_reserved(self.path):
            self._reserved()
            return
        lane = self.lane = front.route(head.host, self.path)
        if lane is None:
            self.refuse(ServiceUnknownError(f"no service answers at {head.host or 'this host'}{self.path}"))
            return
        if lane.sessions is not None:
            visit = self.visit = lane.sessions.visit(head.cookie(lane.spec.session.cookie))
            self.session_id = visit.id
        limit = lane.spec.forward.body_bytes_max
        if limit and (head.length > limit or self.body.received > limit):
            self.refuse(_too_large(limit))
            return
        try:
            target = lane.admit(self)
        except RequestError as error:
            self.refuse(error)
            return
        if target is None:
            self.state = HELD
            self._hold_body()
        else:
            self._forward(target)

    def _reserved(self) -> None:
        """Answer a path of the gateway's own, from the record alone."""
        lane = self.client.front.route(self.head.host, routed_path(self.uri.decode("latin-1")))
        self._answer(
            reserved(
                self.path,
                method=self.method,
                lane=lane,
                same_origin=self.head.is_same_origin,
                is_head=self.method == "HEAD",
                keep_alive=self._keeps_alive(),
                request_id=self.request_id.decode(),
            )
        )

    # -- Waiter

    @property
    def agent(self) -> str:
        """See `Waiter.agent`."""
        return self.head.agent

    @property
    def is_navigation(self) -> bool:
        """See `Waiter.is_navigation`."""
        return self.method == "GET" and self.head.is_page

    @property
    def wants_upgrade(self) -> bool:
        """Say whether the app may switch to another protocol now: it was asked to, and has the whole request."""
        return bool(self.head.upgrade) and self.body.is_complete

    def probe(self) -> None:
        """Send something to a client that has ended its side, while there is nothing else to send: is it still there?

        100 and not 102: some clients take every interim answer but 100 for the final one.
        """
        if self.state in (HELD, CONNECTING, SENT) and self.head.is_http11 and not self._is_stream_open:
            self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def release(self, target: Target, *, was_held: bool = True) -> None:
        """See `Waiter.release`."""
        assert self.state == HELD
        self.was_held = self.was_held or was_held
        self._forward(target)

    def refuse(self, error: RequestError) -> None:
        """See `Waiter.refuse`."""
        assert self.state in (NEW, HELD)
        if self._is_stream_open:
            self._end_stream(error)
            return
        head, lane = self.head, self.lane
        self._answer(
            answer(
                error,
                request_id=self.request_id.decode(),
                wants_html=self.method in ("GET", "HEAD") and wants_html(head.accept),
                is_head=self.method == "HEAD",
                keep_alive=self._keeps_alive(),
                progress=None if lane is None else lane.progress(),
                path=self.path,
                show_errors=self.client.front.spec.show_errors,
            )
        )

    def interim(self) -> None:
        """See `Waiter.interim`."""
        if self.state == HELD and self.head.is_http11 and not self._is_stream_open:
            self.client.write(b"HTTP/1.1 102 Processing\r\n\r\n")

    def comment(self) -> None:
        """See `Waiter.comment`."""
        if self.state != HELD or not self.head.is_stream or not self.head.is_http11 or self.method != "GET":
            return
        if not self._is_stream_open:
            self._is_stream_open = True
            self.client.write(EVENT_STREAM + b"X-Request-Id: " + self.request_id + b"\r\n\r\n")
        self.client.write(chunk(b": waking\n\n"))

    # -- the request on its way

    def request_body(self, data: bytes) -> None:
        """A piece of the body has come."""
        if self.state == DONE:
            return
        self.body.add(data)
        limit = self.lane.spec.forward.body_bytes_max if self.lane is not None else 0
        if limit and self.body.received > limit:
            self.fail(_too_large(limit))
        elif self.upstream is not None:
            self.upstream.write(self.body.take())
        else:
            self._hold_body()

    def request_end(self, trailers: list[Header]) -> None:
        """The body is there as a whole."""
        self.body.end(trailers)
        if self.upstream is not None and self.head.body is Body.CHUNKED:
            self.upstream.write(self.body.take())

    def _hold_body(self) -> None:
        """While nobody takes the body, keep a little of it and leave the rest in the socket."""
        if self.lane is not None and self.body.received > self.lane.spec.hold.body_bytes_max:
            self.client.pause(WAITING)

    def _forward(self, target: Target) -> None:
        """Go to this target: by a connection that is there, or a new one."""
        self.target = target
        self._has_answered = False
        self.released_s = time.monotonic() if self.was_held else self.arrived_s
        is_idempotent = self.method in IDEMPOTENT
        upstream = take(target, now_s=self.released_s, used_within_s=None if is_idempotent else SAFE_REUSE_S)
        if upstream is None:
            self._connect(target)
        else:
            self._send(upstream)

    def _connect(self, target: Target) -> None:
        assert self.lane is not None
        self.state = CONNECTING
        work = connect_or_cut(self, target, timeout_s=self.lane.spec.forward.connect_timeout_s)
        self.client.front.spawn(work, name=f"connect:{target.key}")

    def connected(self, upstream: UpstreamConnection) -> None:
        """A new connection to the target is there."""
        if self.state == CONNECTING:
            self._send(upstream)
        else:
            upstream.close()  # the client has gone meanwhile

    def unreachable(self, reason: str) -> None:
        """No connection could be made, no byte has reached the app: wait for another target."""
        if self.state != CONNECTING:
            return
        lane, target = self.lane, self.target
        assert lane is not None
        assert target is not None
        self.state, self.target = HELD, None
        lane.unreachable(target, self, reason)

    def _send(self, upstream: UpstreamConnection) -> None:
        """Send the head, and what is there of the body; the rest follows as it comes."""
        head = self.head
        self.state, self.upstream = SENT, upstream
        self.is_plain = (
            head.is_memorable and not self.was_held and self.method != "HEAD" and not self.client.front.stopping
        )
        upstream.begin(self)
        if self.client.is_full:
            upstream.pause()  # of the answer before: this one must not pile up behind it
        if head.body is Body.NONE:
            upstream.write(app_head(self))
        else:
            upstream.write(app_head(self) + self.body.take())
            self.client.resume(WAITING | UPSTREAM_FULL)

    # -- the answer on its way back

    def response_interim(self, data: bytes) -> None:
        """Relay a 1xx response of the app."""
        if self.head.is_http11 and not self._is_stream_open:
            self.client.write(data)

    def response_head(self, response: ResponseHead) -> bytes:
        """Take note of the answer's head; return the bytes that the client gets for it."""
        lane, target = self.lane, self.target
        assert lane is not None
        assert target is not None
        self.state = ANSWERING
        if not self._has_answered:
            self._has_answered = True
            lane.answered(target, self)
        if response.session_data is not None or response.keep_awake is not None:
            take_off(self, response)
        # An HTTP/1.0 client, and one whose request is not through yet, learns the end of the answer by the close.
        self.closes = not self._keeps_alive()
        return self._stream_head(response) if self._is_stream_open else client_head(self, response)

    def _stream_head(self, response: ResponseHead) -> bytes:
        """The head of an event stream went out with the first comment: only its events can follow."""
        if response.status == 200 and response.is_event_stream:
            if response.body is Body.FIXED:
                response.body = Body.CHUNKED
            return b""
        self.state = SENT  # nothing of this answer has gone to the client
        self.fail(ConnectionLostError(self._name(), f"it answered {response.status}, which is no event stream"))
        return b""

    def response_end(self) -> None:
        """The last byte of the answer has gone to the client."""
        if self.state == DONE:
            return
        self.upstream = None
        is_early = not self.body.is_complete
        self._finish()
        if is_early:
            self.client.linger()  # it answered before it had the whole request: nothing can follow on this connection
        else:
            self.client.done(close=self.closes)

    def answered_plainly(self) -> None:
        """The whole answer has gone out in one piece."""
        lane, target = self.lane, self.target
        assert lane is not None
        assert target is not None
        self.upstream, self.state = None, DONE
        lane.answered(target, self)
        lane.finished(target, self)
        self.client.done(close=self.closes)

    def switch(self, upstream: UpstreamConnection, rest: bytes) -> None:
        """The app has agreed to an upgrade: from here on bytes are passed both ways."""
        self.state = TUNNEL
        join(self.client, upstream, rest=rest)
        if self.client.has_ended and self.client.tunnel is not None:
            self.client.tunnel.end()

    # -- back pressure

    def pause_upstream(self) -> None:
        """The client is slow."""
        if self.upstream is not None:
            self.upstream.pause()

    def resume_upstream(self) -> None:
        """The client has caught up."""
        if self.upstream is not None:
            self.upstream.resume()

    def pause_client(self) -> None:
        """The app reads slower than the client sends."""
        self.client.pause(UPSTREAM_FULL)

    def resume_client(self) -> None:
        """The app has caught up."""
        self.client.resume(UPSTREAM_FULL)

    # -- its end

    def upstream_lost(self, error: RequestError, *, was_reused: bool, has_bytes: bool) -> None:
        """The connection to the app has ended, or speaks no HTTP, before the answer was complete."""
        self.upstream = None
        if self.state == SENT and was_reused and not has_bytes and self._can_replay():
            self._replays += 1
            self.body.rewind()
            assert self.target is not None
            self._connect(self.target)
        elif self.state != DONE:
            if self.client.front.stopping:  # the app was ended by us
                error = StoppingError(
                    self._name(), "the gateway was stopped before the app answered", retry_after_s=1.0
                )
            self.fail(error)

    def _can_replay(self) -> bool:
        """A request is sent again only if it is idempotent and all of it is still at hand (invariant 6)."""
        return self.body.can_replay and self._replays < REPLAYS_MAX

    def fail(self, error: RequestError) -> None:
        """End a request that was admitted: with an answer where none has begun, else by cutting the connection."""
        if self.state == DONE:
            return
        was = self.state
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.drop()
        if was == HELD:
            assert self.lane is not None
            self.lane.leave(self)
        elif was in (CONNECTING, SENT, ANSWERING, TUNNEL):
            self._finish()
        if was in (ANSWERING, TUNNEL):
            self.client.cut()
        else:
            self.state = NEW
            self.refuse(error)

    def abandon(self) -> None:
        """The client has hung up: free everything."""
        was, upstream = self.state, self.upstream
        self.upstream = None
        if upstream is not None:
            upstream.drop()
        if was == HELD:
            self.state = DONE
            assert self.lane is not None
            self.lane.leave(self)
        elif was in (CONNECTING, SENT, ANSWERING, TUNNEL):
            self._finish()
        self.state = DONE

    def sweep(self, now_s: float) -> None:
        """Enforce the limits of the forward; waiting does not count."""
        if self.lane is None:
            return
        if self.state == TUNNEL:
            limit_s, tunnel = self.lane.spec.forward.tunnel_timeout_s, self.client.tunnel
            if limit_s and tunnel is not None and tunnel.silent_s(now_s) > limit_s:
                self.client.transport.close()
        if self.state not in (SENT, ANSWERING):
            return
        asked_s = None
        if self.body.is_complete or self.client.is_paused:  # paused: the app does not even read the request
            asked_s = max(self.released_s, self.client.last_s if self.body.received else 0.0)
        late = overdue(
            self.lane.spec.forward,
            now_s=now_s,
            released_s=self.released_s,
            asked_s=asked_s,
            answered_s=self.last_s if self.state == ANSWERING else None,
        )
        if late:
            self.fail(ResponseTimeoutError(self._name(), late))

    def _finish(self) -> None:
        """Tell the lane, exactly once, that this request is no longer in flight."""
        lane, target = self.lane, self.target
        assert lane is not None
        assert target is not None
        self.state, self.target = DONE, None
        if not self._has_answered:
            self._has_answered = True
            lane.answered(target, self)
        lane.finished(target, self)

    def _answer(self, data: bytes) -> None:
        """Send an answer of the gateway's own."""
        self.state = DONE
        self.client.write(data)
        if not self.body.is_complete:
            self.client.linger()
        else:
            self.client.done(close=not self._keeps_alive())

    def _end_stream(self, error: RequestError) -> None:
        """Tell a client whose event stream is open already that there will be no events."""
        self.state = DONE
        event = b"event: error\ndata: " + json.dumps({"detail": str(error)}).encode() + b"\n\n"
        self.client.write(chunk(event) + LAST_CHUNK)
        self.client.done(close=True)

    def _keeps_alive(self) -> bool:
        return self.head.is_keep_alive and self.body.is_complete and not self.client.front.stopping

    def _name(self) -> str:
        return "" if self.lane is None else self.lane.spec.name


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"the request body is over {say_bytes(limit)} (forward.body_bytes_max = {limit})")
