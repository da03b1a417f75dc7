"""The wake of a container: what the gateway adds to Docker's own start, and how long a paused one takes.

A start is compared as in `wake`: a plain script tells Docker to start a container that has been created before, with
the same published port, and asks until it is answered. A paused replica listens already, so its wake counts as it is,
from the request to the first byte; the same for a process that is frozen by SIGSTOP.

Sablier is not compared: it could be built neither from a package nor from the Go module proxy.

The container is the web server of one static busybox; its image is made here and removed at the end.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import quote

from bench.browser import FETCH, request
from bench.options import Options
from bench.peers import PATIENCE_S, BenchError, MissingError, Wakegate, folder, need, needs_setting, stub, wait_until
from bench.table import Row, at_most
from bench.wake import must_be_200, overhead, woken_ms

START_MAX_MS, PAUSE_MAX_MS = 20.0, 30.0
WAKES_A_ROUND = 5
PORT = 8000
PAUSE = 'idle_timeout = "1h"\nmode = "pause"'
SABLIER = "not measured: no system package has it, and the Go module proxy refused github.com/sablierapp/sablier"
DOCKERFILE = f"""FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY index.html /www/
EXPOSE {PORT}
ENTRYPOINT ["/bin/sh", "-c", "trap 'exit 0' TERM; busybox httpd -f -p {PORT} -h /www & wait"]
"""


def measure(options: Options, *, wakes: int = WAKES_A_ROUND) -> list[Row]:
    """Wake each some times a round; what this Wakegate or this machine cannot do is a row that says so."""
    count = wakes * options.rounds
    rows = [_or_skipped("containers: wake of a paused process", partial(_paused, stub("{port}"), count=count))]
    try:
        with _image() as image:
            rows.append(_or_skipped("containers: overhead of a start", partial(_started, image, count=count)))
            rows.append(_or_skipped("containers: wake of a paused one", partial(_paused, (), image=image, count=count)))
    except MissingError as error:
        rows.append(Row(claim="containers: start and pause", unit="ms", notes=(str(error),)))
    return [*rows, Row(claim="containers: Sablier with Caddy", unit="ms", notes=(SABLIER,))]


def _or_skipped(claim: str, measured: Callable[..., Row]) -> Row:
    try:
        return measured(claim=claim)
    except MissingError as error:
        return Row(claim=claim, unit="ms", notes=(str(error),))


def _paused(command: Sequence[str], *, image: str = "", count: int, claim: str) -> Row:
    needs_setting("service.*.sleep.mode")
    took_ms = []
    with folder() as here, Wakegate(command, app_port=0, folder=here, image=image, sleep=PAUSE) as gateway:
        woken_ms(gateway.port)
        for _ in range(count):
            gateway.sleep(until="paused")
            took_ms.append(woken_ms(gateway.port))
    goal = at_most(median(took_ms), PAUSE_MAX_MS, of="ms")
    return Row(
        claim=claim, unit="ms", samples={"wakegate": took_ms}, goals=(goal,), notes=(f"worst {max(took_ms):.0f} ms",)
    )


def _started(image: str, *, count: int, claim: str) -> Row:
    needs_setting("service.*.image")
    took_ms: dict[str, list[float]] = {"woken": [], "started": [], "started again": []}
    with folder() as here, Wakegate(app_port=0, folder=here, image=image) as gateway:
        woken_ms(gateway.port)  # the image is looked at, and what the gateway keeps ready is made
        gateway.sleep()
        _settle(image)
        for _ in range(count):
            took_ms["started"].append(_started_ms(image))
            took_ms["woken"].append(woken_ms(gateway.port))
            gateway.sleep()
            _settle(image)
            took_ms["started again"].append(_started_ms(image))
    return overhead(claim, took_ms, most_ms=START_MAX_MS)


def _settle(image: str) -> None:
    """Return when nothing is stopped or removed any more, as that would keep Docker busy."""
    asked = quote(json.dumps({"ancestor": [image]}))
    with closing(Daemon()) as daemon:
        path = f"/containers/json?all=1&filters={asked}"
        wait_until(lambda: {one["State"] for one in daemon.ask("GET", path)} <= {"created"}, what="containers are gone")


def _started_ms(image: str) -> float:
    """Start a container that stands ready, without the gateway; return the time to the first byte of its answer."""
    host = {"PortBindings": {f"{PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}}
    with closing(Daemon()) as daemon:
        made = daemon.ask("POST", "/containers/create", {"Image": image, "HostConfig": host})["Id"]
        try:
            began_s = time.perf_counter()
            daemon.ask("POST", f"/containers/{made}/start")
            networks = daemon.ask("GET", f"/containers/{made}/json")["NetworkSettings"]["Networks"]
            (address,) = (network["IPAddress"] for network in networks.values())
            with _connected(address) as connection:
                connection.sendall(request(FETCH))
                must_be_200(connection.recv(65536))
            return (time.perf_counter() - began_s) * 1e3
        finally:
            daemon.ask("DELETE", f"/containers/{made}?force=true")


def _connected(address: str) -> socket.socket:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_connection((address, PORT), timeout=PATIENCE_S)
        except ConnectionRefusedError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.0005)  # nothing tells that a container listens


class Daemon(http.client.HTTPConnection):
    """A connection to the Docker Engine of this machine."""

    def __init__(self) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)

    def connect(self) -> None:
        """Connect to its socket."""
        path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(path)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return its answer; raise `BenchError` with what it said where it refuses."""
        head = {"Content-Type": "application/json"} if body is not None else {}
        self.request(method, path, None if body is None else json.dumps(body), head)
        answer = self.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise BenchError(f"Docker refused {method} {path}: {said.decode()}")
        return json.loads(said) if said else None


@contextmanager
def _image() -> Iterator[str]:
    """Lend an image; it goes with all containers that were made of it."""
    docker, busybox = need("docker"), need("busybox")
    if subprocess.run([docker, "version"], check=False, capture_output=True).returncode:
        raise MissingError("Docker does not answer here")
    name = f"wakegate-bench-{uuid.uuid4().hex[:12]}"
    with folder() as here:
        shutil.copy(busybox, here / "busybox")
        (here / "index.html").write_text("hello\n", encoding="utf-8")
        (here / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        _run(docker, "build", "--quiet", "--tag", name, str(here))
    try:
        yield name
    finally:
        for container in _run(docker, "ps", "--all", "--quiet", "--filter", f"ancestor={name}").split():
            _run(docker, "rm", "--force", "--volumes", container)
        _run(docker, "rmi", "--force", name)


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
