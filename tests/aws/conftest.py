"""What the tests of the AWS side share: events, and two implementations of DynamoDB with faults put in front."""

import json
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from moto.moto_api import state_manager
from moto.server import ThreadedMotoServer
from tests.aws.raw_app import GET, LONG_S, App, Send

from wakegate.aws.cloud import AppRequest, AppResponse
from wakegate.aws.dynamo import Credentials, DynamoClient
from wakegate.aws.network import HttpNetwork

EVENTS = Path(__file__).parent / "events"
REGION = "eu-central-1"
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret")
DYNALITE = "dynalite@4.0.0"
PATIENCE_S = 30.0


def load_event(name: str) -> dict[str, Any]:
    """Return one of the events, in the shape that API Gateway and Function URLs send."""
    event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(event, dict)
    return event


class RealClock:
    """The time of day, and sleeps that are remembered and not slept: a backoff is waited for by nobody.

    `meanwhile` is what happens during the next sleep.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def now(self) -> datetime:
        """See `cloud.Clock.now`."""
        return datetime.fromtimestamp(time.time() + sum(self.slept), UTC)

    def sleep(self, seconds: float) -> None:
        """See `cloud.Clock.sleep`."""
        self.slept.append(seconds)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Yield the address of an emulated AWS."""
    # Else a look at a task moves it on to the next state of its life, down to STOPPED.
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def dynalite_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of another DynamoDB, on LevelDB; skip where npm or its registry is not there."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no npm here: the table is not checked against dynalite, a second implementation of DynamoDB")
    folder = tmp_path_factory.mktemp("dynalite")
    quick = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=20000"]
    install = [npm, "install", *quick, "--prefix", str(folder), DYNALITE]
    try:
        done = subprocess.run(install, capture_output=True, text=True, timeout=100, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer in 100 s: the table is not checked against dynalite")
    if done.returncode:
        said = next(iter(done.stderr.splitlines()), "no reason given")
        pytest.skip(f"no dynalite, so the table is not checked against it: {said}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = folder / "node_modules" / "dynalite" / "cli.js"
    command = [node, str(script), "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: is_open(port), what="dynalite listens")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE_S)


def eventually(check: Callable[[], Any], *, what: str) -> None:
    """Return when `check` is true; fail when it is not in time."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline_s, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.01)


def is_open(port: int) -> bool:
    """Say whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Dynamo:
    """Makes clients of an emulated DynamoDB, patient, as the machine may be busy; closes them in the end."""

    def __init__(self) -> None:
        self._clients: list[DynamoClient] = []

    def __call__(self, url: str, *, read_timeout_s: float = 10.0) -> DynamoClient:
        """Return another client."""
        client = DynamoClient(url, region=REGION, credentials=lambda: CREDENTIALS, read_timeout_s=read_timeout_s)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close their connections."""
        for client in self._clients:
            client.close()


@pytest.fixture
def dynamo() -> Iterator[Dynamo]:
    """Yield what makes clients."""
    made = Dynamo()
    yield made
    made.close()


def make_table(client: DynamoClient) -> str:
    """Create a table of its own for a test; return its name."""
    name = f"session-table-{uuid.uuid4().hex[:8]}"
    client.call(
        "CreateTable",
        {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "uuid", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "uuid", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )

    def is_active() -> bool:
        return bool(client.call("DescribeTable", {"TableName": name})["Table"]["TableStatus"] == "ACTIVE")

    eventually(is_active, what="the table is active")
    return name


class Faults:
    """An HTTP server in front of another: each request takes the next fault of a list, or passes.

    "lost" forwards and closes without a word; "dropped" closes without forwarding; "late" forwards and says nothing
    until the client is gone; "error" forwards and answers 500; "busy" answers 503; "throttled" refuses; "cut" forwards
    and sends half; "page" forwards and answers HTML; "denied" refuses for good; "hangup" passes and closes after that.
    """

    def __init__(self, url: str) -> None:
        self.upstream = url.removeprefix("http://")
        self.next: list[str] = []
        self.seen: list[str] = []  # the operations, in order
        self.connections = 0
        self.ended = 0
        self.throttled_as = "ThrottlingException"
        faults = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 20  # head and body in one piece: in two they wait for a delayed ACK, 40 ms each time

            def setup(self) -> None:
                faults.connections += 1
                super().setup()

            def finish(self) -> None:
                super().finish()
                self.connection.shutdown(socket.SHUT_RDWR)
                faults.ended += 1

            def do_POST(self) -> None:
                faults.serve(self)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        operation = handler.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.seen.append(operation or handler.path)
        fault = self.next.pop(0) if self.next else "pass"
        status, data = 200, b""
        if fault in ("pass", "lost", "late", "error", "cut", "page", "hangup"):
            status, data = self._forward(handler, body)
        match fault:
            case "lost" | "dropped":
                handler.close_connection = True
                return
            case "late":
                handler.rfile.read(1)  # ends when the client closes
                handler.close_connection = True
                return
            case "error":
                status, data = 500, b'{"__type":"com.amazonaws#InternalServerError","message":"broken"}'
            case "busy":
                status, data = 503, b'{"__type":"com.amazonaws#ServiceUnavailable","message":"later"}'
            case "throttled":
                status, data = 400, json.dumps({"__type": f"x#{self.throttled_as}", "message": "slow down"}).encode()
            case "denied":
                status, data = 400, b'{"__type":"x#AccessDeniedException","message":"not allowed to do that"}'
            case "page":
                status, data = 502, b"<html>Bad gateway</html>"
        handler.send_response(status)
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2] if fault == "cut" else data)
        handler.close_connection = fault in ("cut", "hangup")

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection(self.upstream, timeout=PATIENCE_S)
        try:
            connection.request("POST", handler.path, body, dict(handler.headers.items()))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@pytest.fixture
def faults(moto_url: str) -> Iterator[Faults]:
    """Yield a front of the emulated AWS that breaks on demand."""
    front = Faults(moto_url)
    yield front
    front.close()


@pytest.fixture
def app() -> Iterator[App]:
    """Yield an app that answers "ok"."""
    made = App()
    yield made
    made.close()


@pytest.fixture
def network() -> Iterator[HttpNetwork]:
    """Yield a network whose connections are closed in the end."""
    made = HttpNetwork("web")
    yield made
    made.close()


@pytest.fixture
def send(app: App, network: HttpNetwork) -> Send:
    """Return what sends a request to the app."""

    def forward(request: AppRequest = GET, *, timeout_s: float = LONG_S) -> AppResponse:
        return network.forward(request, app.target, timeout_s=timeout_s)

    return forward
