"""A tiny image for a session of tests, made of one static binary; everything is skipped where there is no Docker."""

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.backend.docker.world import docker, remove_containers

DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
ENTRYPOINT ["/bin/busybox"]
"""


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the name of an image whose entrypoint is busybox; it is gone at the end, with all its containers."""
    ask = ("docker", "version")
    if shutil.which("docker") is None or subprocess.run(ask, check=False, capture_output=True).returncode:
        pytest.skip("Docker does not answer here: what runs in containers is not tested")
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox here (Debian: busybox-static), so there is no image to test containers with")
    folder = tmp_path_factory.mktemp("image")
    shutil.copy(busybox, folder / "busybox")
    name = f"wakegate-test-{uuid.uuid4().hex[:12]}"
    # An image of its own, not only a name: the containers of other test processes must not be of this one.
    (folder / "Dockerfile").write_text(f"{DOCKERFILE}LABEL of={name}\n")
    docker("build", "--quiet", "--tag", name, str(folder))
    yield name
    remove_containers(f"ancestor={name}")
    docker("rmi", "--force", name)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory; the containers of its gateway go with their image."""
    path = tmp_path / "state"
    path.mkdir()
    return path
