"""The client side of one process: its doors open and shut, and a bug on one connection is one connection's."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.local.certificates import make_pair
from tests.local.request.stage import GET, Client, Counter, eventually
from tests.local.workers.process import App

from wakegate.core.spec import GatewaySpec
from wakegate.local.certificate import Certificate
from wakegate.local.lane import Lane
from wakegate.local.reception import Reception
from wakegate.local.request.pool import shut

pytestmark = pytest.mark.anyio


class Place:
    """A reception, its service, and what it has told."""

    def __init__(self, app: App, spec: GatewaySpec) -> None:
        self.lane = Counter(app.target)
        self.clients: list[Client] = []
        self.told: list[tuple[str, str, str]] = []
        self.reception = Reception(spec, routes=self, tell=self._tell)
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def find(self, host: str, path: str) -> Lane | None:
        """Return the service."""
        return self.lane

    def _tell(self, kind: str, text: str, *, service: str = "", **_: Any) -> None:
        self.told.append((kind, text, service))

    async def client(self, context: ssl.SSLContext | None = None) -> Client:
        """Connect."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, ssl=context))
        self.clients.append(client)
        return client


@asynccontextmanager
async def place(
    certificate: Certificate | None = None, *, spec: GatewaySpec | None = None
) -> AsyncIterator[tuple[Place, App]]:
    """Have one whose doors are open."""
    async with asyncio.timeout(60), App() as app, asyncio.TaskGroup() as tasks:
        here = Place(app, spec or GatewaySpec())
        here.reception.begin(tasks)
        await here.reception.open([here.listening], certificate)
        try:
            yield here, app
        finally:
            here.reception.shut()
            here.reception.close()
            await eventually(lambda: not here.reception.connections, "all are let go of")
            shut(app.target)
            for client in here.clients:
                client.close()
            await eventually(lambda: not app.open, "the app has nobody left")


async def test_it_serves_and_lets_go_of_whom_it_does_not_serve() -> None:
    """Those that are being served get their answer first."""
    async with place() as (here, app):
        idle, busy = await here.client(), await here.client()
        for client in (idle, busy):
            client.send(GET)
            assert (await client.answer()).status == 200
        busy.send(GET.replace(b"/", b"/wait", 1))
        await eventually(lambda: app.arrived == 3, "it is at the app")
        here.reception.shut()
        await idle.gone()
        app.go.set()
        assert (await busy.answer()).status == 200
        here.reception.drain()
        await busy.gone()
        with pytest.raises(OSError, match=r"refused|Errno"):
            await here.client()


async def test_with_a_certificate_it_speaks_tls(tmp_path: Path) -> None:
    """By the same doors."""
    pair = make_pair(tmp_path)
    context = ssl.create_default_context(cafile=str(pair.certificate))
    context.check_hostname = False
    async with place(Certificate(str(pair.certificate), str(pair.key))) as (here, _):
        client = await here.client(context)
        client.send(GET)
        assert (await client.answer()).status == 200


async def test_behind_a_proxy_it_reads_who_the_client_is() -> None:
    """A connection that does not begin with that is closed: whoever may speak for others must say for whom."""
    async with place(spec=GatewaySpec(proxy_protocol=True, trusted_proxies=("127.0.0.1/32",))) as (here, _):
        client = await here.client()
        client.send(b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n" + GET)
        assert (await client.answer()).status == 200
        (connection,) = here.reception.connections
        assert (connection.told, connection.peer.address) == ("203.0.113.9", "203.0.113.9")
        stranger = await here.client()
        stranger.send(GET)
        await stranger.gone()
        assert "does not begin with a PROXY header" in here.told[0][1]


async def test_it_listens_on_a_unix_socket(tmp_path: Path) -> None:
    """The client is the proxy on this machine, or whoever it speaks for."""
    async with place() as (here, _):
        local = socket.socket(socket.AF_UNIX)
        local.bind(str(tmp_path / "w.sock"))
        await here.reception.open([local], None)
        client = Client(*await asyncio.open_unix_connection(tmp_path / "w.sock"))
        here.clients.append(client)
        client.send(GET)
        assert (await client.answer()).status == 200
        assert [connection.peer.address for connection in here.reception.connections] == ["127.0.0.1"]


async def test_it_goes_on_with_the_connections_of_another_gateway() -> None:
    """Their clients notice nothing; one that has gone meanwhile is let go of."""
    async with place() as (here, _):
        theirs, ours = socket.socketpair()
        client = Client(*await asyncio.open_unix_connection(sock=theirs))
        here.clients.append(client)
        await here.reception.welcome(ours, "203.0.113.9")
        client.send(GET)
        assert (await client.answer()).status == 200
        assert [connection.told for connection in here.reception.connections] == ["203.0.113.9"]


async def test_its_doors_shut_and_who_is_inside_stays() -> None:
    """A successor has the same sockets: those who come now are for it."""
    async with place() as (here, _):
        client, kept = await here.client(), here.listening.dup()
        here.reception.shut_doors()
        client.send(GET)
        assert (await client.answer()).status == 200
        with kept, socket.create_connection(("127.0.0.1", here.port)):
            accepted, _ = await asyncio.to_thread(kept.accept)
            accepted.close()


async def test_who_has_just_come_is_expected_to_speak(tmp_path: Path) -> None:
    """What TLS has agreed on, or is about to, cannot be handed over: a successor waits, but not for the silent."""
    pair = make_pair(tmp_path)
    context = ssl.create_default_context(cafile=str(pair.certificate))
    context.check_hostname = False
    async with place(Certificate(str(pair.certificate), str(pair.key))) as (here, _):
        began_s = time.monotonic()
        silent = await here.client()
        await eventually(lambda: here.reception.is_expecting(since_s=began_s), "it is at the door")
        assert not here.reception.is_expecting(since_s=time.monotonic())
        silent.close()
        await eventually(lambda: not here.reception.is_expecting(since_s=began_s), "it has gone")
        client = await here.client(context)
        await eventually(lambda: here.reception.connections, "it is in")
        assert here.reception.is_expecting(since_s=began_s)
        assert not here.reception.is_expecting(since_s=time.monotonic())
        client.send(GET)
        assert (await client.answer()).status == 200
        await eventually(lambda: not here.reception.is_expecting(since_s=began_s), "it has spoken")
        client.send(GET[:-2])
        await eventually(lambda: here.reception.is_expecting(since_s=began_s), "it has begun another request")


async def test_a_bug_beside_a_request_is_told_and_ends_nothing_else() -> None:
    """All services would be gone with it."""

    async def bug() -> NoReturn:
        raise RuntimeError("a bug")

    async with place() as (here, _):
        await here.reception.spawn(bug(), name="bug")
        assert here.told == [("bug", "a connection was cut by a part of the gateway that broke", "")]
        client = await here.client()
        client.send(GET)
        assert (await client.answer()).status == 200


async def test_what_a_request_shows_to_be_wrong_is_told_of_its_service() -> None:
    """The operator must know where to look."""
    async with place() as (here, _):
        here.reception.warn(here.lane, "too much data")
        assert here.told == [("warning", "too much data", "shop")]
