"""The account, put together: everything starts on loopback when it is entered and is gone when it is left."""

import asyncio
import os
import resource
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from tests.account.calls import Call
from tests.account.fargate import Fargate
from tests.account.front import Front
from tests.account.functions import Functions
from tests.account.iam import DEPLOYER_KEY, SECRET, Iam
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.schedule import Delivery, Schedule
from tests.account.server import Fault, Server
from tests.account.stacks import Stacks
from tests.account.task import Snapshot, Task

T = TypeVar("T")


class Account:
    """An AWS account of one region.

    `images` says which command stands for a container image ("*" for any); the command listens at {host}:{port}.
    With `forks` hundreds of environments start in seconds, for a herd; how long their init took says nothing then.
    Only one account can be open in a process: moto keeps its state in the process.
    """

    def __init__(
        self,
        folder: Path,
        *,
        region: str = "eu-central-1",
        images: Mapping[str, Sequence[str]] | None = None,
        concurrency: int = 1000,
        forks: bool = False,
        start_delay_s: float = 0.0,
        read_delay_s: float = 0.0,
    ) -> None:
        self.region = region
        self.id = ACCOUNT_ID
        self.endpoint_url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="account", daemon=True)
        self._background: list[asyncio.Future[None]] = []
        self._environ: dict[str, str] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._session = boto3.Session(aws_access_key_id=DEPLOYER_KEY, aws_secret_access_key=SECRET, region_name=region)
        self.moto = Moto(region)
        self.iam = Iam(self.moto)
        self.functions = Functions(
            self.moto, self.iam, folder=folder, concurrency=concurrency, forks=forks, environ=self._environ
        )
        self._events = Schedule(self.moto, self.functions)
        self.fargate = Fargate(self.moto, self.iam, images=images or {}, notify=self._notify)
        self.fargate.start_delay_s, self.fargate.read_delay_s = start_delay_s, read_delay_s
        self.stacks = Stacks(self.moto)
        self._front = Front(self.moto, self.functions)
        self._server = Server(self.moto, self.iam, self.functions, self.fargate, self.stacks)
        self.schedule = Clock(self, self._events)

    def __enter__(self) -> Self:
        _allow_many_files()
        self.moto.reset()
        self._thread.start()
        self.endpoint_url = self.wait(self._server.start())
        self._environ |= {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        }
        self.spawn(self.fargate.run())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()
        self.wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.moto.stop()

    @property
    def environ(self) -> dict[str, str]:
        """Return what a deployer's process needs to work in this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": DEPLOYER_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, **config: Any) -> Any:
        """Return a deployer's client of a service; `config` is botocore's."""
        key = (service, str(sorted(config.items())))
        if key not in self._clients:
            more = {"endpoint_url": self.endpoint_url, "config": Config(**config)}
            self._clients[key] = self._session.client(service, **more)  # type: ignore[call-overload]  # any service
        return self._clients[key]

    def api_url(self, api_id: str = "", *, stage: str = "prod") -> str:
        """Return where an API answers, the only one if none is named; without a slash at the end."""
        api_id = api_id or next(iter(self.moto.apis.apis))
        port = self.wait(self._front.api_port(api_id))
        return f"http://127.0.0.1:{port}" + ("" if stage == "$default" else f"/{stage}")

    def function_url(self, function: str) -> str:
        """Return where the Function URL of a function answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.wait(self._front.url_port(function))}"

    def local_url(self, url: str) -> str:
        """Return where an address of AWS, such as an output of a stack, answers here."""
        parts = urlsplit(url)
        name = (parts.hostname or "").partition(".")[0]
        if ".lambda-url." in url:
            functions = self.moto.functions.list_functions()
            found = next(one for one in functions if one.url_config and name in one.url_config.url)
            return self.function_url(found.function_name) + parts.path
        return self.api_url(name, stage="$default") + parts.path

    @property
    def calls(self) -> list[Call]:
        """Return all calls of the API, oldest first."""
        return self._server.calls

    @property
    def denied(self) -> list[Call]:
        """Return the calls that IAM refused."""
        return [call for call in self.calls if not call.is_allowed]

    def calls_by(self, role: str, name: str = "") -> list[Call]:
        """Return the calls of a role, by its name; all, or those of an action such as "ecs:UpdateService"."""
        return [call for call in self.calls if call.principal.endswith(f":role/{role}") and name in ("", call.name)]

    def fail(
        self,
        name: str,
        kind: str,
        *,
        by: str = "",
        skip: int = 0,
        times: int = 1,
        when: Callable[[Call], bool] | None = None,
    ) -> Fault:
        """Let calls go wrong: "throttle", "error", "lose-request", "lose-answer", "kill-before", "kill-after".

        The kinds that kill end the environment of the function that calls; `by` is the name of a role.
        """

        def matches(call: Call) -> bool:
            is_caller = not by or call.principal.endswith(f":role/{by}")
            return name in ("*", call.name) and is_caller and (when is None or when(call))

        fault = Fault(kind=kind, matches=matches, skip=skip, times=times)
        self._server.faults.append(fault)
        return fault

    def crash(self, task: Task) -> None:
        """Kill a task's process."""
        self._loop.call_soon_threadsafe(self.fargate.crash, task)

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Run something on the account's loop and wait for it."""

        async def run() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def spawn(self, awaitable: Awaitable[None]) -> None:
        """Run something on the account's loop until the account is left."""

        async def start() -> None:
            task = asyncio.ensure_future(awaitable)
            task.add_done_callback(_tell)
            self._background.append(task)

        self.wait(start())

    async def _stop(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for part in (self._front, self._server, self.stacks, self.functions, self.fargate):
            await part.stop()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for left in rest:
            left.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _notify(self, snapshot: Snapshot) -> None:
        """Bring a change of a task to EventBridge, without keeping the task waiting."""
        self._background = [one for one in self._background if not one.done()]
        task = asyncio.create_task(self._events.task_changed(snapshot))
        task.add_done_callback(_tell)
        self._background.append(task)


class Clock:
    """EventBridge's clock, for those who are not on the account's loop."""

    def __init__(self, account: Account, events: Schedule) -> None:
        self._account = account
        self._events = events

    def tick(self, minutes: int = 1) -> list[Delivery]:
        """Let minutes pass: fire what is due and wait until it has been delivered."""
        return self._account.wait(self._events.tick(minutes))

    def run(self, factor: float = 1.0) -> None:
        """Let time pass by itself from now on, `factor` times as fast as it does."""
        self._account.spawn(self._events.run(factor))

    @property
    def deliveries(self) -> list[Delivery]:
        """Return every event that was delivered, or refused."""
        return self._events.deliveries

    def deliver(self, *, copies: int = 1, retries: int = 2) -> None:
        """Say how often each event is delivered, and how often one whose function failed is tried again."""
        self._events.copies, self._events.retries = copies, retries


def _tell(task: asyncio.Future[None]) -> None:
    """What ends before the account does has failed, and nobody else would notice."""
    if not task.cancelled() and (error := task.exception()):
        traceback.print_exception(error)


def _allow_many_files() -> None:
    """Each environment takes four descriptors; the usual limit of 1,024 ends at 250 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


assert os.name == "posix", "the account needs process groups and 127.0.0.0/8"
