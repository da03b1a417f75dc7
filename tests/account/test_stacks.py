"""CloudFormation: change sets, events, updates, and the way back."""

from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.account.account import Account
from tests.account.sample import made

GROUPS = """
Parameters: {Days: {Type: Number, Default: 1}}
Resources:
  B: {Type: AWS::Logs::LogGroup, DependsOn: A, Properties: {LogGroupName: b, RetentionInDays: !Ref Days}}
  A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: a}, DeletionPolicy: Retain}
"""


def events(account: Account) -> list[tuple[str, str]]:
    """Return what happened to each resource, oldest first."""
    (found,) = account.moto.stacks.stacks.values()
    return [(event.logical_resource_id, event.resource_status) for event in found.events]


def groups(account: Account) -> list[str]:
    """Return the names of the log groups."""
    return [one["logGroupName"] for one in account.client("logs").describe_log_groups()["logGroups"]]


def test_resources_are_made_in_order_and_each_tells(account: Account) -> None:
    """The events are the progress that `deploy` shows."""
    assert made.deploy(account, GROUPS)["StackStatus"] == "CREATE_COMPLETE"
    assert events(account) == [
        ("tiny", "REVIEW_IN_PROGRESS"),
        ("tiny", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_COMPLETE"),
        ("B", "CREATE_IN_PROGRESS"),
        ("B", "CREATE_COMPLETE"),
        ("tiny", "CREATE_COMPLETE"),
    ]


TABLE = """
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: t
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: uuid, AttributeType: S}]
      KeySchema: [{AttributeName: uuid, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
"""


def test_a_table_has_the_time_to_live_and_the_backups_of_its_template(account: Account) -> None:
    """Else the doctor would find fault with what the template sets."""
    assert made.deploy(account, TABLE)["StackStatus"] == "CREATE_COMPLETE"
    tables = account.client("dynamodb")
    ttl = tables.describe_time_to_live(TableName="t")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = tables.describe_continuous_backups(TableName="t")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    account.client("cloudformation").delete_stack(StackName="tiny")
    made.until(lambda: tables.list_tables()["TableNames"] == [])


@pytest.mark.parametrize(
    "broken", ["C: {Type: AWS::Nothing::Here}", "C: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: b}}"]
)
def test_a_creation_that_fails_is_rolled_back(account: Account, broken: str) -> None:
    """A stack that failed must leave nothing that the next attempt trips over."""
    stack = made.deploy(account, f"{GROUPS}  {broken.replace('C: {', 'C: {DependsOn: B, ')}\n")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("C", "CREATE_FAILED") in events(account)
    assert groups(account) == ["a"]  # it is retained


def test_a_creation_that_fails_can_delete_its_stack(account: Account) -> None:
    """`deploy` asks for it: the next try finds the name free, and nothing kept that stands in its way."""
    template = GROUPS.replace("DeletionPolicy: Retain", "DeletionPolicy: RetainExceptOnCreate")
    stacks = account.client("cloudformation")
    made_set = stacks.create_change_set(
        StackName="tiny",
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody=f"{template}  C: {{DependsOn: B, Type: AWS::Nothing::Here}}\n",
        OnStackFailure="DELETE",
    )
    stacks.execute_change_set(StackName="tiny", ChangeSetName="one")
    made.until(lambda: status(stacks, made_set["StackId"]) == "DELETE_COMPLETE")
    assert groups(account) == []


def test_an_update_changes_what_differs_and_keeps_the_url(account: Account) -> None:
    """A deployment of new code is an update: its URL is in somebody's bookmarks."""
    values = made.network(account)
    before = made.deploy(account, **values)
    after = made.deploy(account, kind="UPDATE", Memory="512", **values)
    assert after["StackStatus"] == "UPDATE_COMPLETE"
    assert after["Outputs"] == before["Outputs"]
    assert account.moto.functions.get_function("tiny-front").memory_size == 512
    assert httpx.get(account.api_url() + "/echo", timeout=30).status_code == 200
    changed = [name for name, status in events(account) if status == "UPDATE_COMPLETE"]
    assert changed == ["Function", "tiny"]


def test_a_new_task_definition_reaches_the_service_that_refers_to_it(account: Account) -> None:
    """The service's own part of the template has not changed."""
    values = made.network(account)
    made.deploy(account, **values)
    made.deploy(account, made.TEMPLATE.replace('Memory: "512"', 'Memory: "1024"'), kind="UPDATE", **values)
    service = account.moto.ecs.services["tiny-cluster:tiny-service"]
    assert service.task_definition.endswith("tiny-task:2")
    assert service.desired_count == 0


def test_a_change_set_lists_what_only_a_parameter_changes(account: Account) -> None:
    """What is shown before it is run must be true."""
    made.deploy(account, GROUPS)
    assert changes(account, Days="3") == [("Modify", "B")]


def test_a_change_set_without_a_change_fails_as_on_aws(account: Account) -> None:
    """`deploy` twice must say that there was nothing to do."""
    made.deploy(account, GROUPS)
    stacks = account.client("cloudformation")
    stacks.create_change_set(StackName="tiny", ChangeSetName="none", ChangeSetType="UPDATE", TemplateBody=GROUPS)
    told = stacks.describe_change_set(StackName="tiny", ChangeSetName="none")
    assert (told["Status"], "didn't contain changes" in told["StatusReason"]) == ("FAILED", True)


def test_a_deletion_keeps_what_is_retained_and_the_stack_is_gone(account: Account) -> None:
    """`destroy` says what stays."""
    stack = made.deploy(account, GROUPS)
    stacks = account.client("cloudformation")
    stacks.delete_stack(StackName="tiny")
    made.until(lambda: status(stacks, stack["StackId"]) == "DELETE_COMPLETE")
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe_stacks(StackName="tiny")
    assert groups(account) == ["a"]


def test_the_whole_sample_can_be_made_and_deleted_again(account: Account) -> None:
    """Every type is removed by its own way."""
    stack = made.deploy(account, **made.network(account))
    stacks = account.client("cloudformation")
    stacks.delete_stack(StackName="tiny")
    made.until(lambda: not status(stacks, stack["StackId"]).endswith("PROGRESS"))
    assert status(stacks, stack["StackId"]) == "DELETE_COMPLETE"
    assert account.moto.apis.apis == {}
    assert list(account.moto.functions.list_functions()) == []


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (made.TEMPLATE, "InsufficientCapabilitiesException"),
        (GROUPS + "#" * 51_200, "ValidationError"),
    ],
)
def test_what_cloudformation_refuses_at_once_is_refused(account: Account, template: str, code: str) -> None:
    """These two stop most first deployments."""
    with pytest.raises(ClientError) as caught:
        account.client("cloudformation").create_stack(StackName="tiny", TemplateBody=template)
    assert caught.value.response["Error"]["Code"] == code


