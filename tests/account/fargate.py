"""ECS on Fargate: each service gets as many tasks as it desires, after a delay; they crash, stop and are replaced."""

import asyncio
import contextlib
import signal
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tests.account.calls import Call
from tests.account.iam import Iam
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.network import drop_eni, free_address, lets_in, make_eni, port_of
from tests.account.task import Snapshot, Task, TaskProcess

TICK_S = 0.02
OBSERVE_S = 5.0  # how soon a task that died is replaced, at most once in this time after the first failures

Notify = Callable[[Snapshot], Awaitable[None]]


class Fargate:
    """The scheduler of all services, and the answers to reads about tasks."""

    def __init__(self, moto: Moto, iam: Iam, *, images: Mapping[str, Sequence[str]], notify: Notify) -> None:
        self.images = images  # image -> the command that stands for it
        self.start_delay_s = 0.0  # PROVISIONING and PENDING together
        self.stop_delay_s = 0.0  # from the decision to SIGTERM
        self.stop_grace_s = 30.0  # from SIGTERM to SIGKILL
        self.read_delay_s = 0.0  # how old what reads show is
        self.tasks: list[Task] = []
        self.logs: dict[str, list[str]] = defaultdict(list)
        self._moto, self._iam, self._notify = moto, iam, notify
        self._processes: dict[str, TaskProcess] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._counts: dict[str, list[tuple[float, int]]] = defaultdict(list)  # desired, as it was at each time
        self._failures: dict[str, list[float]] = defaultdict(list)

    async def run(self) -> None:
        """Compare what is desired with what there is, for ever."""
        while True:
            for service in list(self._moto.ecs.services.values()):
                await self._reconcile(service)
            await asyncio.sleep(TICK_S)

    async def stop(self) -> None:
        """End every process, and tell nobody."""
        self._notify = _tell_nobody
        for task in self.tasks:
            self._end(task, code="UserInitiated", reason="the account was left")
        for process in self._processes.values():
            process.signal(signal.SIGKILL)
        if self._lives:
            await asyncio.wait(self._lives)

    def running(self, service: str | None = None) -> list[Task]:
        """Return the tasks that run."""
        return [one for one in self.tasks if one.last_status == "RUNNING" and service in (None, one.service)]

    def crash(self, task: Task) -> None:
        """Kill a task's process: the app has died."""
        if task.id in self._processes:
            self._processes[task.id].signal(signal.SIGKILL)

    def answer(self, call: Call) -> dict[str, Any] | None:
        """Answer a read about tasks, or a StopTask; None for what moto answers."""
        at_s = time.time() - self.read_delay_s
        cluster = str(call.parameters.get("cluster", "default")).rpartition("/")[2]
        if call.action == "ListTasks":
            return self._list(call.parameters, cluster, at_s)
        if call.action == "DescribeTasks":
            found, failures = [], []
            for name in call.parameters["tasks"]:
                task = self._find(name, cluster)
                snapshot = task.seen(at_s) if task else None
                if snapshot is None:
                    failures.append({"arn": name, "reason": "MISSING"})
                else:
                    found.append(snapshot)
            return {"tasks": found, "failures": failures}
        if call.action == "StopTask":
            task = self._find(call.parameters["task"], cluster)
            if task is not None:
                self._end(task, code="UserInitiated", reason=call.parameters.get("reason", "Task stopped by user"))
                return {"task": task.snapshot()}
        return None

    def correct(self, services: list[dict[str, Any]]) -> None:
        """Put into moto's services what it does not know: counts, as a reader sees them now."""
        at_s = time.time() - self.read_delay_s
        for service in services:
            key = f"{service['clusterArn'].rpartition('/')[2]}:{service['serviceName']}"
            seen = [one for one in (task.seen(at_s) for task in self._of(key)) if one]
            desired = [count for since_s, count in self._counts[key] if since_s <= at_s]
            service["desiredCount"] = desired[-1] if desired else service["desiredCount"]
            service["runningCount"] = sum(1 for one in seen if one["lastStatus"] == "RUNNING")
            waiting = ("PROVISIONING", "PENDING", "ACTIVATING")
            service["pendingCount"] = sum(1 for one in seen if one["lastStatus"] in waiting)
            for deployment in service.get("deployments", []):
                deployment |= {name: service[name] for name in ("desiredCount", "runningCount", "pendingCount")}
                is_done = service["runningCount"] == service["desiredCount"]
                deployment["rolloutState"] = "COMPLETED" if is_done else "IN_PROGRESS"

    def counted(self, cluster: str, service: str) -> None:
        """Remember the desired count of a service that was just changed."""
        key = f"{cluster}:{service}"
        found = self._moto.ecs.services.get(key)
        if found is not None and (not self._counts[key] or self._counts[key][-1][1] != found.desired_count):
            self._counts[key].append((time.time(), int(found.desired_count)))

    def _list(self, given: dict[str, Any], cluster: str, at_s: float) -> dict[str, Any]:
        service = str(given.get("serviceName", "")).rpartition("/")[2]
        wanted = given.get("desiredStatus", "RUNNING")
        arns = []
        for task in self.tasks:
            snapshot = task.seen(at_s)
            is_in = task.cluster_arn.endswith(f"/{cluster}") and service in ("", task.service)
            if snapshot and is_in and snapshot["desiredStatus"] == wanted:
                arns.append(task.arn)
        return {"taskArns": arns}

    def _find(self, name: str, cluster: str) -> Task | None:
        wanted = name.rpartition("/")[2]
        return next((one for one in self.tasks if one.id == wanted and one.cluster_arn.endswith(f"/{cluster}")), None)

    def _of(self, key: str) -> list[Task]:
        cluster, _, service = key.partition(":")
        return [one for one in self.tasks if one.service == service and one.cluster_arn.endswith(f"/{cluster}")]

    async def _reconcile(self, service: Any) -> None:
        """Start what is missing, stop what is too much; replace tasks of an older definition once newer ones run."""
        key = f"{service.cluster_name}:{service.name}"
        self.counted(service.cluster_name, service.name)
        desired = 0 if service.status == "INACTIVE" else int(service.desired_count)
        wanted = [one for one in self._of(key) if one.desired_status == "RUNNING"]
        definition = self._moto.ecs.describe_task_definition(service.task_definition)
        current = [one for one in wanted if one.definition.arn == definition.arn]
        older = [one for one in wanted if one.definition.arn != definition.arn]
        if len(current) < desired and self._may_start(key):
            for _ in range(desired - len(current)):
                await self._start(service, definition)
        for task in current[desired:]:
            self._end(task, code="ServiceSchedulerInitiated", reason=f"Scaling activity initiated by {service.name}")
        if desired == 0 or len([one for one in current if one.last_status == "RUNNING"]) >= desired:
            for task in older:
                self._end(task, code="ServiceSchedulerInitiated", reason="Scaling activity initiated by deployment")
        service.running_count = sum(1 for one in self._of(key) if one.last_status == "RUNNING")
        service.pending_count = max(0, desired - service.running_count)

    def _may_start(self, key: str) -> bool:
        """ECS throttles a service whose tasks keep failing."""
        failures = self._failures[key]
        return len(failures) < 3 or time.time() - failures[-1] > OBSERVE_S

    async def _start(self, service: Any, definition: Any) -> None:
        network = service.network_configuration["awsvpcConfiguration"]
        port = port_of(definition)
        address = free_address(port)
        is_open = await self._on_moto(lets_in, self._moto, network["securityGroups"], port)
        told = address if is_open else "127.255.255.254"  # nobody listens there: the security group lets nobody in
        is_public = network.get("assignPublicIp") == "ENABLED"
        eni_id = await self._on_moto(make_eni, self._moto, network, told, is_public)
        region = self._moto.region
        task = Task(
            arn=f"arn:aws:ecs:{region}:{ACCOUNT_ID}:task/{service.cluster_name}/{uuid.uuid4().hex}",
            service=service.name,
            cluster_arn=service.cluster_arn,
            definition=definition,
            eni_id=eni_id,
            subnet=network["subnets"][0],
            address=address,
            told_address=told,
            times={"createdAt": time.time()},
        )
        task.note()
        self.tasks.append(task)
        life = asyncio.get_running_loop().create_task(self._live(task), name=f"task:{task.id}")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    async def _live(self, task: Task) -> None:
        """Take a task from PROVISIONING to STOPPED."""
        await self._notify(task.snapshot())
        if await self._waits(task, self.start_delay_s * 0.2):
            task.times["pullStartedAt"] = time.time()
            task.note(last_status="PENDING")
            await self._notify(task.snapshot())
            if await self._waits(task, self.start_delay_s * 0.8):
                await self._run(task)
        task.times.setdefault("stoppingAt", time.time())
        task.times["stoppedAt"] = time.time()
        task.note(last_status="DEPROVISIONING", desired_status="STOPPED")
        await self._on_moto(drop_eni, self._moto, task.eni_id)
        task.note(last_status="STOPPED")
        await self._notify(task.snapshot())

    async def _run(self, task: Task) -> None:
        """Run the process until it ends by itself, or is told to."""
        trouble = await self._on_moto(self._trouble, task)
        if trouble:
            self._fail(task, code="TaskFailedToStart", reason=trouble)
            return
        process = self._processes[task.id] = TaskProcess(self.logs[task.service].append)
        environ = {one["name"]: one["value"] for one in task.container.get("environment", [])}
        command = self._command(task.container["image"])
        try:
            await process.start(command, host=task.address, port=port_of(task.definition), environ=environ)
        except OSError as error:
            self._fail(task, code="TaskFailedToStart", reason=f"CannotStartContainerError: {error}")
            return
        now = time.time()
        task.times |= {"startedAt": now, "pullStoppedAt": now, "connectivityAt": now}
        task.note(last_status="RUNNING")
        await self._notify(task.snapshot())
        ended = asyncio.ensure_future(process.ended())
        try:
            stopping = asyncio.ensure_future(task.leaving.wait())
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await stopping
            if not ended.done():
                await self._shut_down(task, process, ended)
            task.exit_code = await ended
        finally:
            process.signal(signal.SIGKILL)
            ended.cancel()
        if task.desired_status == "RUNNING":
            self._fail(task, code="EssentialContainerExited", reason="Essential container in task exited")

    async def _shut_down(self, task: Task, process: TaskProcess, ended: asyncio.Future[int]) -> None:
        task.times["stoppingAt"] = time.time()
        task.note(last_status="DEACTIVATING")
        await self._notify(task.snapshot())
        await asyncio.wait([ended], timeout=self.stop_delay_s)
        task.note(last_status="STOPPING")
        process.signal(signal.SIGTERM)
        grace_s = float(task.container.get("stopTimeout", self.stop_grace_s))
        await asyncio.wait([ended], timeout=grace_s)
        if not ended.done():
            process.signal(signal.SIGKILL)

    def _trouble(self, task: Task) -> str:
        """Say why the container cannot be made, as ECS words it; "" where it can."""
        image, role = task.container["image"], getattr(task.definition, "execution_role_arn", None)
        if not self._command(image):
            return f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {image}: not found"
        needed: list[tuple[str, str]] = []
        arn = f"{self._moto.region}:{ACCOUNT_ID}"
        if ".dkr.ecr." in image:
            name = image.partition("/")[2].partition("@")[0].partition(":")[0]
            repository = f"arn:aws:ecr:{arn}:repository/{name}"
            needed.append(("ecr:GetAuthorizationToken", "*"))
            needed += [(f"ecr:{action}", repository) for action in ("BatchGetImage", "GetDownloadUrlForLayer")]
            needed.append(("ecr:BatchCheckLayerAvailability", repository))
        options = task.container.get("logConfiguration", {}).get("options", {})
        if "awslogs-group" in options:
            group = options["awslogs-group"]
            if group not in self._moto.logs.groups and options.get("awslogs-create-group") != "true":
                return f"ResourceInitializationError: failed to validate logger args: {group} does not exist"
            stream = f"arn:aws:logs:{arn}:log-group:{group}:log-stream:{options.get('awslogs-stream-prefix', '')}/x"
            needed += [(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents")]
        if needed and (role is None or not self._iam.trusts(role, "ecs-tasks.amazonaws.com")):
            return f"ECS was unable to assume the role '{role}' that was provided for this task."
        for action, resource in needed:
            if not self._iam.permits(str(role), action, resource):
                return f"ResourceInitializationError: {role} is not authorized to perform: {action} on: {resource}"
        return ""

    def _command(self, image: str) -> Sequence[str]:
        plain = image.partition("@")[0]
        untagged = plain.rpartition(":")[0] if ":" in plain.rpartition("/")[2] else plain
        names = (image, untagged, untagged.rpartition("/")[2], "*")
        return next((self.images[name] for name in names if name in self.images), ())

    def _fail(self, task: Task, *, code: str, reason: str) -> None:
        service = f"{task.cluster_arn.rpartition('/')[2]}:{task.service}"
        self._failures[service].append(time.time())
        task.times.setdefault("stoppingAt", time.time())
        task.note(desired_status="STOPPED", stop_code=code, stopped_reason=reason)

    def _end(self, task: Task, *, code: str, reason: str) -> None:
        if task.desired_status == "RUNNING":
            task.note(desired_status="STOPPED", stop_code=code, stopped_reason=reason)

    async def _waits(self, task: Task, seconds: float) -> bool:
        """Wait; say whether the task is still wanted."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(task.leaving.wait(), seconds)
        return not task.leaving.is_set()

    async def _on_moto(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._moto.thread, function, *arguments)


async def _tell_nobody(snapshot: Snapshot) -> None:
    """Stand in for EventBridge while the account ends."""
