"""What a stack's events say: how far it is, what it is at, and what went wrong first."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

DOING = {"CREATE": "creating", "UPDATE": "changing", "DELETE": "deleting"}
DONE = {"CREATE": "created", "UPDATE": "changed", "DELETE": "deleted"}
# Not causes: what is given up or undone because something else has failed.
CONSEQUENCES = ("cancelled", "The following resource(s) failed", "Rollback requested")


class Events:
    """Counts the resources that are done; `seen` are the events of before, which are not told again."""

    def __init__(self, *, total: int, seen: set[str]) -> None:
        self.total = total
        self.seen = seen
        self.first_failure = ""
        self._done: set[str] = set()
        self._doing: dict[str, str] = {}
        self._is_going_back = False
        self.has_begun = False

    def feed(self, events: "Sequence[StackEventTypeDef]") -> Iterator[str]:
        """Take events, oldest first, and tell each that ends something."""
        for event in events:
            self.seen.add(event["EventId"])
            name, status = event["LogicalResourceId"], event["ResourceStatus"]
            reason = event.get("ResourceStatusReason", "").strip().rstrip(".")
            if event["ResourceType"] == "AWS::CloudFormation::Stack":
                self._is_going_back = self._is_going_back or "ROLLBACK" in status
                self.has_begun = self.has_begun or not status.startswith("REVIEW")
                continue
            verb, _, state = status.partition("_")
            if verb not in DOING:
                continue
            if state.endswith("FAILED"):
                self._fail(name, reason)
                yield f"{name} failed: {reason or 'AWS does not say why'}"
            elif state == "IN_PROGRESS":
                self._doing[name] = DOING[verb]
            elif state in ("COMPLETE", "SKIPPED"):
                self._doing.pop(name, None)
                self._done.add(name)
                kept = "kept" if state == "SKIPPED" else DONE[verb]
                yield f"{kept} {name}" if self._is_going_back else f"{kept} {name} ({self.done_count} of {self.total})"

    def _fail(self, name: str, reason: str) -> None:
        self._doing.pop(name, None)
        if not self.first_failure and not any(words in reason for words in CONSEQUENCES):
            self.first_failure = f"{name}: {reason or 'AWS does not say why'}"

    @property
    def done_count(self) -> int:
        """Return how many resources are done, never more than there are."""
        return min(len(self._done), self.total)

    @property
    def said(self) -> str:
        """Say how far it is and what it is at."""
        at = next(reversed(self._doing.items()), None)
        far = f"{self.done_count} of {self.total}"
        if self._is_going_back:
            return f"going back after a failure · {self.first_failure}"
        return f"{far} · {at[1]} {at[0]}" if at else far

    @property
    def total_said(self) -> str:
        """Say how many resources it was about."""
        return f"{self.total} resource{'' if self.total == 1 else 's'}"
