"""The app of the account's tests: `python hello.py HOST PORT`; answers its own address, and dies when asked to."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    """Say where it is."""

    def do_GET(self) -> None:
        """Answer, or exit."""
        if self.path == "/exit":
            os._exit(3)
        body = f"hello from {sys.argv[1]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is that of the base class
        """Say nothing."""


print("hello listens", flush=True)
ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Hello).serve_forever()
