"""An app of raw bytes on a real socket, for what no well-behaved server would do."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from wakegate.aws.cloud import AppRequest, AppResponse

Send = Callable[..., AppResponse]

GET = AppRequest(method="GET", target="/a?b=c", headers=(("Host", "web"),))
POST = AppRequest(method="POST", target="/", headers=(("Host", "web"),), body=b"x=1")
HEAD = AppRequest(method="HEAD", target="/", headers=(("Host", "web"),))
LONG_S = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class App:
    """A server of raw bytes: each request gets the next answer; None closes without one."""

    answers: list[bytes | None] = field(default_factory=list)
    closes: bool = False  # after each answer
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    holds: bool = False  # says nothing more until the client goes

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client may be gone first
            while True:
                request = read_request(connection)
                if request is None:
                    break
                self.requests.append(request)
                answer = self.answers.pop(0) if self.answers else OK
                if answer is not None:
                    connection.sendall(answer)
                if self.holds:
                    connection.recv(1)
                if answer is None or self.closes:
                    break
            connection.shutdown(socket.SHUT_RDWR)
        self.ended += 1


def read_request(connection: socket.socket) -> bytes | None:
    """Return the next request, head and body; None when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        piece = connection.recv(1 << 20)
        if not piece:
            return None
        body += piece
    return head + b"\r\n\r\n" + body


def closed_port() -> str:
    """Return an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"
