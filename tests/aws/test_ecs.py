"""The ECS service and the cleanup's rule, on an emulated account, and when its calls fail.

Over 300 lines because the account that every test here needs takes a hundred of them.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.aws.conftest import CREDENTIALS, REGION, Faults, RealClock

from wakegate.aws import ecs
from wakegate.aws.cloud import RefusedError, UnknownOutcomeError
from wakegate.aws.ecs import LONG_AGO, WITHIN_S, EcsPlatform
from wakegate.core.abandon import Crash

CREATED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sdk(url: str, *, read_timeout_s: float = 30) -> Callable[[str], Any]:
    """Return what makes clients of the SDK for an address."""
    config = Config(read_timeout=read_timeout_s, connect_timeout=30, retries={"total_max_attempts": 1})

    def make(name: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # any service
            name,
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS.access_key,
            aws_secret_access_key=CREDENTIALS.secret_key,
            config=config,
        )

    return make


@cache
def direct(url: str, name: str) -> Any:
    """Return a client that no fault reaches; to make one takes longer than most tests here."""
    return sdk(url)(name)


class Account:
    """An emulated account with a cluster, a service of no tasks and a rule."""

    def __init__(self, url: str, faults: Faults) -> None:
        name = uuid.uuid4().hex[:8]
        self.faults = faults
        self.cluster, self.service, self.rule = f"cluster-{name}", f"service-{name}", f"rule-{name}"
        self.ecs, self.ec2, self.events = (direct(url, each) for each in ("ecs", "ec2", "events"))
        subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        group = self.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        self.network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}
        self.made: list[str] = []
        self.clock = RealClock()
        self.ecs.create_cluster(clusterName=self.cluster)
        self.ecs.register_task_definition(
            family=name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": "app", "memory": 512, "cpu": 256}],
        )
        self.definition = name
        self.ecs.create_service(
            cluster=self.cluster,
            serviceName=self.service,
            taskDefinition=name,
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=self.network,
        )
        self.events.put_rule(Name=self.rule, ScheduleExpression="rate(1 minute)", State="DISABLED")

    def platform(self, *, uses_public_ip: bool = False, service: str = "", rule: str | None = None) -> EcsPlatform:
        """Return a platform that reaches the account through faults."""
        make = sdk(self.faults.url)

        def client(name: str) -> Any:
            self.made.append(name)
            return make(name)

        return EcsPlatform(
            cluster=self.cluster,
            service=service or self.service,
            port=8000,
            rule=self.rule if rule is None else rule,
            uses_public_ip=uses_public_ip,
            clock=self.clock,
            client=client,
        )

    def start(self) -> dict[str, Any]:
        """Start a task, as the scheduler of ECS would."""
        answer = self.ecs.run_task(
            cluster=self.cluster,
            taskDefinition=self.definition,
            launchType="FARGATE",
            group=f"service:{self.service}",
            networkConfiguration=self.network,
        )
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def detail(self, task: dict[str, Any], name: str) -> str:
        """Return what ECS says of a task's interface."""
        return next(str(one["value"]) for one in task["attachments"][0]["details"] if one["name"] == name)

    def target(self, task: dict[str, Any]) -> str:
        """Return where the app of a task is reached from inside."""
        return f"{self.detail(task, 'privateIPv4Address')}:8000"

    def desired(self) -> int:
        """Return the desired count as the account has it."""
        answer = self.ecs.describe_services(cluster=self.cluster, services=[self.service])
        return int(answer["services"][0]["desiredCount"])

    def is_rule_on(self) -> bool:
        """Say whether the rule is enabled."""
        return bool(self.events.describe_rule(Name=self.rule)["State"] == "ENABLED")

    def breaks(self, *faults: str) -> None:
        """Let the next calls end so."""
        self.faults.next, self.faults.seen = list(faults), []


@pytest.fixture
def account(moto_url: str, faults: Faults) -> Account:
    """Return an account of its own."""
    made = Account(moto_url, faults)
    faults.seen = []
    return made


def test_scaling_sets_the_desired_count(account: Account) -> None:
    """One call, up and down; nobody waits for the tasks."""
    platform = account.platform()
    platform.scale(1)
    assert account.desired() == 1
    platform.scale(0)
    assert account.desired() == 0
    assert account.faults.seen == ["UpdateService", "UpdateService"]


def test_of_an_empty_service_two_calls_are_enough(account: Account) -> None:
    """A tick while asleep asks no more than it must."""
    seen = account.platform().look()
    assert (seen.desired, seen.tasks) == (0, ())
    assert account.faults.seen == ["DescribeServices", "ListTasks"]


