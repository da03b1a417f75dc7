"""The head of the timeline: what runs where, before anything happens."""

import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from wakegate import __version__
from wakegate.core.phase import Phase
from wakegate.core.say import say_count, say_duration, say_place
from wakegate.core.spec import ContainerSpec, ProcessSpec, ServiceSpec, Spec

SERVICES_SHOWN = 20  # there may be thousands
IDLE_TIMEOUTS_SHOWN = 3


def head(spec: Spec, url: str, *, phases: Sequence[Phase]) -> tuple[str, ...]:
    """Say what runs where, how to end it, and what an app may not know."""
    hints = (
        f"{service.name}: {hint}"
        for service in spec.services
        if isinstance(service.run, ProcessSpec) and (hint := _program_hint(service.run) or _port_hint(service.run))
    )
    return (
        *_services(spec.services, url, phases=phases),
        f"{_sleeps(spec)} · state in {_near(spec.gateway.state_dir)}/ · Ctrl-C stops everything",
        *islice(hints, SERVICES_SHOWN),
    )


def _services(services: Sequence[ServiceSpec], url: str, *, phases: Sequence[Phase]) -> list[str]:
    if len(services) == 1:
        return [f"wakegate {__version__} · {_place(url, services[0])} → {_what(services[0].run)} · {phases[0]}"]
    up_count = sum(phase is not Phase.ASLEEP for phase in phases)
    state = f"{up_count} of them up" if up_count else "asleep"
    lines = [f"wakegate {__version__} · {url} · {say_count(len(services), 'service')} · {state}"]
    lines += [f"  {one.name} · {_place(url, one)} → {_what(one.run)}" for one in services[:SERVICES_SHOWN]]
    more = len(services) - SERVICES_SHOWN
    return [*lines, f"  … and {more:,} more (see: wakegate status)"] if more > 0 else lines


def _sleeps(spec: Spec) -> str:
    """Say how and when the services go to sleep: "sleeps after 5m idle"."""
    how = "pauses" if all(service.sleep.mode == "pause" for service in spec.services) else "sleeps"
    timeouts = sorted({service.sleep.idle_timeout_s for service in spec.services})
    said = [say_duration(seconds) for seconds in timeouts[:IDLE_TIMEOUTS_SHOWN]]
    when = " / ".join([*said, "…"] if len(timeouts) > IDLE_TIMEOUTS_SHOWN else said)
    return f"{how} after {when} idle"


def _what(run: ProcessSpec | ContainerSpec) -> str:
    """Say what runs: a command, or where a container comes from."""
    if isinstance(run, ProcessSpec):
        return " ".join(run.command)
    if run.compose:
        return f"{run.compose_service} of {_near(run.compose)}"
    if run.name:
        return f"container {run.name}"
    return run.image or f"build of {_near(run.build)}/"


def _near(path: str) -> Path:
    """Return a path as one would write it here."""
    here = Path.cwd()
    return Path(path).relative_to(here) if Path(path).is_relative_to(here) else Path(path)


def _program_hint(process: ProcessSpec) -> str:
    """Say that the program is not there: else the first visitor would find out."""
    program = process.command[0]
    path = dict(process.env).get("PATH")
    if "/" in program:
        is_there = (Path(process.directory) / program).exists()
    else:
        is_there = shutil.which(program, path=path) is not None
    return "" if is_there else f'"{program}" was not found: is it installed and on the PATH?'


def _port_hint(process: ProcessSpec) -> str:
    """Say how the app learns its port, where its command does not: the commonest reason why a wake never ends."""
    if process.port or any("{port}" in word for word in (*process.command, *(value for _, value in process.env))):
        return ""
    return "no {port} in its command, so the app must listen on the port in the variable PORT"


def _place(url: str, service: ServiceSpec) -> str:
    path = "" if service.path == "/" else service.path
    return say_place(url, host=next(iter(service.hosts), ""), path=path)
