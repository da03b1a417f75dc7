"""ecs: the ECS service and the rule of the cleanup; implements `cloud.Platform`.

Clients are made at first use: a warm request needs none, and the SDK takes most of a cold start.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from wakegate.aws.call import Caller
from wakegate.aws.cloud import Clock, RefusedError, Seen, Task
from wakegate.core.abandon import Crash

WITHIN_S = 10.0  # a call and its repeats; with the last attempt (`sdk.py`) it ends within 20 s (`wake.CALL_S`)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
DESCRIBED_MAX = 100  # tasks in one DescribeTasks

REASON_MAX = 300  # characters of ECS's own words

# What is no wish of anybody's: to scale in, to deploy, to stop a task by hand have codes of their own.
_BY_ITSELF = frozenset(("TaskFailedToStart", "EssentialContainerExited"))
_ACCOUNT = re.compile(r"[\w.-]+\.amazonaws\.com(?:\.cn)?/|arn:[\w:-]+:|\b\d{12}\b")
_LEAVING = frozenset(("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED"))


class EcsPlatform:
    """See `cloud.Platform`; `client` makes a client by the SDK's name of a service."""

    def __init__(
        self,
        *,
        cluster: str,
        service: str,
        port: int,
        rule: str,
        uses_public_ip: bool,
        clock: Clock,
        client: Callable[[str], Any],
    ) -> None:
        self._cluster = cluster
        self._service = service
        self._port = port
        self._rule = rule
        self._uses_public_ip = uses_public_ip
        self._make_client = client
        self._clients: dict[str, Any] = {}
        self._caller = Caller(clock, within_s=WITHIN_S)

    def scale(self, desired: int) -> None:
        """See `cloud.Platform.scale`; repeated only where it surely did nothing: two calls are one too many."""
        where = {"cluster": self._cluster, "service": self._service}
        self._call("ecs", "update_service", has="service", repeats=False, desiredCount=desired, **where)

    def look(self) -> Seen:
        """See `cloud.Platform.look`; one call each for the service, the list, the tasks and their addresses."""
        services = self._ask("describe_services", "services", services=[self._service])
        if not services or services[0]["status"] != "ACTIVE":
            raise RefusedError(f"there is no service {self._service} in the cluster {self._cluster}")
        arns = self._ask("list_tasks", "taskArns", serviceName=self._service)
        tasks = self._ask("describe_tasks", "tasks", tasks=arns[:DESCRIBED_MAX]) if arns else []
        addresses = self._addresses([task for task in tasks if not _is_leaving(task)])
        seen = (self._task(task, addresses.get(task["taskArn"], "")) for task in tasks)
        return Seen(desired=services[0]["desiredCount"], tasks=tuple(seen))

    def crashes(self, since: datetime) -> tuple[Crash, ...]:
        """See `cloud.Platform.crashes`; ECS remembers a task for an hour after its end."""
        arns = self._ask("list_tasks", "taskArns", serviceName=self._service, desiredStatus="STOPPED")
        tasks: list[dict[str, Any]] = []
        for first in range(0, len(arns), DESCRIBED_MAX):
            tasks += self._ask("describe_tasks", "tasks", tasks=arns[first : first + DESCRIBED_MAX])
        found = [
            Crash(reason=_why(task), at=task.get("stoppedAt") or task.get("stoppingAt") or _created_at(task))
            for task in tasks
            if task.get("stopCode") in _BY_ITSELF and _created_at(task) >= since
        ]
        return tuple(sorted(found, key=lambda crash: crash.at))

    def set_rule(self, *, enabled: bool) -> None:
        """See `cloud.Platform.set_rule`; nothing to do where no rule is named."""
        if self._rule:
            self._call("events", "enable_rule" if enabled else "disable_rule", Name=self._rule)

    def _addresses(self, tasks: list[dict[str, Any]]) -> dict[str, str]:
        """Return the address of each task that has one, by its ARN; EC2 is asked only for what ECS does not say."""
        interfaces = {task["taskArn"]: _interface(task) for task in tasks}
        addresses = {}
        if not self._uses_public_ip:
            told = ((arn, one.get("privateIPv4Address", "")) for arn, one in interfaces.items())
            addresses = {arn: address for arn, address in told if address}
        asked = {
            one["networkInterfaceId"]: arn
            for arn, one in interfaces.items()
            if arn not in addresses and "networkInterfaceId" in one
        }
        if asked:
            # By filter: by id, one interface that is gone already would fail the call for all of them.
            filters = [{"Name": "network-interface-id", "Values": list(asked)}]
            found = self._call("ec2", "describe_network_interfaces", has="NetworkInterfaces", Filters=filters)
            for one in found["NetworkInterfaces"]:
                public = one.get("Association", {}).get("PublicIp", "")
                address = public if self._uses_public_ip else one.get("PrivateIpAddress", "")
                addresses[asked[one["NetworkInterfaceId"]]] = address
        return addresses

    def _task(self, task: dict[str, Any], address: str) -> Task:
        return Task(
            arn=task["taskArn"],
            created_at=_created_at(task),
            target=f"{address}:{self._port}" if address else "",
            is_leaving=_is_leaving(task),
        )

    def _ask(self, method: str, member: str, **parameters: Any) -> list[Any]:
        """Return one member of what ECS answers."""
        found: list[Any] = self._call("ecs", method, has=member, cluster=self._cluster, **parameters)[member]
        return found

    def _call(
        self, name: str, method: str, *, has: str = "", repeats: bool = True, **parameters: Any
    ) -> dict[str, Any]:
        """Make one call of the SDK, which is imported now and not before."""
        from wakegate.aws.sdk import translated  # noqa: PLC0415  see above

        def operate() -> dict[str, Any]:
            client = self._clients.get(name)
            if client is None:
                client = self._clients[name] = self._make_client(name)
            answer: dict[str, Any] = getattr(client, method)(**parameters)
            return answer

        return self._caller.call(f"{name} {method}", partial(translated, operate, has=has), repeats=repeats)


def _is_leaving(task: dict[str, Any]) -> bool:
    return task.get("desiredStatus") == "STOPPED" or task.get("lastStatus") in _LEAVING


def _created_at(task: dict[str, Any]) -> datetime:
    """Return when ECS made it; a task of unknown age is not trusted to be new."""
    created_at: datetime = task.get("createdAt", LONG_AGO)
    return created_at


def _why(task: dict[str, Any]) -> str:
    """Return what ECS says of its end in one line; without whose account it is, as callers read it."""
    boxes = task.get("containers", ())
    detail = next((box["reason"] for box in boxes if box.get("reason")), "")
    code = next((box["exitCode"] for box in boxes if box.get("exitCode") is not None), None)
    said = detail or task.get("stoppedReason", "")
    if code is not None:
        said = f"{detail} (exit code {code})" if detail else f"the app ended with exit code {code}"
    line = " ".join(_ACCOUNT.sub("", said).split())
    return line if len(line) <= REASON_MAX else f"{line[:REASON_MAX]}…"


def _interface(task: dict[str, Any]) -> dict[str, str]:
    """Return what ECS says of the network interface of a task, nothing before it is attached."""
    for attachment in task.get("attachments", ()):
        if attachment.get("type") == "ElasticNetworkInterface" and attachment.get("status") == "ATTACHED":
            return {detail["name"]: detail["value"] for detail in attachment["details"] if "value" in detail}
    return {}