def test_tasks_have_the_address_that_the_service_is_reached_by(account: Account) -> None:
    """ECS tells the private one itself: EC2 is not asked, and its permission not needed."""
    task = account.start()
    seen = account.platform().look().tasks
    assert [(one.arn, one.target, one.is_leaving) for one in seen] == [(task["taskArn"], account.target(task), False)]
    assert account.faults.seen == ["DescribeServices", "ListTasks", "DescribeTasks"]


def test_public_addresses_come_in_one_call_for_all(account: Account) -> None:
    """Three tasks are three interfaces and one question; the one without a public address cannot be reached."""
    tasks = [account.start() for _ in range(3)]
    interface = next(
        one["value"] for one in tasks[0]["attachments"][0]["details"] if one["name"] == "networkInterfaceId"
    )
    allocation = account.ec2.allocate_address(Domain="vpc")
    account.ec2.associate_address(AllocationId=allocation["AllocationId"], NetworkInterfaceId=interface)
    found = {one.arn: one.target for one in account.platform(uses_public_ip=True).look().tasks}
    assert found == {
        tasks[0]["taskArn"]: f"{allocation['PublicIp']}:8000", tasks[1]["taskArn"]: "", tasks[2]["taskArn"]: ""
    }  # fmt: skip
    assert account.faults.seen == ["DescribeServices", "ListTasks", "DescribeTasks", "/"]


def test_a_task_that_leaves_is_said_to_and_has_no_address(account: Account) -> None:
    """Rule 6."""
    staying, leaving = account.start(), account.start()
    account.ecs.stop_task(cluster=account.cluster, task=leaving["taskArn"])
    found = {one.arn: (one.target, one.is_leaving) for one in account.platform().look().tasks}
    assert found == {
        staying["taskArn"]: (account.target(staying), False),
        leaving["taskArn"]: ("", True),
    }


ATTACHING = {
    "type": "ElasticNetworkInterface",
    "status": "ATTACHING",
    "details": [{"name": "privateIPv4Address", "value": "10.0.0.1"}],
}


@pytest.mark.parametrize(
    "change",
    [{"attachments": []}, {"attachments": [ATTACHING]}],
)
def test_a_task_without_an_interface_has_no_address_yet(account: Account, change: dict[str, Any]) -> None:
    """PROVISIONING: there is a task and nothing to connect to."""
    task = told(account, lastStatus="PROVISIONING", **change)
    assert (task.target, task.is_leaving) == ("", False)


@pytest.mark.parametrize("status", ["DEACTIVATING", "STOPPING", "DEPROVISIONING"])
def test_a_task_on_its_way_out_is_leaving(account: Account, status: str) -> None:
    """Whatever is still desired of it."""
    assert told(account, lastStatus=status).is_leaving


def test_a_task_of_unknown_age_counts_as_old(account: Account) -> None:
    """A wake trusts only what was created after it began."""
    assert told(account).created_at == LONG_AGO
    assert told(account, createdAt=CREATED_AT).created_at == CREATED_AT


def told(account: Account, **change: Any) -> Any:
    """Return the task as it is seen when ECS tells this of it, which the emulated one cannot."""
    account.start()
    return changed(account, **change).look().tasks[-1]


def changed(account: Account, **change: Any) -> EcsPlatform:
    """Return a platform to which ECS tells this of every task."""
    make = sdk(account.faults.url)

    class Ecs:
        def __init__(self) -> None:
            self.real = make("ecs")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def describe_tasks(self, **parameters: Any) -> Any:
            answer = self.real.describe_tasks(**parameters)
            return {"tasks": [task | change for task in answer["tasks"]]}

    return EcsPlatform(
        cluster=account.cluster, service=account.service, port=80, rule="", uses_public_ip=False,
        clock=account.clock, client=lambda name: Ecs() if name == "ecs" else make(name),
    )  # fmt: skip


def test_the_rule_is_enabled_and_disabled(account: Account) -> None:
    """Zero means zero: no tick while asleep. Repeating either does nothing."""
    platform = account.platform()
    for enabled in (True, True, False, False):
        platform.set_rule(enabled=enabled)
        assert account.is_rule_on() is enabled


def test_without_a_rule_there_is_nothing_to_enable(account: Account) -> None:
    """A stack whose schedule is always on."""
    account.platform(rule="").set_rule(enabled=True)
    assert account.faults.seen == []


def test_clients_are_made_when_they_are_needed(account: Account) -> None:
    """Making all three would be most of a cold start, and a warm request needs none."""
    platform = account.platform()
    assert account.made == []
    platform.scale(1)
    platform.look()
    assert account.made == ["ecs"]
    platform.set_rule(enabled=True)
    assert account.made == ["ecs", "events"]


@pytest.mark.parametrize("fault", ["throttled", "dropped", "lost", "error", "busy", "cut"])
def test_a_look_is_repeated(account: Account, fault: str) -> None:
    """A throttled account is busy with others; reading twice harms nobody."""
    account.breaks(fault, "pass", fault, "pass")
    assert account.platform().look().desired == 0
    assert account.faults.seen == ["DescribeServices"] * 2 + ["ListTasks"] * 2


