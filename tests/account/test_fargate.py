"""Fargate: tasks as real processes, from PROVISIONING to STOPPED."""

import socket
import time
from pathlib import Path

import httpx
import psutil
import pytest
from tests.account.account import Account
from tests.account.sample import made
from tests.account.task import Task

STATES = ["PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]


@pytest.fixture
def tiny(account: Account) -> Account:
    """Return an account with the stack of the sample."""
    made.deploy(account, **made.network(account))
    return account


def scale(account: Account, desired: int) -> None:
    """Set the desired count."""
    account.client("ecs").update_service(cluster="tiny-cluster", service="tiny-service", desiredCount=desired)


def run(account: Account, desired: int = 1) -> list[Task]:
    """Scale and wait until so many tasks run."""
    scale(account, desired)
    made.until(lambda: len(account.fargate.running("tiny-service")) == desired)
    return account.fargate.running("tiny-service")


def over(account: Account, task: Task) -> None:
    """Wait until a task has stopped."""
    made.until(lambda: task.is_over)


def test_a_task_passes_all_states_and_its_interface_leads_to_its_process(tiny: Account) -> None:
    """The handler finds a task only by what these calls tell."""
    (task,) = run(tiny)
    ecs, ec2 = tiny.client("ecs"), tiny.client("ec2")
    arns = ecs.list_tasks(cluster="tiny-cluster", serviceName="tiny-service")["taskArns"]
    (told,) = ecs.describe_tasks(cluster="tiny-cluster", tasks=arns)["tasks"]
    details = {one["name"]: one["value"] for one in told["attachments"][0]["details"]}
    (eni,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])["NetworkInterfaces"]
    assert eni["Association"]["PublicIp"] == task.address
    assert told["createdAt"] <= told["startedAt"]
    made.until(lambda: answers(task))
    scale(tiny, 0)
    over(tiny, task)
    assert list(dict.fromkeys(snapshot["lastStatus"] for _, snapshot in task.history)) == STATES
    assert task.stopped_reason.startswith("Scaling activity initiated by")
    assert tiny.client("ecs").list_tasks(cluster="tiny-cluster")["taskArns"] == []


def test_a_task_whose_process_dies_is_stopped_and_replaced(tiny: Account) -> None:
    """A crash must look like one, and the service must come back by itself."""
    (task,) = run(tiny)
    tiny.crash(task)
    made.until(lambda: [one for one in tiny.fargate.running() if one is not task] != [])
    told = tiny.client("ecs").describe_tasks(cluster="tiny-cluster", tasks=[task.arn])["tasks"][0]
    assert (told["lastStatus"], told["stopCode"]) == ("STOPPED", "EssentialContainerExited")
    assert told["containers"][0]["exitCode"] == 137


def test_a_start_takes_as_long_as_it_is_told_to(tiny: Account) -> None:
    """A cold start of a minute is the case that matters; here it is as long as a test can bear."""
    tiny.fargate.start_delay_s = 0.5
    (task,) = run(tiny)
    assert task.times["startedAt"] - task.times["createdAt"] >= 0.5


def test_reads_show_the_past_when_they_are_told_to(tiny: Account) -> None:
    """ECS is eventually consistent; a handler that trusts the first read makes a second scale call."""
    tiny.fargate.read_delay_s = 3600.0
    run(tiny)
    ecs = tiny.client("ecs")
    service = ecs.describe_services(cluster="tiny-cluster", services=["tiny-service"])["services"][0]
    assert ecs.list_tasks(cluster="tiny-cluster", serviceName="tiny-service")["taskArns"] == []
    assert service["runningCount"] == 0
    tiny.fargate.read_delay_s = 0.0
    service = ecs.describe_services(cluster="tiny-cluster", services=["tiny-service"])["services"][0]
    assert (service["desiredCount"], service["runningCount"]) == (1, 1)


def test_a_security_group_that_lets_nobody_in_makes_the_task_unreachable(account: Account) -> None:
    """One of the guide's common issues."""
    made.deploy(
        account,
        made.TEMPLATE.replace("Port: 8080, CidrIp", "Port: 80, CidrIp").replace("FromPort: 8080", "FromPort: 80"),
        **made.network(account),
    )
    (task,) = run(account)
    made.until(lambda: connects(task.address))
    assert not connects(task.told_address)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Image: hello", "Image: missing", "CannotPullContainerError"),
        ("Image: hello,", "Image: hello, LogConfiguration: {Options: {awslogs-group: g}},", "logger args: g does not"),
    ],
)
def test_a_task_that_cannot_start_says_why(account: Account, old: str, new: str, reason: str) -> None:
    """This is where a user looks when nothing wakes."""
    made.deploy(account, made.TEMPLATE.replace(old, new), **made.network(account))
    scale(account, 1)
    made.until(lambda: any(one.is_over for one in account.fargate.tasks))
    task = account.fargate.tasks[0]
    assert task.stop_code == "TaskFailedToStart"
    assert reason in task.stopped_reason


def test_a_service_whose_tasks_keep_failing_is_throttled(account: Account) -> None:
    """ECS backs off as well: a broken image does not start a hundred tasks."""
    made.deploy(account, made.TEMPLATE.replace("Image: hello", "Image: missing"), **made.network(account))
    scale(account, 1)
    made.until(lambda: sum(one.is_over for one in account.fargate.tasks) == 3)
    time.sleep(0.2)  # several turns of the scheduler
    assert len(account.fargate.tasks) == 3


def test_each_task_of_several_has_an_address_of_its_own(tiny: Account) -> None:
    """They all listen at the same port."""
    tasks = run(tiny, 3)
    for task in tasks:
        made.until(lambda task=task: answers(task))  # type: ignore[misc]  # bound now
    assert len({task.address for task in tasks}) == 3
    scale(tiny, 1)
    made.until(lambda: len(tiny.fargate.running()) == 1)


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    """A stop always ends."""
    command = ["sh", "-c", "trap '' TERM; while true; do sleep 0.05; done"]
    with Account(tmp_path, images={"hello": command}) as account:
        made.deploy(account, **made.network(account))
        account.fargate.stop_grace_s = 0.2
        (task,) = run(account)
        scale(account, 0)
        over(account, task)
        assert task.exit_code == 137
    assert [one for one in psutil.Process().children(recursive=True) if one.name() == "sleep"] == []


def connects(address: str) -> bool:
    """Say whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex((address, 8080)) == 0


def answers(task: Task) -> bool:
    """Say whether the app at the address that the interface tells answers."""
    if not connects(task.told_address):
        return False
    return httpx.get(f"http://{task.told_address}:8080/").text == f"hello from {task.address}"
