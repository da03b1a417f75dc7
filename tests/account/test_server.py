"""The endpoint: faults that a test orders, and calls that it counts."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from tests.account.account import Account
from tests.account.sample import made

PUT = """
import boto3
table = boto3.resource("dynamodb").Table("t")
def handler(event, context):
    table.put_item(Item={"uuid": event["id"]})
    return "done"
"""


@pytest.fixture
def table(account: Account) -> Account:
    """Return an account with a table and a function that writes to it."""
    account.client("dynamodb").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "uuid", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "uuid", "KeyType": "HASH"}],
    )
    made.function(account, PUT)
    return account


def put(account: Account) -> str:
    """Let the function write; return what it said, or how it failed."""
    answer = account.client("lambda").invoke(FunctionName="made", Payload=json.dumps({"id": "x"}))
    payload = json.loads(answer["Payload"].read())
    return payload if isinstance(payload, str) else str(payload["errorType"])


def is_written(account: Account) -> bool:
    """Say whether the item is there."""
    return "Item" in account.client("dynamodb").get_item(TableName="t", Key={"uuid": {"S": "x"}})


@pytest.mark.parametrize(("kind", "has_happened"), [("kill-before", False), ("kill-after", True)])
def test_a_function_can_be_killed_at_any_call_it_makes(table: Account, kind: str, has_happened: bool) -> None:
    """Both handlers must survive a kill between any two calls."""
    table.fail("dynamodb:PutItem", kind, by="made")
    assert put(table) == "Runtime.ExitError"
    assert is_written(table) is has_happened
    assert put(table) == "done"


@pytest.mark.parametrize("kind", ["throttle", "error", "lose-request", "lose-answer"])
def test_a_call_can_fail_so_that_the_client_tries_again(table: Account, kind: str) -> None:
    """Every call may have happened or not when its answer is lost."""
    table.fail("dynamodb:PutItem", kind, times=1)
    assert put(table) == "done"
    assert len(table.calls_by("made", "dynamodb:PutItem")) == 2
    assert is_written(table)


def test_a_fault_can_wait_for_a_later_call(account: Account) -> None:
    """A test that goes through all calls of a handler counts them off."""
    fault = account.fail("dynamodb:ListTables", "error", skip=1)
    dynamodb = account.client("dynamodb", retries={"total_max_attempts": 1})
    dynamodb.list_tables()
    with pytest.raises(ClientError):
        dynamodb.list_tables()
    assert fault.times == 0


def test_an_account_says_how_many_functions_may_run_at_once(account: Account) -> None:
    """`doctor` reads it: new accounts have ten."""
    account.functions.concurrency = 10
    settings = account.client("lambda").get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 10


def test_writes_with_a_condition_are_atomic(account: Account, table: Account) -> None:
    """The compare-and-swap of a wake rests on it: of many at once one wins."""
    dynamodb = account.client("dynamodb", retries={"total_max_attempts": 1}, max_pool_connections=32)

    def claim(_: int) -> bool:
        try:
            dynamodb.put_item(
                TableName="t",
                Item={"uuid": {"S": "c"}},
                ConditionExpression="attribute_not_exists(#u)",
                ExpressionAttributeNames={"#u": "uuid"},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(claim, range(64))) == 1
