"""What a service runs: exactly one of a command, an image, a build, a container that exists, and a Compose service."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from wakegate.config.compose import port_of, steps_of
from wakegate.config.compose_file import compose_file, naming, read_compose
from wakegate.config.draft import Draft, Values
from wakegate.config.show import UnfitError, whole
from wakegate.core.spec import ContainerSpec, ProcessSpec

MADE = ("image", "build")
EXISTING = {"container": (), "compose": ("compose_service", "compose_project")}  # and what tells one from another
SOURCES = (*MADE, *EXISTING)
SAID = {
    "command": "a command",
    "image": "an image",
    "build": "a build",
    "container": "a container that exists",
    "compose": "a Compose service, which exists",
}
FIXED_PORT, EXISTS = "a fixed port", "a container that exists"
FITS: dict[str, tuple[str, ...]] = {  # settings, or tables of them, that not everything that runs can have
    "command": ("command", *MADE),
    "env": ("command", *MADE),
    "directory": ("command",),
    "docker": MADE,
    "compose_service": ("compose",),
    "compose_project": ("compose",),
}
NOTHING = 'nothing to run; write command = ["program", "argument", "{port}"], or image, build, container or compose'


def check_run(values: Values, draft: Draft) -> None:
    """Check that it is one of them, with what fits it; read the Compose file."""
    sources = [name for name in SOURCES if name in values.given]
    if len(sources) > 1:
        text = f"{sources[0]} and {sources[1]} cannot both run; take one out"
        draft.refuse(values.where(sources[1]), text)
    elif not sources and "command" not in values.given:
        draft.refuse(values.at, NOTHING)
    else:
        _check_fit(sources[0] if sources else "command", values, draft)
    _check_build(values, draft)
    _check_compose(values, draft)


def run_of(values: Values, given: Mapping[str, Any]) -> ProcessSpec | ContainerSpec:
    """Return the spec of what was given; `given` has the fields that the settings fill."""
    if not any(name in values.given for name in SOURCES):
        return ProcessSpec(**_only(ProcessSpec, given))
    return ContainerSpec(**_only(ContainerSpec, given), compose_steps=values.compose_steps)


def why_only_one(values: Values) -> str:
    """Return why only one replica can run; empty where several can."""
    if any(name in values.given for name in EXISTING):
        return EXISTS
    if values.by_name.get("port") and not any(name in values.given for name in MADE):
        return FIXED_PORT
    return ""


def _check_fit(source: str, values: Values, draft: Draft) -> None:
    for name, where in values.given.items():
        fits = FITS.get(name.partition(".")[0], tuple(SAID))
        if source not in fits:
            text = f"{name} goes with {_either(fits)}, and this service runs {SAID[source]}; take one of them out"
            draft.refuse(where, text)


def _check_build(values: Values, draft: Draft) -> None:
    folder = values.by_name.get("build")
    if folder is None:
        return
    try:
        is_there = (Path(folder) / "Dockerfile").is_file()
    except OSError:  # a name that is too long, a folder above it that may not be entered
        is_there = False
    if not is_there:
        draft.refuse(values.where("build"), f"there is no Dockerfile in {whole(folder)}; write the folder that has one")


def _check_compose(values: Values, draft: Draft) -> None:
    """Read the Compose file: the order of the start, and, where none were written, project and port."""
    written = values.by_name.get("compose")
    if written is None or not values.are_sound("compose_service", "compose_project", "port"):
        return
    file, service = compose_file(Path(written)), values.by_name["compose_service"] or values.name
    try:
        project = draft.compose.get(file) or read_compose(file, environ=draft.environ)
        draft.compose[file] = project
        with naming(file):
            values.compose_steps = steps_of(project, service)
            port = values.by_name["port"] or port_of(project, service)
        started = [project.services[step.service] for step in values.compose_steps]
        values.host_ports = tuple(port for one in started for port in one.host_ports)
    except UnfitError as error:
        draft.refuse(values.where("compose"), str(error))
        return
    name = values.by_name["compose_project"] or project.name
    values.by_name.update({"compose": str(file), "compose_service": service, "compose_project": name, "port": port})


def _either(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _only(spec: type[ProcessSpec | ContainerSpec], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is a field of the one, and not only of the other."""
    return {one.name: given[one.name] for one in fields(spec) if one.name in given}
