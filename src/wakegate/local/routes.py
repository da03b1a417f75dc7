"""Which service a request is for: by host, then by the longest path prefix on a segment boundary."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from wakegate.core.spec import ServiceSpec

L = TypeVar("L")
Candidates: TypeAlias = tuple[tuple[str, L], ...]  # path prefixes and where they lead

PATTERN_LENGTH_MAX = 255  # no host of a configuration is longer
CACHED_HOSTS_MAX = 1024  # `Host` is the client's to choose: the cache is dropped when it gets larger


class Routes(Generic[L]):
    """An immutable table; a reload makes a new one."""

    def __init__(self, services: Iterable[tuple[ServiceSpec, L]]) -> None:
        self._by_pattern = _by_pattern(services)
        self._by_host: dict[str, Candidates[L]] = {}

    def find(self, host: str, path: str) -> L | None:
        """Return the lane of `Host` (with or without a port) and a path (without its query), or None."""
        candidates = self._by_host.get(host)
        if candidates is None:
            candidates = self._remember(host)
        for prefix, lane in candidates:
            if not prefix or path == prefix or (path.startswith(prefix) and path[len(prefix)] == "/"):
                return lane
        return None

    def _remember(self, host: str) -> Candidates[L]:
        candidates = tuple(one for pattern in _patterns(bare(host)) for one in self._by_pattern.get(pattern, ()))
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


def _by_pattern(services: Iterable[tuple[ServiceSpec, L]]) -> dict[str, Candidates[L]]:
    """Return what each host of a configuration leads to, the longest path first; "" is any host.

    Whoever sends a host that nobody sent before must not make the gateway look at each of 10,000 services.
    """
    found: dict[str, list[tuple[str, L]]] = {}
    for spec, lane in services:
        for pattern in (spec.hosts or ("",)) if spec.is_routed else ():
            found.setdefault(pattern, []).append((spec.path.rstrip("/"), lane))
    return {pattern: tuple(sorted(some, key=lambda one: -len(one[0]))) for pattern, some in found.items()}


def _patterns(name: str) -> Iterator[str]:
    """Give the hosts of a configuration that a name fits: itself, then wildcards (the longest first), then any."""
    yield name
    at = name.find(".", max(0, len(name) - PATTERN_LENGTH_MAX))  # what a client sends may be all dots
    while at >= 0:
        yield f"*{name[at:]}"
        at = name.find(".", at + 1)
    yield ""
