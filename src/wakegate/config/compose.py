"""What a Compose file says that Wakegate goes by: its project, each service's ports, and who depends on whom.

Pure: documents and variables in, values out. The rest of the file was obeyed by `docker compose create`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import zip_longest

from wakegate.config.show import UnfitError, show
from wakegate.core.spec import PORT_MAX, ComposeStep

CONDITIONS = {  # how far a service that another depends on must be; the later ones are the stricter
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
UNTIL = tuple(CONDITIONS.values())
_WORD = r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*"  # variables in it, and in those once more
VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)"
    rf"|\{{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<word>{_WORD}))?\}})"
)
SHORT_PORT = re.compile(r"(?:(?P<host>.*):)?(?P<target>\d{1,5}(?:-\d{1,5})?)(?:/(?P<protocol>\w+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One that must be there first."""

    service: str
    until: str = "started"
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeService:
    """One service of a file; ports are TCP ports in the container."""

    name: str
    ports: tuple[int, ...] = ()  # those that are published, or, where there is none, those that are exposed
    host_ports: tuple[int, ...] = ()  # of this machine, on which they are published
    needs: tuple[Dependency, ...] = ()
    is_built: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeProject:
    """A file, and what overrides it, as one."""

    name: str
    services: Mapping[str, ComposeService] = field(default_factory=dict)


def project_of(documents: Sequence[object], *, folder: str, variables: Mapping[str, str]) -> ComposeProject:
    """Return what the documents say, the later ones on top; raise `UnfitError` for what is no Compose file.

    A problem begins with a verb: the name of the file stands before it. `folder` is the name of the folder that the
    file is in: the project is called so unless something else is said.
    """
    name, found = "", dict[str, ComposeService]()
    for document in documents:
        if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
            raise UnfitError("has no services; write a table of them below services:")
        name = interpolated(_text(document.get("name")), variables) or name
        for key, body in document["services"].items():
            service = _service(_text(key), body or {}, variables)
            found[service.name] = _over(found.get(service.name), service)
    return ComposeProject(name=variables.get("COMPOSE_PROJECT_NAME") or name or _project_name(folder), services=found)


def steps_of(project: ComposeProject, service: str) -> tuple[ComposeStep, ...]:
    """Return what to start for a service, in order, itself last; raise `UnfitError` where that is impossible."""
    if service not in project.services:
        there = ", ".join(sorted(project.services)) or "none"
        raise UnfitError(f"has no service {show(service)}; there is {there}: write one as compose_service")
    order = _order(project, service)
    edges: dict[str, list[Dependency]] = {name: [] for name in order}
    for name in order:
        for need in project.services[name].needs:
            edges.setdefault(need.service, []).append(need)
    users = _users(project)
    return tuple(_step(name, edges[name], users=users) for name in order)


def port_of(project: ComposeProject, service: str) -> int:
    """Return the port of a service; 0 where the file names none; raise `UnfitError` where it names several."""
    ports = project.services[service].ports
    if len(ports) > 1:
        raise UnfitError(f"gives {service} the ports {', '.join(map(str, ports))}; write the one for requests as port")
    return ports[0] if ports else 0


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with ${NAME}, ${NAME:-default} and their like replaced; raise `UnfitError` for ${NAME:?why}."""
    return VARIABLE.sub(lambda match: _value(match, variables), text)


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    name, how, word = match["plain"] or match["name"], match["how"] or "", match["word"] or ""
    value = variables.get(name)
    is_set = value is not None and (bool(value) or not how.startswith(":"))
    if how.endswith("+"):
        return interpolated(word, variables) if is_set else ""
    if is_set or not how:
        return value or ""
    if how.endswith("?"):
        why = f" ({word})" if word else ""
        raise UnfitError(f"needs the variable {name}, which is not set{why}; set it, or write it in .env")
    return interpolated(word, variables)


def _project_name(folder: str) -> str:
    """Do as Compose does with the name of a folder."""
    return re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("_-")


def _service(name: str, body: object, variables: Mapping[str, str]) -> ComposeService:
    if not isinstance(body, dict):
        raise UnfitError(f"has a service {show(name)} that is no table")
    published = [port for entry in _list(body.get("ports")) for port in _ports(entry, variables)]
    exposed = [port for entry in _list(body.get("expose")) for port in _ports(entry, variables)]
    return ComposeService(
        name=name,
        ports=tuple(dict.fromkeys(target for _, target in published or exposed)),
        host_ports=tuple(host for host, _ in published if host),
        needs=tuple({need.service: need for need in _needs(name, body)}.values()),
        is_built=bool(body.get("build")),
    )


def _over(below: ComposeService | None, above: ComposeService) -> ComposeService:
    """Add what a later file says of a service."""
    if below is None:
        return above
    return ComposeService(
        name=above.name,
        ports=tuple(dict.fromkeys((*below.ports, *above.ports))),
        host_ports=(*below.host_ports, *above.host_ports),
        needs=tuple(({need.service: need for need in (*below.needs, *above.needs)}).values()),
        is_built=below.is_built or above.is_built,
    )


def _ports(entry: object, variables: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Give the TCP ports, on this machine (0: none, or any) and in the container.

    They are written "8080:80", "127.0.0.1:8000-8001:80-81/tcp" or {target: 80, published: 8080}.
    """
    if isinstance(entry, dict):
        host, target, protocol = (_text(entry.get(key)) for key in ("published", "target", "protocol"))
        entry = f"{host}:{target}/{protocol or 'tcp'}"
    found = SHORT_PORT.fullmatch(interpolated(_text(entry), variables))
    if found is None:
        raise UnfitError(f'has {show(entry)} for a port; write "8080:80" there')
    if (found["protocol"] or "tcp").lower() == "tcp":
        targets, hosts = _range(found["target"]), _range((found["host"] or "").rpartition(":")[2])
        yield from zip_longest(hosts if len(hosts) <= len(targets) else (), targets, fillvalue=0)


