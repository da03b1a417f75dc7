"""Either function may die at any call it makes: it still wakes, sleeps, and nothing runs unseen."""

import pytest
from tests.account.calls import Call
from tests.account.sample.made import until
from tests.e2e.deployed import IDLE_S, WAKE_S, Deployed
from tests.e2e.visitors import ask

LEASE_S = 10.0  # of a wake's owner
READS = ("GetItem", "ListTasks", "Describe")
CALLS = {
    "startup": (
        "GetItem service", "PutItem waking", "EnableRule", "UpdateService", "GetItem wakes", "DescribeServices",
        "ListTasks", "DescribeTasks", "DescribeNetworkInterfaces", "PutItem awake", "PutItem wakes",
        "GetItem secret", "PutItem secret",
    ),
    "cleanup": (
        "GetItem service", "PutItem draining", "PutItem stopping", "UpdateService", "PutItem asleep",
        "DescribeServices", "ListTasks", "DisableRule",
    ),
}  # fmt: skip
ACTS = ("PutItem waking", "EnableRule", "UpdateService", "DisableRule")
# To die after a call is to die before the next one; before those that act it is tried all the same.
DEATHS = {
    function: [(call, "kill-after") for call in calls] + [(call, "kill-before") for call in calls if call in ACTS]
    for function, calls in CALLS.items()
}
UNSEEN = [(call, kind) for call, kind in DEATHS["startup"] if not call.startswith(READS)]


def label(call: Call) -> str:
    """Return what tells a call from the others of a run, and not how often it is repeated."""
    given = call.parameters
    item = given.get("Item", {}) | given.get("Key", {})
    if not item:
        return call.action
    return f"{call.action} {item['phase']['S'] if 'phase' in item else item['uuid']['S'].partition('#')[0]}"


def fall_asleep(deployed: Deployed) -> int:
    """Let it idle; return how many ticks it took until it slept and the schedule was off."""
    deployed.pass_time(IDLE_S + 11)
    for number in range(1, 8):
        if deployed.phase == "awake":
            deployed.drain()
        else:
            deployed.tick()
        deployed.pass_time(61)
        if not deployed.is_scheduled and deployed.phase == "asleep":
            return number
    raise AssertionError(f"still {deployed.phase}, {deployed.record}")


def test_the_table_has_every_call(deployed: Deployed) -> None:
    """A call that is added is one more to die at."""
    assert ask(f"{deployed.url}/").status_code == 200
    assert {label(call) for call in deployed.calls(by="startup")} == set(CALLS["startup"])
    deployed.settle()
    deployed.begin()
    assert fall_asleep(deployed) == 3
    assert {label(call) for call in deployed.calls(by="cleanup")} - {"DescribeTasks"} == set(CALLS["cleanup"])


@pytest.mark.parametrize(("call", "kind"), DEATHS["startup"])
def test_a_wake_that_dies_is_ended_by_the_next_request(deployed: Deployed, call: str, kind: str) -> None:
    """The one whose function died hears of it; the next one waits for a lease at most, and all ends asleep."""
    fault = deployed.fail("*", kind, by="startup", when=lambda one: label(one) == call)
    assert ask(f"{deployed.url}/").status_code == 500
    assert fault.times == 0
    deployed.pass_time(LEASE_S + 1)
    assert ask(f"{deployed.url}/").status_code == 200
    assert len(deployed.calls("ecs:UpdateService")) <= 2
    assert deployed.is_scheduled
    fall_asleep(deployed)
    assert deployed.desired == 0


@pytest.mark.parametrize(("call", "kind"), UNSEEN)
def test_a_wake_that_dies_unseen_ends_asleep(deployed: Deployed, call: str, kind: str) -> None:
    """Nobody comes back: what was started is found within the hour, and put to sleep."""
    deployed.fail("*", kind, by="startup", when=lambda one: label(one) == call)
    ask(f"{deployed.url}/")
    deployed.pass_time(WAKE_S + 1)
    deployed.tick(60)
    fall_asleep(deployed)
    assert deployed.desired == 0
    until(lambda: deployed.account.fargate.running() == [])


@pytest.mark.parametrize(("call", "kind"), DEATHS["cleanup"])
def test_a_sleep_that_dies_is_ended_by_the_next_ticks(deployed: Deployed, call: str, kind: str) -> None:
    """And it wakes again as if nothing had been."""
    assert ask(f"{deployed.url}/").status_code == 200
    deployed.settle()
    fault = deployed.fail("*", kind, by="cleanup", when=lambda one: label(one) == call)
    assert fall_asleep(deployed) <= 5
    assert (fault.times, deployed.desired) == (0, 0)
    assert ask(f"{deployed.url}/").status_code == 200
