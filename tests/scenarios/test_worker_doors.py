"""Workers behind every kind of door that one process can have, and an upgrade where there are workers."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, eventually
from tests.scenarios.test_systemd import Manager
from tests.scenarios.workers import TWO, of_each, workers

INTRODUCED = 'proxy_protocol = true\ntrusted_proxies = ["127.0.0.1"]\n'
HELLO = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Wakegate]:
    """A gateway with workers that listens on `w.sock` in its folder."""
    gateway = Wakegate(tmp_path, "wakegate.toml", "--listen", "unix:w.sock")
    gateway.configure(TWO + PLAIN)
    gateway.spawn()
    try:
        gateway.wait_for("started")
        yield gateway
    finally:
        gateway.end()


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Manager]:
    """A service manager that listens for a gateway with workers, which it has started."""
    manager = Manager(tmp_path)
    manager.gateway.configure(TWO + PLAIN)
    try:
        manager.gateway.start()
        yield manager
    finally:
        manager.close()


def ask(gateway: Wakegate) -> int:
    """Ask over the Unix socket; return the status."""
    transport = httpx.HTTPTransport(uds=str(gateway.folder / "w.sock"))
    with httpx.Client(transport=transport, timeout=PATIENCE_S) as client:
        return client.get("http://shop.localhost/").status_code


def replaced(gateway: Wakegate, before: list[int]) -> bool:
    """Say whether there are as many workers as before, and none of these."""
    now = workers(gateway)
    return len(now) == len(before) and not set(now) & set(before)


def test_all_workers_accept_from_one_unix_socket(local: Wakegate) -> None:
    """It cannot be bound twice; so whichever of them is killed, another has it."""
    assert ask(local) == 200
    first, second = workers(local)
    os.kill(first, signal.SIGKILL)
    assert [ask(local) for _ in range(10)] == [200] * 10
    eventually(lambda: len(workers(local)) == 2, what="another is there")
    os.kill(second, signal.SIGKILL)
    assert [ask(local) for _ in range(10)] == [200] * 10
    eventually(lambda: replaced(local, [first, second]), what="two others are there")
    assert local.starts() == 1
    assert local.stop() == 0
    assert not (local.folder / "w.sock").exists()


def test_a_unix_socket_is_taken_over_with_its_workers(local: Wakegate) -> None:
    """Its file is that of the gateway that was killed: the next one must neither refuse it nor put another there."""
    assert ask(local) == 200
    before = workers(local)
    local.kill()
    assert ask(local) == 200
    local.spawn()
    local.wait_for("started")
    assert workers(local) == before
    assert ask(local) == 200
    assert local.stop() == 0
    assert not (local.folder / "w.sock").exists()


def test_all_workers_accept_from_the_socket_of_systemd(managed: Manager) -> None:
    """It belongs to systemd, which may have bound it where this user could not."""
    gateway = managed.gateway
    assert gateway.get().status_code == 200
    before = workers(gateway)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    assert [gateway.get().status_code for _ in range(10)] == [200] * 10
    eventually(lambda: len(workers(gateway)) == 2 and before[0] not in workers(gateway), what="another is there")
    assert gateway.stop() == 0
    assert workers(gateway) == []
    socket.create_connection(managed.listening.getsockname(), PATIENCE_S).close()  # systemd still listens


def test_the_workers_of_a_gateway_that_systemd_starts_again_are_taken_over(managed: Manager) -> None:
    """With KillMode=process they outlive it, and what they have in flight does."""
    gateway = managed.gateway
    long = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    before = workers(gateway)
    gateway.kill()
    gateway.start()
    assert workers(gateway) == before
    assert gateway.status()["in_flight"] == 1
    gateway.let("answer")
    assert long[0].result().status_code == 200
    assert gateway.get().status_code == 200


def test_each_worker_reads_the_proxy_header(wakegate: Start) -> None:
    """And closes what does not begin with one, with a word to the operator."""
    gateway = wakegate(TWO + INTRODUCED + PLAIN)
    answers = [gateway.exchange(b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n" + HELLO) for _ in range(20)]
    assert all(b"203.0.113.9" in answer for answer in answers)
    assert gateway.exchange(HELLO) == b""
    assert "it does not begin with a PROXY header" in gateway.wait_for("warning")["text"]


def test_with_workers_an_upgrade_is_a_restart_and_that_is_said(wakegate: Start) -> None:
    """Nothing is begun that could not be ended well; who visits does not notice."""
    gateway = wakegate(TWO + PLAIN)
    gateway.get()
    before = workers(gateway)
    gateway.process.send_signal(signal.SIGUSR2)
    assert gateway.wait_for("warning")["text"].startswith("with workers an upgrade is a restart, so this one goes on")
    assert {answer.status_code for answer in of_each(gateway).values()} == {200}
    assert workers(gateway) == before
    assert "upgrading" not in gateway.kinds()


def test_a_gateway_does_not_become_one_with_workers_by_an_upgrade(wakegate: Start) -> None:
    """Also not where the file was read again since it began: that alone has changed nothing."""
    gateway = wakegate(PLAIN)
    app = gateway.get().json()["pid"]
    for prepare in (gateway.configure, gateway.reload):
        prepare(TWO + PLAIN)
        gateway.process.send_signal(signal.SIGUSR2)
        told = gateway.wait_for("warning")["text"]
        assert "workers is 1 here and 2 in its configuration; that needs a restart" in told
        assert gateway.get().json()["pid"] == app
    assert workers(gateway) == []
