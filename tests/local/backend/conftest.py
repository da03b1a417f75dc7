"""Nothing that a backend test starts outlives it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from wakegate.local.backend.registry import Registry


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """A state directory; every process that bears its marker is killed at the end."""
    path = tmp_path / "state"
    path.mkdir()
    yield path
    for process, _, _ in Registry(path).marked():
        process.kill()
