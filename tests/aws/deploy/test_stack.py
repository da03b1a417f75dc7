"""A stack's changes: made ready, run or thrown away; each failure said once, with its cause."""

from collections.abc import Iterator

import pytest
from tests.aws.deploy.conftest import Paper

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.facts import Stack, read_stack
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.image import Image
from wakegate.aws.deploy.plan import Plan
from wakegate.aws.deploy.stack import ChangeSet, delete, discard, execute, prepare

ONE = "Resources: {One: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /one}}}"
TWO = (
    "Resources: {One: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /one}}, "
    "Two: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /two}}}"
)
OTHERS = ONE.replace("/one", "/three")
STUCK = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: stuck
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: uuid, AttributeType: S}]
      KeySchema: [{AttributeName: uuid, KeyType: HASH}]
"""


def plan(name: str, *, is_new: bool) -> Plan:
    """Return a plan of which only the names matter here."""
    return Plan(
        stack=name, is_new=is_new, parameters={}, image=Image(), image_uri="", pushes=False, pushes_first=False,
        bucket="", makes_bucket=False, key="",
    )  # fmt: skip


def ready(account: Account, template: str, *, name: str, is_new: bool = True) -> ChangeSet:
    """Make changes ready."""
    return prepare(account, plan(name, is_new=is_new), template, pause=lambda _: None)


@pytest.fixture
def made(account: Account) -> Iterator[Stack]:
    """Make a stack, and take it away again if the test has not."""
    stack = execute(account, ready(account, ONE, name="made"), screen=Paper(), pause=lambda _: None)
    yield stack
    if read_stack(account, "made"):
        delete(account, stack, total=1, screen=Paper(), pause=lambda _: None)


def test_changes_are_known_before_they_are_made(account: Account, made: Stack) -> None:
    """They are what is agreed to."""
    found = ready(account, TWO, name="made", is_new=False)
    assert [(one.action, one.name) for one in found.changes] == [("Add", "Two")]
    assert account.cloudformation.describe_stacks(StackName="made")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    discard(account, found)
    left = account.cloudformation.list_change_sets(StackName="made")["Summaries"]
    assert found.arn not in [one.get("ChangeSetId") for one in left]


def test_no_change_is_no_failure(account: Account, made: Stack) -> None:
    """CloudFormation calls a change set without changes failed."""
    found = ready(account, ONE, name="made", is_new=False)
    assert found.changes == ()
    discard(account, found)


def test_running_them_shows_each_step(account: Account, made: Stack) -> None:
    """Events of before are not told again."""
    paper = Paper()
    stack = execute(account, ready(account, TWO, name="made", is_new=False), screen=paper, pause=lambda _: None)
    assert stack.status == "UPDATE_COMPLETE"
    assert paper.lines == ["stack    created Two (1 of 1)", "stack    made is up to date · 1 resource"]


def test_on_a_terminal_they_are_a_bar(account: Account) -> None:
    """It says what it is at, and is gone at the end."""
    paper = Paper(is_terminal=True)
    stack = execute(account, ready(account, OTHERS, name="on-terminal"), screen=paper, pause=lambda _: None)
    assert paper.out.getvalue().endswith("\r\x1b[Kstack    on-terminal is there · 1 resource\n")
    assert "████████████████████ 1 of 1" in paper.out.getvalue()
    delete(account, stack, total=1, screen=paper, pause=lambda _: None)


class Impatient(Paper):
    """A screen before which somebody presses Ctrl-C as soon as something moves."""

    def bar(self, label: str, done: int, total: int, *, text: str) -> None:
        """Interrupt."""
        raise KeyboardInterrupt


def test_ctrl_c_says_that_it_goes_on(account: Account) -> None:
    """CloudFormation does not stop because nobody looks any more."""
    paper = Impatient()
    found = ready(account, ONE.replace("/one", "/interrupted"), name="interrupted")
    with pytest.raises(KeyboardInterrupt):
        execute(account, found, screen=paper, pause=lambda _: None)
    assert "goes on by itself" in paper.lines[-1]
    assert paper.lines[-1].endswith("--stack-name interrupted --region eu-central-1")


def test_a_deletion_ends_with_the_stack(account: Account, made: Stack) -> None:
    """Its name is free again."""
    paper = Paper()
    delete(account, made, total=1, screen=paper, pause=lambda _: None)
    assert paper.lines == ["stack    deleted One (1 of 1)", "stack    made is gone · 1 resource"]
    assert read_stack(account, "made") is None


def test_a_deletion_that_fails_names_what_would_not_go(account: Account) -> None:
    """Somebody has deleted a resource by hand, or made it impossible to delete."""
    stuck = execute(account, ready(account, STUCK, name="stuck"), screen=Paper(), pause=lambda _: None)
    account.dynamodb.delete_table(TableName="stuck")
    with pytest.raises(DeployError, match="Stack stuck could not be deleted: Table: "):
        delete(account, stuck, total=1, screen=Paper(), pause=lambda _: None)
