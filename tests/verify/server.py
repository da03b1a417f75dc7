"""A server that plays a script: what a gateway, an HTTP API or something else altogether would answer."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Reply = tuple[int, dict[str, str], bytes]
Script = Callable[["Asked"], Reply | None]


class Asked:
    """One request, as the script sees it."""

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        self.path = path
        self.headers = headers

    @property
    def cookie(self) -> str:
        """Return the cookies, as they were sent."""
        return self.headers.get("cookie", "")


class Scripted:
    """Answers every GET by its script; None from it breaks the connection."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"
            wbufsize = 65_536  # head and body in one piece: in two, each answer waits 40 ms for an ACK

            def do_GET(self) -> None:
                """Answer by the script."""
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
                scripted.asked.append(asked)
                reply = script(asked)
                if reply is None:
                    self.close_connection = True
                    return
                status, headers, body = reply
                self.send_response(status)
                for name, value in headers.items():
                    for line in value.split("\n"):
                        self.send_header(name, line)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def status(phase: str = "asleep", **more: Any) -> Reply:
    """Return what `/.wakegate/status` answers."""
    state = {"asleep": "asleep", "awake": "ready", "waking": "waking"}.get(phase, "asleep")
    body = {"service": "web", "phase": phase, "state": state, "retry_after_s": 0.0, "reason": "", **more}
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def problem(code: int, slug: str, detail: str, **headers: str) -> Reply:
    """Return an answer of Wakegate's own."""
    body = {"type": f"urn:wakegate:problem:{slug}", "title": "The title", "status": code, "detail": detail}
    return code, {"Content-Type": "application/problem+json", **headers}, json.dumps(body).encode()
