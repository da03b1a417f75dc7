"""The gateway before, as the new one sees it."""

import asyncio
import os
import socket
from datetime import UTC, datetime

import pytest
from tests.local.request.peer import PATIENCE_S

from wakegate.core.errors import StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.spec import GatewaySpec
from wakegate.local.channel import Channel
from wakegate.local.predecessor import Predecessor
from wakegate.local.store.rows import row_of_wake
from wakegate.local.successor import VARIABLE

pytestmark = pytest.mark.anyio


class Guests:
    """A service that counts."""

    count = 0

    def guest_came(self) -> None:
        """One more."""
        self.count += 1

    def guest_left(self) -> None:
        """One less."""
        self.count -= 1


def begin() -> tuple[Channel, Predecessor, dict[str, str]]:
    """Return the old gateway's end, what the new one makes of its environment, and that."""
    ours, theirs = Channel.pair()
    listening = socket.create_server(("127.0.0.1", 0))
    for one in (theirs, listening):
        one.set_inheritable(True)  # as it comes out of `pass_fds`
    environ = {VARIABLE: f"{theirs.detach()},{listening.detach()}", "HOME": "/"}
    predecessor = Predecessor.take(environ)
    assert predecessor is not None
    return ours, predecessor, environ


def close(ours: Channel, predecessor: Predecessor) -> None:
    """Let go of everything."""
    ours.close()
    predecessor.close()


async def test_it_is_taken_out_of_the_environment() -> None:
    """It would be refused as a setting that does not exist, and an app would keep the sockets open."""
    ours, predecessor, environ = begin()
    assert environ == {"HOME": "/"}
    assert not any(os.get_inheritable(one.fileno()) for one in predecessor.sockets)
    close(ours, predecessor)


def test_without_one_there_is_none() -> None:
    """As at every start that is no upgrade."""
    assert Predecessor.take({}) is None


@pytest.mark.parametrize("text", ["x", "9999", "9999,9998"])
def test_what_a_person_has_written_there_is_refused(text: str) -> None:
    """It is not for people."""
    with pytest.raises(StateError, match=f"{VARIABLE}={text} names no sockets; it is set by a gateway, unset it"):
        Predecessor.take({VARIABLE: text})


async def test_one_that_goes_on_itself_is_not_taken_over_from() -> None:
    """It has found that it cannot leave, or has ended: two would serve."""
    ours, predecessor, _ = begin()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        left = tasks.create_task(refused(predecessor))
        packet = await ours.receive()
        assert packet is not None
        assert packet.facts["spec"]["state_dir"] == ".wakegate"
        ours.close()
    assert "goes on, or has ended" in left.result()
    close(ours, predecessor)


async def test_services_stay_for_its_guests_until_it_says_so_or_ends() -> None:
    """A download of an hour is no request of ours, and yet its app must not be stopped."""
    ours, predecessor, _ = begin()
    web, api, wakes = Guests(), Guests(), list[WakeLine]()
    line = WakeLine(id="1", service="web", at=datetime(2026, 1, 2, tzinfo=UTC), cause="GET /", held=1, served=1)
    welcomed: asyncio.Queue[str] = asyncio.Queue()

    async def welcome(client: socket.socket, told: str) -> None:
        client.close()
        welcomed.put_nowait(told)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(predecessor.follow({"web": web, "api": api}, welcome=welcome, write_wake=wakes.append))
        serving = await ours.receive()
        assert serving is not None
        assert serving.word == "serving"
        for name in ("web", "api", "removed by a reload"):
            await ours.send("busy", service=name)
        await ours.send("idle", service="api")
        await ours.send("wake", row=("of", "a version", "with other fields"))
        await ours.send("wake", row=row_of_wake(line))
        client, served = socket.socketpair()
        with client, served:
            await ours.send("client", [served], told="203.0.113.9")
        assert await welcomed.get() == "203.0.113.9"
        assert (web.count, api.count) == (1, 0)
        ours.close()
    assert (web.count, api.count) == (0, 0)
    assert wakes == [line]
    close(ours, predecessor)


async def test_what_it_has_in_flight_counts_before_any_service_may_sleep() -> None:
    """A service with a short idle timeout would stop its app under that request in its first moment here."""
    ours, predecessor, _ = begin()
    web, api, late = Guests(), Guests(), Guests()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        left = tasks.create_task(predecessor.left(GatewaySpec()))
        assert await ours.receive() is not None
        await ours.send("yours", are_ours=True, busy=["web", "late"])
        assert (await left).are_ours
        predecessor.come({"web": web, "api": api})
        predecessor.come({"late": late})  # by a reload
        assert (web.count, api.count, late.count) == (1, 0, 0)
        tasks.create_task(predecessor.follow({"web": web, "api": api}, welcome=nobody, write_wake=no_wake))
        await ours.send("idle", service="web")
        await ours.send("busy", service="web")
        ours.close()
    assert (web.count, api.count) == (0, 0)
    close(ours, predecessor)


async def nobody(client: socket.socket, told: str) -> None:
    """Welcome no client."""
    pytest.fail(f"nobody was handed over, but {client} of {told}")


def no_wake(line: WakeLine) -> None:
    """Store no line."""
    pytest.fail(f"nobody waited for a wake, but {line}")


async def refused(predecessor: Predecessor) -> str:
    """Return why it is not taken over from."""
    try:
        await predecessor.left(GatewaySpec())
    except StateError as error:
        return str(error)
    return ""
