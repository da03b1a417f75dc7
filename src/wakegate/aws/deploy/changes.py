"""What a change set would do, and how that is said before anybody is asked."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERBS = {"Add": "create", "Modify": "change", "Remove": "delete", "Import": "take in", "Dynamic": "unsure"}
LOSSES = {
    # what a replacement does to those who use it
    "AWS::DynamoDB::Table": "a new, empty table; the old one and its sessions are kept, unused",
    "AWS::ECR::Repository": "a new, empty repository; the old one and its images are kept, unused",
    "AWS::ECS::Service": "its tasks are stopped; the next request wakes the new one",
    "AWS::ApiGatewayV2::Api": "the URL changes",
    "AWS::ApiGatewayV2::Stage": "the URL may change",
    "AWS::Lambda::Url": "its URL changes",
    "AWS::Logs::LogGroup": "its log is lost",
    "AWS::ECS::TaskDefinition": "",  # every new revision is one; nothing is lost
}
WIDTH_MIN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource that will not be as it was."""

    action: str
    name: str
    kind: str
    replaces: str = "False"  # or "True", or "Conditional"

    @property
    def loses(self) -> str:
        """Say what a replacement costs, or nothing where it costs nothing."""
        if self.replaces not in ("True", "Conditional"):
            return ""
        return LOSSES.get(self.kind, "made anew, the old one is deleted")


def read_changes(found: Sequence[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Read the changes of a change set as the API has them."""
    resources = (one["ResourceChange"] for one in found if one.get("Type", "Resource") == "Resource")
    return tuple(
        Change(
            action=one["Action"],
            name=one["LogicalResourceId"],
            kind=one["ResourceType"],
            replaces=one.get("Replacement", "False"),
        )
        for one in resources
    )


def say_changes(changes: Sequence[Change], *, width: int) -> Iterator[str]:
    """Say how many and which, and what is replaced and lost by it, in lines of at most `width` characters."""
    names = {verb: [one.name for one in changes if one.action == action] for action, verb in VERBS.items()}
    created, changed, deleted = (len(names[verb]) for verb in ("create", "change", "delete"))
    unsure = len(changes) - created - changed - deleted
    more = f", perhaps change {unsure}" if unsure else ""
    yield f"will create {created} resources, change {changed}, delete {deleted}{more}"
    for verb, several in names.items():
        if several:
            head = f"  {verb:<7} "
            yield from textwrap.wrap(
                ", ".join(sorted(several)),
                max(WIDTH_MIN, width),
                initial_indent=head,
                subsequent_indent=" " * len(head),
                break_long_words=False,
            )
    for change in changes:
        if change.loses:
            perhaps = "may be " if change.replaces == "Conditional" else "is "
            yield f"  ! {change.name} {perhaps}replaced: {change.loses}"
