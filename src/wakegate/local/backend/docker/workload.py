"""A service whose containers are ours: made of an image or a build, removed when they have ended."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ContainerSpec, WakeSpec
from wakegate.local.backend.docker.client import EngineDownError, EngineError
from wakegate.local.backend.docker.create import FINGERPRINT, NUMBER, OWNER, SERVICE, body, fingerprint, labels_of
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts, exposed, only_port
from wakegate.local.backend.docker.image import Image
from wakegate.local.backend.docker.leftovers import end
from wakegate.local.backend.docker.replica import ContainerReplica
from wakegate.local.backend.docker.roster import Roster
from wakegate.local.backend.docker.spare import Spare
from wakegate.ports import Exit

IMAGE_SHARE = 0.95  # of the wake's time: a wake that ends because of the image should say so


class ContainerWorkload:
    """A `Workload`. Its containers are known by their labels, also to the next gateway of this state directory."""

    def __init__(
        self,
        service: str,
        spec: ContainerSpec,
        *,
        engine: Engine,
        roster: Roster,
        owner: str,
        wake: WakeSpec,
        tell: Callable[[str, str], None],
    ) -> None:
        self._service = service
        self._spec = spec
        self._engine = engine
        self._owner = owner
        self._wake = wake
        self._image = Image(service, spec, engine=engine, owner=owner, tell=tell)
        self._roster = roster
        self._roster.left = self._left
        self._making: set[str] = set()  # names of containers that are not replicas yet
        self._swept = 0  # the connection of the engine for which leftovers were looked for
        self._spare = Spare(service, engine=engine, make=self._make_spare)

    @property
    def replicas_max(self) -> int | None:
        """As many as wanted: each has an address of its own."""
        return None

    @property
    def can_pause(self) -> bool:
        """Docker pauses every container."""
        return True

    async def start(self, *, number: int) -> ContainerReplica:
        """Start one replica; the first one waits for the image."""
        image = await self._image.ready(timeout_s=self._wake.timeout_s * IMAGE_SHARE)
        await self._sweep()
        spare = self._spare.take(number=number, image=image["Id"])
        if spare is not None and await self._engine.inspect(spare) is None:  # somebody has tidied up
            spare = None
        container = spare or await self._create(number, image)
        try:
            return await self._start(container, number=number, port=self._port(image))
        except BaseException:
            self._engine.remove_later(container)
            raise

    async def adopt(self) -> Sequence[ContainerReplica]:
        """Take over what an earlier gateway left and what still fits; stop and remove the rest.

        None while the daemon does not answer: the first start looks again.
        """
        with suppress(EngineDownError):
            await self._sweep(adopts=True)
            await self._spare.refill()
        return tuple(self._roster.replicas.values())

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """The newest lines that the service wrote."""
        return self._roster.log_tail(lines=lines)

    # -- the steps of a start

    async def _create(self, number: int, image: dict[str, Any]) -> str:
        """Return the id of a new container; its name is unique, so it waits for no removal.

        Whoever stops waiting does not stop the daemon: what it still creates is removed.
        """
        labels = labels_of(self._service, self._spec, owner=self._owner, number=number)
        name = f"wakegate-{self._service}-{number}-{secrets.token_hex(3)}"
        made = body(self._spec, image=image["Id"], port=self._port(image), labels=labels)
        creation = _Creation()
        self._making.add(name)
        work = self._engine.chore(creation.run(self._engine, made, name=name), name=f"docker-create:{name}")
        work.add_done_callback(lambda _: self._making.discard(name))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.add_done_callback(
                lambda _: self._engine.remove_later(creation.container) if creation.container else None
            )
            raise
        if creation.failure is not None or not creation.container:
            raise WorkloadError(f"the container cannot be created: {creation.failure}") from creation.failure
        return creation.container

    async def _start(self, container: str, *, number: int, port: int) -> ContainerReplica:
        docker = await self._engine.client()
        try:
            with self._engine.asking():
                await docker.containers.container(container).start()
        except EngineError as error:
            raise WorkloadError(f"the container cannot be started: {self._why(error)}") from error
        facts = await self._engine.inspect(container)
        if facts is None:
            raise WorkloadError("its container was removed while it started")
        if not facts.is_running:
            end = Exit(status=facts.exit_code, signal=None, after_s=0.0, oom=facts.oom)
            lines = await self._roster.last_words(container, since=0.0)
            raise WorkloadError(f"{end}, before it listened on :{port}", log_tail=lines)
        replica = self._roster.enter(facts, number=number, port=port, is_new=True)
        self._engine.spawn(replica.look(), name=f"docker-look:{facts.name}")  # it may have ended before it was watched
        return replica

    def _why(self, error: EngineError) -> str:
        if self._spec.network and "network" in str(error) and "not found" in str(error):
            return f'there is no network "{self._spec.network}"; run: docker network create {self._spec.network}'
        return str(error)

    def _port(self, image: dict[str, Any]) -> int:
        return self._spec.port or only_port(exposed(image.get("Config") or {}), of=f"the image {self._image.name}")

    # -- what is left

    def _left(self, container: str) -> None:
        self._engine.remove_later(container)
        if not self._roster.replicas:
            self._engine.chore(self._spare.refill(), name=f"docker-spare:{self._service}")

    async def _sweep(self, *, adopts: bool = False) -> None:
        """End containers of ours that nobody here knows: an earlier gateway's, or such as were given up."""
        await self._engine.client()
        if self._swept == self._engine.connections:
            return
        self._swept = self._engine.connections
        mine = [f"{OWNER}={self._owner}", f"{SERVICE}={self._service}"]
        for container, name in await self._engine.find(*mine):
            if self._engine.is_watched(container) or name in self._making or self._spare.is_it(container):
                continue
            facts = await self._engine.inspect(container)
            if facts is not None and not (adopts and self._adopt(facts)):
                self._engine.chore(end(self._engine, facts), name=f"docker-end:{name}")

    def _adopt(self, facts: Facts) -> bool:
        """Take a container over; say whether it fits."""
        number = facts.labels.get(NUMBER, "")
        if not facts.is_running or facts.labels.get(FINGERPRINT) != fingerprint(self._spec) or not number.isdigit():
            return False
        port = self._spec.port or next(iter(facts.ports), 0)
        if not port or int(number) in self._roster.replicas:
            return False
        try:
            self._roster.enter(facts, number=int(number), port=port, is_new=False)
        except WorkloadError:
            return False
        return True

    # -- the container for the next wake

    async def _make_spare(self) -> tuple[str, str] | None:
        """Create the first replica's container ahead, where the image is there: return its id and the image's."""
        image = await self._image.here()
        if image is None or self._roster.replicas:
            return None
        return await self._create(1, image), image["Id"]


class _Creation:
    """One call that creates a container, and how it ended."""

    def __init__(self) -> None:
        self.container = ""
        self.failure: WorkloadError | None = None

    async def run(self, engine: Engine, made: dict[str, Any], *, name: str) -> None:
        """Make the call."""
        try:
            docker = await engine.client()
            with engine.asking():
                self.container = (await docker.containers.create(made, name=name)).id
        except WorkloadError as error:
            self.failure = error
