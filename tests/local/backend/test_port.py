"""Ports for replicas: free, and nobody else's from their choice on."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from wakegate.local.backend.port import LOWEST, release, reserve, take_port

HOST = "127.0.0.1"
RESERVE = "from wakegate.local.backend.port import reserve; print(reserve({port}), flush=True); input()"


@pytest.fixture
def port() -> Iterator[int]:
    """Take a port for a test."""
    taken = take_port(HOST)
    yield taken
    release(taken)


def test_a_port_can_be_listened_on_and_is_none_of_outgoing_connections(port: int) -> None:
    """An outgoing connection that has the port would make the app's bind fail."""
    with socket.create_server((HOST, port)), socket.socket() as outgoing:
        outgoing.bind((HOST, 0))
        assert LOWEST <= port < outgoing.getsockname()[1]


def test_no_port_is_given_twice(port: int) -> None:
    """Two replicas of one second: the first has not bound its port yet."""
    ports = [take_port(HOST) for _ in range(50)]
    try:
        assert len({port, *ports}) == 51
    finally:
        for one in ports:
            release(one)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that end with their process")
def test_another_gateway_does_not_get_it_until_it_is_released(port: int) -> None:
    """Its app would be taken for ours by the probe, and requests would go to a stranger."""
    assert ask(port) == "False"
    release(port)
    assert ask(port) == "True"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that end with their process")
def test_a_gateway_that_was_killed_keeps_no_port(port: int) -> None:
    """Nothing is left to clean up."""
    release(port)
    other = subprocess.Popen(
        [sys.executable, "-c", RESERVE.format(port=port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not reserve(port)
        other.kill()
        other.wait()
    assert reserve(port)


def test_a_port_that_somebody_listens_on_is_not_chosen(port: int) -> None:
    """Whatever is drawn, a program that is no gateway may have it."""
    free = take_port(HOST)
    release(free)
    release(port)
    drawn = iter([port, free])
    with socket.create_server((HOST, port)):
        assert take_port(HOST, draw=lambda low, high: next(drawn)) == free
    release(free)


def ask(port: int) -> str:
    """Ask another process whether it can reserve a port."""
    code = RESERVE.format(port=port)
    return subprocess.run(
        [sys.executable, "-c", code], input="\n", capture_output=True, text=True, check=True
    ).stdout.strip()
