"""What a worker is started with, and where its state is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """The only argument of its program; numbers are those of descriptors that it inherits."""

    slot: int
    door: str
    state_dir: str
    board: int
    channel: int
    listening: tuple[int, ...]


def folder_of(state_dir: Path) -> Path:
    """Return where the workers of a state directory have their sockets and their logs."""
    return state_dir / "workers"
