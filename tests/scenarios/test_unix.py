"""A gateway on a Unix socket, as a proxy on the same machine speaks to it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.scenarios.conftest import PLAIN
from tests.scenarios.gateway import PATIENCE_S, Wakegate

SAID = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
Local = Callable[[str], Wakegate]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """Return a gateway, not started, that will listen on `w.sock` in its folder."""
    with ExitStack() as running:

        def make(config: str) -> Wakegate:
            gateway = Wakegate(tmp_path, "wakegate.toml", "--listen", "unix:w.sock")
            gateway.configure(config)
            running.callback(lambda: gateway.end() if hasattr(gateway, "process") else None)
            return gateway

        yield make


def ask(gateway: Wakegate, **headers: str) -> httpx.Response:
    """Ask over the socket."""
    transport = httpx.HTTPTransport(uds=str(gateway.folder / "w.sock"))
    with httpx.Client(transport=transport, timeout=PATIENCE_S) as client:
        return client.get("http://shop.localhost/", headers=headers)


def seen(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that the app got."""
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["headers"])


def test_it_wakes_serves_and_leaves_no_file(local: Local) -> None:
    """From the first word of the terminal to the end of the socket."""
    gateway = local(PLAIN)
    gateway.spawn()
    place = f"unix:{gateway.folder / 'w.sock'}"
    assert gateway.wait_for("started")["url"] == place
    told = seen(ask(gateway, **SAID))
    assert (told["X-Forwarded-For"], told["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert gateway.status()["urls"] == [place]
    assert gateway.stop() == 0
    assert not (gateway.folder / "w.sock").exists()


def test_a_proxy_at_the_socket_is_believed_where_unix_is_trusted(local: Local) -> None:
    """It has no address that could be written into trusted_proxies; 127.0.0.1 does not mean it."""
    gateway = local(f'[gateway]\ntrusted_proxies = ["127.0.0.1"]\n{PLAIN}')
    gateway.spawn()
    gateway.wait_for("started")
    assert seen(ask(gateway, **SAID))["X-Forwarded-For"] == "127.0.0.1"
    gateway.reload(f'[gateway]\ntrusted_proxies = ["unix"]\n{PLAIN}')
    answer = ask(gateway, **SAID)
    told = seen(answer)
    assert (told["X-Forwarded-For"], told["X-Forwarded-Proto"]) == ("203.0.113.9, 127.0.0.1", "https")
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_it_takes_the_place_of_a_dead_gateway_but_not_of_a_living_one(local: Local, tmp_path: Path) -> None:
    """One sentence and exit 1, and the one that runs does not notice."""
    gateway = local(PLAIN)
    gateway.spawn()
    gateway.wait_for("started")
    gateway.kill()
    gateway.spawn()
    gateway.wait_for("started")
    second = gateway.cli("up", "--listen", "unix:w.sock", "--state-dir", "other", "wakegate.toml", check=False)
    assert second.returncode == 1
    assert second.stderr == (
        f"wakegate: {tmp_path / 'w.sock'} is in use: a program listens there; stop it, or choose another path with "
        "--listen\n"
    )
    assert ask(gateway).status_code == 200


def test_verify_asks_over_the_socket(local: Local) -> None:
    """Whoever listens there only has no other way to see that it works."""
    gateway = local(PLAIN + '[service.web.sleep]\nidle_timeout = "600ms"\ngrace = "100ms"\n')
    gateway.spawn()
    gateway.wait_for("started")
    said = gateway.cli("verify", "unix:w.sock", "--requests", "5").stdout
    assert "6 of 6" in said


def test_a_client_that_half_closes_still_gets_its_answer(local: Local) -> None:
    """`printf … | socat`: presence is looked at in other ways than over TCP."""
    gateway = local(PLAIN)
    gateway.spawn()
    gateway.wait_for("started")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(gateway.folder / "w.sock"))
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert b"HTTP/1.1 200 " in answer
