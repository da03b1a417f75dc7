"""The demo: a sleeping app is woken by a request, serves, goes back to sleep, and is woken again with its session.

    python examples/demo.py

On a terminal the gateway stays up at the end for you to try; elsewhere it is stopped and the demo ends.
"""

import http.client
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

APP = Path(__file__).parent / "hello" / "app.py"
IDLE_TIMEOUT_S = 4
PATIENCE_S = 60.0
WARM_REQUESTS = 50


class Gateway:
    """The gateway as a child process; its timeline is shown as it comes, and can be waited for."""

    def __init__(self, port: int, state_dir: str) -> None:
        up = [sys.executable, "-m", "wakegate", "up", "--listen", f"127.0.0.1:{port}"]
        settings = ["--idle-timeout", f"{IDLE_TIMEOUT_S}s", "--state-dir", state_dir]
        app = [sys.executable, str(APP), "{port}"]
        self.process = subprocess.Popen([*up, *settings, "--", *app], stdout=subprocess.PIPE, text=True)
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._show, name="timeline", daemon=True).start()

    def wait_for(self, *words: str) -> None:
        """Return when a line of the timeline has all these words; end the demo when the gateway ends first."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            line = self._lines.get(timeout=max(0.1, deadline - time.monotonic()))
            if line is None:
                sys.exit(self.process.wait() or 1)
            if all(word in line for word in words):
                return

    def _show(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            print(line, end="", flush=True)
            self._lines.put(line)
        self._lines.put(None)


class Visitor:
    """A client that keeps its cookie, as a browser does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookie = ""

    def get(self, path: str = "/") -> tuple[int, str, float]:
        """Return status, body and seconds."""
        began_s = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        connection.request("GET", path, headers={"Cookie": self._cookie} if self._cookie else {})
        response = connection.getresponse()
        body = response.read().decode()
        took_s = time.perf_counter() - began_s
        self._cookie = (response.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        connection.close()
        return response.status, body, took_s

    def session(self) -> str:
        """Return the id of the session, as the cookie has it."""
        return self._cookie.partition("=")[2].partition(".")[0]


def main() -> int:
    """Run the demo."""
    is_terminal = sys.stdout.isatty()
    port = _port(8080)
    with tempfile.TemporaryDirectory(prefix="wakegate-demo-") as state_dir:
        gateway = Gateway(port, state_dir)
        try:
            _play(gateway, Visitor(port))
            if is_terminal:
                say(f"yours now: http://127.0.0.1:{port} — Ctrl-C stops everything")
                gateway.process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            gateway.process.send_signal(signal.SIGTERM)
            gateway.process.wait(timeout=PATIENCE_S)
    return gateway.process.returncode


def _play(gateway: Gateway, visitor: Visitor) -> None:
    gateway.wait_for("asleep")
    say("nothing runs but the gateway; the first request is on its way")
    status, _, took_s = visitor.get()
    gateway.wait_for("ready")
    say(f"first request: {status} in {took_s:.2f} s, the app's start included")
    warm = [visitor.get() for _ in range(WARM_REQUESTS)]
    assert all(status == 200 for status, _, _ in warm), "a warm request failed"
    say(f"{WARM_REQUESTS} warm requests: {median(took_s for _, _, took_s in warm) * 1000:.1f} ms each (median)")
    session = visitor.session()
    say(f"session {session[:8]}…; now nobody asks for {IDLE_TIMEOUT_S} s")
    gateway.wait_for("asleep")
    status, _, took_s = visitor.get()
    kept = "the same session" if visitor.session() == session else "ANOTHER session"
    gateway.wait_for("ready")
    say(f"second wake: {status} in {took_s:.2f} s, {kept}")


def say(text: str) -> None:
    """Print a line of the demo's own."""
    print(f"{time.strftime('%H:%M:%S')}  demo               {text}", flush=True)


def _port(wanted: int) -> int:
    """Return the port where it is free, else any free one."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
