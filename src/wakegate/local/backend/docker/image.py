"""The image of a service: pulled when it is missing, built once in a gateway's life, with its progress told.

It belongs to the service, not to the wake that waits for it: where that gives up, the next one finds it further on.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from wakegate.core.errors import WorkloadError
from wakegate.core.say import say_bytes, say_duration
from wakegate.core.spec import ContainerSpec
from wakegate.local.backend.docker.client import EngineError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.folder import pack

PROGRESS_S = 0.5  # at most this often
TAIL_LINES = 20  # of a build that failed
STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")

Tell = Callable[[str, str], None]  # the kind of notice, and what it says


class Image:
    """What the containers of one service are made of."""

    def __init__(self, service: str, spec: ContainerSpec, *, engine: Engine, owner: str, tell: Tell) -> None:
        self._spec = spec
        self._engine = engine
        self._tell = tell
        self.name = spec.image or f"wakegate-{service.lower()}:{owner}"
        self._work: asyncio.Task[None] | None = None
        self._failure: WorkloadError | None = None
        self._is_built = False
        self._progress = ""
        self._said_s = 0.0

    async def ready(self, *, timeout_s: float) -> dict[str, Any]:
        """Return what the daemon says of the image, once it is there.

        Raise `WorkloadError` where it cannot be had, or not within the timeout: then it goes on by itself.
        """
        if self._work is None:
            found = await self.here()
            if found is not None:
                return found
        if self._work is None:  # it may be under way by now
            self._failure = None
            self._work = self._engine.spawn(self._make(), name=f"docker-image:{self.name}")
        work = self._work
        await asyncio.wait({work}, timeout=timeout_s)
        if not work.done():
            doing = "pulling" if self._spec.image else "building"
            so_far = f" ({self._progress})" if self._progress else ""
            raise WorkloadError(
                f"still {doing} {self._subject} after {say_duration(timeout_s)}{so_far}; "
                "it goes on, the next request finds it further"
            )
        if self._failure is not None:
            raise WorkloadError(str(self._failure), log_tail=self._failure.log_tail) from self._failure
        found = await self._inspect()
        if found is None:
            raise WorkloadError(f"the image {self.name} is gone again: something removes images while they are needed")
        return found

    async def here(self) -> dict[str, Any] | None:
        """Return what the daemon says of the image where it is there and as it should be; fetch nothing."""
        return await self._inspect() if self._spec.image or self._is_built else None

    @property
    def _subject(self) -> str:
        return self._spec.image or self._spec.build

    async def _inspect(self) -> dict[str, Any] | None:
        docker = await self._engine.client()
        try:
            with self._engine.asking():
                return await docker.images.inspect(self.name)
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def _make(self) -> None:
        try:
            await (self._pull() if self._spec.image else self._build())
        except WorkloadError as error:
            self._failure = error
        finally:
            self._work = None
            self._progress = ""

    # -- pull

    async def _pull(self) -> None:
        began_s = time.monotonic()
        self._tell("pulling", f"pulling {self.name}")
        layers: dict[str, tuple[int, int]] = {}
        docker = await self._engine.client()
        try:
            with self._engine.asking():
                async for said in docker.images.pull(self.name, stream=True):
                    _count(layers, said)
                    total = sum(size for _, size in layers.values())
                    if total:
                        have = sum(done for done, _ in layers.values())
                        self._say(f"{say_bytes(have)} of {say_bytes(total)}")
        except EngineError as error:
            raise WorkloadError(
                f"{self.name} could not be pulled: {error}; is the name right, and can Docker reach its registry?"
            ) from error
        size = say_bytes((await self._inspect() or {}).get("Size", 0))
        self._tell("pulled", f"pulled {self.name} in {say_duration(time.monotonic() - began_s)} · {size}")

    # -- build

    async def _build(self) -> None:
        began_s = time.monotonic()
        folder = Path(self._spec.build)
        self._tell("building", f"building {folder}")
        before = await self._inspect()
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        docker = await self._engine.client()
        packed = await asyncio.to_thread(pack, folder)
        try:
            with packed, self._engine.asking():
                build = docker.images.build(
                    fileobj=packed, encoding="identity", tag=self.name, rm=True, forcerm=True, stream=True
                )
                async for said in build:
                    self._heard(str(said.get("stream", "")), tail)
        except EngineError as error:
            self._failed(folder, error, tail)
        self._is_built = True
        self._tell("built", f"built {folder} in {say_duration(time.monotonic() - began_s)}")
        await self._drop(before)

    def _heard(self, text: str, tail: deque[str]) -> None:
        tail.extend(line for line in text.splitlines() if line.strip())
        if step := STEP.match(text):
            self._say(f"step {step[1]} of {step[2]}: {step[3].strip()}")

    @staticmethod
    def _failed(folder: Path, error: EngineError, tail: deque[str]) -> NoReturn:
        hint = "; build it yourself, and write image = instead of build =" if "BuildKit" in str(error) else ""
        raise WorkloadError(f"building {folder} failed: {error}{hint}", log_tail=tuple(tail)) from error

    async def _drop(self, before: dict[str, Any] | None) -> None:
        """Remove the image that this build has replaced: each change of the app would leave one behind."""
        now = await self._inspect()
        if before is None or now is None or before["Id"] == now["Id"]:
            return
        docker = await self._engine.client()
        try:
            with self._engine.asking():
                await docker.images.delete(before["Id"])
        except EngineError as error:
            if error.status not in (404, 409):  # gone, or another name or a container still has it
                raise

    def _say(self, progress: str) -> None:
        self._progress = progress
        now_s = time.monotonic()
        if now_s - self._said_s >= PROGRESS_S:
            self._said_s = now_s
            self._tell("progress", progress)


def _count(layers: dict[str, tuple[int, int]], said: dict[str, Any]) -> None:
    """Note how far a layer is; extracting counts up from nothing again, and is not the network's part."""
    detail, layer = said.get("progressDetail") or {}, str(said.get("id", ""))
    if said.get("status") == "Downloading" and detail.get("total"):
        layers[layer] = (int(detail.get("current") or 0), int(detail["total"]))
    elif said.get("status") == "Download complete" and layer in layers:
        layers[layer] = (layers[layer][1], layers[layer][1])
