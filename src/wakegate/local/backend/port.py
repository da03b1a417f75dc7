"""Free ports for replicas: one that nobody has, and that nobody gets between its choice and the app's own bind.

The kernel's choice (port 0) comes from the range that every outgoing connection takes its ports from, and two gateways
that ask at once may be given the same; the app that binds last dies of it, or is taken for the other. So ports below
that range are used, each reserved among the gateways of this machine while its replica lives.
"""

import errno
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from wakegate.core.errors import WorkloadError

LOWEST = 20_000  # below are ports that people remember
HIGHEST = 32_767  # where Linux begins to give ports to outgoing connections, unless it is told otherwise
RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
TRIES = 1_000

_reserved: dict[int, socket.socket | None] = {}  # by port: what others see of it


def take_port(host: str, *, draw: Callable[[int, int], int] = random.randint) -> int:
    """Reserve a port that nobody listens on; raise `WorkloadError` where there is none.

    It is drawn, not counted up: gateways that begin at the same number would meet at each.
    """
    highest = _highest()
    for _ in range(TRIES):
        port = draw(LOWEST, highest)
        if port not in _reserved and _is_free(host, port) and reserve(port):
            return port
    raise WorkloadError(f"no free port was found between {LOWEST} and {highest} for a replica")


def reserve(port: int) -> bool:
    """Keep a port from other gateways of this machine; say whether it was free to be kept."""
    if sys.platform != "linux":
        _reserved[port] = None
        return True
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0wakegate-port-{port}")  # an abstract name: it goes with the process, however that ends
    except OSError as error:
        mark.close()
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    _reserved[port] = mark
    return True


def release(port: int) -> None:
    """Let go of a port; harmless for one that was not reserved."""
    mark = _reserved.pop(port, None)
    if mark is not None:
        mark.close()


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            sock.bind((host, port))
        except OSError:
            return False
        return True


def _highest() -> int:
    """Return the highest port below those of outgoing connections, where this machine leaves room there."""
    try:
        first = int(RANGE_FILE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return HIGHEST
    return first - 1 if first > LOWEST + TRIES else HIGHEST
