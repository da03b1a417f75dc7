"""A new program as the old one sees it: every way in which it does not take over."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from tests.local.request.peer import PATIENCE_S
from tests.local.test_gateway import Told, site, web

from wakegate.core.errors import StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.spec import GatewaySpec
from wakegate.local.channel import Channel
from wakegate.local.gateway import Gateway
from wakegate.local.inherited import Inheritance
from wakegate.local.request.accept import ClientConnection
from wakegate.local.successor import Successor

pytestmark = pytest.mark.anyio
BEGIN = """
import asyncio, os, sys
from wakegate.core.spec import GatewaySpec
from wakegate.local.predecessor import Predecessor
predecessor = Predecessor.take(os.environ)
"""
PREPARED = BEGIN + "asyncio.run(predecessor.left(GatewaySpec()))\n"


@asynccontextmanager
async def successor(script: str) -> AsyncIterator[Successor]:
    """Start a program of these lines; nothing of it is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        started = Successor.start([sys.executable, "-c", script], sockets=[listening], environ=os.environ)
    try:
        yield started
    finally:
        await started.end()


async def test_one_that_is_prepared_is_told_when_everything_is_its_own() -> None:
    """Not before: two gateways of one state directory would undo each other."""
    script = BEGIN + (
        "async def main():\n"
        "    inherited = await predecessor.left(GatewaySpec())\n"
        "    assert inherited.are_ours and len(inherited.sockets) == 1\n"
        "    await predecessor.follow({}, welcome=None, write_wake=None)\n"
        "asyncio.run(main())"
    )
    async with successor(script) as new:
        await new.prepared(GatewaySpec())
        await new.turn(lambda: True)
        await new.leave_to(are_ours=True, busy=[])
        assert await new.serves()


async def test_one_that_ends_before_it_is_prepared_is_told_by_its_status() -> None:
    """Its file has a problem, its code does not load: what it wrote stands in the same terminal."""
    async with successor("raise SystemExit(2)") as new:
        with pytest.raises(StateError, match="the new program ended with status 2 before it was ready"):
            await new.prepared(GatewaySpec())


async def test_one_that_ends_while_it_waits_for_its_turn_is_noticed() -> None:
    """A wake may take minutes; whoever asked for the upgrade learns at once."""
    impatient = BEGIN + "asyncio.run(asyncio.wait_for(predecessor.left(GatewaySpec()), 0.1))"
    async with successor(impatient) as new:
        await new.prepared(GatewaySpec())
        with pytest.raises(StateError, match="ended with status 1"):
            await new.turn(lambda: False)


async def test_one_that_was_told_other_things_is_refused() -> None:
    """It would serve on the old address all the same, or leave the apps and sessions behind."""
    async with successor(PREPARED) as new:
        with pytest.raises(StateError, match=r"port is 99 here and 8080 in its configuration; that needs a restart"):
            await new.prepared(GatewaySpec(port=99))


async def test_one_that_fails_when_all_is_its_own_does_not_serve() -> None:
    """The disk is full: then the old one has to go on, and must know."""
    async with successor(PREPARED) as new:
        await new.prepared(GatewaySpec())
        await new.leave_to(are_ours=True, busy=[])
        assert not await new.serves()


async def test_a_program_that_is_not_there_is_named() -> None:
    """Somebody has removed the old environment before the new one was started."""
    with pytest.raises(StateError, match=r"/missing/python cannot be started: No such file or directory"):
        Successor.start(["/missing/python"], sockets=[], environ=os.environ)


async def test_one_that_would_have_other_processes_is_refused() -> None:
    """Workers accept by sockets of their own: whoever wants another number of them restarts."""
    async with successor(PREPARED) as new:
        with pytest.raises(StateError, match=r"workers is 2 here and 1 in its configuration; that needs a restart"):
            await new.prepared(GatewaySpec(workers=2))


class Client:
    """A connection that is free, and may have something to be sent, or be lost."""

    is_free = True

    def __init__(self, told: str, *, unsent: int = 0, is_lost: bool = False) -> None:
        self.told = told
        self.is_lost = is_lost
        self._unsent = unsent  # at so many more looks there is something to be sent

    def park(self) -> None:
        """See `ClientConnection.park`."""

    def give_away(self) -> socket.socket | None:
        """See `ClientConnection.give_away`."""
        assert not self.is_lost
        self._unsent -= 1
        return None if self._unsent >= 0 else socket.socket()


