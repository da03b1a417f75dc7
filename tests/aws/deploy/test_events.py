"""What a stack's events say: how far it is, what it is at, and what went wrong first."""

from typing import TYPE_CHECKING, cast

from wakegate.aws.deploy.events import Events

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef


def event(name: str, status: str, reason: str = "", kind: str = "AWS::Logs::LogGroup") -> "StackEventTypeDef":
    """Return an event as the API has it."""
    found = {"EventId": f"{name}-{status}", "LogicalResourceId": name, "ResourceStatus": status, "ResourceType": kind}
    return cast("StackEventTypeDef", found | ({"ResourceStatusReason": reason} if reason else {}))


def of_stack(status: str) -> "StackEventTypeDef":
    """Return an event of the stack itself."""
    return event("shop", status, kind="AWS::CloudFormation::Stack")


def events(total: int = 3) -> Events:
    """Return the events of a stack that begins."""
    return Events(total=total, seen=set())


def test_it_says_how_far_it_is_and_what_it_is_at() -> None:
    """Minutes without a word look like a hang."""
    found = events()
    told = [
        *found.feed([of_stack("CREATE_IN_PROGRESS"), event("Table", "CREATE_IN_PROGRESS")]),
        *found.feed([event("Api", "CREATE_IN_PROGRESS"), event("Table", "CREATE_COMPLETE")]),
    ]
    assert told == ["created Table (1 of 3)"]
    assert found.said == "1 of 3 · creating Api"


def test_a_resource_counts_once() -> None:
    """A replaced resource is changed, and its old self deleted afterwards."""
    found = events(total=1)
    list(found.feed([event("Task", "UPDATE_COMPLETE"), event("Task", "DELETE_COMPLETE")]))
    assert (found.done_count, found.total_said) == (1, "1 resource")


def test_what_is_kept_is_done_too() -> None:
    """Repository and table are skipped by a deletion."""
    assert list(events().feed([event("Table", "DELETE_SKIPPED")])) == ["kept Table (1 of 3)"]


def test_the_first_failure_is_the_cause() -> None:
    """All others are cancelled because of it, and come after it."""
    found = events()
    told = list(
        found.feed(
            [
                event("Api", "CREATE_FAILED", "Resource creation cancelled"),
                event("Role", "CREATE_FAILED", "shop-ECSTaskRole already exists."),
                event("Table", "CREATE_FAILED", "Something later"),
            ]
        )
    )
    assert found.first_failure == "Role: shop-ECSTaskRole already exists"
    assert told[1] == "Role failed: shop-ECSTaskRole already exists"


def test_the_way_back_is_no_progress() -> None:
    """A bar that fills up while everything is taken back would say the opposite."""
    found = events()
    list(found.feed([event("Role", "CREATE_FAILED", "denied"), of_stack("ROLLBACK_IN_PROGRESS")]))
    assert list(found.feed([event("Table", "DELETE_COMPLETE")])) == ["deleted Table"]
    assert found.said == "going back after a failure · Role: denied"


def test_it_has_begun_when_the_stack_itself_says_so() -> None:
    """Before that, "UPDATE_COMPLETE" is the end of the update before."""
    found = events()
    list(found.feed([of_stack("REVIEW_IN_PROGRESS"), event("Table", "CREATE_IN_PROGRESS")]))
    assert not found.has_begun
    list(found.feed([of_stack("CREATE_IN_PROGRESS")]))
    assert found.has_begun


def test_a_failure_without_a_reason_is_said_to_have_none() -> None:
    """An empty sentence would look like a bug of ours."""
    found = events()
    list(found.feed([event("Role", "CREATE_FAILED")]))
    assert found.first_failure == "Role: AWS does not say why"
