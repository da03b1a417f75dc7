"""Are both functions as they were deployed, and do they end well?"""

import re
import time
from typing import Any

from wakegate.aws.change import read_change
from wakegate.aws.operate.check import Check, fail, ok, short, warn
from wakegate.aws.operate.logs import recent
from wakegate.aws.operate.stack import Stack, variables
from wakegate.aws.settings import COALESCE_S, read
from wakegate.core.errors import ConfigError
from wakegate.core.say import say_count, say_duration

BLOCKED = re.compile(r"python(2\.\d|3\.[0-9])$")  # neither made nor updated any more
TROUBLE = re.compile(r"Task timed out|AccessDenied|Traceback|\[ERROR\]|Runtime\.\w+|errorMessage|Error: Runtime exited")
LOOKED_BACK_S = 3600.0
CONCURRENCY_FEW = 50
QUOTA = "L-B99A9384"  # of Lambda: concurrent executions


def check_functions(stack: Stack) -> list[Check]:
    """Look at state, runtime, timeout, variables and the newest errors."""
    found = []
    for name, output, log in (("startup", "StartupFunction", "startup"), ("cleanup", "CleanupFunction", "cleanup")):
        function = stack.output(output)
        configuration = stack.asker.ask("lambda", "get_function_configuration", FunctionName=function)
        check = _configured(stack, f"{name} function", configuration)
        found.append(check)
        if check.verdict == "ok":
            found += _errors(stack, f"{name} errors", log)
    return found


def check_concurrency(stack: Stack) -> list[Check]:
    """Say what the account's and the function's own concurrency mean for requests that wait."""
    name, function = "concurrency", stack.output("StartupFunction")
    reserved = stack.asker.ask("lambda", "get_function_concurrency", FunctionName=function)
    own = reserved.get("ReservedConcurrentExecutions")
    if own == 0:
        mend = f"aws lambda delete-function-concurrency --function-name {function} --region {stack.asker.region}"
        return [fail(name, f"{function} may not run at all: its reserved concurrency is 0", mend)]
    limit = stack.asker.ask("lambda", "get_account_settings")["AccountLimit"]
    total, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    may = own if own is not None else free
    saw = f"{may} requests at once, those that wait for a wake included; the next one hears 503 (account: {total})"
    if may >= CONCURRENCY_FEW:
        return [ok(name, saw)]
    mend = (
        "aws service-quotas request-service-quota-increase --service-code lambda"
        f" --quota-code {QUOTA} --desired-value 1000 --region {stack.asker.region}"
    )
    return [warn(name, saw, mend if total < 1000 else f"wakegate deploy --stack {stack.name} --concurrency 0")]


def _configured(stack: Stack, name: str, found: dict[str, Any]) -> Check:
    function, mend = found["FunctionName"], f"wakegate deploy --stack {stack.name}"
    if found.get("State", "Active") not in ("Active", "Pending"):
        why = found.get("StateReason") or found["State"]
        return fail(name, f"{function} is {found['State']}: {short(why)}", mend)
    if found.get("LastUpdateStatus") == "Failed":
        return fail(
            name, f"the last update of {function} failed: {short(found.get('LastUpdateStatusReason', ''))}", mend
        )
    if BLOCKED.match(found.get("Runtime", "")):
        return fail(name, f"{function} runs on {found['Runtime']}, which Lambda does not support any more", mend)
    given = variables(found)
    try:
        settings = read(given)
    except ConfigError as error:
        return fail(name, f"{function} is set wrongly: {'; '.join(error.problems)}", mend)
    wanted = {
        "CLUSTER": stack.cluster, "SERVICE_NAME": stack.service, "DYNAMODB_TABLE": stack.table,
        "RULE_NAME": stack.output("CleanupRule"),
    }  # fmt: skip
    for key, value in wanted.items():
        if given.get(key) != value:
            return fail(name, f"{function} has {key}={given.get(key, '')}, but the stack has {value}", mend)
    least_s = settings.life_s if "cleanup" in name else settings.hold_s + 2
    if found["Timeout"] < least_s:
        return fail(name, f"{function} is ended after {found['Timeout']} s, but needs up to {least_s:.0f} s", mend)
    # What `read` compares is the wake timeout, which the template gives the function as its own, too.
    idle_s = settings.spec.sleep.idle_timeout_s - COALESCE_S
    if given.get("FRONT", "http-api") != "http-api" and "startup" in name and found["Timeout"] >= idle_s:
        may = f"{function} may run for {found['Timeout']} s"
        return fail(name, f"{may}, and the app sleeps after {idle_s:.0f} s: a long request would be cut", mend)
    return ok(name, f"{function} is Active on {found.get('Runtime')}, {found['Timeout']} s, {found['MemorySize']} MB")


def _errors(stack: Stack, name: str, log: str) -> list[Check]:
    now_s = time.time()
    lines = [one for one in recent(stack, log, since_s=now_s - LOOKED_BACK_S) if _is_trouble(one.text)]
    if not lines:
        return [ok(name, "none in the last hour")]
    newest = lines[-1]
    ago = say_duration(now_s - newest.at.timestamp())
    saw = f"{say_count(len(lines), 'line')} of trouble in the last hour, the newest {ago} ago"
    return [warn(name, f"{saw}: {short(newest.text)}", f"wakegate logs --aws {stack.name} {log}")]


def _is_trouble(line: str) -> bool:
    """Say whether a line tells of trouble; that of a change of phase may hold any path that somebody asked for."""
    return TROUBLE.search(line) is not None and read_change(line) is None