def _range(text: str) -> range:
    """Return the ports of "80" or "80-81"; none of what is neither."""
    first, _, last = text.partition("-")
    return range(int(first), min(int(last or first), PORT_MAX) + 1) if first.isdecimal() else range(0)


def _needs(name: str, body: Mapping[object, object]) -> Iterator[Dependency]:
    """Give what a service depends on: also what Compose starts first because its network or files are shared."""
    for key in ("network_mode", "pid", "ipc"):
        kind, _, service = _text(body.get(key)).partition(":")
        if kind == "service" and service:
            yield Dependency(service=service)
    for entry in _list(body.get("links")):
        yield Dependency(service=_text(entry).partition(":")[0])
    for entry in _list(body.get("volumes_from")):
        if not _text(entry).startswith("container:"):
            yield Dependency(service=_text(entry).partition(":")[0])
    depends = body.get("depends_on") or ()
    if isinstance(depends, dict):
        yield from (_dependency(name, _text(service), how or {}) for service, how in depends.items())
    else:
        yield from (Dependency(service=_text(service)) for service in _list(depends))


def _dependency(name: str, service: str, how: object) -> Dependency:
    condition = _text(how.get("condition", "")) or "service_started" if isinstance(how, dict) else ""
    if condition not in CONDITIONS:
        known = ", ".join(CONDITIONS)
        raise UnfitError(f"lets {name} depend on {service} by an unknown condition {show(condition)}; there is {known}")
    is_required = not isinstance(how, dict) or _text(how.get("required")).lower() != "false"
    return Dependency(service=service, until=CONDITIONS[condition], is_required=is_required)


def _text(value: object) -> str:
    """Return a text as it is; what is none has no text, and is not spelled out: references can make it huge."""
    return value if isinstance(value, str) else ""


def _list(value: object) -> Sequence[object]:
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _order(project: ComposeProject, service: str) -> tuple[str, ...]:
    """Return a service behind everything that it needs."""
    needed: dict[str, tuple[str, ...]] = {}
    new = [service]
    while new:
        name = new.pop()
        if name not in needed:
            needed[name] = tuple(_there(project, name))
            new += needed[name]
    try:
        return tuple(TopologicalSorter(needed).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise UnfitError(f"has services that depend on each other in a circle, {circle}; take one out") from error


def _there(project: ComposeProject, name: str) -> Iterator[str]:
    """Give what a service needs; one that need not be there may be missing."""
    for need in project.services[name].needs:
        if need.service in project.services:
            yield need.service
        elif need.is_required:
            raise UnfitError(f"lets {name} depend on {show(need.service)}, which is no service of it")


def _step(name: str, edges: Sequence[Dependency], *, users: Mapping[str, Sequence[str]]) -> ComposeStep:
    return ComposeStep(
        service=name,
        until=max((edge.until for edge in edges), key=UNTIL.index, default="started"),
        is_required=not edges or any(edge.is_required for edge in edges),
        users=_all_users(name, users),
    )


def _users(project: ComposeProject) -> dict[str, list[str]]:
    """Return who needs each service."""
    users: dict[str, list[str]] = {}
    for one in project.services.values():
        for need in one.needs:
            users.setdefault(need.service, []).append(one.name)
    return users


def _all_users(name: str, users: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return who needs a service, directly or not."""
    found: set[str] = set()
    new = [name]
    while new:
        added = set(users.get(new.pop(), ())) - found
        found |= added
        new += added
    return tuple(sorted(found))
