"""A configuration before it is checked: what was given for each setting, where, and the problems so far."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wakegate.config.compose import ComposeProject
from wakegate.config.show import one_line
from wakegate.core.spec import ComposeStep

BEHIND_THE_FILE = 2**31  # problems of options and variables are told after those of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A place that a problem is told at: "wakegate.toml:7: service.web.port", "WAKEGATE_LISTEN", "--listen"."""

    label: str
    line: int = BEHIND_THE_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value as TOML has it, and the folder that a relative path in it starts at."""

    value: object
    where: Where
    folder: Path


@dataclass(slots=True, kw_only=True)
class Draft:
    """Collects; a value that was given later outranks those before it, and all of them are checked."""

    folder: Path  # of the defaults
    environ: Mapping[str, str] = field(default_factory=dict)  # a Compose file may use its variables
    services: dict[str, Where] = field(default_factory=dict)
    given: dict[str, dict[str, list[Given]]] = field(default_factory=dict)  # by service ("": the gateway) and setting
    compose: dict[Path, ComposeProject] = field(default_factory=dict)  # files that were read for services before
    _problems: list[tuple[int, str]] = field(default_factory=list)

    def give(self, name: str, given: Given, *, service: str = "") -> None:
        """Take a value of a setting of the gateway, or of a service."""
        self.given.setdefault(service, {}).setdefault(name, []).append(given)

    def refuse(self, where: Where, text: str) -> None:
        """Note a problem: what was found; what is expected."""
        self._problems.append((where.line, one_line(f"{where.label}: {text}")))

    @property
    def problems(self) -> tuple[str, ...]:
        """Return every problem once, those of the file by line."""
        ordered = sorted(self._problems, key=lambda problem: problem[0])
        return tuple(dict.fromkeys(text for _, text in ordered))


@dataclass(slots=True, kw_only=True)
class Values:
    """What the gateway or one service was given, as the spec will hold it, by the name of the setting."""

    name: str = ""  # of the service
    at: Where  # of its table
    by_name: ChainMap[str, Any] = field(default_factory=ChainMap)  # its own values, then the defaults
    given: dict[str, Where] = field(default_factory=dict)
    unsound: set[str] = field(default_factory=set)  # has a problem of its own already
    compose_steps: tuple[ComposeStep, ...] = ()  # what its Compose file says
    host_ports: tuple[int, ...] = ()  # of this machine, taken by what that file publishes

    def where(self, name: str) -> Where:
        """Return the place of a value, or of the table where it is a default."""
        return self.given.get(name, self.at)

    def are_sound(self, *names: str) -> bool:
        """Say whether these may be compared."""
        return not self.unsound.intersection(names)
