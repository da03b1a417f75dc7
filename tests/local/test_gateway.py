"""The gateway of one machine with real sockets and processes: reloads, removals, and its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.local.backend.world import PYTHON, eventually

from wakegate.core.errors import ServiceUnknownError, WakegateError
from wakegate.core.notice import Notice
from wakegate.core.phase import Phase
from wakegate.core.spec import GatewaySpec, HoldSpec, ProcessSpec, ServiceSpec, SessionSpec, SleepSpec, Spec
from wakegate.local.backend.registry import Registry
from wakegate.local.gateway import Gateway
from wakegate.local.store.sqlite import SqliteStore

pytestmark = pytest.mark.anyio

APP = """
import http.server, os, sys, time
from pathlib import Path
class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow":
            Path(sys.argv[1], "arrived").touch()
            while not Path(sys.argv[1], "go").exists(): time.sleep(0.01)
        body = (os.environ.get("NAME", "") + " " + str(os.getpid())).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
while not Path(sys.argv[1], "listen").exists(): time.sleep(0.01)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""


@dataclass
class Site:
    """A running gateway, and the folder by which its app is told what to do."""

    gateway: Gateway
    folder: Path
    notices: list[Notice]
    client: httpx.AsyncClient

    def kinds(self) -> list[str]:
        """Return what was told."""
        return [notice.kind for notice in self.notices]

    async def get(self, path: str = "/", **headers: str) -> httpx.Response:
        """Ask."""
        return await self.client.get(self.gateway.url + path, headers=headers)

    def phase(self, name: str = "web") -> Phase | None:
        """Return the phase of a service, None where there is none."""
        return next((one.phase for one in self.gateway.statuses() if one.name == name), None)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that the gateway or its app does."""
        await eventually(condition, within_s=30)

    def spec(self, *services: ServiceSpec) -> Spec:
        """Return a configuration with these services."""
        return spec_of(self.folder, *services)


def spec_of(folder: Path, *services: ServiceSpec) -> Spec:
    """Return a configuration with these services."""
    return Spec(gateway=GatewaySpec(port=0, state_dir=str(folder / "state"), drain_timeout_s=20), services=services)


def web(folder: Path, *, name: str = "web", env: dict[str, str] | None = None, **changes: Any) -> ServiceSpec:
    """Return a service of the app."""
    process = ProcessSpec(command=(*PYTHON, APP, str(folder)), env=tuple((env or {"NAME": name}).items()))
    tables: dict[str, Any] = {"hold": HoldSpec(on_cold="hold", timeout_s=60), "sleep": SleepSpec(stop_grace_s=2)}
    return ServiceSpec(name=name, run=process, **(tables | changes))


@dataclass
class Told:
    """A timeline that can be read."""

    notices: list[Notice]

    def tell(self, notice: Notice) -> None:
        """Take a notice."""
        self.notices.append(notice)


@asynccontextmanager
async def site(folder: Path, *services: ServiceSpec, is_ready: bool = True) -> AsyncIterator[Site]:
    """Run a gateway until the block ends; nothing that it started outlives it."""
    if is_ready:
        (folder / "listen").touch()
    notices: list[Notice] = []
    gateway, started = Gateway(spec_of(folder, *services), timeline=Told(notices)), asyncio.Event()
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks, httpx.AsyncClient(timeout=60) as client:
            tasks.create_task(gateway.run(started=lambda _: started.set()))
            await started.wait()
            try:
                yield Site(gateway, folder, notices, client)
            finally:
                (folder / "go").touch()
                gateway.stop()
    finally:
        for process, _, _ in Registry(folder / "state").marked():
            process.kill()


async def test_a_service_is_woken_and_put_to_sleep_by_hand(tmp_path: Path) -> None:
    """What `wakegate wake`, `sleep`, `keep`, `explain`, `sessions` and `status` ask of it."""
    async with site(tmp_path, web(tmp_path)) as here:
        gateway = here.gateway
        await gateway.wake("web", cause="wakegate wake")
        assert here.phase() is Phase.AWAKE
        gateway.keep("web", 60, reason="a demo")
        assert gateway.explain("web")
        cookie = (await here.get()).headers["Set-Cookie"].partition(";")[0]
        await here.get(Cookie=cookie)
        assert [one.requests for one in gateway.sessions("web", limit=9)] == [2]
        assert [line.cause for line in gateway.ledger("web", limit=9)] == ["wakegate wake"]
        await gateway.sleep("web")
        assert here.phase() is Phase.ASLEEP


async def test_a_name_that_is_not_there_is_answered_with_one_that_is(tmp_path: Path) -> None:
    """The commonest mistake is a typo."""
    async with site(tmp_path, web(tmp_path, name="shop")) as here:
        with pytest.raises(ServiceUnknownError, match='did you mean "shop"'):
            here.gateway.keep("shpo", 60, reason="")
        with pytest.raises(ServiceUnknownError, match="there is shop"):
            here.gateway.explain("x")


async def test_a_busy_service_is_put_to_sleep_only_by_force(tmp_path: Path) -> None:
    """Nobody's request is cut by a slip of the hand."""
    async with site(tmp_path, web(tmp_path)) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(here.get("/slow"))
        await here.until((tmp_path / "arrived").exists)
        with pytest.raises(WakegateError, match="web: 1 request is in flight"):
            await here.gateway.sleep("web")
        (tmp_path / "go").touch()
        assert (await slow).status_code == 200
        await here.gateway.sleep("web", force=True)
        assert here.phase() is Phase.ASLEEP


