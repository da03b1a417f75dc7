"""What is compared: Wakegate as its own command line starts it, and nginx and Caddy from the system's packages."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import psutil

from wakegate.config.settings import SETTINGS

PACKAGES = {
    "nginx": "nginx-light",
    "caddy": "caddy",
    "wrk": "wrk",
    "systemd-socket-proxyd": "systemd",
    "docker": "docker.io",
    "busybox": "busybox-static",
}
ELSEWHERE = "/usr/sbin:/usr/local/sbin:/lib/systemd:/usr/lib/systemd"
CONFIGS = Path(__file__).parent
ROOT = CONFIGS.parent
STUB = CONFIGS / "stub.py"
BULK = CONFIGS / "bulk.py"
SIZES = {"64 B": 64, "16 KB": 16_000, "1 MB": 1_000_000}
PATIENCE_S = 60.0
BODY = b"hello from the app behind the proxy\n"  # as in upstream.conf


class BenchError(Exception):
    """Something could not be measured, and why."""


class MissingError(BenchError):
    """What is needed is not here: the row is skipped, and says how to get it."""


def needs_setting(key: str) -> None:
    """Raise `MissingError` unless this Wakegate has a setting."""
    if key not in {setting.key for setting in SETTINGS}:
        raise MissingError(f"this Wakegate has no {key.rpartition('.')[2]} setting")


def need(program: str) -> str:
    """Return the path of a program; Debian keeps servers where a user's PATH does not look."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{ELSEWHERE}")
    if path is None:
        raise MissingError(f"{program} is not installed; on Debian: apt-get install {PACKAGES[program]}")
    return path


