"""A container that is created before it is needed: the next wake only starts it. Some 20 ms of a start are saved."""

from collections.abc import Awaitable, Callable

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.engine import Engine

NUMBER = 1  # a wake begins with the first replica, and its number is a label of the container


class Spare:
    """Keeps at most one; `make` returns its id and its image's, None where none can be made now."""

    def __init__(self, service: str, *, engine: Engine, make: Callable[[], Awaitable[tuple[str, str] | None]]) -> None:
        self._engine = engine
        self._make = make
        self._made: tuple[str, str] | None = None
        self._is_making = False
        self._is_closed = False
        engine.at_close(service, self.drop)

    def is_it(self, container: str) -> bool:
        """Say whether a container is the spare."""
        return self._made is not None and self._made[0] == container

    async def refill(self) -> None:
        """Make one where there is none; a daemon that cannot now will be asked when it is needed."""
        if self._made is not None or self._is_making or self._is_closed:
            return
        self._is_making = True
        try:
            self._made = await self._make()
        except WorkloadError:
            return
        finally:
            self._is_making = False
        self._drop_if_closed()

    def take(self, *, number: int, image: str) -> str | None:
        """Return the id of the spare, which is the taker's from now on, where it is of this number and image."""
        if self._made is None or number != NUMBER:
            return None
        (container, of), self._made = self._made, None
        if of == image:
            return container
        self._engine.remove_later(container)
        return None

    def _drop_if_closed(self) -> None:
        if self._is_closed:  # while it was made
            self.drop()

    def drop(self) -> None:
        """Remove it, and make no other: the gateway goes, or the service is run another way."""
        self._is_closed = True
        if self._made is not None:
            (container, _), self._made = self._made, None
            self._engine.remove_later(container)
