"""The real gateway as a child process, as the scenarios start, ask, kill and stop it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

APP = Path(__file__).parent / "app.py"
PATIENCE_S = 60.0  # for what is sure to come: a busy machine may take long, and then no test is about that


def eventually(check: Callable[[], Any], *, what: str) -> Any:
    """Return the first true answer of `check`; fail when there is none in time."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        if answer := check():
            return answer
        time.sleep(0.02)
    pytest.fail(f"not within {PATIENCE_S:.0f} s: {what}")


def alive(pid: int) -> bool:
    """Say whether a process is there (a zombie of somebody else's counts as gone)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Stranger:
    """A process that is nobody's child here, with what is used of `Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode = 0  # nobody but its parent is told

    def poll(self) -> int | None:
        """Return its status once it has ended."""
        return None if alive(self.pid) else 0

    def wait(self, timeout: float) -> int:
        """Return its status; raise where it does not end in time."""
        deadline_s = time.monotonic() + timeout
        while alive(self.pid):
            if time.monotonic() > deadline_s:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return 0

    def send_signal(self, number: int) -> None:
        """Send it."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def accepts(port: int) -> bool:
    """Say whether something listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


class Wakegate:
    """A running `wakegate up`, of a configuration or of the command behind "--"."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.words = words
        self.starts_file = folder / "starts"
        self.config_file = folder / "wakegate.toml"
        self.notices: list[dict[str, Any]] = []
        self.errors = ""
        self.launcher: tuple[str, ...] = ()  # a command that runs the one behind it
        self.env: dict[str, str] = {}
        self.descriptors: tuple[int, ...] = ()
        self.replaced: list[subprocess.Popen[str] | Stranger] = []  # by upgrades
        (folder / "let").mkdir()

    def configure(self, config: str) -> None:
        """Write wakegate.toml; {app} stands for the command of the scenarios' app."""
        command = json.dumps([sys.executable, str(APP), "{port}"])
        self.config_file.write_text(config.replace("{app}", command), encoding="utf-8")

    def let(self, name: str) -> None:
        """Let apps that wait for this name go on, now and later."""
        (self.folder / "let" / name).touch()

    def start(self) -> None:
        """Start the gateway and wait until it listens."""
        self.spawn()
        self.url = str(self.wait_for("started")["url"])
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S, verify=False)

    def spawn(self) -> None:
        """Start the gateway."""
        scripts = Path(sys.executable).parent
        self.process: subprocess.Popen[str] | Stranger = subprocess.Popen(
            [*self.launcher, sys.executable, "-m", "wakegate", "up", "--json", "--listen", "127.0.0.1:0", *self.words],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
                "STARTS_FILE": str(self.starts_file),
                "LET": str(self.folder / "let"),
                **self.env,
            },
            pass_fds=self.descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._seen = len(self.notices)
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def wait_for(self, kind: str, *, service: str = "") -> dict[str, Any]:
        """Return the next notice of this kind that has not been waited for yet."""

        def look() -> dict[str, Any] | None:
            is_over = self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers)
            for index in range(self._seen, len(self.notices)):
                notice = self.notices[index]
                if notice["kind"] == kind and (not service or notice["service"] == service):
                    self._seen = index + 1
                    return notice
            if is_over:
                pytest.fail(f"the gateway ended with {self.process.returncode}: {self.errors}\n{self.kinds()}")
            return None

        found = eventually(look, what=f"a notice {kind!r}; there were {self.kinds()}")
        assert isinstance(found, dict)
        return found

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return all notices of this kind so far."""
        return [notice for notice in self.notices if notice["kind"] == kind]

    def kinds(self) -> list[str]:
        """Return what the timeline has told so far."""
        return [notice["kind"] for notice in self.notices]

    def started_pids(self) -> list[int]:
        """Return the processes of the app that were started, in order."""
        if not self.starts_file.exists():
            return []
        return [int(line.split()[0]) for line in self.starts_file.read_text(encoding="utf-8").splitlines()]

    def starts(self) -> int:
        """Return how many processes of the app were started."""
        return len(self.started_pids())

    def get(self, path: str = "/", *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a GET on a connection of its own, without cookies."""
        return httpx.get(self.url + path, headers=headers, timeout=PATIENCE_S, verify=False)

    def get_by_host(self, host: str, path: str = "/") -> httpx.Response:
        """Send a GET to another host of this gateway."""
        return self.get(path, headers={"Host": host})

    def together(self, count: int, path: str = "/") -> list[Future[httpx.Response]]:
        """Begin so many GETs at once; they go on by themselves."""
        pool = ThreadPoolExecutor(count)
        answers = [pool.submit(self.get, path) for _ in range(count)]
        pool.shutdown(wait=False)
        return answers

    def connect(self) -> socket.socket:
        """Open a connection without saying anything."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE_S)

    def exchange(self, request: bytes) -> bytes:
        """Send bytes and return everything that comes back until the end."""
        with self.connect() as client:
            client.sendall(request)
            pieces = []
            while piece := client.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)

    def cli(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another wakegate command against this gateway."""
        return subprocess.run(
            [sys.executable, "-m", "wakegate", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=check,
            timeout=PATIENCE_S,
        )

    def status(self, service: str = "web") -> dict[str, Any]:
        """Return what `wakegate status --json` says of a service."""
        for entry in json.loads(self.cli("status", "--json").stdout):
            if entry["name"] == service:
                assert isinstance(entry, dict)
                return entry
        pytest.fail(f"no service {service}")

    def until(self, **wanted: object) -> dict[str, Any]:
        """Return the status of the service "web" once it says all of this."""

        def look() -> dict[str, Any] | None:
            status = self.status()
            return status if all(status[name] == value for name, value in wanted.items()) else None

        found = eventually(look, what=f"{wanted}")
        assert isinstance(found, dict)
        return found

    def reload(self, config: str) -> None:
        """Change the file and wait until the gateway has read it."""
        self.configure(config)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("reloaded")

    def upgrade(self) -> int:
        """Let a new program take the place of the one that runs; return the id of the old one, once the new serves."""
        old = self.process.pid
        self.process.send_signal(signal.SIGUSR2)
        self.follow()
        return old

    def follow(self) -> None:
        """Return when an upgrade is done; what is asked of the process from now on is asked of the new one."""
        new = self.wait_for("upgraded")["text"]
        self.replaced.append(self.process)
        self.process = Stranger(int(new.partition("pid ")[2].partition(")")[0]))

    def stop(self) -> int:
        """Stop the gateway as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """End the gateway as a power cut of the process does."""
        self.process.kill()
        self._ended()

    def end(self) -> None:
        """Stop it without waiting for requests or for apps that take their time."""
        for name in ("listen", "ready", "answer", "end"):
            self.let(name)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGTERM)  # the second one is for the impatient
        self._ended()

    def _ended(self) -> int:
        if hasattr(self, "client"):
            self.client.close()
        code = self.process.wait(PATIENCE_S)
        for process in self.replaced:
            process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def _read(self) -> None:
        assert isinstance(self.process, subprocess.Popen)
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.notices.append(json.loads(line))

    def _read_errors(self) -> None:
        assert isinstance(self.process, subprocess.Popen)
        assert self.process.stderr is not None
        with self.process.stderr as text:
            self.errors += text.read()
