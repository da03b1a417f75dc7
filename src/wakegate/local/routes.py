"""Which service a request is for: by host, then by the longest path prefix on a segment boundary."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from wakegate.core.spec import ServiceSpec

L = TypeVar("L")

CACHED_HOSTS_MAX = 1024  # `Host` is the client's to choose: the cache is dropped when it gets larger


class Routes(Generic[L]):
    """An immutable table; a reload makes a new one."""

    def __init__(self, services: Iterable[tuple[ServiceSpec, L]]) -> None:
        self._table = [(spec, lane) for spec, lane in services if spec.is_routed]
        self._by_host: dict[str, tuple[tuple[str, L], ...]] = {}

    def find(self, host: str, path: str) -> L | None:
        """Return the lane of `Host` (with or without a port) and a path (without its query), or None."""
        candidates = self._by_host.get(host)
        if candidates is None:
            candidates = self._remember(host)
        for prefix, lane in candidates:
            if not prefix or path == prefix or (path.startswith(prefix) and path[len(prefix)] == "/"):
                return lane
        return None

    def _remember(self, host: str) -> tuple[tuple[str, L], ...]:
        name = bare(host)
        ranked = [(_rank(spec, name), spec.path.rstrip("/"), lane) for spec, lane in self._table]
        fitting = sorted((entry for entry in ranked if entry[0] > 0), key=lambda entry: (-entry[0], -len(entry[1])))
        candidates = tuple((prefix, lane) for _, prefix, lane in fitting)
        if len(self._by_host) >= CACHED_HOSTS_MAX:
            self._by_host.clear()
        self._by_host[host] = candidates
        return candidates


def bare(host: str) -> str:
    """Return a host in lower case, without its port and without a final dot: "Shop.local.:80" -> "shop.local"."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


def _rank(spec: ServiceSpec, name: str) -> int:
    """Return how well a service fits a host: exact before wildcard (the longest first) before any; 0: not at all."""
    if not spec.hosts:
        return 1
    if name in spec.hosts:
        return 1_000
    fitting = [len(host) for host in spec.hosts if host.startswith("*.") and name.endswith(host[1:])]
    return 1 + max(fitting) if fitting else 0
