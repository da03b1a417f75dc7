"""Behind a proxy that does not speak HTTP: what the app learns of the client, with HAProxy itself in between."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from tests.local.certificates import make_pair
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, accepts, eventually, free_port

ON = '[gateway]\nproxy_protocol = true\ntrusted_proxies = ["127.0.0.1"]\n'
CLIENT = "127.0.0.2"  # of this machine, but not the proxy
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin")
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed (apt-get install haproxy)")
Haproxy = Callable[[str], int]


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[Haproxy]:
    """Run HAProxy in front of a server, which is written as in its configuration; return its port."""
    with ExitStack() as running:

        def start(server: str) -> int:
            port = free_port()
            file = tmp_path / "haproxy.cfg"
            file.write_text(
                "defaults\n mode tcp\n timeout connect 60s\n timeout client 60s\n timeout server 60s\n"
                f"listen front\n bind 127.0.0.1:{port}\n server gateway {server}\n"
            )
            assert HAPROXY is not None
            process = subprocess.Popen([HAPROXY, "-db", "-f", str(file)], stderr=subprocess.DEVNULL)
            running.callback(process.wait, PATIENCE_S)
            running.callback(process.kill)
            eventually(lambda: accepts(port), what="HAProxy listens")
            return port

        yield start


def seen_through(port: int, *, context: ssl.SSLContext | None = None) -> dict[str, str]:
    """Ask by a client of another address; return the headers that the app got."""
    transport = httpx.HTTPTransport(local_address=CLIENT, verify=context or False)
    scheme = "https" if context else "http"
    with httpx.Client(transport=transport, timeout=PATIENCE_S) as client:
        answer = client.get(f"{scheme}://127.0.0.1:{port}/", headers={"X-Forwarded-For": "6.6.6.6"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["headers"])


def port_of(gateway: Wakegate) -> int:
    """Return where it listens."""
    return int(gateway.url.rpartition(":")[2])


def say(gateway: Wakegate, data: bytes, *, from_address: str = "127.0.0.1") -> bytes:
    """Say something and return everything that comes back; a reset is an end, too."""
    answer = b""
    with (
        socket.create_connection(
            ("127.0.0.1", port_of(gateway)), PATIENCE_S, source_address=(from_address, 0)
        ) as client,
        suppress(ConnectionError),
    ):
        client.sendall(data)
        while piece := client.recv(65536):
            answer += piece
    return answer


@needs_haproxy
@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id"])
def test_the_app_learns_of_the_client_behind_haproxy(wakegate: Start, haproxy: Haproxy, how: str) -> None:
    """HAProxy sees bytes only: it cannot write X-Forwarded-For."""
    gateway = wakegate(ON + PLAIN)
    told = seen_through(haproxy(f"127.0.0.1:{port_of(gateway)} {how}"))
    assert (told["X-Forwarded-For"], told["X-Forwarded-Proto"]) == (CLIENT, "http")


@needs_haproxy
def test_the_header_comes_before_tls(wakegate: Start, haproxy: Haproxy, tmp_path: Path) -> None:
    """HAProxy in front of HTTPS that it does not end; plain HTTP behind the header is still told to use https."""
    pair = make_pair(tmp_path)
    gateway = wakegate(f'{ON}tls_certificate = "{pair.certificate}"\ntls_key = "{pair.key}"\n{PLAIN}')
    context = ssl.create_default_context(cafile=pair.certificate)
    port = haproxy(f"127.0.0.1:{port_of(gateway)} send-proxy-v2")
    told = seen_through(port, context=context)
    assert (told["X-Forwarded-For"], told["X-Forwarded-Proto"]) == (CLIENT, "https")
    plain = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    plain.request("GET", "/")
    assert b"use https://" in plain.getresponse().read()
    plain.close()


@needs_haproxy
def test_health_checks_of_haproxy_are_its_own(wakegate: Start, haproxy: Haproxy) -> None:
    """LOCAL: nobody is behind that connection; it is the proxy's, which may speak for others in HTTP, too."""
    gateway = wakegate(ON + PLAIN)
    line = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
    local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
    assert b"203.0.113.9, 127.0.0.1" in say(gateway, local + line)


def test_who_sends_no_header_gets_an_end_and_the_operator_a_word(wakegate: Start) -> None:
    """What it says of itself cannot be known; to guess would let everybody in by leaving the header out."""
    gateway = wakegate(ON + PLAIN)
    assert say(gateway, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    warning = gateway.wait_for("warning")["text"]
    assert warning.startswith("a connection from 127.0.0.1 was closed: it does not begin with a PROXY header")
    assert gateway.starts() == 0


def test_a_stranger_may_not_say_who_it_is(wakegate: Start) -> None:
    """Its header is as good as anybody's: only trusted_proxies may introduce."""
    gateway = wakegate(ON + PLAIN)
    request = b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert say(gateway, request, from_address=CLIENT) == b""
    assert f"a connection from {CLIENT} was closed: it is not among" in gateway.wait_for("warning")["text"]
    assert b" 200 " in say(gateway, request)
