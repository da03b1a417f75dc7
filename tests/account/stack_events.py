"""What a stack tells while it is made: an event for each resource that begins and ends."""

from typing import Any

from moto.cloudformation.models import Event


def id_of(resource: Any) -> str:
    """Return what Ref gives."""
    return str(getattr(resource, "physical_resource_id", ""))


def note(
    stack: Any, name: str | None, status: str, reason: str | None = None, *, kind: str = "", physical: str = ""
) -> None:
    """Add an event about a resource of a stack, or about the stack itself."""
    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=name or stack.name,
        physical_resource_id=physical if name else stack.stack_id,
        resource_type=kind if name else "AWS::CloudFormation::Stack",
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )
    stack.events.append(event)