async def test_a_removed_service_answers_whom_it_has_and_then_is_gone(tmp_path: Path) -> None:
    """The request in flight is finished, and its connection can be used for other services."""
    other = web(tmp_path, name="other", hosts=("other.localhost",))
    async with site(tmp_path, web(tmp_path), other) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(here.get("/slow"))
        await here.until((tmp_path / "arrived").exists)
        here.gateway.reload(here.spec(other))
        await here.until(lambda: here.phase() is None)
        assert (await here.get()).status_code == 404
        (tmp_path / "go").touch()
        assert (await slow).text.startswith("web ")
        assert (await here.get(Host="other.localhost")).text.startswith("other ")
        await here.until(lambda: not list(Registry(tmp_path / "state").entries("web")))


async def test_those_who_wait_for_a_removed_service_are_told_so(tmp_path: Path) -> None:
    """With the reason, at once, and not that the gateway goes down."""
    async with site(tmp_path, web(tmp_path), is_ready=False) as here, asyncio.TaskGroup() as tasks:
        held = tasks.create_task(here.get())
        await here.until(lambda: here.phase() is Phase.WAKING)
        here.gateway.reload(here.spec())
        answer = await held
        assert answer.status_code == 503
        assert "removed from the configuration" in answer.text
        assert (await here.get()).status_code == 404


async def test_a_service_that_is_removed_and_added_again_has_one_life_after_the_other(tmp_path: Path) -> None:
    """Two reloads within a second, with a request in flight: two writers of one record would undo each other."""
    async with site(tmp_path, web(tmp_path)) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(here.get("/slow"))
        await here.until((tmp_path / "arrived").exists)
        here.gateway.reload(here.spec())
        await here.until(lambda: here.phase() is None)
        here.gateway.reload(here.spec(web(tmp_path)))
        (tmp_path / "go").touch()
        assert (await slow).status_code == 200
        await here.until(lambda: here.phase() is not None)
        assert (await here.get()).status_code == 200
        assert "bug" not in here.kinds()


async def test_of_reloads_in_quick_succession_the_last_one_counts(tmp_path: Path) -> None:
    """Somebody saves the file three times."""
    async with site(tmp_path, web(tmp_path)) as here:
        for name in ("a", "b", "c"):
            here.gateway.reload(here.spec(web(tmp_path), web(tmp_path, name=name, hosts=(f"{name}.localhost",))))
        await here.until(lambda: here.phase("c") is not None)
        assert {one.name for one in here.gateway.statuses()} == {"web", "c"}
        assert (await here.get(Host="c.localhost")).text.startswith("c ")


