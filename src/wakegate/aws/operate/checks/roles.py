"""May the roles do what is done in their name?"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok
from wakegate.aws.operate.checks.task import ECR_IMAGE, definition_of
from wakegate.aws.operate.policy import Statement, allows, statements, trusts
from wakegate.aws.operate.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A role, who acts as it, and which action on which resource it takes."""

    name: str
    role: str
    principal: str
    calls: tuple[tuple[str, str], ...]


def check_roles(stack: Stack) -> list[Check]:
    """Evaluate the policies of each role against each call that is made in its name."""
    return [_check(stack, need) for need in needs(stack)]


def needs(stack: Stack) -> list[Need]:
    """Return what each role is needed for."""
    service = stack.describe_service()
    region, account = service["serviceArn"].split(":")[3:5]
    partition = service["serviceArn"].split(":")[1]

    def arn(kind: str, rest: str) -> str:
        return f"arn:{partition}:{kind}:{region}:{account}:{rest}"

    found = []
    for title, output, log in (
        ("startup role", "StartupFunction", "startup"),
        ("cleanup role", "CleanupFunction", "cleanup"),
    ):
        function = stack.asker.ask("lambda", "get_function_configuration", FunctionName=stack.output(output))
        rule = arn("events", f"rule/{stack.output('CleanupRule')}")
        calls = [("events:EnableRule", rule)] + [("events:DisableRule", rule)] * (log == "cleanup")
        table = arn("dynamodb", f"table/{stack.table}")
        calls += [(f"dynamodb:{action}", table) for action in ("GetItem", "PutItem", "UpdateItem")]
        calls += [(f"ecs:{action}", service["serviceArn"]) for action in ("DescribeServices", "UpdateService")]
        calls.append(("ecs:ListTasks", arn("ecs", f"container-instance/{stack.cluster}/*")))
        calls.append(("ecs:DescribeTasks", arn("ecs", f"task/{stack.cluster}/0123456789abcdef")))
        calls.append(("ec2:DescribeNetworkInterfaces", "*"))
        calls += _logging(arn("logs", f"log-group:{stack.log_groups[log]}:log-stream:x"))
        found.append(Need(name=title, role=function["Role"], principal="lambda.amazonaws.com", calls=tuple(calls)))
    return [*found, _execution(stack, log=arn("logs", f"log-group:{stack.log_groups['app']}:log-stream:x"))]


def _execution(stack: Stack, *, log: str) -> Need:
    task = definition_of(stack)
    calls, match = _logging(log), ECR_IMAGE.match(task["containerDefinitions"][0]["image"])
    if match is not None:
        account, region, repository = match.group(1, 2, 3)
        partition = task["taskDefinitionArn"].split(":")[1]
        arn = f"arn:{partition}:ecr:{region}:{account}:repository/{repository}"
        actions = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        calls = [("ecr:GetAuthorizationToken", "*"), *((f"ecr:{action}", arn) for action in actions), *calls]
    role = task.get("executionRoleArn", "")
    return Need(name="execution role", role=role, principal="ecs-tasks.amazonaws.com", calls=tuple(calls))


def _logging(stream: str) -> list[tuple[str, str]]:
    return [("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)]


def _check(stack: Stack, need: Need) -> Check:
    role, mend = need.role.rpartition("/")[2], f"wakegate deploy --stack {stack.name}"
    if not role:
        return fail(need.name, "none is named", mend)
    try:
        found = stack.asker.ask("iam", "get_role", RoleName=role)["Role"]
    except AskError as error:
        if not error.is_missing:
            raise
        return fail(need.name, f"there is no role {role}", mend)
    if not trusts(_document(found["AssumeRolePolicyDocument"]), need.principal):
        return fail(need.name, f"{role} does not trust {need.principal}", mend)
    given, context = policies(stack, role), {"ecs:cluster": _cluster_arn(need)}
    missing = [action for action, resource in need.calls if not allows(given, action, resource, context)]
    if missing:
        return fail(need.name, f"{role} may not {', '.join(missing)}", mend)
    return ok(need.name, f"{role} may do all {len(need.calls)} calls that it needs")


def policies(stack: Stack, role: str) -> list[Statement]:
    """Return every statement that a role has, of its own policies and of attached ones."""
    asker, found = stack.asker, list[Statement]()
    for name in asker.every("iam", "list_role_policies", "PolicyNames", RoleName=role):
        document = asker.ask("iam", "get_role_policy", RoleName=role, PolicyName=name)["PolicyDocument"]
        found += statements(_document(document))
    for attached in asker.every("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role):
        arn = attached["PolicyArn"]
        version = asker.ask("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = asker.ask("iam", "get_policy_version", PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found += statements(_document(document))
    return found


def _document(found: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(unquote(found)) if isinstance(found, str) else found
    return document


def _cluster_arn(need: Need) -> str:
    instances = next((resource for action, resource in need.calls if action == "ecs:ListTasks"), "")
    return instances.replace(":container-instance/", ":cluster/").removesuffix("/*")
