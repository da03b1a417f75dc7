"""Recognises an app that runs in a container: a Compose file, a Dockerfile."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from wakegate.config.compose import ComposeService, steps_of
from wakegate.config.compose_file import compose_file, read_compose
from wakegate.config.container import SERVICE
from wakegate.config.recipe import LISTEN_PORT, Recipe, text_of
from wakegate.config.show import UnfitError
from wakegate.core.spec import PORT_MAX

PORT_GUESSED = 8080
OTHER_PORTS = {25, 1025, 1433, 2181, 3306, 5432, 5672, 6379, 9042, 9092, 11211, 27017}  # mail, databases, queues
NEEDED = "Needs Docker (or Podman), and: pip install 'wakegate[docker]'"
STEP = re.compile(r"^\s*(FROM|ARG|ENV|EXPOSE|CMD|ENTRYPOINT)\s+(.+)$", re.MULTILINE | re.IGNORECASE)
SET = re.compile(r"""(\w+)=(?:"([^"]*)"|'([^']*)'|(\S+))""")
VARIABLE = re.compile(r"\$\{?(\w+)(?::-([^}]*))?\}?")
PORT_IN_COMMAND = re.compile(
    r"(?:--port[=\s\"',]+|-p[\s\"',]+|(?:0\.0\.0\.0|localhost|127\.0\.0\.1|\[::\]|\s|\"):)(\d{2,5})\b"
)


def from_compose(folder: Path) -> Recipe | None:
    """Take the service that answers requests: the first with a port that is built here, or else the first with one."""
    file = compose_file(folder)
    if not file.is_file():
        return None
    try:
        project = read_compose(file, environ=os.environ)
        with_port = [one for one in project.services.values() if _answers(one)]
        chosen = next((one for one in with_port if one.is_built), next(iter(with_port), None))
        if chosen is None:
            return None
        steps_of(project, chosen.name)
    except UnfitError:
        return None  # what cannot be read cannot be run either; it may be there for something else
    taken = {port for one in project.services.values() for port in one.host_ports}
    return Recipe(
        found=f"{file.name}, whose service {chosen.name} has a port",
        compose=file.name,
        compose_service=chosen.name,
        port=chosen.ports[0] if len(chosen.ports) > 1 else 0,
        listen_port=next((port for port in range(LISTEN_PORT, PORT_MAX) if port not in taken), PORT_MAX),
        notes=(NEEDED, "Its containers are made once, by: docker compose create", *_others(chosen, with_port)),
    )


def from_dockerfile(folder: Path) -> Recipe | None:
    """Build the Dockerfile; the port is what it exposes."""
    file = folder / "Dockerfile"
    if not file.is_file():
        return None
    text = re.sub(r"\\\s*\n", " ", text_of(file))
    exposed, command = _exposed(text)
    ports = exposed or [int(port) for port in PORT_IN_COMMAND.findall(command) if 0 < int(port) <= PORT_MAX]
    notes = () if ports else ("It does not say on which port it listens. Put the right one; PORT has it, too.",)
    return Recipe(found="Dockerfile", build=".", port=ports[0] if ports else PORT_GUESSED, notes=(NEEDED, *notes))


def _answers(service: ComposeService) -> bool:
    is_named = re.fullmatch(SERVICE, service.name) is not None
    return is_named and bool(service.ports) and not OTHER_PORTS.issuperset(service.ports)


def _others(chosen: ComposeService, with_port: list[ComposeService]) -> tuple[str, ...]:
    others = [one.name for one in with_port if one is not chosen]
    return (f"Not woken by this: {', '.join(others)}; each can have a table of its own.",) if others else ()


def _exposed(text: str) -> tuple[list[int], str]:
    """Return the TCP ports that the last stage of a Dockerfile exposes, and what it runs."""
    variables: dict[str, str] = {}
    ports: list[int] = []
    command = ""
    for name, rest in STEP.findall(text):
        match name.upper():
            case "FROM":
                ports, command = [], ""
            case "ARG" | "ENV":
                variables |= _set(rest)
            case "EXPOSE":
                ports += _ports(_filled(rest, variables))
            case _:
                command = f"{command} {_filled(rest, variables)}"
    return ports, command


def _set(rest: str) -> Mapping[str, str]:
    found = {name: double or single or bare for name, double, single, bare in SET.findall(rest)}
    name, _, value = rest.partition(" ")
    return found or {name: value.strip()}


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda match: variables.get(match[1]) or match[2] or "", text)


def _ports(text: str) -> list[int]:
    found = (re.fullmatch(r"(\d{1,5})(?:/tcp)?", word) for word in text.split())
    return [int(match[1]) for match in found if match and 0 < int(match[1]) <= PORT_MAX]
