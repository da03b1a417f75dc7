"""What the library raises, in words that say what to do."""

import os
from pathlib import Path

import pytest
from aiodocker.exceptions import DockerError, DockerStreamError
from tests.local.backend.docker.world import Forwarder

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.client import EngineDownError, EngineError, open_client

pytestmark = pytest.mark.anyio


async def _says(error: Exception) -> str:
    client = await open_client()
    with pytest.raises(WorkloadError) as raised, client.asking():
        raise error
    await client.close()
    return f"{type(raised.value).__name__}: {raised.value}"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DockerError(409, " in use\n"), "EngineError: in use"),
        (DockerStreamError("denied"), "EngineError: denied"),
        (ConnectionResetError(104, "whatever"), "is it running? (Connection reset by peer)"),
        (TimeoutError(), "is it running? (it took too long)"),
        (PermissionError(13, "no"), "does not let this user in: add it to the group that owns the socket"),
        (DockerError(900, "Cannot connect"), "is it running? ([900] Cannot connect)"),
    ],
)
async def test_each_failure_says_what_it_is(error: Exception, says: str) -> None:
    """A refusal is the user's or ours to mend; a daemon that is away is not."""
    said = await _says(error)
    assert said.endswith(says)
    assert said.startswith("EngineError" if "EngineError" in says else "EngineDownError")


async def test_a_socket_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was tried is the first thing to check."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    client = await open_client()
    with pytest.raises(EngineDownError, match=rf"at unix://{tmp_path}/none\.sock: .*No such file"), client.asking():
        await client.docker.version()
    await client.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
async def test_a_socket_of_others_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest first failure: the user is not in the group docker."""
    forwarder = Forwarder(tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{forwarder.path}")
    await forwarder.begin()
    forwarder.path.chmod(0)
    client = await open_client()
    with pytest.raises(EngineDownError, match="does not let this user in"), client.asking():
        await client.docker.version()
    await client.close()
    await forwarder.end()


async def test_a_refusal_has_its_status(image: str) -> None:
    """404 means that it is not there, and is often no failure at all."""
    client = await open_client()
    with pytest.raises(EngineError) as refused, client.asking():
        await client.docker.containers.container("no-such-container").show()
    assert refused.value.status == 404
    await client.close()
