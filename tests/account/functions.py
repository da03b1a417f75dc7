"""Lambda: the deployed zip of each function in as many environments as there are events at once, up to the limits."""

import asyncio
import io
import json
import time
import uuid
import zipfile
from collections import defaultdict, deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.account.environment import Environment, Settings
from tests.account.iam import SECRET, Iam
from tests.account.launch import Anew, Forks, Launcher
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.runtime_api import PAYLOAD_BYTES_MAX, Invocation, Outcome

# All that a function finds beside its zip: the runtime itself and boto3 with what it needs.
_SITE = (
    "awslambdaric", "runtime_client", "snapshot_restore_py", "simplejson",
    "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3",
)  # fmt: skip


class ThrottledError(Exception):
    """All concurrency that the function may use is in use."""


class TooLargeError(Exception):
    """The event is over 6 MB."""


class GoneError(Exception):
    """There is no such function, or no longer."""


class ForbiddenError(Exception):
    """Lambda may not act as the function's role, or the caller may not invoke the function."""


@dataclass(kw_only=True)
class Line:
    """One line of a function's log."""

    text: str
    environment: str
    at_s: float = field(default_factory=time.time)


class Functions:
    """All functions of the account, run; what they are made of is read from moto."""

    def __init__(
        self, moto: Moto, iam: Iam, *, folder: Path, concurrency: int, forks: bool, environ: dict[str, str]
    ) -> None:
        self.concurrency = concurrency  # of the whole account and region
        self.logs: dict[str, list[Line]] = defaultdict(list)
        self.outcomes: dict[str, list[Outcome]] = defaultdict(list)
        self.throttled: dict[str, int] = defaultdict(int)
        self._moto, self._iam, self._folder, self._environ = moto, iam, folder, environ
        self._idle: dict[str, deque[Environment]] = defaultdict(deque)
        self._busy: dict[str, set[Environment]] = defaultdict(set)
        self._unwritten: dict[str, list[Line]] = defaultdict(list)
        self._count = 0
        self._is_stopped = False
        self._site = folder / "site"
        self.launcher: Launcher = Forks(self._site) if forks else Anew()

    def cold_starts(self, name: str) -> list[float]:
        """Return how long each init phase of a function took."""
        return [outcome.init_s for outcome in self.outcomes[name] if outcome.is_cold]

    def environments(self, name: str) -> list[Environment]:
        """Return the environments that live."""
        return [one for one in (*self._idle[name], *self._busy[name]) if one.is_alive]

    def kill(self, environment: str) -> None:
        """Kill an environment by its name, whatever it is doing."""
        for several in (*self._busy.values(), *self._idle.values()):
            for one in several:
                if one.name == environment:
                    one.kill()

    async def invoke(self, name: str, payload: bytes) -> Outcome:
        """Run an event to its end in a free environment, or in a new one."""
        every = self._moto.functions.list_functions()
        function = next((one for one in every if one.function_name == name), None)
        if function is None:
            raise GoneError(f"Function not found: {name}")
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise TooLargeError(f"{len(payload)} byte payload is too large for the RequestResponse invocation type")
        environment = await self._seat(_settings(function), function.code_bytes, function.reserved_concurrency)
        try:
            settings = environment.settings
            invocation = Invocation(
                id=str(uuid.uuid4()), payload=payload, arn=settings.arn, timeout_s=settings.timeout_s
            )
            outcome = await environment.run(invocation)
            self.outcomes[name].append(outcome)
        finally:
            self._busy[name].discard(environment)
            if environment.is_alive:
                self._idle[name].append(environment)
            else:
                self._iam.revoke(_key(environment.name))
                await environment.stop()
        return outcome

    async def stop(self) -> None:
        """End every environment, and start no other."""
        self._is_stopped = True
        every = [one for several in (*self._idle.values(), *self._busy.values()) for one in several]
        await asyncio.gather(*(one.stop() for one in every))
        await self.launcher.stop()

    async def _seat(self, settings: Settings, code_bytes: bytes, reserved: Any) -> Environment:
        """Take the environment that was used last, or start one; count it as busy before anything else happens."""
        name, idle = settings.name, self._idle[settings.name]
        self._admit(name, reserved)
        stale = [one for one in idle if one.settings != settings or not one.is_alive]
        for one in stale:
            idle.remove(one)
        if idle:
            environment = idle.pop()
            self._busy[name].add(environment)
            await asyncio.gather(*(one.stop() for one in stale))
            return environment
        if not self._iam.trusts(settings.role_arn, "lambda.amazonaws.com"):
            raise ForbiddenError(f"The role {settings.role_arn} cannot be assumed by Lambda.")
        self._count += 1
        stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{self._count:04d}{uuid.uuid4().hex[:28]}"
        lines = (self.logs[name], self._unwritten[name])

        def say(text: str) -> None:
            for one in lines:
                one.append(Line(text=text, environment=stream))

        code = self._unpack(settings, code_bytes)
        environment = Environment(settings, name=stream, code=code, site=self._site, say=say)
        self._busy[name].add(environment)
        await asyncio.gather(*(one.stop() for one in stale))
        if self._is_stopped:
            raise GoneError(f"{name}: the account is closed")
        key = _key(stream)
        self._iam.issue(key, role_arn=settings.role_arn, environment=stream)
        credentials = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "emulated"}
        try:
            await environment.start({**self._environ, **credentials}, self.launcher)
        except BaseException:
            self._busy[name].discard(environment)
            await environment.stop()
            raise
        return environment

    def _admit(self, name: str, reserved: Any) -> None:
        functions = self._moto.functions.list_functions()
        held = {one.function_name: int(one.reserved_concurrency) for one in functions if one.reserved_concurrency}
        busy = {function: len(several) for function, several in self._busy.items()}
        if reserved is not None:
            is_full = busy.get(name, 0) >= int(reserved)
        else:
            unreserved = self.concurrency - sum(held.values())
            is_full = sum(count for function, count in busy.items() if function not in held) >= unreserved
        if is_full:
            self.throttled[name] += 1
            raise ThrottledError("Rate Exceeded.")

    def _unpack(self, settings: Settings, code_bytes: bytes) -> Path:
        """Unpack the zip once for each version of the code; and put beside it what the runtime has of its own."""
        if not self._site.exists():
            self._site.mkdir(parents=True)
            for name in _SITE:
                _link(name, self._site)
        code = self._folder / "code" / f"{settings.name}-{settings.code_sha[:16].replace('/', '_')}"
        if not code.exists():
            with zipfile.ZipFile(io.BytesIO(code_bytes)) as archive:
                archive.extractall(code)
        return code

    async def write_logs(self) -> None:
        """Bring the lines to CloudWatch, where the functions' roles let Lambda do that; before somebody reads there."""
        for function in list(self._moto.functions.list_functions()):
            await self._write_log(function.function_name, function.role)

    async def _write_log(self, name: str, role_arn: str) -> None:
        lines, self._unwritten[name][:] = list(self._unwritten[name]), []
        by_stream: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_stream[line.environment].append(line)
        for stream, several in by_stream.items():
            group = f"/aws/lambda/{name}"
            arn = f"arn:aws:logs:{self._moto.region}:{ACCOUNT_ID}:log-group:{group}:log-stream:{stream}"
            needed = ("logs:CreateLogStream", "logs:PutLogEvents")
            if all(self._iam.permits(role_arn, action, arn) for action in needed):
                events = [{"timestamp": int(one.at_s * 1000), "message": one.text} for one in several]
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._moto.thread, _put_log_events, self._moto, group, stream, events)


def error_payload(kind: str, message: str) -> bytes:
    """Return an error as the runtime writes it."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _settings(function: Any) -> Settings:
    return Settings(
        name=function.function_name,
        arn=function.function_arn,
        handler=function.handler,
        role_arn=function.role,
        memory_mb=int(function.memory_size),
        timeout_s=float(function.timeout),
        code_sha=function.code_sha_256,
        variables=tuple(sorted((str(key), str(value)) for key, value in function.environment_vars.items())),
    )


def _key(environment: str) -> str:
    return "ASIA" + environment.rpartition("]")[2][:16].upper()


def _link(name: str, site: Path) -> None:
    """Link a package, or a module; one that this release of the runtime does not use is left out."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return
    origin = Path(spec.origin)
    source = origin.parent if origin.name == "__init__.py" else origin
    (site / source.name).symlink_to(source)


def _put_log_events(moto: Moto, group: str, stream: str, events: list[dict[str, Any]]) -> None:
    if group not in moto.logs.groups:
        return
    if stream not in moto.logs.groups[group].streams:
        moto.logs.create_log_stream(group, stream)
    moto.logs.put_log_events(group, stream, events)
