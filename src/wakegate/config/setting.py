"""What the table of settings is made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from wakegate.config.kind import Kind
from wakegate.core.spec import GatewaySpec, ServiceSpec


@dataclass(frozen=True, kw_only=True)  # no slots: what follows from the key is asked for with each of 10,000 services
class Setting:
    """One setting: where it stands, what it may be, what it is when nobody sets it, and the field it fills."""

    key: str  # "gateway.listen"; "service.*.sleep.idle_timeout"
    kind: Kind
    default: object  # as the user would write it; None: there is none, and the spec is as if it were not there
    help_text: str  # why or when to change it, for users
    fills: tuple[str, ...]  # fields of GatewaySpec, or of ServiceSpec and below: "sleep.idle_timeout_s"
    option: str = ""  # of `wakegate up`: "--idle-timeout"
    needs_restart: bool = False

    @cached_property
    def is_of_gateway(self) -> bool:
        """Say whether it is one of the gateway, else it is one of each service."""
        return self.key.startswith("gateway.")

    @cached_property
    def group(self) -> str:
        """The table it stands in, below the service: "sleep"; empty directly in it."""
        return "" if self.is_of_gateway else self.name.rpartition(".")[0]

    @cached_property
    def name(self) -> str:
        """The key inside [gateway] or [service.NAME]: "sleep.idle_timeout"."""
        return self.key.removeprefix("gateway.").removeprefix("service.*.")

    @cached_property
    def part(self) -> str:
        """The part of the spec that it fills: "sleep"; empty where that is the gateway or the service itself."""
        return self.fills[0].rpartition(".")[0]

    def of(self, service: str) -> str:
        """Return the key of one service: "service.web.sleep.idle_timeout"; the gateway's has no other."""
        return self.key.replace("*", service, 1)

    def held(self, spec: GatewaySpec | ServiceSpec) -> object:
        """Return its value in a spec; a tuple of all where it fills more than one field."""
        values = tuple(self._values(spec))
        return values[0] if len(values) == 1 else values

    def _values(self, spec: object) -> Iterator[object]:
        for path in self.fills:
            value = spec
            for field in path.split("."):
                value = getattr(value, field, None)  # a process has no image, a container no directory
            yield value