def wake_line(name: str, *, agent: str = "") -> WakeLine:
    """Return a line of the ledger."""
    return WakeLine(id=name, service="web", at=datetime(2026, 1, 2, tzinfo=UTC), cause="GET /", agent=agent)


async def test_until_it_has_ended_the_old_one_says_who_is_busy_and_hands_on_who_is_free() -> None:
    """A client that has gone is not handed on, and one that has still to be sent something later."""
    channel, theirs = Channel.pair()
    heard = Channel(theirs)
    process = subprocess.Popen([sys.executable, "-c", ""])  # noqa: ASYNC220  it ends at once
    new = Successor(process, channel)
    new.is_serving = True
    clients = (Client("slow", unsent=2), Client("lost", is_lost=True), Client("free"))
    for client in clients:
        new.take(cast("ClientConnection", client))
    left = [cast("ClientConnection", client) for client in clients]
    states: list[list[str]] = [["web"], ["web", "db"], ["db"], []]

    def busy() -> list[str]:
        if len(states) == 1:
            left.clear()
        return states.pop(0)

    new.write_wake(wake_line("1"))
    await new.finish(left, busy=busy, is_hurried=lambda: False, timeout_s=PATIENCE_S)
    new.write_wake(wake_line("cut", agent="ü" * 100_000))
    await new.part()
    said = []
    while (packet := await heard.receive()) is not None:
        row = packet.facts.get("row") or [None]
        said.append((packet.word, packet.facts.get("service") or packet.facts.get("told") or row[0]))
        for given in packet.sockets:
            given.close()
    heard.close()
    process.wait(PATIENCE_S)
    assert [one for one in said if one[0] != "client"] == [
        ("wake", "1"),
        ("busy", "web"),
        ("busy", "db"),
        ("idle", "web"),
        ("idle", "db"),
        ("wake", "cut"),
    ]
    assert [one for one in said if one[0] == "client"] == [("client", "free"), ("client", "slow")]


async def test_between_the_look_and_what_follows_nobody_can_come() -> None:
    """Nothing else runs there; and before the look, whoever has been accepted is known to be here."""
    steps: list[str] = []

    def has_come() -> bool:
        asyncio.get_running_loop().call_soon(steps.append, "somebody comes")
        steps.append("look")
        return True

    async with successor(PREPARED) as new:
        asyncio.get_running_loop().call_soon(steps.append, "accepted before")
        await new.turn(has_come)
        steps.append("let go")
    assert steps[:3] == ["accepted before", "look", "let go"]


FAILS = """
import asyncio, os
from wakegate.core.spec import GatewaySpec
from wakegate.local.predecessor import Predecessor
predecessor = Predecessor.take(os.environ)
asyncio.run(predecessor.left(GatewaySpec(host=os.environ["H"], port=0, state_dir=os.environ["DIR"])))
raise SystemExit(1)
"""


async def test_a_new_program_that_fails_when_all_is_its_own_gives_everything_back(tmp_path: Path) -> None:
    """Its disk is full, its release is broken: the old program goes on with the sockets, the clients and the apps."""
    async with site(tmp_path, web(tmp_path)) as here, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(here.get("/slow"))
        await here.until((tmp_path / "arrived").exists)
        before = (await here.get()).text  # on a connection of its own, which stays open
        left: asyncio.Future[int | Inheritance] = asyncio.get_running_loop().create_future()
        environ = {**os.environ, "DIR": str(tmp_path / "state"), "H": "127.0.0.1"}
        here.gateway.upgrade([sys.executable, "-c", FAILS], environ=environ, left=left.set_result)
        inherited = await asyncio.wait_for(left, PATIENCE_S)
        assert isinstance(inherited, Inheritance)
        assert len(inherited.clients) == 1
        again = Gateway(here.spec(web(tmp_path)), timeline=Told(here.notices), inherited=inherited)
        started = asyncio.Event()
        running = tasks.create_task(again.run(started=lambda _: started.set()))
        await asyncio.wait_for(started.wait(), PATIENCE_S)
        assert again.url == here.gateway.url
        assert (await here.get()).text == before
        (tmp_path / "go").touch()
        assert (await slow).text == before
        again.stop()
        await running
