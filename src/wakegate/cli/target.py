"""What most verbs need: which state directory, and which service is meant."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from wakegate.config.read import read_gateway
from wakegate.core.errors import ConfigError, WakegateError
from wakegate.dashboard.client import ask

STATE_DIR = click.option(
    "--state-dir", metavar="DIR", help="Where the gateway keeps its state (default: as in wakegate.toml)."
)


COMPLETION_TIMEOUT_S = 1.0  # whoever presses Tab does not wait for a gateway that hangs


def complete_service(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the services of a running gateway, for the shell's completion; none where none runs."""
    with suppress(WakegateError):
        found = ask(state_dir(ctx.params.get("state_dir")), "status", timeout_s=COMPLETION_TIMEOUT_S)
        return [status["name"] for status in found if status["name"].startswith(incomplete)]
    return []


SERVICE = click.argument("service", required=False, shell_complete=complete_service)


def state_dir(given: str | None) -> Path:
    """Return the state directory: as given, by environment, by the file here, or .wakegate."""
    if given:
        return Path(given)
    if from_environment := os.environ.get("WAKEGATE_STATE_DIR"):
        return Path(from_environment)
    if Path("wakegate.toml").is_file():
        try:
            return Path(read_gateway(Path("wakegate.toml")).state_dir)
        except ConfigError:
            pass  # the gateway may run under an older file; what is wrong with this one, `wakegate check` says
    return Path(".wakegate")


def statuses(directory: Path) -> list[dict[str, Any]]:
    """Return how every service is."""
    found: list[dict[str, Any]] = ask(directory, "status")
    return found


def service_name(given: str | None, directory: Path) -> str:
    """Return the service that is meant: the only one need not be named."""
    if given:
        return given
    names = [status["name"] for status in statuses(directory)]
    if len(names) != 1:
        raise WakegateError(f"say which service: {', '.join(sorted(names))}")
    return str(names[0])