def test_a_throttled_scale_call_is_repeated(account: Account) -> None:
    """It has surely not happened."""
    account.breaks("throttled", "throttled")
    account.platform().scale(1)
    assert (account.desired(), len(account.clock.slept)) == (1, 2)


@pytest.mark.parametrize("fault", ["lost", "dropped", "error", "cut"])
def test_a_scale_call_in_doubt_is_left_to_who_made_it(account: Account, fault: str) -> None:
    """Repeated blindly, a late one could overtake the next wake's."""
    account.breaks(fault)
    with pytest.raises(UnknownOutcomeError, match="ecs update_service: tried once"):
        account.platform().scale(1)
    assert account.faults.seen == ["UpdateService"]


def test_throttled_to_the_end_is_an_unknown_outcome(account: Account) -> None:
    """Inside its time."""
    account.breaks(*["throttled"] * 200)
    with pytest.raises(UnknownOutcomeError, match="ThrottlingException: slow down"):
        account.platform().look()
    assert sum(account.clock.slept) <= WITHIN_S


def test_what_is_refused_says_which_call_and_why(account: Account) -> None:
    """It is the line that an operator looks for."""
    account.breaks("denied")
    with pytest.raises(RefusedError, match="ecs update_service: AccessDeniedException: not allowed to do that"):
        account.platform().scale(1)


def test_a_service_that_is_not_there_is_named(account: Account) -> None:
    """The stack was deleted, or the name is wrong."""
    with pytest.raises(RefusedError, match=r"no service nothing in the cluster cluster-"):
        account.platform(service="nothing").look()


ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop:1"
KILLED = {"name": "app", "exitCode": 137, "reason": "OutOfMemoryError: killed"}


def crashes(account: Account, code: str, *, since: datetime = CREATED_AT, **change: Any) -> tuple[Crash, ...]:
    """Return what is told of a task that has ended so."""
    account.ecs.stop_task(cluster=account.cluster, task=account.start()["taskArn"])
    ended = {"stopCode": code, "createdAt": CREATED_AT, "stoppedAt": CREATED_AT + timedelta(seconds=9)}
    return changed(account, **ended, **change).crashes(since)


@pytest.mark.parametrize(
    ("code", "reason", "box", "expected"),
    [
        (
            "TaskFailedToStart",
            f"CannotPullContainerError: failed to resolve ref {IMAGE}: {IMAGE}: not\n found",
            {},
            "CannotPullContainerError: failed to resolve ref shop:1: shop:1: not found",
        ),
        (
            "TaskFailedToStart",
            f"unable to assume arn:aws:iam::{ACCOUNT}:role/Exec of {ACCOUNT}",
            {},
            "unable to assume role/Exec of",
        ),
        ("TaskFailedToStart", "x" * 900, {}, "x" * 300 + "…"),
        ("EssentialContainerExited", "Essential container", {"exitCode": 3}, "the app ended with exit code 3"),
        ("EssentialContainerExited", "Essential container", KILLED, "OutOfMemoryError: killed (exit code 137)"),
    ],
)
def test_a_task_that_ended_by_itself_is_told_in_the_words_of_ecs(
    account: Account, code: str, reason: str, box: dict[str, Any], expected: str
) -> None:
    """In one line, and without the number of the account: whoever called the service reads it."""
    (crash,) = crashes(account, code, stoppedReason=reason, containers=[box])
    assert (crash.reason, crash.at) == (expected, CREATED_AT + timedelta(seconds=9))


@pytest.mark.parametrize("code", ["ServiceSchedulerInitiated", "UserInitiated", "SpotInterruption", None])
def test_a_task_that_was_told_to_stop_has_not_crashed(account: Account, code: Any) -> None:
    """A sleep, a deployment, a scale-in: none of them is why a wake fails."""
    assert crashes(account, code, stoppedReason="Scaling activity initiated by (deployment ecs-svc/1)") == ()


def test_the_newest_crash_is_found_among_many_tasks_that_have_stopped(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list in no particular order, of more tasks than one call may describe."""
    monkeypatch.setattr(ecs, "DESCRIBED_MAX", 2)
    for _ in range(4):
        account.ecs.stop_task(cluster=account.cluster, task=account.start()["taskArn"])
    assert len(crashes(account, "EssentialContainerExited")) == 5


def test_only_tasks_of_this_wake_are_told(account: Account) -> None:
    """Those that were created before it are another one's."""
    assert len(crashes(account, "EssentialContainerExited", since=CREATED_AT)) == 1
    assert crashes(account, "EssentialContainerExited", since=CREATED_AT + timedelta(seconds=1)) == ()
