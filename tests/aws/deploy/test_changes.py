"""What a change set would do is said before anybody is asked: how many, which, and what is lost."""

import pytest

from wakegate.aws.deploy.changes import Change, read_changes, say_changes


def change(name: str, action: str = "Add", kind: str = "AWS::Logs::LogGroup", replaces: str = "False") -> Change:
    """Return a change."""
    return Change(action=action, name=name, kind=kind, replaces=replaces)


def test_it_says_how_many_and_which() -> None:
    """A "delete" must be seen before it is agreed to."""
    changes = [change("Table"), change("Api"), change("Service", "Modify"), change("Domain", "Remove")]
    assert list(say_changes(changes, width=100)) == [
        "will create 2 resources, change 1, delete 1",
        "  create  Api, Table",
        "  change  Service",
        "  delete  Domain",
    ]


@pytest.mark.parametrize(
    ("kind", "replaces", "said"),
    [
        (
            "AWS::DynamoDB::Table",
            "True",
            "  ! X is replaced: a new, empty table; the old one and its sessions are kept",
        ),
        ("AWS::ApiGatewayV2::Api", "True", "  ! X is replaced: the URL changes"),
        ("AWS::ECS::Service", "Conditional", "  ! X may be replaced: its tasks are stopped"),
        ("AWS::EC2::SecurityGroup", "True", "  ! X is replaced: made anew, the old one is deleted"),
    ],
)
def test_a_replacement_says_what_it_costs(kind: str, replaces: str, said: str) -> None:
    """CloudFormation calls the loss of all sessions "Modify"."""
    last = list(say_changes([change("X", "Modify", kind, replaces)], width=100))[-1]
    assert last.startswith(said)


def test_a_new_revision_of_the_task_is_no_loss() -> None:
    """Every deploy makes one: a warning each time is none."""
    lines = list(say_changes([change("Task", "Modify", "AWS::ECS::TaskDefinition", "True")], width=100))
    assert lines == ["will create 0 resources, change 1, delete 0", "  change  Task"]


def test_what_cannot_be_told_yet_is_counted_apart() -> None:
    """CloudFormation says "Dynamic" where it does not know before it runs."""
    assert list(say_changes([change("Stage", "Dynamic")], width=100)) == [
        "will create 0 resources, change 0, delete 0, perhaps change 1",
        "  unsure  Stage",
    ]


def test_many_names_are_wrapped() -> None:
    """A first deploy has thirty; a terminal that wraps them itself tears them apart."""
    lines = list(say_changes([change(f"Resource{number:02}") for number in range(30)], width=60))
    assert max(map(len, lines)) <= 60
    assert lines[2].startswith(" " * 10 + "Resource")


def test_changes_are_read_as_the_api_has_them() -> None:
    """An entry of another type than a resource is none."""
    resource = {"Action": "Modify", "LogicalResourceId": "Api", "ResourceType": "T", "Replacement": "True"}
    found = read_changes([{"Type": "Resource", "ResourceChange": resource}, {"Type": "Hook"}])
    assert found == (change("Api", "Modify", "T", "True"),)