async def test_a_changed_service_answers_from_new_replicas_and_its_new_host(tmp_path: Path) -> None:
    """I4: without a restart of anything else."""
    async with site(tmp_path, web(tmp_path)) as here:
        old = (await here.get()).text
        here.gateway.reload(here.spec(web(tmp_path, env={"NAME": "new"}, hosts=("new.localhost",))))
        await here.until(lambda: here.gateway._reception.route("old.localhost", "/") is None)
        assert (await here.get()).status_code == 404
        answer = (await here.get(Host="new.localhost")).text
        assert old.startswith("web ")
        assert answer.startswith("new ")


async def test_sessions_can_be_turned_off_while_answers_are_on_their_way(tmp_path: Path) -> None:
    """Neither the answer nor the connection may break over it."""
    async with site(tmp_path, web(tmp_path)) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(here.get("/slow"))
        await here.until((tmp_path / "arrived").exists)
        here.gateway.reload(here.spec(web(tmp_path, session=SessionSpec(cookie=""))))
        await here.until(
            lambda: (
                here.gateway._reception.route("x", "/") is not None and here.gateway._services["web"].sessions is None
            )
        )
        (tmp_path / "go").touch()
        assert (await slow).status_code == 200
        assert "Set-Cookie" not in (await here.get()).headers


async def test_a_reload_that_cannot_be_carried_out_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A damaged file must not bring the gateway down under those who use it."""
    async with site(tmp_path, web(tmp_path)) as here:
        assert (await here.get()).status_code == 200
        here.gateway._store._database.close()  # as if the disk had gone
        here.gateway.reload(here.spec(web(tmp_path), web(tmp_path, name="new", hosts=("new.localhost",))))
        await here.until(lambda: any("in part" in notice.text for notice in here.notices))
        assert (await here.get()).status_code == 200


async def test_at_its_end_it_finishes_what_is_in_flight_and_leaves_no_process(tmp_path: Path) -> None:
    """SIGTERM: no request is cut, nothing is left running, the record says asleep."""
    async with site(tmp_path, web(tmp_path)) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(here.get("/slow"))
        await here.until((tmp_path / "arrived").exists)
        here.gateway.stop()
        await here.until(lambda: "closing" in here.kinds())
        (tmp_path / "go").touch()
        assert (await slow).status_code == 200
        await here.until(lambda: "stopped" in here.kinds())
        assert list(Registry(tmp_path / "state").marked()) == []
    with SqliteStore(tmp_path / "state" / "state.sqlite") as store:
        record = store.load("web")
        assert record is not None
        assert (record.phase, record.targets) == (Phase.ASLEEP, ())


async def test_told_twice_to_stop_it_waits_for_nothing(tmp_path: Path) -> None:
    """Ctrl-C, Ctrl-C: also for a service that a reload has removed."""
    other = web(tmp_path, name="other", hosts=("other.localhost",))
    async with site(tmp_path, web(tmp_path), other) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(cut(here))
        await here.until((tmp_path / "arrived").exists)
        here.gateway.reload(here.spec(other))
        await here.until(lambda: here.phase() is None)
        here.gateway.stop()
        here.gateway.stop()
        await here.until(lambda: "stopped" in here.kinds())
        assert await slow
        assert not (tmp_path / "go").exists()


async def cut(here: Site) -> bool:
    """Say whether a request was not answered by the app."""
    try:
        return (await here.get("/slow")).status_code >= 500
    except httpx.TransportError:
        return True


async def test_expired_sessions_leave_the_file(tmp_path: Path) -> None:
    """One purge for all services, and none for each of ten thousand."""
    expires = web(tmp_path, session=SessionSpec(ttl_s=0.001))
    async with site(tmp_path, expires) as here:
        cookie = (await here.get()).headers["Set-Cookie"].partition(";")[0]
        await here.get(Cookie=cookie)
    async with site(tmp_path, expires) as here:
        await here.until(lambda: here.gateway._store.purge(now=here.gateway.clock.utc()) == 0)
