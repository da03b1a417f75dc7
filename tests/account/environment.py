"""One environment of a Lambda function: a process that runs awslambdaric on the unpacked zip, an event at a time."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.account.launch import Launcher, Process
from tests.account.runtime_api import Invocation, Outcome, RuntimeApi

INIT_TIMEOUT_S = 10.0  # then Lambda starts the init phase again, inside the function's own timeout


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a function is made of; an environment that was made of others is not used again."""

    name: str
    arn: str
    handler: str
    role_arn: str
    memory_mb: int
    timeout_s: float
    code_sha: str
    variables: tuple[tuple[str, str], ...]


class Environment:
    """The process, its Runtime API and its log."""

    def __init__(self, settings: Settings, *, name: str, code: Path, site: Path, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.name = name
        self.invocations = 0
        self.init_s = 0.0
        self._code, self._site, self._say = code, site, say
        self._api = RuntimeApi()
        self._launch: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Say whether it can take another event."""
        return self._process is not None and self._process.returncode is None and not self._api.init_error

    async def start(self, variables: dict[str, str], launcher: Launcher) -> None:
        """Start the runtime and wait until it asks for its first event, or has failed to."""
        began_s = time.monotonic()
        address = await self._api.start()
        environ = {
            **dict(self.settings.variables),
            **variables,
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_LAMBDA_RUNTIME_API": address,
            "LAMBDA_TASK_ROOT": str(self._code),
            "AWS_LAMBDA_FUNCTION_NAME": self.settings.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.settings.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.settings.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self.name,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "_HANDLER": self.settings.handler,
            "PYTHONPATH": str(self._site),
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task cannot be written to
            "PYTHONUNBUFFERED": "1",
        }
        self._launch = asyncio.create_task(self._begin(launcher, environ))
        await asyncio.shield(self._launch)  # where nobody waits for it any more, `stop` does
        try:
            await asyncio.wait_for(self._api.ready.wait(), INIT_TIMEOUT_S + self.settings.timeout_s)
        except TimeoutError:
            self._api.init_error = _error("Sandbox.Timedout", f"INIT did not end in {INIT_TIMEOUT_S} s")
        self.init_s = time.monotonic() - began_s

    async def _begin(self, launcher: Launcher, environ: dict[str, str]) -> None:
        self._process = await launcher.launch(self.settings.handler, environ=environ, folder=self._code)
        self._watcher = asyncio.create_task(self._watch(self._process))

    async def run(self, invocation: Invocation) -> Outcome:
        """Give it the event and wait for the outcome, no longer than the function's timeout."""
        self.invocations += 1
        if self._api.init_error:
            await self.stop()
            failed = Outcome(payload=self._api.init_error, error="Unhandled")
            return replace(failed, environment=self.name, is_cold=True, init_s=self.init_s)
        self._say(f"START RequestId: {invocation.id} Version: $LATEST")
        self._api.give(invocation)
        if not self.is_alive:
            self._api.fail(_exited(invocation.id))
        try:
            outcome = await asyncio.wait_for(asyncio.shield(invocation.outcome), invocation.timeout_s)
        except TimeoutError:
            message = f"Task timed out after {invocation.timeout_s:.2f} seconds"
            self._say(f"{invocation.id} {message}")
            await self.stop()
            payload = _error("Sandbox.Timedout", f"RequestId: {invocation.id} Error: {message}")
            outcome = Outcome(payload=payload, error="Unhandled", duration_s=invocation.timeout_s)
        self._say(f"END RequestId: {invocation.id}")
        self._say(self._report(invocation, outcome))
        return replace(outcome, environment=self.name, is_cold=self.invocations == 1, init_s=self.init_s)

    async def stop(self) -> None:
        """Kill the process, also one that is just being started, and whatever it has started."""
        if self._launch is not None:
            await asyncio.wait([self._launch])
        self.kill()
        if self._watcher is not None:
            await asyncio.wait([self._watcher])
        self._api.stop()

    def kill(self) -> None:
        """Kill at once: the machine under the environment has gone."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _watch(self, process: Process) -> None:
        """Read its log to the end, then fail what still ran."""
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                self._say(
                    line.decode("utf-8", "replace").rstrip("\n").replace("\r", "\n")
                )  # the runtime's own line breaks
        except ValueError:
            self._say("(a line of over 1 MB was dropped)")
        await process.wait()
        if not self._api.ready.is_set():
            self._api.init_error = _exited("init")
            self._api.ready.set()
        self._api.fail(_exited("invocation"))

    def _report(self, invocation: Invocation, outcome: Outcome) -> str:
        ms = outcome.duration_s * 1000
        line = f"REPORT RequestId: {invocation.id} Duration: {ms:.2f} ms Memory Size: {self.settings.memory_mb} MB"
        line += f" Max Memory Used: {self._memory_mb()} MB"
        return f"{line} Init Duration: {self.init_s * 1000:.2f} ms" if self.invocations == 1 else line

    def _memory_mb(self) -> int:
        assert self._process is not None
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return 0
        peaks = [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")]
        return peaks[0] if peaks else 0


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _exited(request_id: str) -> bytes:
    return _error("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited")
