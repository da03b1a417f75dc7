"""What the daemon says, read: Docker's answers and Podman's shorter ones."""

from typing import Any

import pytest

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.facts import exposed, facts_of, only_port

LEAST: dict[str, Any] = {"Id": "1", "Name": "/web", "State": {}, "Config": {}}


def test_what_is_left_out_is_nothing() -> None:
    """Podman leaves out what is empty."""
    facts = facts_of(LEAST)
    assert (facts.name, facts.is_running, facts.health, facts.check, facts.networks) == ("web", False, "", (), ())
    assert (facts.stop_signal, facts.restart_policy) == ("SIGTERM", "no")


def test_a_paused_container_runs() -> None:
    """Podman says that one that is paused does not: it would be started, or taken for dead."""
    facts = facts_of(LEAST | {"State": {"Running": False, "Paused": True}})
    assert (facts.is_running, facts.is_paused) == (True, True)


@pytest.mark.parametrize(
    ("test", "command"),
    [
        (["CMD", "curl", "-f", "x"], ("curl", "-f", "x")),
        (["CMD-SHELL", "curl x || exit 1"], ("/bin/sh", "-c", "curl x || exit 1")),
        (["NONE"], ()),
        ([], ()),
    ],
)
def test_a_health_check_is_read_as_a_command(test: list[str], command: tuple[str, ...]) -> None:
    """It is run by us: its form must be understood, and NONE means that there is none."""
    assert facts_of(LEAST | {"Config": {"Healthcheck": {"Test": test}}}).check == command


def test_only_tcp_ports_count() -> None:
    """HTTP comes over no other."""
    assert exposed({"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "8/tcp": {}}}) == (8, 80)
    network = {
        "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9"}], "53/udp": [{"HostPort": "1"}], "1/tcp": None}
    }
    assert facts_of(LEAST | {"NetworkSettings": network}).published == ((80, "127.0.0.1", 9),)


def test_a_port_that_cannot_be_guessed_is_asked_for() -> None:
    """The message names what was found and what to write."""
    assert only_port((80,), of="the image x") == 80
    with pytest.raises(WorkloadError, match=r"the image x exposes no TCP port: .* port = 8000"):
        only_port((), of="the image x")
    with pytest.raises(WorkloadError, match="the image x exposes 80, 443: say which"):
        only_port((80, 443), of="the image x")
