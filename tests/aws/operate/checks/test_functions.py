"""Both functions: state, runtime, variables, errors; and how many requests may wait at once."""

import time

import pytest
from tests.account.account import Account

from wakegate.aws.change import PhaseChange, write_change
from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.checks.functions import check_concurrency, check_functions
from wakegate.aws.operate.stack import Stack, variables
from wakegate.core.phase import Event, Phase

STARTUP = "container-startup"


def test_both_are_in_order_as_deployed(stack: Stack) -> None:
    """Active, on a runtime that is supported, without errors."""
    assert [check.name for check in check_functions(stack)] == [
        "startup function", "startup errors", "cleanup function", "cleanup errors"
    ]  # fmt: skip
    assert {check.verdict for check in check_functions(stack)} == {Verdict.OK}


@pytest.mark.parametrize(
    ("name", "value", "saw"),
    [
        ("CLUSTER", "another", "has CLUSTER=another, but the stack has my-scaling-cluster"),
        ("RULE_NAME", "", "has RULE_NAME=, but the stack has container-cleanup-schedule"),
        ("IDLE_TIMEOUT", "20", "is set wrongly: IDLE_TIMEOUT"),
    ],
)
def test_a_variable_that_is_wrong_is_named(deployed: Account, stack: Stack, name: str, value: str, saw: str) -> None:
    """Changed by hand in the console, it survives every deployment that does not touch the function."""
    client = deployed.client("lambda")
    given = variables(client.get_function_configuration(FunctionName=STARTUP))
    client.update_function_configuration(FunctionName=STARTUP, Environment={"Variables": given | {name: value}})
    found = check_functions(stack)[0]
    client.update_function_configuration(FunctionName=STARTUP, Environment={"Variables": given})
    assert found.verdict is Verdict.FAIL
    assert saw in found.saw


def test_an_old_runtime_and_a_short_timeout_are_failures(deployed: Account, stack: Stack) -> None:
    """The guide's own python3.9 can be deployed no more; a function that ends before the hold answers nobody."""
    client = deployed.client("lambda")
    client.update_function_configuration(FunctionName=STARTUP, Runtime="python3.9")
    assert "runs on python3.9" in check_functions(stack)[0].saw
    client.update_function_configuration(FunctionName=STARTUP, Runtime="python3.13", Timeout=3)
    found = check_functions(stack)[0]
    assert (found.verdict, "is ended after 3 s" in found.saw) == (Verdict.FAIL, True)
    client.update_function_configuration(FunctionName=STARTUP, Timeout=180)
    assert check_functions(stack)[0].verdict is Verdict.OK


def test_a_function_url_that_allows_longer_requests_than_the_idle_timeout_is_a_failure(
    deployed: Account, stack: Stack
) -> None:
    """A request in flight is known by its beginning alone; behind an HTTP API none lasts longer than 30 s."""
    client = deployed.client("lambda")
    given = variables(client.get_function_configuration(FunctionName=STARTUP))
    longer = {"SCALE_UP_TIMEOUT": "30", "IDLE_TIMEOUT": "120", "FRONT": "both"}
    client.update_function_configuration(FunctionName=STARTUP, Environment={"Variables": given | longer})
    found = check_functions(stack)[0]
    client.update_function_configuration(FunctionName=STARTUP, Environment={"Variables": given})
    assert found.verdict is Verdict.FAIL
    assert "may run for 180 s, and the app sleeps after 120 s" in found.saw


def test_a_path_that_looks_like_an_error_is_none(deployed: Account, stack: Stack) -> None:
    """Anybody may ask for it, and the change of phase that it caused is in the log."""
    change = PhaseChange(
        service="web",
        before=Phase.ASLEEP,
        to=Phase.WAKING,
        event=Event.REQUEST_ARRIVED,
        version=1,
        reason="GET /[ERROR]/Traceback",
    )
    group, logs = stack.log_groups["cleanup"], deployed.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="path")
    event = {"timestamp": int(time.time() * 1000), "message": write_change(change)}
    logs.put_log_events(logGroupName=group, logStreamName="path", logEvents=[event])
    (found,) = [check for check in check_functions(stack) if check.name == "cleanup errors"]
    assert found.verdict is Verdict.OK


def test_the_newest_error_is_shown(deployed: Account, stack: Stack) -> None:
    """It is what one would look for first, in a log group that one would have to find first."""
    group = stack.log_groups["cleanup"]
    logs = deployed.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="x")
    now_ms = int(time.time() * 1000)
    lines = ["START RequestId: 1", "[ERROR] KeyError: 'phase'", "2 Task timed out after 60.00 seconds"]
    events = [{"timestamp": now_ms - 3000 + index, "message": line} for index, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName="x", logEvents=events)
    found = check_functions(stack)[-1]
    assert (found.name, found.verdict) == ("cleanup errors", Verdict.WARN)
    assert found.saw.startswith("2 lines of trouble in the last hour")
    assert found.saw.endswith("Task timed out after 60.00 seconds")


def test_a_small_account_is_told_what_its_concurrency_means(deployed: Account, stack: Stack) -> None:
    """New accounts have ten: ten visitors who wait for one wake, and the eleventh hears 503."""
    assert check_concurrency(stack)[0].verdict is Verdict.OK
    concurrency, deployed.functions.concurrency = deployed.functions.concurrency, 10
    (found,) = check_concurrency(stack)
    deployed.functions.concurrency = concurrency
    assert found.verdict is Verdict.WARN
    assert found.saw.startswith("10 requests at once, those that wait for a wake included")
    assert "request-service-quota-increase" in found.mend


def test_a_function_that_may_not_run_is_a_failure(deployed: Account, stack: Stack) -> None:
    """How somebody stops a function in an emergency, and forgets it."""
    client = deployed.client("lambda")
    client.put_function_concurrency(FunctionName=STARTUP, ReservedConcurrentExecutions=0)
    (found,) = check_concurrency(stack)
    assert found.verdict is Verdict.FAIL
    assert found.mend == f"aws lambda delete-function-concurrency --function-name {STARTUP} --region eu-central-1"
