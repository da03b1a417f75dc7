"""The example with Caddy in front: HTTP/2 to the client, and what the app learns of it."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.scenarios.conftest import PLAIN
from tests.scenarios.gateway import PATIENCE_S, Wakegate, accepts, eventually, free_port

from wakegate.config.read import read

EXAMPLE = Path(__file__).parents[2] / "examples" / "caddy"
CADDY, CURL = shutil.which("caddy"), shutil.which("curl")
pytestmark = pytest.mark.skipif(
    CADDY is None or CURL is None, reason="Caddy or curl is not installed (apt-get install caddy curl)"
)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Run a gateway as in the example and Caddy before it, on a port of its own; return that."""
    port = free_port()
    with ExitStack() as running:
        gateway = Wakegate(tmp_path, "wakegate.toml", "--listen", "unix:w.sock")
        gateway.configure('[gateway]\ntrusted_proxies = ["unix"]\n' + PLAIN)
        running.callback(gateway.end)
        gateway.spawn()
        gateway.wait_for("started")
        own = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
        text = (EXAMPLE / "Caddyfile").read_text(encoding="utf-8")
        text = text.replace("\nlocalhost {", f"\nhttps://localhost:{port} {{")
        text = text.replace("/run/wakegate/gateway.sock", str(tmp_path / "w.sock"))
        (tmp_path / "Caddyfile").write_text(own + text, encoding="utf-8")
        home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "caddy")}
        assert CADDY is not None
        caddy = subprocess.Popen(
            [CADDY, "run", "--config", "Caddyfile"], cwd=tmp_path, env=home, stderr=subprocess.DEVNULL
        )
        running.callback(caddy.wait, PATIENCE_S)
        running.callback(caddy.kill)
        eventually(lambda: accepts(port), what="Caddy listens")
        yield port


def ask(port: int, *words: str) -> list[str]:
    """Ask by curl; return the version of HTTP that was spoken, and the body; again until Caddy has its certificate."""
    assert CURL is not None
    command = [CURL, "--silent", "--show-error", "--insecure", "--write-out", "%{http_version}\n"]
    command += ["--output", "-", *words, f"https://localhost:{port}/"]
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if done.returncode == 0:
            body, _, version = done.stdout.rstrip("\n").rpartition("}")
            return [version, body + "}"]
        assert time.monotonic() < deadline_s, done.stderr


def test_a_client_speaks_http2_and_the_app_learns_of_it(port: int) -> None:
    """The whole way: TLS and HTTP/2 to Caddy, HTTP/1.1 over the Unix socket, and the client's own address."""
    version, body = ask(port, "--http2", "--header", "X-Forwarded-For: 6.6.6.6")
    seen = dict(json.loads(body)["headers"])
    assert version == "2"
    assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == ("127.0.0.1, 127.0.0.1", "https")
    assert seen["X-Forwarded-Host"] == f"localhost:{port}"


def test_http11_goes_the_same_way(port: int) -> None:
    """Clients that know no better, and WebSockets."""
    version, body = ask(port, "--http1.1")
    assert (version, json.loads(body)["path"]) == ("1.1", "/")


def test_the_configuration_of_the_example_is_one() -> None:
    """What is copied must work."""
    assert read(EXAMPLE / "wakegate.toml", environ={}).gateway.trusted_proxies == ("unix",)
