"""Whose a container is: an id that stays with the state directory."""

from pathlib import Path

import pytest

from wakegate.core.errors import StateError
from wakegate.local.backend.docker.owner import has_owner, owner_of


def test_the_id_is_kept_and_is_of_this_directory_alone(tmp_path: Path) -> None:
    """Another gateway with the same id would take our containers for its own."""
    ours, other = tmp_path / "a", tmp_path / "b"
    ours.mkdir()
    other.mkdir()
    assert not has_owner(ours)
    assert owner_of(ours) == owner_of(ours) != owner_of(other)
    assert has_owner(ours)


def test_an_empty_file_is_written_anew(tmp_path: Path) -> None:
    """A disk that was full for a moment must not make an id of nothing, which every such gateway would share."""
    (tmp_path / "docker-owner").touch()
    assert owner_of(tmp_path) != ""
    assert owner_of(tmp_path) == owner_of(tmp_path)


def test_a_directory_that_is_none_is_said(tmp_path: Path) -> None:
    """Containers that cannot be marked must not be made."""
    with pytest.raises(StateError, match="cannot be used to mark our containers"):
        owner_of(tmp_path / "nowhere")