def wait_until(done: Callable[[], bool], *, what: str) -> None:
    """Return when `done()`; raise `BenchError` when it takes too long."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline_s:
            raise BenchError(f"not within {PATIENCE_S:.0f} s: {what}")
        time.sleep(0.005)


@contextmanager
def folder() -> Iterator[Path]:
    """Lend a folder on a real disk: on a /tmp in memory, what Wakegate writes at a wake would cost nothing."""
    with TemporaryDirectory(prefix="wakegate-bench-", dir="/var/tmp") as path:
        Path(path).chmod(0o755)  # nginx started by root lets go of root
        yield Path(path)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stub(*words: str) -> list[str]:
    """Return the command of the smallest app, without its port."""
    return [sys.executable, "-I", "-S", "-E", str(STUB), *words]


def bulk() -> list[str]:
    """Return the command of the app for large bodies and WebSockets."""
    return [sys.executable, "-I", "-S", "-E", str(BULK), "{port}"]


class Peer:
    """A running program: where it listens, and the process group that its own processes form."""

    def __init__(self, name: str, command: Sequence[str], *, port: int, app_port: int, folder: Path) -> None:
        self.name = name
        self.port = port
        self.app_port = app_port
        self.folder = folder
        self.output = folder / f"{name}.output"
        self._errors = folder / f"{name}.errors"
        with self._errors.open("wb") as errors, self.output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                process_group=0,
            )
        self.pgid = self._process.pid

    def __enter__(self) -> Self:
        wait_until(self._listens, what=f"{self.name} listens")
        return self

    def __exit__(self, *error: object) -> None:
        """End it; what it started, it ends itself. One that ended by itself is the cause of whatever went wrong."""
        self._must_run()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            started = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            for process in started:
                process.kill()
            self._process.wait()

    def connect(self) -> socket.socket:
        """Open a connection to it."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def get(self, head: bytes) -> bytes:
        """Send one request on a connection of its own; return the answer up to its head and what came with it."""
        with self.connect() as connection:
            connection.sendall(head)
            answer = b""
            while b"\r\n\r\n" not in answer:
                piece = connection.recv(65536)
                if not piece:
                    raise BenchError(f"{self.name} closed the connection")
                answer += piece
        return answer

    def _must_run(self) -> None:
        if self._process.poll() is not None:
            said = (self._errors.read_text() or self.output.read_text()).strip().splitlines()
            raise BenchError(f"{self.name} ended with {self._process.returncode}: {' | '.join(said[-5:])}")

    def _listens(self) -> bool:
        self._must_run()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Wakegate(Peer):
    """The gateway under test, asleep, with one service `web`."""

    def __init__(
        self,
        command: Sequence[str] = (),
        *,
        app_port: int,
        folder: Path,
        image: str = "",
        gateway: str = "",
        sleep: str = 'idle_timeout = "1h"',
        more: str = "",
    ) -> None:
        """Run `command`, or a container of `image`; the others are lines of TOML: settings, and further services."""
        port = free_port()
        run = f'image = "{image}"' if image else f"command = {json.dumps(list(command))}"
        facts = {"run": run, "app_port": app_port, "port": port, "gateway": gateway, "sleep": sleep, "more": more}
        config = _fill("wakegate.toml", folder=folder, facts=facts)
        up = [sys.executable, "-m", "wakegate", "up", "--json", str(config)]
        super().__init__("wakegate", up, port=port, app_port=app_port, folder=folder)

    def status(self) -> dict[str, Any]:
        """Return what the gateway says of its service."""
        return next(entry for entry in self.statuses() if entry["name"] == "web")

    def statuses(self) -> list[dict[str, Any]]:
        """Return what the gateway says of every service."""
        return list(json.loads(self._cli("status", "--json")))

    def sleep(self, *, until: str = "asleep") -> None:
        """Put the service to sleep; return when its process is gone, or "paused"."""
        before = self.told(until)
        self._cli("sleep", "web")
        wait_until(lambda: self.told(until) > before, what=f"web is {until}")

    def told(self, kind: str) -> int:
        """Return how many lines of a kind the gateway has written."""
        lines = self.output.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        return sum(json.loads(line)["kind"] == kind for line in lines)

    def _cli(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "wakegate", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        if done.returncode != 0:
            raise BenchError(f"wakegate {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def proxies(
    *names: str, app: Sequence[str] = (), gateway: str = "", cores: str = "1"
) -> Iterator[tuple[dict[str, Peer], tuple[str, ...]]]:
    """Start Wakegate, awake, and its peers in front of the very same app; say which are missing, and why.

    The app is nginx unless another is given; `gateway` are settings of Wakegate, `cores` how many nginx may use.
    """
    with ExitStack() as running:
        here = running.enter_context(folder())
        app_port = free_port()
        command = app or _upstream(here, app_port=app_port)
        peers: dict[str, Peer] = {}
        missing: list[str] = []
        ours = Wakegate(command, app_port=app_port, folder=here, gateway=gateway)
        peers["wakegate"] = running.enter_context(ours)
        _must_forward(peers["wakegate"])
        for name in names:
            try:
                peers[name] = running.enter_context(_peer(name, app_port=app_port, folder=here, cores=cores))
                _must_forward(peers[name])
            except MissingError as error:
                missing.append(str(error))
        yield peers, tuple(missing)


def _upstream(folder: Path, *, app_port: int) -> list[str]:
    """Write what the app serves; return its command."""
    (folder / "sizes").mkdir()
    for count in SIZES.values():
        (folder / "sizes" / str(count)).write_bytes(b"x" * count)
    return [need("nginx"), "-c", str(_fill("upstream.conf", folder=folder, facts={"app_port": app_port}))]


def _peer(name: str, *, app_port: int, folder: Path, cores: str) -> Peer:
    port = free_port()
    facts = {"app_port": app_port, "port": port, "cores": cores}
    if name == "nginx":
        command = [need("nginx"), "-c", str(_fill("nginx.conf", folder=folder, facts=facts))]
    else:
        command = [need("caddy"), "run", "--adapter", "caddyfile", "--config"]
        command.append(str(_fill("Caddyfile", folder=folder, facts=facts)))
    return Peer(name, command, port=port, app_port=app_port, folder=folder)


def _must_forward(peer: Peer) -> None:
    """Raise `BenchError` unless it answers with the app's body: an empty 200 of its own would look very fast."""
    answer = peer.get(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(BODY):
        raise BenchError(f"{peer.name} does not forward: {answer.decode()}")


def _fill(name: str, *, folder: Path, facts: dict[str, Any]) -> Path:
    """Write a config of this folder with its @words@ replaced."""
    text = (CONFIGS / name).read_text(encoding="utf-8")
    for word, value in {"folder": folder, **facts}.items():
        text = text.replace(f"@{word}@", str(value))
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
