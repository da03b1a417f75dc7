"""The crew: whatever happens to a worker, there is one in its place, and the services hear of it."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.local.request.peer import PATIENCE_S
from tests.local.workers.process import App, is_there
from tests.local.workers.world import Home, eventually, spec, warm

from wakegate.core.spec import GatewaySpec
from wakegate.local.clock import SystemClock
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.workers.beside import Beside
from wakegate.local.workers.crew import STUCK_S, TOLD_TO_END, Crew

pytestmark = pytest.mark.anyio


class Gateway:
    """As much of a gateway as a crew needs: one service that is awake, and a timeline."""

    def __init__(
        self,
        state_dir: Path,
        app: App,
        *,
        count: int,
        given: Sequence[socket.socket] = (),
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.given = given
        self.spec = GatewaySpec(port=0, state_dir=str(state_dir))
        self.home = Home()
        self.home.here = app.target
        self.told: list[tuple[str, str]] = []
        self.crew = Crew(self.spec, count=count, given=given, home=self._home, tell=self._tell, clock=SystemClock())
        self._tasks = tasks

    def _home(self, name: str) -> Home | None:
        return self.home if name == "web" else None

    def _tell(self, kind: str, text: str, **_: Any) -> None:
        self.told.append((kind, text))

    async def begin(self) -> None:
        """Begin as a gateway does: take over what is there, then open."""
        first = await self.crew.adopt()
        self.beside: Beside = self.crew.beside("web")
        self.beside.publish(warm(self.home.here))
        self.crew.configure(self.spec, [spec(), spec("hidden", is_routed=False)])
        if self.given:
            first = self.given
        elif not first:
            listening = socket.socket()
            listening.bind(("127.0.0.1", 0))
            first = [listening]
        self.url = f"http://127.0.0.1:{first[0].getsockname()[1]}"
        await self.crew.open(first, self._tasks)

    def pids(self) -> list[int]:
        """Return the processes of the workers."""
        return [hand.pid for hand in self.crew._hands.values()]

    async def close(self) -> None:
        """End as a gateway does."""
        self.crew.shut()
        await self.crew.close()

    async def get(self, path: str = "/") -> httpx.Response:
        """Ask, on a new connection."""
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            return await client.get(self.url + path)

    async def new_one(self, *, than: list[int]) -> None:
        """Wait until another worker has begun in the place of one."""
        await eventually(
            lambda: (
                len(self.pids()) == len(than)
                and self.pids() != than
                and all(hand.begun.is_set() for hand in self.crew._hands.values())
            ),
            "another is here",
        )


@asynccontextmanager
async def gateway(
    state_dir: Path, *, count: int = 2, given: Sequence[socket.socket] = ()
) -> AsyncIterator[tuple[Gateway, App]]:
    """Have a crew that serves one service."""
    with SqliteStore(state_dir / "state.sqlite"):
        pass
    async with asyncio.timeout(100), App() as app, asyncio.TaskGroup() as tasks:
        one = Gateway(state_dir, app, count=count, given=given, tasks=tasks)
        await one.begin()
        try:
            yield one, app
        finally:
            await one.close()


async def test_all_serve_and_all_end(tmp_path: Path) -> None:
    """With nothing left of them but their folder."""
    async with gateway(tmp_path) as (here, _):
        ids: set[str] = set()
        while len(ids) < 2:
            ids.add((await here.get()).headers["X-Request-Id"][:12])
        pids = here.pids()
        assert here.beside.requests() >= 2
        assert here.told == []
    assert not any(map(is_there, pids))
    assert not list((tmp_path / "workers").glob("*.sock"))


async def test_a_worker_that_was_killed_is_forgotten_when_it_is_gone_and_replaced(tmp_path: Path) -> None:
    """What it had in flight keeps the service awake until then, and not a moment longer."""
    async with gateway(tmp_path, count=1) as (here, app), asyncio.TaskGroup() as tasks:
        cut = tasks.create_task(_cut(here, "/wait"))
        await eventually(lambda: app.arrived, "it is at the app")
        assert here.beside.in_flight() == 1
        before = here.pids()
        here.home.told.clear()
        os.kill(before[0], signal.SIGKILL)
        await here.new_one(than=before)
        assert here.beside.in_flight() == 0
        assert here.beside.requests() == 1
        assert ("heard", None) in here.home.told
        text = f"worker 1 (pid {before[0]}) was ended by signal 9; another takes its place"
        assert here.told == [("worker", text)]
        assert (await here.get()).status_code == 200
        await cut


async def test_one_that_is_told_to_end_by_a_signal_is_replaced_before_it_has(tmp_path: Path) -> None:
    """Who comes to its door meanwhile does not wait until its last request is over."""
    async with gateway(tmp_path, count=1) as (here, app), asyncio.TaskGroup() as tasks:
        long = tasks.create_task(here.get("/wait"))
        await eventually(lambda: app.arrived, "it is at the app")
        (before,) = here.pids()
        os.kill(before, signal.SIGTERM)
        assert (await here.get()).status_code == 200
        assert is_there(before)
        text = f"worker 1 (pid {before}) {TOLD_TO_END}, and another takes its place"
        assert here.told == [("worker", text)]
        await eventually(lambda: here.beside.in_flight() == 1, "the long one is left")
        app.go.set()
        assert (await long).status_code == 200
        await eventually(lambda: not is_there(before), "it has ended")
        assert here.told == [("worker", text)]
        assert len(here.pids()) == 1


async def test_those_that_end_again_and_again_are_started_later(tmp_path: Path) -> None:
    """A core that does nothing but start them would be of no use to the others."""
    async with gateway(tmp_path, count=1) as (here, _):
        for _ in range(2):
            before = here.pids()
            os.kill(before[0], signal.SIGKILL)
            await here.new_one(than=before)
        assert "2 times in a row soon after its start; the next is started in 1 s" in here.told[-1][1]
        assert (await here.get()).status_code == 200


async def test_all_accept_from_sockets_that_were_given(tmp_path: Path) -> None:
    """They cannot be bound again, and stay open whatever ends: while one is started later, the others accept."""
    with socket.create_server(("127.0.0.1", 0)) as given:
        async with gateway(tmp_path, given=[given]) as (here, _):
            for _ in range(2):
                before = here.pids()
                os.kill(before[0], signal.SIGKILL)
                assert (await here.get()).status_code == 200
                await here.new_one(than=before)
            assert not given.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
            assert given.fileno() >= 0


async def test_one_that_acknowledges_nothing_is_killed(tmp_path: Path) -> None:
    """It may be stopped, or stuck: no service could ever sleep."""
    async with gateway(tmp_path, count=1) as (here, app):
        before = here.pids()
        os.kill(before[0], signal.SIGSTOP)
        here.beside.publish(replace(warm(app.target), is_warm=False))
        assert here.beside.unheard() == 1
        (hand,) = here.crew._hands.values()
        assert hand.silent_since_s is not None
        hand.silent_since_s -= STUCK_S
        await here.new_one(than=before)
        await eventually(lambda: not here.beside.unheard(), "the next one acknowledges")
        assert here.told[0] == ("worker", f"worker 1 (pid {before[0]}) answers nothing, and is killed")


async def test_the_next_gateway_takes_over_the_workers_and_what_they_have(tmp_path: Path) -> None:
    """With their connections, and with what they have in flight."""
    with SqliteStore(tmp_path / "state.sqlite"):
        pass
    async with asyncio.timeout(100), App() as app, asyncio.TaskGroup() as tasks:
        first = Gateway(tmp_path, app, count=2, tasks=tasks)
        await first.begin()
        answer = tasks.create_task(first.get("/wait"))
        await eventually(lambda: app.arrived, "it is at the app")
        pids = sorted(first.pids())
        _abandon(first)
        second = Gateway(tmp_path, app, count=2, tasks=tasks)
        await second.begin()
        try:
            assert sorted(second.pids()) == pids
            assert second.told == [("adopted", "2 running workers taken over")]
            assert second.url == first.url
            assert second.beside.in_flight() == 1
            assert (await second.get()).status_code == 200
            app.go.set()
            assert (await answer).status_code == 200
            await eventually(lambda: not second.beside.in_flight(), "it has ended")
        finally:
            await second.close()
    assert not any(map(is_there, pids))


async def _cut(here: Gateway, path: str) -> None:
    with pytest.raises(httpx.TransportError):
        await here.get(path)


def _abandon(gateway: Gateway) -> None:
    """Leave its workers as a keeper that is killed does."""
    gateway.crew._looking.cancel()
    for sockets in gateway.crew._doors.values():
        for one in sockets:
            one.close()
    gateway.crew._doors.clear()
    for hand in gateway.crew._hands.values():
        hand.gone.set()  # it signals nobody any more
        assert hand._channel is not None
        hand._channel.close()
