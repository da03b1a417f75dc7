"""What the daemon says of a container or an image, as values: the few of its hundred fields that matter here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wakegate.core.errors import WorkloadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One container at one moment."""

    id: str
    name: str
    is_running: bool  # also while it is paused
    is_paused: bool
    pid: int  # of its first process, as the daemon's own machine counts; 0: it does not run
    started_at: str  # names one run of it: another start has another
    ended_at: str  # of its last run that has ended
    exit_code: int
    oom: bool
    health: str  # "healthy", "unhealthy", "starting"; "" without a health check
    check: tuple[str, ...]  # the command of its health check, empty without one
    check_timeout_s: float
    stop_signal: str
    restart_policy: str
    network_mode: str
    memory_bytes: int
    is_tty: bool
    ports: tuple[int, ...]  # the TCP ports that it exposes
    published: tuple[tuple[int, str, int], ...]  # port in the container, host address, port there
    networks: tuple[tuple[str, str], ...]  # name, address there
    labels: Mapping[str, str]

    def address_in(self, network: str) -> str:
        """Return its address in a network, "" where it has none."""
        return dict(self.networks).get(network, "")


def facts_of(said: Mapping[str, Any]) -> Facts:
    """Read what inspecting a container returned; Podman leaves out what is empty."""
    state, config = said["State"], said["Config"]
    host, network = said.get("HostConfig") or {}, said.get("NetworkSettings") or {}
    check = config.get("Healthcheck") or {}
    return Facts(
        id=said["Id"],
        name=said["Name"].removeprefix("/"),
        is_running=bool(state.get("Running") or state.get("Paused")),
        is_paused=bool(state.get("Paused")),
        pid=state.get("Pid") or 0,
        started_at=str(state.get("StartedAt")),
        ended_at=str(state.get("FinishedAt")),
        exit_code=state.get("ExitCode") or 0,
        oom=bool(state.get("OOMKilled")),
        health=(state.get("Health") or {}).get("Status") or "",
        check=_check(check.get("Test") or []),
        check_timeout_s=(check.get("Timeout") or 30e9) / 1e9,
        stop_signal=str(config.get("StopSignal") or "SIGTERM"),
        restart_policy=(host.get("RestartPolicy") or {}).get("Name") or "no",
        network_mode=host.get("NetworkMode") or "",
        memory_bytes=host.get("Memory") or 0,
        is_tty=bool(config.get("Tty")),
        ports=exposed(config),
        published=tuple(_published(network.get("Ports") or {})),
        networks=tuple((name, one.get("IPAddress") or "") for name, one in (network.get("Networks") or {}).items()),
        labels=config.get("Labels") or {},
    )


def exposed(config: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the TCP ports that the configuration of a container or an image exposes."""
    names = (config.get("ExposedPorts") or {}).keys()
    return tuple(sorted(int(name.partition("/")[0]) for name in names if name.endswith("/tcp")))


def only_port(ports: tuple[int, ...], *, of: str) -> int:
    """Return the one port there is; raise `WorkloadError` where there are none or several."""
    if len(ports) == 1:
        return ports[0]
    found = f"exposes {', '.join(map(str, ports))}" if ports else "exposes no TCP port"
    raise WorkloadError(f"{of} {found}: say which one the app listens on, for example port = 8000")


def _check(test: list[str]) -> tuple[str, ...]:
    match test:
        case ["CMD-SHELL", text, *_]:
            return ("/bin/sh", "-c", text)
        case ["CMD", *command]:
            return tuple(command)
        case _:
            return ()


def _published(ports: Mapping[str, Any]) -> list[tuple[int, str, int]]:
    return [
        (int(name.removesuffix("/tcp")), binding.get("HostIp") or "", int(binding["HostPort"]))
        for name, bindings in ports.items()
        for binding in bindings or ()
        if name.endswith("/tcp") and binding.get("HostPort")
    ]
