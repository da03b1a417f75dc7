"""What the service manager is told, read from a socket as it has one."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.local.request.peer import PATIENCE_S

from wakegate.local.notify import Notify
from wakegate.sim.clock import run


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)
        yield listening


def told(manager: socket.socket) -> list[str]:
    """Return the lines of the next message."""
    return manager.recv(4096).decode().splitlines()


def test_it_says_how_the_gateway_is(manager: socket.socket) -> None:
    """One message each, in the words of sd_notify(3)."""
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    notify = Notify(environ)
    assert environ == {"HOME": "/"}
    notify.ready("1 service")
    assert told(manager) == ["READY=1", "STATUS=1 service"]
    before_us = time.monotonic_ns() // 1000
    notify.reloading()
    word, clock = told(manager)
    assert word == "RELOADING=1"
    assert before_us <= int(clock.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    notify.stopping()
    assert told(manager) == ["STOPPING=1", "STATUS=stopping"]


def test_an_abstract_socket_is_one_too() -> None:
    """systemd's own was such a one for years, and containers' still are."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0wakegate-test-{os.getpid()}")
        listening.settimeout(PATIENCE_S)
        Notify({"NOTIFY_SOCKET": f"@wakegate-test-{os.getpid()}"}).ready("")
        assert told(listening)[0] == "READY=1"


def test_without_a_service_manager_nothing_is_said_and_nothing_breaks(tmp_path: Path) -> None:
    """In a terminal there is none; and one that has gone is no reason not to serve."""
    Notify({}).ready("")
    Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("")


def test_the_watchdog_is_fed_only_where_it_is_this_process_that_is_watched(manager: socket.socket) -> None:
    """An app that a watched gateway has started would else speak for it."""

    async def fed(**variables: str) -> bool:
        watchdog = asyncio.create_task(Notify({"NOTIFY_SOCKET": manager.getsockname(), **variables}).watchdog())
        await asyncio.wait({watchdog}, timeout=0)
        is_fed = not watchdog.done()
        watchdog.cancel()
        return is_fed

    assert not asyncio.run(fed())
    assert not asyncio.run(fed(WATCHDOG_USEC="1000000", WATCHDOG_PID="1"))
    assert asyncio.run(fed(WATCHDOG_USEC="1000000", WATCHDOG_PID=str(os.getpid())))
    assert told(manager) == ["WATCHDOG=1"]


def test_the_watchdog_is_fed_twice_an_interval(manager: socket.socket) -> None:
    """Fed once, it would bite whenever the loop is a little late."""

    async def minute() -> None:
        notify = Notify({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "15000000"})
        await asyncio.wait({asyncio.create_task(notify.watchdog())}, timeout=60 - 1)

    run(minute())
    manager.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while told(manager) == ["WATCHDOG=1"]:
            count += 1
    assert count == 8
