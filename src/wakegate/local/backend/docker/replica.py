"""One container that runs: probed, paused, stopped, and watched until it is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import WakeSpec
from wakegate.local.backend.docker.check import check_passes
from wakegate.local.backend.docker.client import EngineDownError, EngineError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts
from wakegate.local.backend.docker.follow import follow
from wakegate.local.backend.docker.reach import Address, is_local, tcp_answers_through
from wakegate.local.backend.reclaim import give_back
from wakegate.local.logs import ServiceLog
from wakegate.local.probe import http_answers, tcp_answers
from wakegate.ports import Exit, Kept

GONE = "its container was removed"
NEEDED = "it runs on for what depends on it"
LOG_END_S = 1.0  # the last lines of a container that has ended arrive within this, or are not waited for


class ContainerReplica:
    """A `Replica`. It is gone when this run of its container has ended, whoever ended it."""

    def __init__(
        self,
        engine: Engine,
        facts: Facts,
        *,
        number: int,
        address: Address,
        probe: WakeSpec,
        age_s: Callable[[], float],
        log: ServiceLog,
        log_since: float,
        ended: Callable[["ContainerReplica"], tuple[str, ...]],
        is_needed: Callable[[], Awaitable[bool]],
    ) -> None:
        """Watch it from now on, and copy what it writes into `log` (since: the wall clock, 0: all that it wrote).

        `ended` is called once, when it is gone, and returns its last lines. Where `is_needed` says that others need
        it, it is left running when it is to end, and is gone for us.
        """
        self.facts = facts
        self._engine = engine
        self._number = number
        self._host, self._port = address
        self._probe = probe
        self._age_s = age_s
        self._ended = ended
        self._is_needed = is_needed
        self._is_local = is_local(facts)
        self._is_direct = self._host in (own for _, own in facts.networks) or facts.network_mode == "host"
        self._is_paused = facts.is_paused
        self._is_asked = False  # to end, by us
        self._is_healthy = facts.health == "healthy"
        self._exit: Exit | None = None
        self._gone = asyncio.Event()
        self._look = asyncio.Lock()
        self._log = log
        self._following = self._follow(log_since)
        engine.watch(facts.id, self)

    @property
    def number(self) -> int:
        """Its number among the replicas of the service."""
        return self._number

    @property
    def host(self) -> str:
        """Its own address, or the one its port is published at."""
        return self._host

    @property
    def port(self) -> int:
        """The port to connect to at `host`."""
        return self._port

    @property
    def pid(self) -> int:
        """Its first process where this machine runs it; else 0."""
        return self.facts.pid if self._is_local else 0

    @property
    def is_paused(self) -> bool:
        """Whether it is paused, by whomever."""
        return self._is_paused

    async def answers(self) -> bool:
        """Make one probe attempt; with a health check and no probe of the user's own, the check must pass, too.

        The check is run at once: Docker itself runs it for the first time only after its interval, often 30 seconds.
        """
        probe, timeout_s = self._probe.probe, self._probe.probe_timeout_s
        if probe != "tcp":
            return await http_answers(self.host, self.port, probe, timeout_s=timeout_s)
        answers = tcp_answers if self._is_direct else tcp_answers_through
        if not await answers(self.host, self.port, timeout_s=timeout_s):
            return False
        return self._is_healthy or not self.facts.check or await self._passes_check()

    async def _passes_check(self) -> bool:
        self._is_healthy = await check_passes(self._engine, self.facts)
        return self._is_healthy

    async def exited(self) -> Exit:
        """Return once this run has ended."""
        await self._gone.wait()
        assert self._exit is not None
        return self._exit

    def terminate(self) -> None:
        """Send the image's stop signal, once; a paused one goes on to handle it."""
        if not self._is_asked and self._exit is None:
            self._is_asked = True
            self._engine.spawn(self._stop(), name=f"docker-stop:{self.facts.name}")

    def kill(self) -> None:
        """Send SIGKILL; while the daemon is away it is given up: the next gateway finds it by its labels."""
        self._is_asked = True
        if self._exit is None:
            self._engine.spawn(self._kill(), name=f"docker-kill:{self.facts.name}")

    async def pause(self) -> None:
        """Freeze it."""
        if not self._is_paused:
            container = (await self._engine.client()).containers.container(self.facts.id)
            if await self._is_needed():
                raise WorkloadError(NEEDED)
            with self._engine.asking():
                await container.pause()
            self._is_paused = True

    async def resume(self) -> None:
        """Let it go on."""
        if self._is_paused:
            container = (await self._engine.client()).containers.container(self.facts.id)
            self._is_paused = False
            try:
                with self._engine.asking():
                    await container.unpause()
            except EngineError:
                await self.look()  # somebody else let it go on, or ended it
                if self._is_paused or self._exit is not None:
                    raise

    async def give_back(self) -> Kept:
        """Give memory back where the container runs on this machine."""
        return await asyncio.to_thread(self._give_back) if self._is_local else Kept(before_bytes=0, after_bytes=0)

    def _give_back(self) -> Kept:
        pids: list[int] = []
        with suppress(psutil.Error):
            first = psutil.Process(self.pid)
            pids = [self.pid, *(child.pid for child in first.children(recursive=True))]
        return give_back(pids, is_wanted=lambda: self._is_paused)

    # -- Watcher: what the engine tells

    async def look(self) -> None:
        """Find out how it is."""
        with suppress(WorkloadError):  # the daemon is away: it is looked at again when it is back
            async with self._look:
                if self._exit is None:
                    await self._take(await self._engine.inspect(self.facts.id))

    def engine_lost(self, why: str, /) -> None:
        """See whether it went with the daemon, where that can be seen."""
        if self._exit is None and self._is_local and not is_local(self.facts):
            self._finish(Exit(status=None, signal=None, after_s=self._age_s(), reason=f"it ended with Docker: {why}"))

    async def _take(self, facts: Facts | None) -> None:
        if facts is None:
            await self._end(Exit(status=None, signal=None, after_s=self._age_s(), reason=GONE))
        elif not facts.is_running or facts.started_at != self.facts.started_at:
            status = facts.exit_code if not facts.is_running else None  # it runs anew: how the last run ended is lost
            await self._end(Exit(status=status, signal=None, after_s=self._age_s(), oom=facts.oom))
        else:
            self._is_paused = facts.is_paused
            self._is_healthy = self._is_healthy or facts.health == "healthy"
            if self._following.done():  # the daemon was away
                self._following = self._follow(self._log.written_at())

    def _follow(self, since: float) -> asyncio.Task[None]:
        work = follow(self._engine, self.facts.id, log=self._log, since=since)
        return self._engine.spawn(work, name=f"docker-log:{self.facts.name}")

    async def _end(self, end: Exit) -> None:
        await asyncio.wait({self._following}, timeout=LOG_END_S)
        self._finish(end)

    def _finish(self, end: Exit) -> None:
        if self._exit is None:
            self._engine.unwatch(self.facts.id, self)
            self._following.cancel()
            self._is_paused = False
            self._exit = Exit(
                status=end.status,
                signal=end.signal,
                after_s=end.after_s,
                oom=end.oom,
                reason=end.reason,
                log_tail=self._ended(self),
            )
            self._gone.set()

    async def _stop(self) -> None:
        with suppress(WorkloadError):  # the daemon is away: then `kill` is next
            if await self._is_needed():
                self._finish(Exit(status=None, signal=None, after_s=self._age_s(), reason=NEEDED))
            else:
                await self._signal(self.facts.stop_signal)

    async def _signal(self, name: str) -> None:
        with suppress(WorkloadError):  # it is gone, or the daemon is: then `kill` is next
            container = (await self._engine.client()).containers.container(self.facts.id)
            with suppress(EngineError), self._engine.asking():
                await container.kill(signal=name)
            if self._is_paused:
                self._is_paused = False
                with self._engine.asking():
                    await container.unpause()

    async def _kill(self) -> None:
        try:
            await self._engine.client()
            await self._signal("SIGKILL")
        except EngineDownError as error:
            self._finish(Exit(status=None, signal=None, after_s=self._age_s(), reason=f"it was given up: {error}"))
