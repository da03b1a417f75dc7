"""The app of the scenarios: a threaded HTTP/1.1 server whose behaviour is asked for by path and by environment.

    python app.py PORT

LISTEN_ON, END_ON name a file in the folder LET: listen, or end after SIGTERM, only once it is there. START_DELAY_S:
listen only after so long. EXIT_BEFORE_LISTEN: end with this status instead, while the file "mended" is not there.
ACCEPT_DELAY_S: each connection is silent for so long, as on a slow network. STARTS_FILE: append a line "PID TIME" at
each start.
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def is_let(name: str) -> bool:
    """Say whether the test has let this name go on."""
    return not name or (Path(os.environ["LET"]) / name).exists()


def until_let(name: str) -> None:
    """Wait for the test."""
    while not is_let(name):
        time.sleep(0.005)


class App(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    in_flight = 0
    in_flight_max = 0
    lock = threading.Lock()

    def handle_one(self) -> None:
        """Route by path."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        getattr(self, "serve_" + (url.path.strip("/").split("/")[0] or "index"), self.serve_index)(query)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = handle_one  # noqa: N815  http.server's names

    def body(self) -> bytes:
        """Read the request body, fixed or chunked."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def reply(self, body: bytes, *, status: int = 200, kind: str = "text/plain", **headers: str) -> None:
        """Answer with a fixed body."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_json(self, **facts: object) -> None:
        """Answer with facts, and who says so."""
        self.reply(json.dumps({"pid": os.getpid(), **facts}).encode(), kind="application/json")

    def serve_index(self, query: dict[str, str]) -> None:
        """Say who answers, and what came."""
        self.reply_json(path=self.path, method=self.command, headers=self.headers.items())

    def serve_echo(self, query: dict[str, str]) -> None:
        """Say the digest and the length of the body."""
        body = self.body()
        self.reply_json(sha256=hashlib.sha256(body).hexdigest(), length=len(body), method=self.command)

    def serve_early(self, query: dict[str, str]) -> None:
        """Answer without reading the body, and close."""
        self.close_connection = True
        self.reply(b"enough", status=422, Connection="close")

    def serve_slow(self, query: dict[str, str]) -> None:
        """Answer after so many seconds; say how many were at it at once."""
        with App.lock:
            App.in_flight += 1
            App.in_flight_max = max(App.in_flight_max, App.in_flight)
        time.sleep(float(query.get("s", "1")))
        with App.lock:  # before the answer: after it the gateway may send the next
            App.in_flight -= 1
        self.reply_json(in_flight_max=App.in_flight_max)

    def serve_wait(self, query: dict[str, str]) -> None:
        """Answer when the test lets it."""
        until_let(query.get("for", "answer"))
        self.reply_json()

    def serve_bytes(self, query: dict[str, str]) -> None:
        """Answer with so many bytes."""
        self.reply(b"x" * int(query["n"]))

    def serve_stream(self, query: dict[str, str]) -> None:
        """Send n server-sent events, one each s seconds, then end; `for`: the second when the test lets it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(int(query.get("n", "3"))):
            if number == 1:
                until_let(query.get("for", ""))
            piece = f"data: {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(float(query.get("s", "0.1")))
        self.wfile.write(b"0\r\n\r\n")

    def serve_ready(self, query: dict[str, str]) -> None:
        """Be ready when the test lets it: `for` names the file, so that a probe without its query never is."""
        self.reply(b"", status=200 if "for" in query and is_let(query["for"]) else 503)

    def serve_keep(self, query: dict[str, str]) -> None:
        """Ask to be kept awake."""
        self.reply(b"kept", Wakegate_Keep_Awake=query["s"])

    def serve_data(self, query: dict[str, str]) -> None:
        """Show the session's data, and store new data where asked."""
        had = {"data": self.headers.get("Wakegate-Session-Data"), "session": self.headers.get("X-Wakegate-Session")}
        body = json.dumps({**had, "pid": os.getpid()}).encode()
        if "set" in query:
            self.reply(body, kind="application/json", Wakegate_Session_Data=query["set"])
        else:
            self.reply(body, kind="application/json")

    def serve_burn(self, query: dict[str, str]) -> None:
        """Use the processor for so many seconds."""
        end_s = time.thread_time() + float(query.get("s", "1"))
        while time.thread_time() < end_s:
            pass
        self.reply_json()

    def serve_exit(self, query: dict[str, str]) -> None:
        """End the whole process, without an answer."""
        print("the app was asked to exit", flush=True)
        os._exit(int(query.get("status", "1")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Write a line for each request to the log."""
        print(f"{self.command} {self.path}", flush=True)


class Server(ThreadingHTTPServer):
    """Takes a herd: the backlog of the standard library is 5."""

    request_queue_size = 1024
    daemon_threads = True

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Serve a connection, after its delay."""
        time.sleep(float(os.environ.get("ACCEPT_DELAY_S", "0")))
        super().process_request_thread(request, client_address)  # type: ignore[arg-type]  # passed on as it comes


def end(number: int, frame: object) -> None:
    """Take the time that the test gives, then end at once."""
    until_let(os.environ["END_ON"])
    os._exit(0)


def main() -> None:
    """Start as the environment says."""
    if starts := os.environ.get("STARTS_FILE"):
        with open(starts, "a", encoding="utf-8") as file:  # noqa: PTH123  one atomic append
            file.write(f"{os.getpid()} {time.time()}\n")
    if "END_ON" in os.environ:
        signal.signal(signal.SIGTERM, end)
    time.sleep(float(os.environ.get("START_DELAY_S", "0")))
    until_let(os.environ.get("LISTEN_ON", ""))
    status = os.environ.get("EXIT_BEFORE_LISTEN")
    if status and not is_let("mended"):
        print("cannot go on: a setting is missing", flush=True)
        sys.exit(int(status))
    Server(("127.0.0.1", int(sys.argv[1])), App).serve_forever()


if __name__ == "__main__":
    main()
