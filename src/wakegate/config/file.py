"""What a `wakegate.toml` gives: each known key with its line, and a problem for everything else in it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from wakegate.config.draft import Draft, Given, Where
from wakegate.config.locate import lines
from wakegate.config.setting import Setting
from wakegate.config.settings import OF_GATEWAY, OF_SERVICE
from wakegate.config.show import did_you_mean, show
from wakegate.core.errors import ConfigError

FILE_BYTES_MAX = 2**20
GROUPS = frozenset(setting.group for setting in OF_SERVICE.values()) - {""}
SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def draft_of(file: Path) -> Draft:
    """Return what a file gives; raise `ConfigError` where it is no TOML at all."""
    text = _text(file)
    document = _document(text, file=file)
    walk = _Walk(file, lines(text))
    walk.document(document)
    return walk.draft


def gateway_draft_of(file: Path) -> Draft:
    """Return what a file gives for the gateway; raise `ConfigError` where it is no TOML at all."""
    text = _text(file)
    walk = _Walk(file, {})
    walk.gateway(_document(text, file=file).get("gateway", {}))
    return walk.draft


def service_name_problem(name: str) -> str:
    """Return what is wrong with the name of a service, or nothing."""
    if SERVICE_NAME.fullmatch(name):
        return ""
    return f"{show(name)} is no name of a service; write letters, digits, - and _, at most 63, a letter or digit first"


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except IsADirectoryError as error:
        raise ConfigError((f"{file}: is a folder; name the file in it, {file / 'wakegate.toml'}",)) from error
    except FileNotFoundError as error:
        raise ConfigError((f"{file}: not found{_missing(file)}",)) from error
    except (OSError, ValueError) as error:
        raise ConfigError((f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}",)) from error
    if len(data) > FILE_BYTES_MAX:
        raise ConfigError((f"{file}: is larger than 1 MiB, which no configuration is; name another file",))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError((f"{file}:{line}: is not UTF-8; save the file as UTF-8",)) from error


def _document(text: str, *, file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError((f"{file}: brackets are nested too deeply; no setting needs more than two",)) from error
    except ValueError as error:  # TOMLDecodeError, and the ValueError of a number of thousands of digits
        what, at, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = int(line[1]) if line else text.rstrip("\n").count("\n") + 1
        label = f"{file}:{number}" if at else f"{file}"
        what = "a key is written twice" if what == "Cannot overwrite a value" else f"{what[:1].lower()}{what[1:]}"
        raise ConfigError((f"{label}: is no TOML: {what}",)) from error


def _missing(file: Path) -> str:
    """Say what to do where a file is not there."""
    if file.name == "wakegate.toml":
        return '; "wakegate init" writes one'
    return "" if file.suffix == ".toml" else f'; a command stands behind "--": wakegate up -- {file} …'


class _Walk:
    """Goes through a document and gives each value to the draft."""

    def __init__(self, file: Path, found: Mapping[tuple[str, ...], int]) -> None:
        self._file = file
        self._lines = found
        self._folder = file.absolute().parent
        self.draft = Draft(folder=self._folder)

    def document(self, document: dict[str, object]) -> None:
        """Go through the whole of it."""
        for key, value in document.items():
            path = (key,)
            if key == "gateway":
                self.gateway(value)
            elif key == "service":
                for name, table in self._items(path, value, example="[service.web]"):
                    self._service((*path, name), table)
            else:
                self._unknown(path, {"gateway", "service"}, "; there are [gateway] and [service.NAME]")
        if not document.get("service", {}):
            self.draft.refuse(
                Where(label=str(self._file), line=0), "no service; write a table [service.web] with a command"
            )

    def gateway(self, table: object) -> None:
        """Go through the table of the gateway."""
        self._table(("gateway",), table, OF_GATEWAY)

    def _service(self, path: tuple[str, ...], table: object) -> None:
        name = path[-1]
        where = self._where(path)
        self.draft.services[name] = where
        if problem := service_name_problem(name):
            self.draft.refuse(where, problem)
        self._table(path, table, OF_SERVICE, service=name)

    def _table(
        self,
        path: tuple[str, ...],
        table: object,
        settings: Mapping[str, Setting],
        *,
        group: str = "",
        service: str = "",
    ) -> None:
        groups = GROUPS if settings is OF_SERVICE and not group else frozenset()
        for key, value in self._items(path, table, example=f"[{_dotted(path)}]"):
            below = (*path, key)
            name = f"{group}.{key}" if group else key
            if name in groups:
                self._table(below, value, settings, group=name, service=service)
            elif name in settings:
                given = Given(value=value, where=self._where(below), folder=self._folder)
                self.draft.give(name, given, service=service)
            else:
                here = {one.name.rpartition(".")[2] for one in settings.values() if one.group == group} | groups
                self._unknown(below, here, _elsewhere(key, settings.values()))

    def _items(self, path: tuple[str, ...], table: object, *, example: str) -> Iterator[tuple[str, object]]:
        if isinstance(table, dict):
            yield from table.items()
        else:
            self.draft.refuse(self._where(path), f"{show(table)} is no table; write {example}")

    def _unknown(self, path: tuple[str, ...], known: set[str], otherwise: str) -> None:
        self.draft.refuse(self._where(path), f"unknown setting{did_you_mean(path[-1], known, otherwise=otherwise)}")

    def _where(self, path: tuple[str, ...]) -> Where:
        line = self._lines.get(path, 1)
        return Where(label=f"{self._file}:{line}: {_dotted(path)}", line=line)


def _elsewhere(key: str, settings: Iterable[Setting]) -> str:
    """Return a hint where the key is right, but in the wrong table."""
    names = [setting.name for setting in settings if setting.name.rpartition(".")[2] == key]
    return f'; did you mean "{names[0]}"?' if names else "; see docs/settings.md for all there are"


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else show(part) for part in path)
