"""Where a container is reached: by its own address only where nobody else can have it, else where it is published."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.local.backend.docker.world import SLEEPS, stopped, world

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.facts import Facts, facts_of
from wakegate.local.backend.docker.reach import is_local, reach, tcp_answers_through

pytestmark = pytest.mark.anyio


def _facts(*, pid: int = 0, mode: str = "bridge", **network: Any) -> Facts:
    """Return facts of a container that another machine runs, or this one if `pid` says so."""
    return facts_of(
        {
            "Id": "f" * 64,
            "Name": "/web",
            "State": {"Running": True, "Pid": pid},
            "Config": {},
            "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": network,
        }
    )


PORTS = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9000"}]}
BRIDGE = {"bridge": {"IPAddress": "172.17.0.2"}}


def test_a_remote_container_is_reached_where_it_is_published() -> None:
    """Its own address is that of another container here: each daemon's networks have the same numbers."""
    assert reach(_facts(Ports=PORTS, Networks=BRIDGE), port=80) == ("127.0.0.1", 9000)


def test_a_port_published_on_every_address_is_reached_by_loopback() -> None:
    """0.0.0.0 is an address to listen on, not one to connect to."""
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9000"}]}
    assert reach(_facts(Ports=ports, Networks=BRIDGE), port=80) == ("127.0.0.1", 9000)


def test_a_network_that_the_user_names_is_taken_at_its_word() -> None:
    """A gateway that is a container itself reaches its neighbours so."""
    facts = _facts(Ports=PORTS, Networks={"shop": {"IPAddress": "10.5.0.2"}})
    assert reach(facts, port=80, network="shop") == ("10.5.0.2", 80)
    with pytest.raises(WorkloadError, match='container "web" has no address in the network "other"'):
        reach(facts, port=80, network="other")


def test_on_the_hosts_network_it_is_this_machine() -> None:
    """It has no address of its own."""
    assert reach(_facts(mode="host"), port=80) == ("127.0.0.1", 80)


def test_one_that_is_nowhere_is_said() -> None:
    """No network, nothing published: there is nothing to send requests to."""
    with pytest.raises(WorkloadError, match="publishes no port 80 and is in no network"):
        reach(_facts(Networks={"none": {"IPAddress": ""}}), port=80)


def test_a_process_of_this_machine_with_the_same_id_is_no_container(tmp_path: Path) -> None:
    """A remote daemon's process ids mean somebody else here: reading their memory, or worse, would be of another."""
    assert not is_local(_facts(pid=os.getpid()))
    assert not is_local(_facts(pid=0))


async def test_a_local_container_is_reached_at_its_own_address(image: str, state_dir: Path) -> None:
    """Past Docker's forwarder: a byte is copied once less, and a refused connection is seen as one."""
    async with world(state_dir) as here:
        replica = await here.workload(image, command=SLEEPS).start(number=1)
        assert is_local(replica.facts)
        assert (replica.host, replica.port) == (replica.facts.address_in("bridge"), 8000)
        await stopped(replica)


async def test_a_forwarder_with_nobody_behind_it_does_not_answer(image: str, state_dir: Path) -> None:
    """It accepts, and hangs up: the app does not listen yet."""
    async with world(state_dir) as here:
        replica = await here.workload(image, command=SLEEPS).start(number=1)
        [(_, host, port)] = replica.facts.published
        assert not await tcp_answers_through(host, port, timeout_s=5)
        await stopped(replica)
        assert not await tcp_answers_through(host, port, timeout_s=5)


async def test_an_app_that_waits_for_the_request_answers() -> None:
    """HTTP: the client speaks first. One that greets is as good."""
    with socket.create_server(("127.0.0.1", 0)) as waits:
        assert await tcp_answers_through(*waits.getsockname(), timeout_s=5)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as greets:
        assert await tcp_answers_through(*greets.sockets[0].getsockname(), timeout_s=5)
