"""Containers through the real gateway and its configuration: woken, slept, paused, taken over, and told."""

import json
from pathlib import Path

import pytest
from tests.local.backend.docker.conftest import image  # noqa: F401  the fixture: made once, where it is first used
from tests.local.backend.docker.world import docker, exists, owned
from tests.scenarios.conftest import Start
from tests.scenarios.gateway import Wakegate, eventually

SCRIPT = "trap 'echo got SIGTERM; exit 0' TERM; busybox httpd -f -p $PORT -h /site & wait"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that the containers serve."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("hello")
    return site


@pytest.fixture
def config(image: str, site: Path) -> str:  # noqa: F811  the fixture
    """A service that is a container."""
    command = json.dumps(["sh", "-c", SCRIPT])
    return (
        f'[service.web]\nimage = "{image}"\ncommand = {command}\nport = 8000\n'
        f'[service.web.docker]\nvolumes = ["{site}:/site:ro"]\nmemory = "64 MiB"\n'
        '[service.web.sleep]\nidle_timeout = "200ms"\ngrace = "50ms"\n'
    )


def _containers(gateway: Wakegate) -> list[str]:
    return owned(gateway.folder / ".wakegate")


def _running(gateway: Wakegate) -> list[str]:
    return owned(gateway.folder / ".wakegate", running=True)


def test_a_container_wakes_serves_sleeps_and_wakes_again(wakegate: Start, config: str) -> None:
    """What the whole program is for, with an image; nothing is left of it at the end."""
    gateway = wakegate(config)
    for _ in range(2):
        answer = gateway.get()
        assert (answer.status_code, answer.text) == (200, "hello")
        gateway.wait_for("asleep")
        eventually(lambda: not _running(gateway), what="it is stopped")
    assert "got SIGTERM" in gateway.cli("logs", "web").stdout
    gateway.end()
    assert _containers(gateway) == []


def test_paused_it_is_the_same_container_that_answers_again(wakegate: Start, config: str) -> None:
    """`docker pause`: the fastest way to sleep."""
    gateway = wakegate(config + 'mode = "pause"\n')
    gateway.get()
    [before] = eventually(lambda: _running(gateway), what="it runs")
    gateway.wait_for("paused")
    assert docker("inspect", "-f", "{{.State.Paused}}", before) == "true"
    assert gateway.get().text == "hello"
    assert _running(gateway) == [before]


def test_a_wake_that_fails_shows_the_containers_last_lines(wakegate: Start, config: str) -> None:
    """The app's own words, in what the gateway tells."""
    broken = config.replace(json.dumps(SCRIPT), '"echo no database; exit 3"')
    gateway = wakegate(broken)
    assert gateway.get().status_code == 503
    notice = gateway.wait_for("wake-failed")
    assert "exited with status 3" in notice["text"]
    assert notice["detail"] == ["no database"]


def test_a_gateway_killed_with_9_finds_its_container_again(wakegate: Start, config: str) -> None:
    """The container serves on, and the next gateway takes it over without a start."""
    gateway = wakegate(config.replace('"200ms"', '"1h"'))
    gateway.get()
    [before] = eventually(lambda: _running(gateway), what="it runs")
    gateway.kill()
    gateway.start()
    assert gateway.get().text == "hello"
    assert _running(gateway) == [before]
    gateway.end()
    assert not exists(before)
