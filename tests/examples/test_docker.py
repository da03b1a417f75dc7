"""The examples with containers: their files are right, and the app in them ends when it is told to."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from tests.scenarios.gateway import eventually

from wakegate.config.container_recipe import from_compose, from_dockerfile
from wakegate.config.read import read
from wakegate.core.spec import ComposeStep, ContainerSpec

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_dockerfile_that_sleeps() -> None:
    """`wakegate init` would find the same port."""
    (web,) = read(EXAMPLES / "docker" / "wakegate.toml", environ={}).services
    run = ContainerSpec(build=str(EXAMPLES / "docker"), port=8000, memory_bytes=128 * 2**20, cpus=1.0)
    assert web.run == run
    recipe = from_dockerfile(EXAMPLES / "docker")
    assert recipe is not None
    assert recipe.port == run.port


def test_a_compose_service_that_sleeps_with_what_it_needs() -> None:
    """The cache is healthy before the app starts."""
    (web,) = read(EXAMPLES / "compose" / "wakegate.toml", environ={}).services
    assert isinstance(web.run, ContainerSpec)
    assert web.run.compose_steps == (
        ComposeStep(service="cache", until="healthy", users=("web",)),
        ComposeStep(service="web"),
    )
    assert web.run.port == 8000
    assert from_compose(EXAMPLES / "compose") is not None


def test_the_app_answers_on_its_port_and_ends_by_sigterm() -> None:
    """As the first process of a container it gets no help from anybody."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = os.environ | {"PORT": str(port), "HOSTNAME": "abc"}
    with subprocess.Popen(
        [sys.executable, EXAMPLES / "docker" / "app.py"], env=environ, stderr=subprocess.DEVNULL
    ) as app:
        try:
            assert eventually(lambda: _answer(port), what="it answers").startswith("Replica abc has been up for ")
            app.send_signal(signal.SIGTERM)
            assert app.wait(30) == 0
        finally:
            app.kill()


def _answer(port: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/any").text
    except httpx.TransportError:
        return ""
