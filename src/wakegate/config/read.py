"""Reads a configuration: option > environment > file > default; every problem at once."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from wakegate.config.build import build, build_gateway
from wakegate.config.draft import Draft, Given, Where
from wakegate.config.environment import add_options, add_variables
from wakegate.config.file import draft_of, gateway_draft_of, service_name_problem
from wakegate.core.errors import ConfigError
from wakegate.core.spec import GatewaySpec, Spec

DEFAULT_FILE = Path("wakegate.toml")
DEFAULT_SERVICE = "web"
NOTHING: Mapping[str, str] = MappingProxyType({})


def read(
    file: Path | None,
    *,
    command: Sequence[str] = (),
    image: str | None = None,
    service_name: str | None = None,
    options: Mapping[str, str] = NOTHING,
    environ: Mapping[str, str] = os.environ,
) -> Spec:
    """Return the spec of a file, or of one command or image; raise `ConfigError` with every problem there is.

    Without any, it is the wakegate.toml of this folder. A command does not look for a file: what was typed counts.
    With an image, the command is what its container runs instead of the image's own.
    Options go by the key of their setting: "gateway.listen", "service.*.sleep.idle_timeout" (for every service).
    """
    if command or image is not None:
        draft = _draft_of_line(file, command=command, image=image, service=service_name or DEFAULT_SERVICE)
    else:
        draft = _draft_of_file(file)
    draft.environ = environ
    add_variables(draft, environ)
    add_options(draft, options)
    return build(draft)


def read_gateway(file: Path) -> GatewaySpec:
    """Return what a file says of the gateway alone; raise `ConfigError` where that has problems.

    Its services are not looked at, however many there are.
    """
    return build_gateway(gateway_draft_of(file))


def _draft_of_file(file: Path | None) -> Draft:
    if file is not None or DEFAULT_FILE.exists():
        return draft_of(file or DEFAULT_FILE)
    what = f'there is no {DEFAULT_FILE} here; "wakegate init" writes one'
    raise ConfigError((f'{what}, or run "wakegate up -- COMMAND" without a file',))


def _draft_of_line(file: Path | None, *, command: Sequence[str], image: str | None, service: str) -> Draft:
    """Return a draft of one service that was typed; it is called so."""
    if file is not None:
        what = "a command" if image is None else "an image"
        raise ConfigError((f"{file}: a file and {what} were given; choose one of them",))
    draft = Draft(folder=Path.cwd())
    typed = {"image": (image, "--image"), "command": (list(command) or None, "-- COMMAND")}
    for setting, (value, label) in typed.items():
        if value is not None:
            draft.services.setdefault(service, Where(label=label))
            given = Given(value=value, where=Where(label=label), folder=draft.folder)
            draft.give(setting, given, service=service)
    if problem := service_name_problem(service):
        draft.refuse(draft.services[service], problem)
    return draft
