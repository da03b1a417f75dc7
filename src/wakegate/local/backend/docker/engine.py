"""The Docker daemon as one gateway has it: one client, one stream of events, and the work that goes on beside requests.

The events only say of whom there is news: whoever is named looks for itself. So nothing is lost by an event that comes
twice or late, and after a break everyone looks once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Protocol

from aiodocker import Docker

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.client import Client, EngineDownError, EngineError, open_client
from wakegate.local.backend.docker.facts import Facts, facts_of

RETRY_MIN_S, RETRY_MAX_S = 0.1, 2.0  # between two attempts to hear its events; a wake is one, too
CHORES_S = 10.0  # removals that are under way when the gateway goes have this long
EVENTS = ("start", "die", "oom", "destroy", "pause", "unpause", "health_status")


class Watcher(Protocol):
    """Someone who wants to know of a container."""

    async def look(self) -> None:
        """There is news of it, or may be."""
        ...

    def engine_lost(self, why: str, /) -> None:
        """The daemon is away, told at each attempt to reach it again."""
        ...


class Engine:
    """Connects when it is first used; `spawn` runs what goes on beside requests, `warn` tells the operator."""

    def __init__(
        self,
        *,
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
        warn: Callable[[str], None],
    ) -> None:
        self._spawn = spawn
        self._warn = warn
        self._client: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._at_close: dict[str, Callable[[], None]] = {}
        self._watchers: dict[str, list[Watcher]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._heard = asyncio.Event()  # its events are heard
        self._tried = asyncio.Event()  # an attempt to hear them has ended, well or not
        self._hurry = asyncio.Event()  # try again now
        self._why = ""
        self._connections = 0

    @property
    def is_up(self) -> bool:
        """Whether the daemon's events are heard."""
        return self._heard.is_set()

    @property
    def _address(self) -> str:
        return "" if self._client is None else self._client.address

    async def client(self) -> Docker:
        """Return the client once events are heard; raise `EngineDownError` when the daemon does not answer."""
        if not self._heard.is_set():
            async with self._opening:
                if self._listener is None:
                    self._client = await open_client()
                    self._listener = self.spawn(self._listen(), name="docker-events")
            self._tried.clear()
            self._hurry.set()
            await self._tried.wait()
            if not self._heard.is_set():
                raise EngineDownError(self._why)
        assert self._client is not None
        return self._client.docker

    async def inspect(self, name: str) -> Facts | None:
        """Return the facts of a container by its id or name, None where there is none."""
        docker = await self.client()
        try:
            with self.asking():
                return facts_of(await docker.containers.container(name).show())
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def find(self, *labels: str) -> list[tuple[str, str]]:
        """Return id and name of all containers with these labels ("name=value"), also of those that do not run."""
        docker = await self.client()
        with self.asking():
            found = await docker.containers.list(all=True, filters=json.dumps({"label": labels}))
        return [(container.id, container["Names"][0].removeprefix("/")) for container in found]

    def watch(self, container: str, watcher: Watcher) -> None:
        """Tell this watcher, too, whenever there is news of a container, by its id."""
        self._watchers.setdefault(container, []).append(watcher)

    def unwatch(self, container: str, watcher: Watcher) -> None:
        """Tell this watcher no more."""
        self._watchers[container].remove(watcher)
        if not self._watchers[container]:
            del self._watchers[container]

    def is_watched(self, container: str) -> bool:
        """Say whether anybody of this gateway watches a container: if it is ours, it is a replica."""
        return container in self._watchers

    @property
    def connections(self) -> int:
        """How often the daemon was reached anew: where it differs, containers may be there that nobody knows."""
        return self._connections

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Run something until it ends or the gateway does."""
        task = self._spawn(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def chore(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Run something that the end of the gateway waits for, within `CHORES_S`; a refusal or a break ends it quietly.

        What it leaves behind bears our labels: the next gateway finds it.
        """
        task = self.spawn(_quietly(work), name=name)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    async def remove(self, container: str) -> None:
        """Remove a container of ours, running or not, and the anonymous volumes that came with it."""
        docker = await self.client()
        with self.asking():
            await docker.containers.container(container).delete(force=True, v=True)

    def remove_later(self, container: str) -> None:
        """Remove it while the caller goes on."""
        self.chore(self.remove(container), name=f"docker-remove:{container[:12]}")

    def at_close(self, name: str, work: Callable[[], None]) -> None:
        """Call this when the gateway begins to close, or when another asks under the same name."""
        before = self._at_close.pop(name, None)
        if before is not None:
            before()
        self._at_close[name] = work

    def closing(self) -> None:
        """The gateway goes: nothing is made any more that only a later wake would need."""
        for work in self._at_close.values():
            work()
        self._at_close.clear()

    async def close(self) -> None:
        """Finish the chores, hang up."""
        self.closing()
        with suppress(TimeoutError):
            async with asyncio.timeout(CHORES_S):
                while self._chores:  # the end of one may begin another
                    await asyncio.wait(self._chores)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._client is not None:
            await self._client.close()
        self._client = self._listener = None
        self._heard.clear()

    def asking(self) -> AbstractContextManager[None]:
        """Translate what a call of the client raises: `EngineError`, `EngineDownError`."""
        assert self._client is not None, "whoever asks has the client"
        return self._client.asking()

    # -- its events

    async def _listen(self) -> None:
        pause_s = RETRY_MIN_S
        while True:
            self._hurry.clear()
            try:
                async with self._stream() as events:
                    pause_s = RETRY_MIN_S
                    while (event := await events.get()) is not None:
                        self._tell(event)
                self._why = f"Docker at {self._address} closed the stream of its events"
            except WorkloadError as error:
                self._why = str(error)
            self._lost()
            try:
                async with asyncio.timeout(pause_s):
                    await self._hurry.wait()
            except TimeoutError:
                pause_s = min(2 * pause_s, RETRY_MAX_S)

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[Any]:
        assert self._client is not None
        with self.asking():
            info = await self._client.docker.system.info()
        # From before anyone looks: what happens between the look and the stream is told all the same.
        since = int(datetime.fromisoformat(str(info["SystemTime"])).timestamp())
        events = self._client.docker.events.subscribe(create_task=False)  # type: ignore[no-untyped-call]  # it has no types
        stream = self.spawn(self._run_stream(since), name="docker-stream")
        try:
            self._connections += 1
            self._heard.set()
            self._tried.set()
            for container in tuple(self._watchers):
                self._let_look(container)
            yield events
        finally:
            stream.cancel()

    async def _run_stream(self, since: int) -> None:
        assert self._client is not None
        filters = json.dumps({"type": ["container"], "event": EVENTS})
        await _quietly(self._asked(self._client.docker.events.run(since=str(since), filters=filters)))

    async def _asked(self, call: Coroutine[Any, Any, None]) -> None:
        with self.asking():
            await call

    def _tell(self, event: dict[str, Any]) -> None:
        container = str((event.get("Actor") or {}).get("ID") or event.get("id") or "")
        self._let_look(container)

    def _let_look(self, container: str) -> None:
        for watcher in self._watchers.get(container, ()):
            self.spawn(watcher.look(), name=f"docker-look:{container[:12]}")

    def _lost(self) -> None:
        was_heard = self._heard.is_set()
        self._heard.clear()
        self._tried.set()
        if was_heard and self._watchers:
            self._warn(f"{self._why}; what ran in it is looked at again when it answers")
        for watcher in [watcher for watchers in self._watchers.values() for watcher in watchers]:
            watcher.engine_lost(self._why)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except WorkloadError:
        return
