"""A small app in a container: it says which replica answers, and how long that has been up."""

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BORN_S = time.monotonic()


class Page(BaseHTTPRequestHandler):
    """Answers every path."""

    def do_GET(self) -> None:
        """Say who answers."""
        up_s = time.monotonic() - BORN_S
        body = f"Replica {os.environ.get('HOSTNAME', '?')} has been up for {up_s:.1f} s.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    # The first process of a container does not end by SIGTERM unless it says so; Docker would wait, then kill it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Listen on every address of the container: 127.0.0.1 in it is not reached from outside.
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Page).serve_forever()
