"""The end of a stack: what goes and what stays is said first; data goes only where that was said."""

import pytest
from tests.account.account import Account as Emulated
from tests.aws.deploy.conftest import Paper

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.deploy import deploy
from wakegate.aws.deploy.destroy import destroy
from wakegate.aws.deploy.facts import read_stack
from wakegate.aws.deploy.failure import DeployError

APP = "public.ecr.aws/wakegate/app:1"


def make(account: Account, name: str, **given: str) -> None:
    """Deploy."""
    deploy(account, APP, stack_name=name, given=given, screen=Paper(), ask=lambda: True, pause=lambda _: None)


def end(account: Account, name: str, *, keeps_data: bool = False, says: bool = True) -> list[str]:
    """Destroy, and return what was shown."""
    paper = Paper()
    is_gone = destroy(
        account, stack_name=name, keeps_data=keeps_data, screen=paper, ask=lambda: says, pause=lambda _: None
    )
    assert is_gone is says
    return paper.lines


def test_what_goes_and_what_stays_is_said_before(account: Account) -> None:
    """Whoever says no has lost nothing."""
    make(account, "asked")
    account.ecr.create_repository(repositoryName="asked-my-scaling-app")
    account.dynamodb.put_item(TableName="asked-session-table", Item={"uuid": {"S": "session#1"}})
    assert end(account, "asked", says=False) == [
        "account 123456789012 · eu-central-1 · stack asked",
        "will delete 28 resources; the URL is gone for good",
        "  deletes  table asked-session-table with the sessions (about 1 item); with --keep-data it stays",
        "  keeps    repository asked-my-scaling-app with 0 images; to delete it:",
        "           aws ecr delete-repository --repository-name asked-my-scaling-app --force --region eu-central-1",
        "  keeps    bucket wakegate-123456789012-eu-central-1 with the functions' code, which other stacks may use",
    ]
    assert read_stack(account, "asked") is not None
    assert "asked-session-table" in account.dynamodb.list_tables()["TableNames"]


def test_everything_goes(account: Account) -> None:
    """Nothing that costs is left, and the progress is live."""
    lines = end(account, "asked")
    assert lines[-2:] == ["stack    asked is gone · 28 resources", "table    asked-session-table is gone"]
    assert sum(line.startswith("stack    deleted ") for line in lines) == 28
    assert read_stack(account, "asked") is None
    assert "asked-session-table" not in account.dynamodb.list_tables()["TableNames"]


def test_kept_data_is_there_for_the_next_deploy(account: Account) -> None:
    """A session lives through it."""
    make(account, "kept")
    account.dynamodb.put_item(TableName="kept-session-table", Item={"uuid": {"S": "session#1"}})
    lines = end(account, "kept", keeps_data=True)
    assert "  keeps    table kept-session-table with the sessions (about 1 item)" in lines
    make(account, "kept")
    item = account.dynamodb.get_item(TableName="kept-session-table", Key={"uuid": {"S": "session#1"}})
    assert "Item" in item
    stack = read_stack(account, "kept")
    assert stack is not None
    assert stack.parameters["CreateTable"] == "false"


def test_a_table_that_was_taken_over_goes_as_well(account: Account) -> None:
    """It is not the stack's own any more, but nobody else's either."""
    end(account, "kept")
    assert "kept-session-table" not in account.dynamodb.list_tables()["TableNames"]


def test_a_stack_that_does_not_exist_says_how_to_see_which_do(account: Account) -> None:
    """It is often another region."""
    with pytest.raises(DeployError, match="There is no stack no-such in eu-central-1 of account 123456789012"):
        end(account, "no-such")


def test_a_stack_of_somebody_else_is_not_touched(account: Account, emulated: Emulated) -> None:
    """A slip in --stack must not delete a database."""
    body = "Resources: {One: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /theirs}}}"
    emulated.client("cloudformation").create_stack(StackName="theirs", TemplateBody=body)
    account.cloudformation.get_waiter("stack_create_complete").wait(StackName="theirs", WaiterConfig={"Delay": 0})
    with pytest.raises(DeployError, match="Stack theirs is not of Wakegate; it is not touched"):
        end(account, "theirs")
    assert read_stack(account, "theirs") is not None
