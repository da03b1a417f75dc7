"""Is the table as the functions need it?"""

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok, warn
from wakegate.aws.operate.stack import Stack

NAME = "table"


def check_table(stack: Stack) -> list[Check]:
    """Look at the table's key, its TTL and its backups."""
    name = stack.table
    try:
        table = stack.asker.ask("dynamodb", "describe_table", TableName=name)["Table"]
    except AskError as error:
        if not error.is_missing:
            raise
        mend = f"wakegate deploy --stack {stack.name}"
        return [fail(NAME, f"there is no table {name}: no state, no sessions, nothing wakes", mend)]
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        return [fail(NAME, f"{name} is {table['TableStatus']}")]
    keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
    if keys != [("uuid", "HASH")]:
        found = ", ".join(name for name, _ in keys)
        return [fail(NAME, f"{name} has the key {found}, not uuid; it is another program's table")]
    return [ok(NAME, f"{name} is {table['TableStatus']}"), *_ttl(stack), *_backups(stack)]


def _ttl(stack: Stack) -> list[Check]:
    found = stack.asker.ask("dynamodb", "describe_time_to_live", TableName=stack.table)
    ttl = found.get("TimeToLiveDescription", {})
    if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and ttl.get("AttributeName") == "expires":
        return [ok("sessions", "those that have expired are deleted")]
    mend = (
        f"aws dynamodb update-time-to-live --table-name {stack.table} --region {stack.asker.region}"
        ' --time-to-live-specification "Enabled=true,AttributeName=expires"'
    )
    return [warn("sessions", "those that have expired stay in the table for ever: it has no TTL on expires", mend)]


def _backups(stack: Stack) -> list[Check]:
    found = stack.asker.ask("dynamodb", "describe_continuous_backups", TableName=stack.table)
    recovery = found.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") == "ENABLED":
        return [ok("backups", "point-in-time recovery is on")]
    mend = (
        f"aws dynamodb update-continuous-backups --table-name {stack.table} --region {stack.asker.region}"
        " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    )
    return [warn("backups", "point-in-time recovery is off: a deleted session is gone", mend)]
