"""Which requests neither wake a service nor keep it awake: monitors, bots, listed paths and methods."""

from wakegate.core.agent import BOTS, MONITORS
from wakegate.core.spec import IgnoreSpec

NAMED = {"monitors": MONITORS, "bots": BOTS}


class IgnoreRule:
    """An `IgnoreSpec` made ready for the request path; falsy where it ignores nothing."""

    __slots__ = ("_agents", "_methods", "_paths", "_prefixes")

    def __init__(self, spec: IgnoreSpec) -> None:
        marks = [mark for agent in spec.agents for mark in NAMED.get(agent.lower(), (agent,))]
        assert all(marks), "an empty mark is part of every agent: nothing could wake the service"
        self._agents = tuple(mark.lower() for mark in marks)
        self._methods = spec.methods
        self._paths = tuple(path for path in spec.paths if not path.endswith("*"))
        self._prefixes = tuple(path[:-1] for path in spec.paths if path.endswith("*"))

    def __bool__(self) -> bool:
        """Say whether there is anything to ignore."""
        return bool(self._agents or self._methods or self._paths or self._prefixes)

    def matches(self, *, method: str, path: str, agent: str) -> bool:
        """Say whether this request (path without query) is one to ignore."""
        if method in self._methods or path in self._paths or path.startswith(self._prefixes):
            return True
        lower = agent.lower()
        return any(mark in lower for mark in self._agents)
