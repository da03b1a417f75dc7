"""Where the daemon is found: as the docker command finds it, and with rootless Docker and Podman besides."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from wakegate.local.backend.docker.address import find_address


@pytest.fixture
def listening() -> Iterator[ExitStack]:
    """What is entered here is left at the end."""
    with ExitStack() as stack:
        yield stack


def _listen(path: Path, stack: ExitStack) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sock = stack.enter_context(socket.socket(socket.AF_UNIX))
    sock.bind(str(path))


def test_docker_host_comes_first(tmp_path: Path) -> None:
    """Whoever sets it means it, whatever else there is."""
    environ = {"DOCKER_HOST": "tcp://10.0.0.1:2375", "DOCKER_CONTEXT": "away"}
    assert find_address(environ, home=tmp_path) == "tcp://10.0.0.1:2375"


def test_a_context_is_left_to_the_client(tmp_path: Path) -> None:
    """It has its own certificates and its own way to be read; "default" is none."""
    assert find_address({"DOCKER_CONTEXT": "away"}, home=tmp_path) is None
    settings = tmp_path / ".docker" / "config.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"currentContext": "away"}))
    assert find_address({}, home=tmp_path) is None
    assert find_address({"DOCKER_CONTEXT": "default"}, home=tmp_path) is not None


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
def test_settings_that_say_nothing_are_passed_over(tmp_path: Path, text: str) -> None:
    """A broken file of another program must not stop a gateway."""
    settings = tmp_path / ".docker" / "config.json"
    settings.parent.mkdir()
    settings.write_text(text)
    assert find_address({"XDG_RUNTIME_DIR": str(tmp_path)}, home=tmp_path) is not None


@pytest.mark.parametrize("name", ["docker.sock", "podman/podman.sock"])
def test_a_rootless_socket_is_found(tmp_path: Path, listening: ExitStack, name: str) -> None:
    """Rootless Docker and Podman need no setting."""
    _listen(tmp_path / name, listening)
    environ, usual = {"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path / "usual.sock"
    assert find_address(environ, home=tmp_path, usual=str(usual)) == f"unix://{tmp_path / name}"
    _listen(usual, listening)
    assert find_address(environ, home=tmp_path, usual=str(usual)) == f"unix://{usual}"


def test_where_nothing_is_the_usual_place_is_named(tmp_path: Path) -> None:
    """The error of the attempt then names it."""
    usual = str(tmp_path / "usual.sock")
    assert find_address({"XDG_RUNTIME_DIR": str(tmp_path)}, home=tmp_path, usual=usual) == f"unix://{usual}"
