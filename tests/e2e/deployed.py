"""A deployed stack: deploy -> look at its record and calls -> let time pass -> put it back to where it began."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.account.account import Account
from tests.account.calls import Call
from tests.account.sample.made import until
from tests.account.schedule import Delivery
from tests.account.server import Fault

from wakegate.aws.items import moment, stamp

HELLO = [sys.executable, str(Path(__file__).parents[2] / "examples" / "hello" / "app.py"), "{port}"]
APP = [sys.executable, str(Path(__file__).parent / "app.py")]
IMAGE = "public.ecr.aws/wakegate/hello:1"
IDLE_S, WAKE_S, GRACE_S, COALESCE_S = 300.0, 180.0, 8.0, 10.0  # the template's defaults, and the protocol's times
OPTIONS = ("--port", "8080", "--front", "both")
_STAMPS = (
    "since",
    "last_active_at",
    "wake_by",
    "owner_until",
    "keep_until",
    "failure_at",
    "woken_at",
    "created_at",
    "last_seen_at",
)


def environ(account: Account) -> dict[str, str]:
    """Return the environment of a deployer's shell: the account's, and nothing of the machine's owner."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nobodys = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nobodys | account.environ


def command(account: Account, *words: str) -> subprocess.Popen[str]:
    """Start a command, whose lines come as it says them."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "wakegate", *words],
        env=environ(account),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(account: Account, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wakegate", *words],
        env=environ(account),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def deploy(account: Account, *words: str, image: str = IMAGE) -> "Deployed":
    """Deploy the hello example by the command, and return the stack it has made."""
    done = run(account, "deploy", image, "--yes", *(words or OPTIONS))
    assert done.returncode == 0, done.stdout + done.stderr
    name = next((words[at + 1] for at, word in enumerate(words) if word == "--stack"), "wakegate")
    return Deployed(account, name, said=done.stdout.splitlines())


class Deployed:
    """The stack, from outside (its addresses) and from above (its record, its calls, the clock)."""

    def __init__(self, account: Account, name: str = "wakegate", *, said: Sequence[str] = ()) -> None:
        self.account, self.said = account, said
        (found,) = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        self.outputs: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        self.prefix = "" if name == "wakegate" else f"{name}-"
        self.url = account.local_url(self.outputs["Url"])
        self.startup, self.cleanup = self.outputs["StartupFunction"], self.outputs["CleanupFunction"]
        self.roles = {"startup": f"{self.prefix}LambdaStartupRole", "cleanup": f"{self.prefix}LambdaCleanupRole"}
        self._seen_calls = 0
        self._faults: list[Fault] = []

    @property
    def long_url(self) -> str:
        """Return where its Function URL answers here."""
        return self.account.local_url(self.outputs["LongHoldUrl"]).rstrip("/")

    # -- the record and the calls

    @property
    def record(self) -> dict[str, Any]:
        """Return the record as it is, {} where there is none."""
        return self._item(f"service#{self.outputs['Service']}")

    @property
    def phase(self) -> str:
        """Return the record's phase; one that nobody has written yet is asleep."""
        return str(self.record.get("phase", {"S": "asleep"})["S"])

    @property
    def desired(self) -> int:
        """Return the desired count."""
        where = {"cluster": self.outputs["Cluster"], "services": [self.outputs["Service"]]}
        return int(self.account.client("ecs").describe_services(**where)["services"][0]["desiredCount"])

    @property
    def is_scheduled(self) -> bool:
        """Say whether the rule that calls the cleanup every minute is on."""
        rule = self.account.client("events").describe_rule(Name=self.outputs["CleanupRule"])
        return bool(rule["State"] == "ENABLED")

    def calls(self, name: str = "", *, by: str = "") -> list[Call]:
        """Return the calls of both functions, or of one, since `begin`."""
        roles = [self.roles[by]] if by else list(self.roles.values())
        new = self.account.calls[self._seen_calls :]
        return [one for one in new if one.principal.rpartition("/")[2] in roles and name in ("", one.name)]

    def begin(self) -> None:
        """Count calls from here."""
        self._seen_calls = len(self.account.calls)

    @property
    def denied(self) -> list[Call]:
        """Return the calls of both functions that IAM refused, since `begin`."""
        return [one for one in self.calls() if not one.is_allowed]

    def fail(
        self, name: str, kind: str, *, by: str, times: int = 1, when: Callable[[Call], bool] | None = None
    ) -> Fault:
        """Let a call of a function go wrong; see `Account.fail`."""
        fault = self.account.fail(name, kind, by=self.roles[by], times=times, when=when)
        self._faults.append(fault)
        return fault

    # -- time

    def tick(self, minutes: int = 1) -> list[Delivery]:
        """Let EventBridge's clock move."""
        return self.account.schedule.tick(minutes)

    def settle(self) -> None:
        """Wait until every event that was sent has been dealt with."""
        self.account.wait(asyncio.sleep(0))  # what was told a moment ago is an event now
        schedule = self.account.schedule
        until(lambda: all(one.outcomes or one.refused for one in list(schedule.deliveries)))

    def pass_time(self, seconds: float) -> None:
        """Let a time pass in which nothing happens: what is stamped becomes older, environments are recycled."""
        self.recycle(self.startup)
        table = self.account.client("dynamodb")
        for item in table.scan(TableName=self.outputs["Table"])["Items"]:
            older = {name: _older(item[name], seconds) for name in _STAMPS if name in item}
            expires = {"expires": {"N": str(int(item["expires"]["N"]) - int(seconds))}} if "expires" in item else {}
            if older or expires:
                table.put_item(TableName=self.outputs["Table"], Item=item | older | expires)
        self.account.wait(self._age_tasks(seconds))

    def recycle(self, function: str) -> None:
        """Take the environments of a function away, as Lambda does now and then."""

        async def is_gone() -> bool:  # on the account's loop, which changes them meanwhile
            found = self.account.functions.environments(function)
            for environment in found:  # again, for one that was only just starting
                self.account.functions.kill(environment.name)
            return not found

        until(lambda: self.account.wait(is_gone()))

    def sleep(self) -> None:
        """Let the idle timeout and the grace pass, and the ticks in them; return when the schedule is off again."""
        self.pass_time(IDLE_S + COALESCE_S + 1)
        self.drain()
        self.pass_time(GRACE_S + 1)
        self.tick()
        self.pass_time(60)
        self.tick()

    def drain(self) -> None:
        """Let a tick begin the drain, and its environment go: the grace is then nobody's to wait for."""
        ticks = threading.Thread(target=self.tick, name="tick")
        ticks.start()
        until(lambda: self.phase == "draining" or not ticks.is_alive())
        self.recycle(self.cleanup)
        ticks.join()

    # -- back to the beginning

    def reset(self, command: Sequence[str]) -> None:
        """Put everything back to where it was after the deployment: no task, no item, no environment, no fault."""
        account = self.account
        for fault in self._faults:
            fault.times = 0
        self.push(command)
        account.schedule.deliver(copies=1, retries=0)  # what is tried again at once leaves a test nothing to see
        account.fargate.start_delay_s = account.fargate.read_delay_s = 0.0
        where = {"cluster": self.outputs["Cluster"], "service": self.outputs["Service"]}
        account.client("ecs").update_service(**where, desiredCount=0)
        until(lambda: all(task.is_over for task in account.fargate.tasks))
        self.settle()
        for function in (self.startup, self.cleanup):
            self.recycle(function)
        account.client("events").disable_rule(Name=self.outputs["CleanupRule"])
        table = account.client("dynamodb")
        for item in table.scan(TableName=self.outputs["Table"])["Items"]:
            table.delete_item(TableName=self.outputs["Table"], Key={"uuid": item["uuid"]})
        self.begin()

    def push(self, command: Sequence[str]) -> None:
        """Let the image's next tasks run this; nothing: there is no such image."""
        self.account.fargate.images = {"*": command} if command else {}

    def _item(self, key: str) -> dict[str, Any]:
        table = self.account.client("dynamodb")
        found: dict[str, Any] = table.get_item(TableName=self.outputs["Table"], Key={"uuid": {"S": key}})
        return dict(found.get("Item", {}))

    async def _age_tasks(self, seconds: float) -> None:
        for task in self.account.fargate.tasks:
            for times in (task.times, *(snapshot for _, snapshot in task.history)):
                for name in [name for name in times if name.endswith("At")]:
                    times[name] -= seconds


def _older(attribute: dict[str, str], seconds: float) -> dict[str, str]:
    return {"S": stamp(moment(attribute["S"]) - timedelta(seconds=seconds))}
