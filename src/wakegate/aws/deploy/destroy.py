"""The flow of the end of a stack: say what goes and what stays, ask, delete."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.facts import Stack, read_stack
from wakegate.aws.deploy.failure import DeployError, code_of, told
from wakegate.aws.deploy.options import DEFAULTS
from wakegate.aws.deploy.screen import Screen
from wakegate.aws.deploy.stack import Pause, delete
from wakegate.core.say import say_count

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef

KEPT = frozenset(("AWS::ECR::Repository", "AWS::DynamoDB::Table"))  # by the template, whatever becomes of the stack
GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What a stack has, and what stays when it goes; a name is empty where there is none."""

    resource_count: int
    repository: str
    image_count: int
    table: str
    item_count: int
    bucket: str


def destroy(
    account: Account,
    *,
    stack_name: str,
    keeps_data: bool,
    screen: Screen,
    ask: Callable[[], bool],
    pause: Pause = time.sleep,
) -> bool:
    """Delete the stack, and say whether that was wanted."""
    stack = find_stack(account, stack_name)
    left = gather(account, stack)
    for line in say_leftovers(left, account_id=account.id, region=account.region, stack=stack, keeps_data=keeps_data):
        screen.write(line)
    if not ask():
        return False
    delete(account, stack, total=left.resource_count, screen=screen, pause=pause)
    if left.table and not keeps_data:
        delete_table(account, left.table)
        screen.say("table", f"{left.table} is gone")
    return True


def find_stack(account: Account, name: str) -> Stack:
    """Return the stack that is to go."""
    _ = account.id
    stack = read_stack(account, name)
    if stack is None:
        raise DeployError(
            f"There is no stack {name} in {account.region} of account {account.id}. What is there: "
            f"aws cloudformation describe-stacks --region {account.region} --query Stacks[].StackName"
        )
    if not stack.is_ours:
        raise DeployError(f"Stack {name} is not of Wakegate; it is not touched.")
    return stack


def gather(account: Account, stack: Stack) -> Leftovers:
    """Count what goes and what stays."""
    resources = _resources(account, stack)
    going = [one for one in resources if one["ResourceType"] not in KEPT]
    values = {**DEFAULTS, **stack.parameters}
    repository, table = (values["Prefix"] + values[name] for name in ("RepositoryName", "TableName"))
    image_count, item_count = _image_count(account, repository), _item_count(account, table)
    return Leftovers(
        resource_count=len(going),
        repository="" if image_count is None else repository,
        image_count=image_count or 0,
        table="" if item_count is None or stack.is_new else table,
        item_count=item_count or 0,
        bucket=values.get("CodeBucket", ""),
    )


def _resources(account: Account, stack: Stack) -> "list[StackResourceSummaryTypeDef]":
    with told(account.region):
        pages = account.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.arn)
        return [one for page in pages for one in page["StackResourceSummaries"] if one["ResourceStatus"] != GONE]


def _image_count(account: Account, repository: str) -> int | None:
    with told(account.region):
        try:
            pages = account.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
            return sum(len(page["imageDetails"]) for page in pages)
        except account.ecr.exceptions.RepositoryNotFoundException:
            return None


def _item_count(account: Account, table: str) -> int | None:
    with told(account.region):
        try:
            found = account.dynamodb.describe_table(TableName=table)["Table"]
        except account.dynamodb.exceptions.ResourceNotFoundException:
            return None
    is_ours = [key["AttributeName"] for key in found["KeySchema"]] == ["uuid"]
    return found.get("ItemCount", 0) if is_ours else None


def say_leftovers(left: Leftovers, *, account_id: str, region: str, stack: Stack, keeps_data: bool) -> Iterator[str]:
    """Say what goes and what stays, with the command that ends what stays."""
    yield f"account {account_id} · {region} · stack {stack.name}"
    yield f"will delete {say_count(left.resource_count, 'resource')}; the URL is gone for good"
    if left.table:
        data = f"table {left.table} with the sessions (about {say_count(left.item_count, 'item')})"
        yield f"  keeps    {data}" if keeps_data else f"  deletes  {data}; with --keep-data it stays"
    if left.repository:
        yield f"  keeps    repository {left.repository} with {say_count(left.image_count, 'image')}; to delete it:"
        yield f"           aws ecr delete-repository --repository-name {left.repository} --force --region {region}"
    if left.bucket:
        yield f"  keeps    bucket {left.bucket} with the functions' code, which other stacks may use"


def delete_table(account: Account, name: str) -> None:
    """Delete a table; one that has gone meanwhile is as good."""
    with told(account.region):
        try:
            account.dynamodb.delete_table(TableName=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
