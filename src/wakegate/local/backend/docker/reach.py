"""Where the gateway reaches a container: at its own address where this machine has the network, else published.

Docker's own forwarder in front of a published port accepts connections long before the app listens, and copies every
byte once more: the container's own address is faster, and a connection there says the truth.
"""

import asyncio
import socket
from ipaddress import ip_address, ip_interface
from pathlib import Path

import psutil

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import EVERY_ADDRESS
from wakegate.local.backend.docker.facts import Facts
from wakegate.local.probe import tcp_answers

HOST = "127.0.0.1"
LINGER_S = 0.02  # a forwarder that finds nobody behind it hangs up at once, within a millisecond

Address = tuple[str, int]


def reach(facts: Facts, *, port: int, network: str = "") -> Address:
    """Return the address at which a port of a running container is reached; raise `WorkloadError` where there is none.

    A network that the user named is taken at its word; else the published port counts where nothing better is sure.
    """
    if facts.network_mode == "host":
        return HOST, port
    if network:
        address = facts.address_in(network)
        if not address:
            raise WorkloadError(f'container "{facts.name}" has no address in the network "{network}"')
        return address, port
    return _own_address(facts, port) or _published(facts, port) or _any_address(facts, port)


async def tcp_answers_through(host: str, port: int, *, timeout_s: float) -> bool:
    """Say whether an app is behind a published port: whoever forwards to nobody accepts, and hangs up at once."""
    if not await tcp_answers(host, port, timeout_s=timeout_s):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(sock, (host, port))
                try:
                    async with asyncio.timeout(LINGER_S):
                        return await loop.sock_recv(sock, 1) != b""
                except TimeoutError:
                    return True  # it waits for us to speak, as HTTP does
        except (OSError, TimeoutError):
            return False


def is_local(facts: Facts) -> bool:
    """Say whether its first process runs on this machine, in a namespace where we see it: its id counts here, too."""
    try:
        groups = Path(f"/proc/{facts.pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False
    return facts.pid > 0 and facts.id in groups


def _own_address(facts: Facts, port: int) -> Address | None:
    """Return its own address, only where nothing else can have it: a remote daemon's networks have the same numbers."""
    if not is_local(facts) or not _shares_network(facts.pid):
        return None
    return next(((address, port) for _, address in facts.networks if address and _is_on_link(address)), None)


def _shares_network(pid: int) -> bool:
    """Say whether the daemon's networks are this machine's: a rootless one has them in a namespace of its own."""
    try:
        # The container's user namespace is the rootless daemon's; without one of its own, it is ours.
        return Path(f"/proc/{pid}/uid_map").read_text(encoding="ascii").split() == _own_uid_map()
    except OSError:
        return False


def _own_uid_map() -> list[str]:
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split()


def _is_on_link(address: str) -> bool:
    ours = (one for addresses in psutil.net_if_addrs().values() for one in addresses)
    networks = (
        ip_interface(f"{one.address}/{one.netmask}").network
        for one in ours
        if one.family == socket.AF_INET and one.netmask
    )
    return any(ip_address(address) in network for network in networks)


def _published(facts: Facts, port: int) -> Address | None:
    for inside, host, outside in facts.published:
        if inside == port:
            return (HOST if host in ("", EVERY_ADDRESS, "::") else host), outside
    return None


def _any_address(facts: Facts, port: int) -> Address:
    for _, address in facts.networks:
        if address:
            return address, port
    raise WorkloadError(f'container "{facts.name}" publishes no port {port} and is in no network: it cannot be reached')
