"""Lambda: environments, their limits, and what a function finds in them."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.account.account import Account
from tests.account.sample import made

MARKED = """
import os, pathlib, time
def handler(event, context):
    pathlib.Path(event["mark"]).write_text("began")
    while not pathlib.Path(event["until"]).exists():
        time.sleep(0.01)
    return os.getpid()
"""


def invoke(account: Account, event: Any = None, *, name: str = "made") -> Any:
    """Invoke a function by its API; return what it returned."""
    answer = account.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def test_events_at_once_run_in_environments_of_their_own_which_are_used_again(account: Account, tmp_path: Path) -> None:
    """What is kept in a module is shared by events one after the other, never by events at once."""
    made.function(account, MARKED)
    go = tmp_path / "go"
    events = [{"mark": str(tmp_path / name), "until": str(go)} for name in "ab"]
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(invoke, account, event) for event in events]
        made.until(lambda: all(Path(event["mark"]).exists() for event in events))
        go.touch()
        pids = {one.result() for one in running}
    assert len(pids) == 2
    assert invoke(account, events[0]) in pids
    assert len(account.functions.cold_starts("made")) == 2


def test_what_is_over_the_reserved_concurrency_is_throttled(account: Account, tmp_path: Path) -> None:
    """A held request takes one unit of concurrency: how many there are decides who is refused."""
    made.function(account, MARKED)
    functions = account.client("lambda", retries={"total_max_attempts": 1})
    functions.put_function_concurrency(FunctionName="made", ReservedConcurrentExecutions=1)
    event = {"mark": str(tmp_path / "a"), "until": str(tmp_path / "go")}
    with ThreadPoolExecutor() as pool:
        running = pool.submit(invoke, account, event)
        made.until(Path(event["mark"]).exists)
        with pytest.raises(functions.exceptions.TooManyRequestsException):
            functions.invoke(FunctionName="made", Payload=json.dumps(event))
        Path(event["until"]).touch()
        assert running.result()


def test_a_function_is_killed_at_its_timeout(account: Account) -> None:
    """A handler that counts on more time than it has must fail here, too."""
    made.function(account, "import time\ndef handler(event, context): time.sleep(60)", Timeout=1)
    assert "Task timed out after 1.00 seconds" in invoke(account)["errorMessage"]
    assert account.functions.environments("made") == []


def test_a_process_that_dies_is_an_error_and_not_used_again(account: Account) -> None:
    """Handlers die between any two calls; the next event begins anew."""
    made.function(account, "import os\ndef handler(event, context): return os._exit(1) if event else 'alive'")
    assert invoke(account, {"die": True})["errorType"] == "Runtime.ExitError"
    assert invoke(account) == "alive"
    assert len(account.functions.cold_starts("made")) == 2


def test_an_error_while_importing_is_told_as_lambda_does(account: Account) -> None:
    """A zip that lacks a module is the commonest broken deployment."""
    made.function(account, "import flask\ndef handler(event, context): return 1")
    assert invoke(account)["errorType"] == "Runtime.ImportModuleError"


def test_a_function_finds_boto3_its_settings_and_credentials_of_its_role(account: Account) -> None:
    """Nothing else may be there: what only the test's environment has would be missed in production."""
    code = """
import boto3, os
def handler(event, context):
    boto3.client("dynamodb").list_tables()
    names = ("X", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_ENDPOINT_URL")
    return [os.environ[name] for name in names] + [context.get_remaining_time_in_millis() // 10000]
"""
    made.function(account, code, Environment={"Variables": {"X": "1"}}, MemorySize=512)
    assert invoke(account) == ["1", "512", account.endpoint_url, 1]
    assert [call.name for call in account.calls_by("made")] == ["dynamodb:ListTables"]


def test_new_code_and_new_settings_run_in_new_environments(account: Account) -> None:
    """A deployment must not be answered by what was there before it."""
    made.function(account, "import os\ndef handler(event, context): return os.environ.get('X', 'old')")
    assert invoke(account) == "old"
    functions = account.client("lambda")
    functions.update_function_configuration(FunctionName="made", Environment={"Variables": {"X": "set"}})
    assert invoke(account) == "set"
    functions.update_function_code(
        FunctionName="made", ZipFile=made.zipped("def handler(event, context): return 'new'")
    )
    assert invoke(account) == "new"


def test_log_lines_reach_the_log_group_if_the_role_lets_lambda_write_them(account: Account) -> None:
    """A role without these two permissions has silent functions, and nobody knows why."""
    code = "def handler(event, context): print('said')"
    account.client("logs").create_log_group(logGroupName="/aws/lambda/made")
    account.client("logs").create_log_group(logGroupName="/aws/lambda/mute")
    made.function(account, code)
    made.role(account, [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}], name="mute")
    made.function(account, code, name="mute")
    invoke(account)
    invoke(account, name="mute")
    assert "said" in messages(account, "made")
    assert messages(account, "mute") == []
    assert "said" in [line.text for line in account.functions.logs["mute"]]


def test_a_role_that_lambda_may_not_assume_runs_nothing(account: Account) -> None:
    """A trust policy is easily copied from the wrong role."""
    made.role(account, made.ANYTHING, trusted="ecs-tasks")
    made.function(account, "def handler(event, context): return 1")
    functions = account.client("lambda")
    with pytest.raises(functions.exceptions.ClientError, match="cannot be assumed by Lambda"):
        functions.invoke(FunctionName="made")


def test_an_answer_over_6_mb_is_an_error(account: Account) -> None:
    """The limit is Lambda's, whatever the front allows."""
    made.function(account, "def handler(event, context): return 'x' * (6 * 1024 * 1024 + 1)")
    assert invoke(account)["errorType"] == "Function.ResponseSizeTooLarge"


def test_forked_environments_are_as_separate_as_others(tmp_path: Path) -> None:
    """A herd needs hundreds of them, which no machine starts one interpreter each for."""
    code = "import boto3, os\ncount = 0\ndef handler(event, context):\n  global count; count += 1\n"
    code += "  if event: os._exit(3)\n  boto3.client('dynamodb').list_tables(); return [count, os.environ['X']]"
    with Account(tmp_path, forks=True) as account:
        made.function(account, code, Environment={"Variables": {"X": "1"}})
        assert [invoke(account), invoke(account)] == [[1, "1"], [2, "1"]]
        assert invoke(account, {"die": True})["errorType"] == "Runtime.ExitError"
        assert invoke(account) == [1, "1"]
        assert [call.name for call in account.calls_by("made")] == ["dynamodb:ListTables"] * 3
    assert psutil.Process().children(recursive=True) == []


def messages(account: Account, name: str) -> list[str]:
    """Return what a function's log group has, without line ends."""
    events = account.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return [event["message"] for event in events]
