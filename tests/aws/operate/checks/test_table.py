"""The table: there, with its key, its TTL and its backups."""

from tests.account.account import Account

from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.checks.table import check_table
from wakegate.aws.operate.stack import Stack


def test_a_table_as_deployed_is_in_order(stack: Stack) -> None:
    """A doctor who always finds something is not listened to."""
    assert {check.verdict for check in check_table(stack)} == {Verdict.OK}


def test_sessions_that_are_never_deleted_and_no_backups_are_seen(deployed: Account, stack: Stack) -> None:
    """It works all the same, so these are warnings, with the command that turns each on."""
    client = deployed.client("dynamodb")
    off = {"PointInTimeRecoveryEnabled": False}
    client.update_continuous_backups(TableName=stack.table, PointInTimeRecoverySpecification=off)
    ttl = {"Enabled": False, "AttributeName": "expires"}
    client.update_time_to_live(TableName=stack.table, TimeToLiveSpecification=ttl)
    _, sessions, backups = check_table(stack)
    assert (sessions.verdict, backups.verdict) == (Verdict.WARN, Verdict.WARN)
    assert sessions.mend.startswith(f"aws dynamodb update-time-to-live --table-name {stack.table} ")
    assert backups.mend.startswith(f"aws dynamodb update-continuous-backups --table-name {stack.table} ")


def test_a_table_that_is_gone_or_not_ours_is_a_failure(deployed: Account, stack: Stack) -> None:
    """Nothing can be woken without the record."""
    client = deployed.client("dynamodb")
    client.delete_table(TableName=stack.table)
    (gone,) = check_table(stack)
    assert (gone.verdict, gone.saw) == (
        Verdict.FAIL, "there is no table session-table: no state, no sessions, nothing wakes"
    )  # fmt: skip
    client.create_table(
        TableName=stack.table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    (other,) = check_table(stack)
    assert (other.verdict, other.saw) == (
        Verdict.FAIL, "session-table has the key id, not uuid; it is another program's table"
    )  # fmt: skip
