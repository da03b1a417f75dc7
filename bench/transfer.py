"""A body of 1 GB each way: throughput against nginx in the same run, and how much memory the gateway needs for it.

One client and one connection; app and client only move bytes. The memory is the peak that the kernel saw
(VmHWM, begun anew before each body) less the resident memory before it.
"""

import time
from statistics import median

from bench.bulk import PIECE
from bench.options import Options
from bench.peers import BenchError, Peer, bulk, proxies
from bench.proc import forget_peak, peak_bytes, rss_bytes
from bench.table import PEERS, Goal, Row, at_least

BODY_BYTES = 1_000_000_000
RATIO_MIN, RSS_MAX_MB = 0.5, 64.0
WAYS = ("down", "up")


def measure(options: Options, *, size: int = BODY_BYTES) -> list[Row]:
    """Send the body down and up through each of the three in turn."""
    speeds: dict[str, dict[str, list[float]]] = {way: {} for way in WAYS}
    grown_mb: dict[str, list[float]] = {way: [] for way in WAYS}
    with proxies(*PEERS, app=bulk()) as (peers, missing):
        for way in WAYS * options.rounds:
            for name, peer in peers.items():
                before = rss_bytes(peer.pgid)
                forget_peak(peer.pgid)
                took_s = _down_s(peer, size) if way == "down" else _up_s(peer, size)
                speeds[way].setdefault(name, []).append(size / took_s / 1e6)
                if name == "wakegate":
                    grown_mb[way].append((peak_bytes(peer.pgid) - before) / 1e6)
    return [_row(way, size, speeds[way], grown_mb[way], missing) for way in WAYS]


def _row(way: str, size: int, speeds: dict[str, list[float]], grown_mb: list[float], missing: tuple[str, ...]) -> Row:
    most_mb = max(grown_mb)
    memory = Goal(reached=f"+{most_mb:.0f} MB", wanted=f"≤ {RSS_MAX_MB:g} MB", met=most_mb <= RSS_MAX_MB)
    goals: tuple[Goal, ...] = (memory,)
    if "nginx" in speeds:
        ratio = median(speeds["wakegate"]) / median(speeds["nginx"])
        goals = (at_least(ratio, RATIO_MIN, of="nginx"), memory)
    return Row(
        claim=f"transfer: {size / 1e6:,.0f} MB {way}",
        unit="MB/s",
        samples={**speeds, "memory MB": grown_mb},
        goals=goals,
        notes=missing,
    )


def _down_s(peer: Peer, size: int) -> float:
    began_s = time.perf_counter()
    with peer.connect() as connection:
        connection.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % size)
        room, count = bytearray(len(PIECE)), 0
        head = connection.recv(4096)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise BenchError(f"{peer.name} answered {head[:200]!r}")
        while got := connection.recv_into(room):
            count += got
    if count + len(head) < size:
        raise BenchError(f"{peer.name} sent {count:,} of {size:,} bytes")
    return time.perf_counter() - began_s


def _up_s(peer: Peer, size: int) -> float:
    began_s = time.perf_counter()
    with peer.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
        )
        for _ in range(size // len(PIECE)):
            connection.sendall(PIECE)
        connection.sendall(PIECE[: size % len(PIECE)])
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(b"%d" % size):
        raise BenchError(f"{peer.name} answered {answer[:200]!r}")
    return time.perf_counter() - began_s
