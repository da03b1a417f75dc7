"""An app that is asked by its paths for what a front may spoil: bytes, cookies, redirects, answers without a body.

HOST and PORT say where it listens, as in a task; `app.py broken` ends instead.
"""

import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class App(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: in two, each answer waits 40 ms for an acknowledgement

    def route(self) -> None:
        """Call what the first part of the path names."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        name = url.path.strip("/").partition("/")[0] or "index"
        getattr(self, f"serve_{name}", self.serve_index)(query, body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = route  # noqa: N815  http.server's names

    def reply(self, body: bytes = b"", *headers: tuple[str, str], status: int = 200, kind: str = "text/plain") -> None:
        """Answer with a fixed body."""
        self.send_response(status)
        for name, value in (("Content-Type", kind), *headers):
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def serve_index(self, query: dict[str, str], body: bytes) -> None:
        """Say what has come."""
        seen = {"pid": os.getpid(), "path": self.path, "method": self.command, "headers": self.headers.items()}
        seen |= {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        self.reply(json.dumps(seen).encode(), kind="application/json")

    def serve_echo(self, query: dict[str, str], body: bytes) -> None:
        """Send the body back as it came."""
        self.reply(body, kind=self.headers.get("Content-Type", "application/octet-stream"))

    def serve_bytes(self, query: dict[str, str], body: bytes) -> None:
        """Send so many bytes, which are no text."""
        self.reply((bytes(range(256)) * (int(query["n"]) // 256 + 1))[: int(query["n"])], kind="image/x-any")

    def serve_cookies(self, query: dict[str, str], body: bytes) -> None:
        """Set three cookies, and a header twice."""
        cookies = ("a=1; Path=/", "b=2; Path=/shop; HttpOnly", "c=3; Expires=Wed, 09 Jun 2027 10:18:14 GMT")
        self.reply(b"set", *(("Set-Cookie", one) for one in cookies), ("X-Twice", "1"), ("X-Twice", "2"))

    def serve_redirect(self, query: dict[str, str], body: bytes) -> None:
        """Lead elsewhere."""
        self.reply(b"", ("Location", query["to"]), status=302)

    def serve_status(self, query: dict[str, str], body: bytes) -> None:
        """Answer with this status."""
        self.reply(b"as asked", ("ETag", '"1"'), status=int(query["s"]))

    def serve_slow(self, query: dict[str, str], body: bytes) -> None:
        """Answer after so many seconds."""
        time.sleep(float(query["s"]))
        self.reply(b"late")

    def serve_keep(self, query: dict[str, str], body: bytes) -> None:
        """Ask to be kept awake."""
        self.reply(b"kept", ("Wakegate-Keep-Awake", query["s"]))

    def serve_garbage(self, query: dict[str, str], body: bytes) -> None:
        """Answer with something that is no HTTP."""
        self.wfile.write(b"this is not HTTP\r\n\r\n")
        self.close_connection = True

    def serve_exit(self, query: dict[str, str], body: bytes) -> None:
        """End the process without an answer."""
        os._exit(3)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Write nothing."""


class Server(ThreadingHTTPServer):
    """Takes a herd: the backlog of the standard library is 5."""

    request_queue_size = 1024
    daemon_threads = True


if __name__ == "__main__":
    if "broken" in sys.argv:
        sys.exit("cannot go on: a setting is missing")
    Server((os.environ["HOST"], int(os.environ["PORT"])), App).serve_forever()
