"""One Fargate task: a real process behind a network interface of its own, and what ECS says about it."""

import asyncio
import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Snapshot = dict[str, Any]


@dataclass(kw_only=True)
class Task:
    """The task as ECS keeps it; every change is kept with its time, since reads may be late."""

    arn: str
    service: str  # its name
    cluster_arn: str
    definition: Any  # moto's
    eni_id: str
    subnet: str
    address: str
    told_address: str  # what the interface is said to have: another one where the security group lets nobody in
    desired_status: str = "RUNNING"
    last_status: str = "PROVISIONING"
    stop_code: str = ""
    stopped_reason: str = ""
    exit_code: int | None = None
    times: dict[str, float] = field(default_factory=dict)
    history: list[tuple[float, Snapshot]] = field(default_factory=list)
    version: int = 0
    leaving: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def id(self) -> str:
        """Return the last part of its ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def container(self) -> dict[str, Any]:
        """Return the definition of its first container."""
        found: dict[str, Any] = self.definition.container_definitions[0]
        return found

    @property
    def is_over(self) -> bool:
        """Say whether it has stopped."""
        return self.last_status == "STOPPED"

    def note(self, **changes: Any) -> None:
        """Change it, and remember when."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.version += 1
        if self.desired_status == "STOPPED":
            self.leaving.set()
        self.history.append((time.time(), self.snapshot()))

    def seen(self, at_s: float) -> Snapshot | None:
        """Return what a reader at that time has seen; None before it was there."""
        return next((snapshot for since_s, snapshot in reversed(self.history) if since_s <= at_s), None)

    def snapshot(self) -> Snapshot:
        """Return it as DescribeTasks does."""
        attachment = str(uuid.uuid5(uuid.NAMESPACE_URL, self.arn))
        container: Snapshot = {
            "name": self.container["name"],
            "image": self.container["image"],
            "lastStatus": self.last_status if self.last_status in ("PENDING", "RUNNING", "STOPPED") else "PENDING",
            "networkInterfaces": [{"attachmentId": attachment, "privateIpv4Address": self.told_address}],
            "taskArn": self.arn,
        }
        if self.exit_code is not None:
            container["exitCode"] = self.exit_code
        found: Snapshot = {
            "taskArn": self.arn,
            "clusterArn": self.cluster_arn,
            "taskDefinitionArn": self.definition.arn,
            "group": f"service:{self.service}",
            "startedBy": "ecs-svc/1",
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "cpu": str(self.definition.cpu or 256),
            "memory": str(self.definition.memory or 512),
            "desiredStatus": self.desired_status,
            "lastStatus": self.last_status,
            "version": self.version,
            "containers": [container],
            "attachments": [self._attachment(attachment)],
            **self.times,
        }
        if self.stopped_reason:
            found |= {"stopCode": self.stop_code, "stoppedReason": self.stopped_reason}
        return found

    def _attachment(self, attachment: str) -> Snapshot:
        is_attached = self.last_status not in ("PROVISIONING", "DEPROVISIONING", "STOPPED")
        details = {"subnetId": self.subnet}
        if self.last_status != "PROVISIONING":
            details |= {"networkInterfaceId": self.eni_id, "privateIPv4Address": self.told_address}
        return {
            "id": attachment,
            "type": "ElasticNetworkInterface",
            "status": "ATTACHED" if is_attached else ("PRECREATED" if not self.is_over else "DELETED"),
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }


class TaskProcess:
    """The process of a task."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, command: Sequence[str], *, host: str, port: int, environ: dict[str, str]) -> None:
        """Start it; {host} and {port} in the command are where it shall listen, HOST and PORT say the same."""
        place = {"host": host, "port": str(port)}
        self._process = await asyncio.create_subprocess_exec(
            *(part.replace("{host}", host).replace("{port}", str(port)) for part in command),
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/"), **environ}
            | {name.upper(): value for name, value in place.items()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def ended(self) -> int:
        """Read its log until it ends; return the exit code as a container has it."""
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._say(line.decode("utf-8", "replace").rstrip("\n"))
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