def test_a_stack_made_in_one_call_goes_the_same_way(account: Account) -> None:
    """For users of `create-stack` and `update-stack`."""
    stacks = account.client("cloudformation")
    stacks.create_stack(StackName="tiny", TemplateBody=GROUPS)
    made.until(lambda: status(stacks, "tiny") == "CREATE_COMPLETE")
    parameters = made.parameters({"Days": "3"})
    stacks.update_stack(StackName="tiny", TemplateBody=GROUPS, Parameters=parameters)
    made.until(lambda: status(stacks, "tiny") == "UPDATE_COMPLETE")
    (kept,) = account.client("logs").describe_log_groups(logGroupNamePrefix="b")["logGroups"]
    assert kept["retentionInDays"] == 3


def changes(account: Account, **values: str) -> list[tuple[str, str]]:
    """Return what a change set with these parameters would do."""
    stacks = account.client("cloudformation")
    stacks.create_change_set(
        StackName="tiny",
        ChangeSetName="look",
        ChangeSetType="UPDATE",
        TemplateBody=GROUPS,
        Parameters=made.parameters(values),
    )
    found = stacks.describe_change_set(StackName="tiny", ChangeSetName="look")["Changes"]
    return [(one["ResourceChange"]["Action"], one["ResourceChange"]["LogicalResourceId"]) for one in found]


def status(stacks: Any, name: str) -> str:
    """Return the status of a stack."""
    found: str = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return found
