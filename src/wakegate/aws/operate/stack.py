"""stack: which stack is meant, and what it is made of, by its parameters and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from wakegate.aws.deploy.facts import OURS
from wakegate.aws.operate.ask import Asker, AskError
from wakegate.aws.settings import Settings, read
from wakegate.core.errors import ConfigError, WakegateError


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as CloudFormation has it; one that failed has no outputs."""

    asker: Asker
    name: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def output(self, key: str) -> str:
        """Return an output, or say what state the stack is in instead of having it."""
        if not self.is_ours:
            raise WakegateError(f"stack {self.name} is not of Wakegate")
        if key not in self.outputs:
            why = f": {self.reason}" if self.reason else ""
            raise WakegateError(
                f"stack {self.name} is {self.status}{why}; it has no {key}. See: wakegate doctor {self.name}"
            )
        return self.outputs[key]

    @property
    def is_ours(self) -> bool:
        """Say whether it is made from our template, whatever has become of it; an empty one is nobody's yet."""
        return self.parameters.keys() >= OURS

    @property
    def url(self) -> str:
        """Return where the app answers."""
        return self.output("Url")

    @property
    def service(self) -> str:
        """Return the name of the ECS service, which is the service's name everywhere."""
        return self.output("Service")

    @property
    def cluster(self) -> str:
        """Return the name of the ECS cluster."""
        return self.output("Cluster")

    @property
    def table(self) -> str:
        """Return the name of the DynamoDB table."""
        return self.output("Table")

    @property
    def idle_timeout_s(self) -> float:
        """Return after how long without a request it sleeps."""
        return float(self.parameters.get("IdleTimeout", "300"))

    @property
    def replicas_min(self) -> int:
        """Return how many tasks there are at least; 0 where it may sleep."""
        return int(self.parameters.get("ReplicasMin", "0"))

    @property
    def replicas_max(self) -> int:
        """Return how many tasks there may be."""
        return int(self.parameters.get("ReplicasMax", "3"))

    @property
    def log_groups(self) -> dict[str, str]:
        """Return where the app and the functions write, by the names that `wakegate logs` knows."""
        return {
            "app": self.output("TaskLogGroup"),
            "startup": self.output("StartupLogGroup"),
            "cleanup": self.output("CleanupLogGroup"),
        }

    @cached_property
    def settings(self) -> Settings:
        """Return the settings that the functions are told, so that an operator decides as they do."""
        function = self.output("CleanupFunction")
        found = self.asker.ask("lambda", "get_function_configuration", FunctionName=function)
        try:
            return read(variables(found))
        except ConfigError as error:
            raise WakegateError(f"{function} is set wrongly: {'; '.join(error.problems)}") from error

    def describe_service(self) -> dict[str, Any]:
        """Return the ECS service as ECS shows it; raise where it has none."""
        answer = self.asker.ask("ecs", "describe_services", cluster=self.cluster, services=[self.service])
        live = [one for one in answer.get("services", []) if one.get("status") != "INACTIVE"]
        if not live:
            raise AskError(f"there is no service {self.service} in the cluster {self.cluster}", code="NotFound")
        found: dict[str, Any] = live[0]
        return found


def variables(configuration: dict[str, Any]) -> dict[str, str]:
    """Return a function's environment variables."""
    found = configuration.get("Environment", {}).get("Variables", {})
    return {name: str(value) for name, value in found.items()}


def open_stack(name: str | None = None, *, profile: str | None = None, region: str | None = None) -> Stack:
    """Return the stack of this name; the only one of an account need not be named."""
    return find_stack(Asker(profile=profile, region=region), name)


def find_stack(asker: Asker, name: str | None) -> Stack:
    """Return the stack; raise with the names that there are."""
    if name:
        try:
            found = asker.ask("cloudformation", "describe_stacks", StackName=name)["Stacks"]
        except AskError as error:
            if not error.is_missing:
                raise
            raise AskError(_missing(asker, name), code=error.code) from error
        return _stack(asker, found[0])
    ours = _ours(asker)
    if len(ours) == 1:
        return ours[0]
    if not ours:
        raise WakegateError(f'there is no stack of Wakegate in {asker.region}; "wakegate deploy" makes one')
    raise WakegateError(f"say which stack: {', '.join(sorted(stack.name for stack in ours))}")


def _missing(asker: Asker, name: str) -> str:
    try:
        names = [stack.name for stack in _ours(asker)]
    except AskError:
        names = []
    close = get_close_matches(name, names, n=1)
    if close:
        hint = f'did you mean "{close[0]}"?'
    elif names:
        hint = f"there is {', '.join(sorted(names))}"
    else:
        hint = "is it another region? Set AWS_REGION, or add --region"
    return f'there is no stack "{name}" in {asker.region}; {hint}'


def _ours(asker: Asker) -> list[Stack]:
    stacks = [_stack(asker, one) for one in asker.every("cloudformation", "describe_stacks", "Stacks")]
    return [stack for stack in stacks if stack.is_ours]


def _stack(asker: Asker, found: dict[str, Any]) -> Stack:
    return Stack(
        asker=asker,
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])},
        outputs={one["OutputKey"]: one.get("OutputValue", "") for one in found.get("Outputs", [])},
    )
