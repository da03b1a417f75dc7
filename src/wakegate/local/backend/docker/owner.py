"""Whose a container is: an id in the state directory, written as a label on each container that its gateways make."""

import secrets
from pathlib import Path

from wakegate.core.errors import StateError

FILE = "docker-owner"


def owner_of(state_dir: Path) -> str:
    """Return the id; made at the first call, the same for ever after. Raise `StateError` where it cannot be kept.

    At random, not of the path: two machines with the same path may share one daemon.
    """
    path = state_dir / FILE
    try:
        if path.is_file() and (known := path.read_text(encoding="ascii").strip()):
            return known
        fresh = secrets.token_hex(6)
        path.write_text(f"{fresh}\n", encoding="ascii")
    except OSError as error:
        raise StateError(f"{path} cannot be used to mark our containers: {error.strerror}") from error
    return fresh


def has_owner(state_dir: Path) -> bool:
    """Say whether a gateway of this state directory has ever made a container."""
    return (state_dir / FILE).is_file()
