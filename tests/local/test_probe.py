"""The probe: what counts as ready, how long an attempt may take, and how soon readiness is seen."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.local.backend.world import WallClock

from wakegate.local.probe import http_answers, is_self_connected, pause_s, tcp_answers, until_ready
from wakegate.ports import Exit, Kept

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1"


class App:
    """Answers each connection with the next of its answers, the last one for ever; remembers what it was asked."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[int]:
    """Yield the port it listens on."""
    server = await asyncio.start_server(app.serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class ProbedReplica:
    """As much of a replica as the rhythm needs: ready after so many attempts."""

    number, host, port, pid = 1, HOST, 1, 1
    is_paused = False

    def __init__(self, *, attempts: int) -> None:
        self.left = attempts
        self.asked_s: list[float] = []

    async def answers(self) -> bool:
        """Count one attempt."""
        self.asked_s.append(asyncio.get_running_loop().time())
        self.left -= 1
        return self.left <= 0

    async def exited(self) -> Exit:
        """Never asked for."""
        raise AssertionError

    def terminate(self) -> None:
        """Never asked for."""

    def kill(self) -> None:
        """Never asked for."""

    async def pause(self) -> None:
        """Never asked for."""

    async def resume(self) -> None:
        """Never asked for."""

    async def give_back(self) -> Kept:
        """Never asked for."""
        raise AssertionError


def _descriptor_count() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _closed_port() -> int:
    with socket.create_server((HOST, 0)) as sock:
        return int(sock.getsockname()[1])


async def get(port: int, path: str = "/", *, timeout_s: float = 5) -> bool:
    """Make one HTTP attempt."""
    return await http_answers(HOST, port, path, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("status", "is_ready"),
    [(200, True), (204, True), (302, True), (399, True), (400, False), (404, False), (500, False), (503, False)],
)
async def test_200_to_399_is_ready(status: int, is_ready: bool) -> None:
    """A redirect to the login page is a healthy app; a 404 is a wrong probe path, and must not pass for ready."""
    async with listening(App(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())) as port:
        assert await get(port) is is_ready


async def test_an_app_that_answers_503_at_first_is_ready_later() -> None:
    """The port is open before the app can serve: it is asked on."""
    app = App(b"HTTP/1.1 503 No\r\n\r\n", b"HTTP/1.1 503 No\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n")
    async with listening(app) as port:
        assert [await get(port) for _ in range(4)] == [False, False, True, True]


async def test_the_request_names_path_query_host_and_prober() -> None:
    """Apps check their Host, and operators want to tell probes from people in their logs."""
    app = App(b"HTTP/1.1 200 OK\r\n\r\n")
    async with listening(app) as port:
        assert await get(port, "/healthz?full=1&x=%20")
    assert app.requests == [
        f"GET /healthz?full=1&x=%20 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: wakegate-probe\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n".encode()
    ]


@pytest.mark.parametrize(
    ("answer", "is_ready"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 503 No\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
        (b"HTTP/1.1 abc\r\n", False),
        (b"HTTP/1.1 2", False),
        (b"", False),
        (b"\0" * 70_000, False),
    ],
)
async def test_only_a_final_status_counts(answer: bytes, is_ready: bool) -> None:
    """Interim responses and other protocols say nothing about readiness."""
    async with listening(App(answer)) as port:
        assert await get(port) is is_ready


async def test_a_port_that_accepts_but_never_answers_is_not_ready() -> None:
    """Each attempt is bounded: a hung app must not hang the wake past its timeout."""
    with socket.create_server((HOST, 0)) as sock:
        port = sock.getsockname()[1]
        assert await tcp_answers(HOST, port, timeout_s=5)
        assert not await get(port, timeout_s=0.05)


async def test_a_backlog_that_is_full_is_not_ready() -> None:
    """The kernel drops the connection attempt without a word: the attempt ends by its timeout."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen(0)
        port = sock.getsockname()[1]
        with socket.create_connection((HOST, port)):
            assert not await tcp_answers(HOST, port, timeout_s=0.05)


async def test_a_closed_port_is_not_ready() -> None:
    """The state of every app while it starts."""
    port = _closed_port()
    assert not await tcp_answers(HOST, port, timeout_s=5)
    assert not await get(port)


async def test_a_socket_connected_to_itself_is_recognised() -> None:
    """Asking for a port that nobody listens on can connect a socket to itself: ready without an app."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.connect(sock.getsockname())
        assert is_self_connected(sock)
    with socket.create_server((HOST, 0)) as server, socket.create_connection(server.getsockname()) as sock:
        assert not is_self_connected(sock)


async def test_thousands_of_probes_leave_no_descriptor() -> None:
    """Neither refused nor answered nor timed out nor cancelled ones."""
    closed = _closed_port()
    async with listening(App(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        assert await get(port)
        before = _descriptor_count()
        for _ in range(2000):
            assert not await tcp_answers(HOST, closed, timeout_s=5)
        for _ in range(300):
            assert await get(port)
        with socket.create_server((HOST, 0)) as silent:
            attempts = [asyncio.ensure_future(get(silent.getsockname()[1])) for _ in range(50)]
            await asyncio.wait(attempts, timeout=0.05)
            for attempt in attempts:
                attempt.cancel()
            await asyncio.wait(attempts)
        async with asyncio.timeout(10):
            while _descriptor_count() > before:  # noqa: ASYNC110  the server side closes a turn of the loop later
                await asyncio.sleep(0.005)


def test_the_rhythm_is_fast_at_first_and_never_far_behind() -> None:
    """An app that listens after 300 ms is seen 3 ms later; one that takes a minute is not asked 60,000 times."""
    assert [pause_s(elapsed_s) for elapsed_s in (0, 0.3, 1, 5, 60)] == [0.001, 0.001, 0.003, 0.015, 0.05]


def test_an_app_that_is_known_is_left_alone_until_soon_before_it_listens() -> None:
    """Attempts take processor time that its start needs; one that is quicker than ever is seen a quarter late."""
    assert [pause_s(at_s, quickest_s=0.1) for at_s in (0, 0.05, 0.086, 0.09, 0.2)] == pytest.approx(
        [0.0225, 0.01, 0.001, 0.001, 0.001]
    )
    assert pause_s(0, quickest_s=60) == 0.05


async def test_it_returns_at_the_first_answer() -> None:
    """And asks no more after it."""
    replica = ProbedReplica(attempts=5)
    await until_ready(replica, timeout_s=20, clock=WallClock())
    assert len(replica.asked_s) == 5
    assert replica.left == 0


async def test_a_replica_that_never_answers_times_out() -> None:
    """The caller makes it a failed wake."""
    with pytest.raises(TimeoutError):
        await until_ready(ProbedReplica(attempts=10**9), timeout_s=0.02, clock=WallClock())


async def test_it_can_be_cancelled() -> None:
    """The replica exited: nobody waits for its answer any more."""
    task = asyncio.ensure_future(until_ready(ProbedReplica(attempts=10**9), timeout_s=20, clock=WallClock()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
