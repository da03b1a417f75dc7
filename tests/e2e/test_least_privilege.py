"""Both functions run under the template's own policies, enforced; and each statement of them is needed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.account.sample.made import until
from tests.e2e.deployed import APP, WAKE_S, Deployed
from tests.e2e.visitors import BROWSER, ask

POLICIES = {"startup": "serve-requests", "cleanup": "put-to-sleep"}
SIDS = ("Record", "Scale", "FindTasks", "ReadTasks", "FindAddresses", "Arm", "WriteLog")


def wakes(deployed: Deployed) -> bool:
    """Say whether a first request is answered by the app, with the schedule on."""
    return ask(f"{deployed.url}/").status_code == 200 and deployed.is_scheduled


def sleeps(deployed: Deployed) -> bool:
    """Say whether it goes to sleep by itself after a wake, with the schedule off."""
    assert wakes(deployed)
    deployed.sleep()
    return (deployed.phase, deployed.desired, deployed.is_scheduled) == ("asleep", 0, False)


def adopts(deployed: Deployed) -> bool:
    """Say whether the safety net finds what an operator has started, with its address."""
    where = {"cluster": deployed.outputs["Cluster"], "service": deployed.outputs["Service"]}
    deployed.account.client("ecs").update_service(**where, desiredCount=1)
    until(lambda: deployed.account.fargate.running() != [])
    deployed.tick(60)
    return bool(deployed.record.get("targets", {}).get("L"))


def says(deployed: Deployed, function: str) -> bool:
    """Say whether the function's log is where the template says."""
    group = f"/aws/lambda/{function}"
    logs = deployed.account.client("logs")
    before = len(logs.filter_log_events(logGroupName=group)["events"])
    ask(f"{deployed.url}/")
    deployed.tick(60)
    return len(logs.filter_log_events(logGroupName=group)["events"]) > before


NEEDED: dict[str, dict[str, Callable[[Deployed], bool]]] = {
    "startup": dict.fromkeys(SIDS, wakes) | {"WriteLog": lambda it: says(it, it.startup)},
    "cleanup": dict.fromkeys(SIDS, adopts)
    | {"Scale": sleeps, "Arm": sleeps, "WriteLog": lambda it: says(it, it.cleanup)},
}
CASES = [(role, sid) for role, sids in NEEDED.items() for sid in sids]


def statements(deployed: Deployed, role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's only policy."""
    return list(deployed.account.iam.statements(f"arn:aws:iam::{deployed.account.id}:role/{deployed.roles[role]}"))


def write(deployed: Deployed, role: str, several: list[dict[str, Any]]) -> None:
    """Replace the policy of a role."""
    document = json.dumps({"Version": "2012-10-17", "Statement": several})
    deployed.account.client("iam").put_role_policy(
        RoleName=deployed.roles[role], PolicyName=POLICIES[role], PolicyDocument=document
    )


@contextmanager
def without(deployed: Deployed, role: str, sid: str) -> Iterator[None]:
    """Take a statement away for a while."""
    every = statements(deployed, role)
    write(deployed, role, [one for one in every if one["Sid"] != sid])
    try:
        yield
    finally:
        write(deployed, role, every)


def test_nothing_is_denied_to_either_function(deployed: Deployed) -> None:
    """Wake, scale out, scale in, repair, give up, adopt, sleep: all of it within the template's own policies."""
    account, where = deployed.account, {"cluster": "my-scaling-cluster", "service": "my-scaling-service"}
    assert wakes(deployed)
    account.client("ecs").update_service(**where, desiredCount=3)  # as Auto Scaling does
    deployed.pass_time(60)
    until(lambda: len(account.fargate.running()) == 3)
    deployed.tick()
    assert len(deployed.record["targets"]["L"]) == 3
    crashed = account.fargate.running()[0]
    account.crash(crashed)
    until(lambda: crashed.is_over)  # its replacement may run by then
    deployed.sleep()
    assert (deployed.phase, deployed.desired) == ("asleep", 0)
    assert adopts(deployed)
    deployed.sleep()
    deployed.push([])
    ask(f"{deployed.url}/", headers=BROWSER)
    deployed.pass_time(WAKE_S + 1)
    deployed.tick()
    assert deployed.record["failure_count"]["N"] == "1"
    used = {call.name for call in deployed.calls()}
    assert used >= {"ecs:UpdateService", "events:EnableRule", "events:DisableRule", "ec2:DescribeNetworkInterfaces"}
    assert deployed.denied == []


def test_every_statement_of_the_template_is_in_the_table(deployed: Deployed) -> None:
    """One that is added is to be shown to be needed, too."""
    found = {(role, one["Sid"]) for role in POLICIES for one in statements(deployed, role)}
    assert found == set(CASES)


@pytest.mark.parametrize(("role", "sid"), CASES, ids=lambda word: word)
def test_without_any_one_statement_something_breaks(deployed: Deployed, role: str, sid: str) -> None:
    """What a role may do and does not need is only there for whoever takes it over."""
    works = NEEDED[role][sid]
    with without(deployed, role, sid):
        assert not works(deployed)
    deployed.reset(APP)
    assert works(deployed)
