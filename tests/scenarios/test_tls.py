"""HTTPS by the gateway itself, from its files to what the app learns."""

import hashlib
import os
import socket
import ssl
from pathlib import Path

import pytest
from tests.local.certificates import Pair, make_pair
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, eventually


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """The gateway's certificate."""
    return make_pair(tmp_path)


@pytest.fixture
def secured(wakegate: Start, pair: Pair) -> Wakegate:
    """A gateway that speaks TLS."""
    return wakegate(f'[gateway]\ntls_certificate = "{pair.certificate}"\ntls_key = "{pair.key}"\n{PLAIN}')


def address(gateway: Wakegate) -> tuple[str, int]:
    """Return where it listens."""
    host, _, port = gateway.url.rpartition("://")[2].rpartition(":")
    return host, int(port)


def name_of(gateway: Wakegate, *pairs: Pair) -> bytes:
    """Return the certificate that a new connection is shown, as a client does that trusts these."""
    context = ssl.create_default_context()
    for pair in pairs:
        context.load_verify_locations(pair.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(address(gateway), PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        assert client.selected_alpn_protocol() == "http/1.1"
        shown = client.getpeercert(binary_form=True)
        assert shown
        return ssl.DER_cert_to_PEM_cert(shown).encode()


def test_a_service_wakes_behind_https_and_keeps_its_cookie_there(secured: Wakegate) -> None:
    """The app must make https links; a cookie without Secure would travel in the clear on the next http link."""
    assert secured.url.startswith("https://127.0.0.1:")
    answer = secured.get()
    assert answer.status_code == 200
    assert "; Secure" in answer.headers["Set-Cookie"]
    seen = dict(answer.json()["headers"])
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-For"]) == ("https", "127.0.0.1")
    assert secured.status()["urls"] == [secured.url + "/"]


def test_plain_http_is_told_to_use_https(secured: Wakegate) -> None:
    """The commonest mistake of the first day: without a word it would look like a gateway that is down."""
    with socket.create_connection(address(secured), PATIENCE_S) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"use https://" in answer
    assert secured.starts() == 0


def test_a_large_body_goes_through_tls_whole(secured: Wakegate) -> None:
    """Backpressure works by pausing the transport, and TLS has one of its own."""
    body = os.urandom(20_000_000)
    answer = secured.client.post("/echo", content=body)
    assert hashlib.sha256(body).hexdigest() in answer.text


def test_a_new_certificate_is_used_and_a_half_written_one_is_not(secured: Wakegate, pair: Pair, tmp_path: Path) -> None:
    """A renewal every two months must need nobody, and must not break anything while it is under way."""
    new = make_pair(tmp_path, "new")
    old_text, new_text = pair.certificate.read_bytes(), new.certificate.read_bytes()
    both = (new, make_copy(pair, tmp_path))
    assert name_of(secured, *both) == old_text
    copy_of(new.certificate).replace(pair.certificate)
    warning = secured.wait_for("warning")
    assert "the old one goes on" in warning["text"]
    assert name_of(secured, *both) == old_text
    new.key.replace(pair.key)
    secured.wait_for("reloaded")
    assert eventually(lambda: name_of(secured, *both) == new_text, what="the new certificate")


def test_a_certificate_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path: Path, pair: Pair) -> None:
    """It is found out before anything runs."""
    gateway = Wakegate(tmp_path, "wakegate.toml")
    pair.key.write_text("none")
    gateway.configure(f'[gateway]\ntls_certificate = "{pair.certificate}"\ntls_key = "{pair.key}"\n{PLAIN}')
    gateway.spawn()
    assert gateway._ended() == 1
    assert "are no certificate and key in PEM" in gateway.errors
    assert "Traceback" not in gateway.errors


def make_copy(pair: Pair, folder: Path) -> Pair:
    """Return the pair under names that stay as they are."""
    copy = Pair(folder / "copy.crt", folder / "copy.key")
    copy.certificate.write_bytes(pair.certificate.read_bytes())
    copy.key.write_bytes(pair.key.read_bytes())
    return copy


def copy_of(file: Path) -> Path:
    """Return a copy beside a file."""
    copy = file.with_suffix(".next")
    copy.write_bytes(file.read_bytes())
    return copy
