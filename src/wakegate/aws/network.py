"""network: one request to a task over a kept connection, and the probe of the app; implements `cloud.Network`.

`http.client` reads the answer; what it would let through and a proxy must not is refused here.
"""

import io
import socket
import time
from collections.abc import Callable
from http.client import BadStatusLine, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from select import select
from typing import cast

from wakegate.aws.cloud import AppRequest, AppResponse
from wakegate.aws.payload import CONTROL, PAYLOAD_BYTES_MAX, TOKEN
from wakegate.aws.result import too_large
from wakegate.core.errors import (
    BadRequestError,
    BadResponseError,
    ConnectionLostError,
    ForwardError,
    RequestError,
    ResponseTimeoutError,
    UnreachableError,
)

CONNECT_TIMEOUT_S = 2.0
IDLE_MAX_S = 50.0  # a kept connection; most servers close theirs sooner, and it is seen
KEPT_MAX = 8  # connections, one a target
INTERIM_MAX = 16  # answers 1xx before the final one
PIECE_BYTES = 256 * 1024

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
_UNREACHABLE = (OSError, ValueError, OverflowError)  # the last two: a target that is no address
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))  # they say a length of 0, too


class HttpNetwork:
    """See `cloud.Network`; `probe` is "tcp", or a path that answers 200-399 when the app is ready."""

    def __init__(
        self,
        service: str,
        *,
        probe: str = "tcp",
        probe_timeout_s: float = 1.0,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        now_s: Callable[
            [], float
        ] = time.time,  # the wall clock: the monotonic one may stand still in a frozen environment
    ) -> None:
        self._service = service
        self._probe = probe
        self._probe_timeout_s = probe_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._now_s = now_s
        self._kept: dict[str, tuple[socket.socket, float]] = {}  # by target, with the time since which it is idle

    def connects(self, target: str) -> bool:
        """See `cloud.Network.connects`."""
        try:
            connection = socket.create_connection(_address(target), timeout=self._probe_timeout_s)
        except _UNREACHABLE:
            return False
        with connection:
            if self._probe == "tcp":
                return True
            request = AppRequest(method="GET", target=self._probe, headers=(("Host", target), ("Connection", "close")))
            try:
                status = self._exchange(connection, request, until_s=time.monotonic() + self._probe_timeout_s)[0].status
            except RequestError:
                return False
            return 200 <= status < 400

    def forward(self, request: AppRequest, target: str, *, timeout_s: float) -> AppResponse:
        """See `cloud.Network.forward`."""
        head = _head(request)  # before a connection: what must not be sent costs none
        until_s = time.monotonic() + timeout_s
        kept = self._take(target) if request.method in _IDEMPOTENT else None
        if kept is not None:
            try:
                return self._finish(kept, request, head, target=target, until_s=until_s)
            except ConnectionLostError:
                pass  # it was closed just now; no byte came back and the method is idempotent: once more, on a new one
        return self._finish(self._connect(target, until_s=until_s), request, head, target=target, until_s=until_s)

    def close(self) -> None:
        """Close the kept connections."""
        for connection, _ in self._kept.values():
            connection.close()
        self._kept.clear()

    def _take(self, target: str) -> socket.socket | None:
        """Return the kept connection of a target, unless it is too old, or its app has closed it or spoken unasked."""
        connection, since_s = self._kept.pop(target, (None, 0.0))
        if connection is None:
            return None
        is_fresh = 0 <= self._now_s() - since_s <= IDLE_MAX_S
        if is_fresh and not select([connection], (), (), 0)[0]:
            return connection
        connection.close()
        return None

    def _keep(self, target: str, connection: socket.socket) -> None:
        if target in self._kept or len(self._kept) >= KEPT_MAX:
            leaving = target if target in self._kept else next(iter(self._kept))
            self._kept.pop(leaving)[0].close()
        self._kept[target] = (connection, self._now_s())

    def _connect(self, target: str, *, until_s: float) -> socket.socket:
        timeout_s = min(self._connect_timeout_s, max(0.001, until_s - time.monotonic()))
        try:
            connection = socket.create_connection(_address(target), timeout=timeout_s)
        except _UNREACHABLE as error:
            raise UnreachableError(self._service, f"no connection to {target}: {error}") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _finish(
        self, connection: socket.socket, request: AppRequest, head: bytes, *, target: str, until_s: float
    ) -> AppResponse:
        """Exchange, and keep the connection where it can be used again."""
        try:
            response, is_reusable = self._exchange(connection, request, head=head, until_s=until_s)
        except BaseException:
            connection.close()
            raise
        if is_reusable:
            self._keep(target, connection)
        else:
            connection.close()
        return response

    def _exchange(
        self, connection: socket.socket, request: AppRequest, *, until_s: float, head: bytes = b""
    ) -> tuple[AppResponse, bool]:
        """Send and receive; return the answer, and whether the connection can be used again."""
        stream = _Stream(connection, until_s=until_s)
        was_sent = self._send(connection, (head or _head(request)) + request.body, until_s=until_s)
        try:
            response = _response(stream, method=request.method)
            self._check(response)
            has_body = request.method != "HEAD" and response.status not in (204, 304)
            body = self._body(response) if has_body else b""
        except TimeoutError as error:
            when = "go on with its answer" if stream.has_bytes else "answer"
            raise ResponseTimeoutError(self._service, f"it did not {when} in time") from error
        except (HTTPException, OSError, ValueError) as error:
            raise self._failed(error, has_bytes=stream.has_bytes) from error
        headers = tuple(response.headers.items())
        is_reusable = was_sent and not response.will_close and _is_plain(response, has_body=has_body)
        return AppResponse(status=response.status, headers=headers, body=body), is_reusable

    def _send(self, connection: socket.socket, data: bytes, *, until_s: float) -> bool:
        """Send all; False where the app did not take all of it, and may have answered early."""
        try:
            connection.settimeout(max(0.001, until_s - time.monotonic()))
            connection.sendall(data)
        except TimeoutError as error:
            raise ResponseTimeoutError(self._service, "it did not take the request in time") from error
        except OSError:
            return False
        return True

    def _check(self, response: HTTPResponse) -> None:
        """Refuse what two readers could read in two ways."""
        headers = response.headers
        coding = (headers.get("transfer-encoding") or "chunked").strip().lower()
        lengths = {value.strip() for value in headers.get_all("content-length") or ()}
        if headers.defects or not 200 <= response.status < 600 or coding != "chunked":
            raise BadResponseError(self._service, "its answer is not HTTP that can be forwarded")
        if len(lengths) > 1 or not all(value.isascii() and value.isdigit() for value in lengths):
            raise BadResponseError(self._service, "the length of its answer is not a number, or two")

    def _body(self, response: HTTPResponse) -> bytes:
        length = response.length or 0
        if length > PAYLOAD_BYTES_MAX:
            raise too_large(self._service, size=length)
        pieces, size = [], 0
        while piece := response.read(PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size > PAYLOAD_BYTES_MAX:
                raise too_large(self._service, size=size)
        if length > size:
            raise IncompleteRead(b"", length - size)  # `read` with a size is silent about it
        return b"".join(pieces)

    def _failed(self, error: Exception, *, has_bytes: bool) -> ForwardError:
        if not has_bytes:
            return ConnectionLostError(self._service, "the app closed the connection without an answer")
        if isinstance(error, IncompleteRead | RemoteDisconnected | OSError):
            return BadResponseError(self._service, "the app closed the connection in the middle of its answer")
        return BadResponseError(self._service, "its answer is not HTTP")


class _Stream(io.RawIOBase):
    """The bytes that come back, until a deadline; stands for a socket where `HTTPResponse` wants one."""

    def __init__(self, connection: socket.socket, *, until_s: float) -> None:
        self._connection = connection
        self._until_s = until_s
        self._reader = io.BufferedReader(self, 65536)
        self.has_bytes = False

    def makefile(self, mode: str) -> "io.BufferedReader[_Stream]":
        """Return the one reader: a 1xx and the final answer may come in one piece."""
        assert mode == "rb"
        return self._reader

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def readinto(self, buffer: object) -> int:
        """See `io.RawIOBase`."""
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        count = self._connection.recv_into(cast("bytearray", buffer))
        self.has_bytes = self.has_bytes or count > 0
        return count


def _response(stream: _Stream, *, method: str) -> HTTPResponse:
    """Read heads until the final one."""
    for _ in range(INTERIM_MAX):
        response = HTTPResponse(cast("socket.socket", stream), method=method)
        response.begin()
        if not 100 < response.status < 200 or response.status == 101:
            return response
        response.fp = None  # type: ignore[assignment]  # else it closes the one reader when it is forgotten
    raise BadStatusLine("interim answers without end")


def _is_plain(response: HTTPResponse, *, has_body: bool) -> bool:
    """Say whether it is beyond doubt where this answer ends, so that another may follow."""
    headers = response.headers
    if "transfer-encoding" not in headers:
        return True
    return has_body and "content-length" not in headers


def _head(request: AppRequest) -> bytes:
    """Write the request's head; what could end a line early is refused, whoever let it through."""
    for name, value in request.headers:
        if not TOKEN.fullmatch(name) or CONTROL.search(value):
            raise BadRequestError(f"header {name[:40]!a} cannot be sent")
    target = request.target
    if not TOKEN.fullmatch(request.method) or not target.isascii() or not target.isprintable() or " " in target:
        raise BadRequestError(f"{request.method[:40]!a} {target[:60]!a} cannot be sent")
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += (f"{name}: {value}" for name, value in request.headers)
    if request.body or request.method in _WITH_BODY:
        lines.append(f"Content-Length: {len(request.body)}")
    text = "\r\n".join((*lines, "", ""))
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _address(target: str) -> tuple[str, int]:
    host, _, text = target.rpartition(":")
    port = int(text)
    if not 0 < port < 65_536:
        raise ValueError(target)  # the C library takes it modulo 65,536: the port of somebody else
    return host.strip("[]"), port
