"""The client library, opened and closed, and what its calls raise in our words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerContextError, DockerError

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.address import find_address

CALL_TIMEOUT_S = 60.0  # a daemon under load takes seconds to create a container
CANNOT_CONNECT = 900  # aiodocker's own status


class EngineError(WorkloadError):
    """The daemon refused; `status` is HTTP's, 0 where it came in the middle of a stream."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class EngineDownError(WorkloadError):
    """The daemon does not answer, or went away in the middle of an answer."""


class Client:
    """The library's own client, and where it connects to."""

    def __init__(self, docker: Docker, *, address: str, connector: aiohttp.BaseConnector | None = None) -> None:
        self.docker = docker
        self.address = address
        self._connector = connector

    async def close(self) -> None:
        """Hang up, all streams included."""
        await self.docker.close()
        if self._connector is not None:
            await self._connector.close()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Translate what a call of the library raises."""
        try:
            yield
        except DockerError as error:
            if error.status == CANNOT_CONNECT:
                raise EngineDownError(self._unreachable(error)) from error
            raise EngineError(str(error.message).strip(), status=error.status) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EngineDownError(self._unreachable(error)) from error

    def _unreachable(self, error: Exception) -> str:
        why = "it took too long" if isinstance(error, TimeoutError) else _reason(error)
        if why == os.strerror(13):
            return f"Docker at {self.address} does not let this user in: add it to the group that owns the socket"
        return f"Docker does not answer at {self.address}: is it running? ({why})"


async def open_client() -> Client:
    """Open a client to where `find_address` says; connects to nothing yet.

    Raise `WorkloadError` where the address is of no use.
    """
    url = find_address(os.environ, home=Path.home())
    try:
        docker = Docker(url=url)
    except (ValueError, DockerContextError, ImportError) as error:
        raise WorkloadError(f"the address of Docker ({url or 'a Docker context'}) is of no use: {error}") from error
    address, connector = url or docker.docker_host, docker.connector
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_S)
    await docker.close()
    if type(connector) is aiohttp.UnixConnector:  # not a subclass: SSH tunnels by one of its own
        # The library's own allows 100 connections, and each replica's log holds one.
        unlimited = aiohttp.UnixConnector(connector.path, limit=0)
        docker = Docker(url="unix://localhost", connector=unlimited, timeout=timeout)
        return Client(docker, address=f"unix://{connector.path}", connector=unlimited)
    return Client(Docker(url=url, timeout=timeout), address=address)


def _reason(error: Exception) -> str:
    """Return the system's words from within those of two libraries."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
