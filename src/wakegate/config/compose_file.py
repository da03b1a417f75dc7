"""Reads a Compose file as `docker compose` does: with what overrides it, and the variables of .env."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wakegate.config.compose import ComposeProject, project_of
from wakegate.config.show import UnfitError, one_line, whole

FILE_BYTES_MAX = 2**20
NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")  # the order that Compose looks in
OVERRIDES = tuple(f"{name}.override.{end}" for name in ("compose", "docker-compose") for end in ("yml", "yaml"))
EXTRA = "pip install 'wakegate[docker]'"
VARIABLE_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]\s*(.*?)\s*")


def compose_file(path: Path) -> Path:
    """Return the file itself where a folder was named."""
    try:
        if path.is_dir():
            return next((path / name for name in NAMES if (path / name).is_file()), path / NAMES[0])
    except OSError:  # a name that is too long, a folder that may not be entered: reading it says so
        return path
    return path


def read_compose(path: Path, *, environ: Mapping[str, str]) -> ComposeProject:
    """Return what a file says; raise `UnfitError` with its name and what is wrong with it."""
    path = Path(os.path.normpath(path))
    variables = dict(_variables(path.parent / ".env")) | dict(environ)
    documents = [_document(file) for file in (path, *_overrides(path))]
    with naming(path):
        return project_of(documents, folder=path.parent.name, variables=variables)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the name of a file before what is wrong with it."""
    try:
        yield
    except UnfitError as error:
        raise UnfitError(f"{whole(str(path))} {error}") from error


def _overrides(path: Path) -> Iterator[Path]:
    """Give the file that Compose reads on top of one with a usual name, if there is one."""
    if path.name in NAMES:
        yield from [file for name in OVERRIDES if (file := path.with_name(name)).is_file()][:1]


def _document(file: Path) -> object:
    yaml = _yaml()
    try:
        with file.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise UnfitError(f"{whole(str(file))} is larger than 1 MiB, which no Compose file is; write another")
        return yaml.load(data.decode("utf-8-sig"), Loader=_loader(yaml))
    except FileNotFoundError as error:
        raise UnfitError(f"{whole(str(file))} is not there; write a Compose file, or the folder of one") from error
    except OSError as error:
        raise UnfitError(f"{whole(str(file))} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UnfitError(f"{whole(str(file))} is no YAML{_line(error)}: {one_line(_cause(error))}") from error


def _yaml() -> Any:
    """Return PyYAML, which only those need who name a Compose file."""
    try:
        import yaml  # noqa: PLC0415  it is an extra
    except ImportError as error:
        raise UnfitError(f"Compose files need a library that is not installed; run: {EXTRA}") from error
    return yaml


def _loader(yaml: Any) -> Any:
    """Return a loader that makes texts, lists and tables, whatever the tags say, and nothing else.

    YAML 1.1 would take the port 22:22 for a number, and "no" for false.
    """

    def plain(loader: Any, node: Any) -> object:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    return type("Loader", (yaml.SafeLoader,), {"yaml_constructors": {None: plain}})


def _line(error: BaseException) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark is not None else ""


def _cause(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(getattr(error, "problem", None) or error)


def _variables(file: Path) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size <= FILE_BYTES_MAX else ""
    except (OSError, UnicodeDecodeError):
        return  # a .env that is not there, or is none: its variables are not set
    for line in text.splitlines():
        if found := VARIABLE_LINE.fullmatch(line):
            yield found[1], _unquoted(found[2])


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] in "\"'" and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return re.sub(r"\s+#.*", "", value)
