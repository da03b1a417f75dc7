"""WebSocket messages: the processor time that a proxy spends on one message and its echo.

64 connections, each with one message of 64 bytes under way at a time. A proxy of WebSockets only carries bytes once
the upgrade is done, so the app answers a fixed message, and neither side does more than the counting.
There is no goal: the row says how the three compare.
"""

import select
import socket
import time

from bench.browser import FETCH, request
from bench.bulk import ASKED, SAID
from bench.options import Options
from bench.peers import PATIENCE_S, BenchError, Peer, bulk, proxies
from bench.proc import cpu_s
from bench.table import PEERS, Row

CONNECTIONS = 64
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASKS = b"\x82\xc0" + b"mask" + b"q" * 64
assert len(ASKS) == ASKED


def measure(options: Options) -> list[Row]:
    """Talk through the three in turn, round by round."""
    spent_us: dict[str, list[float]] = {}
    per_s: dict[str, list[float]] = {}
    with proxies(*PEERS, app=bulk()) as (peers, missing):
        for _ in range(options.rounds):
            for name, peer in peers.items():
                before_s = cpu_s(peer.pgid)
                count = _talk(peer, seconds=options.seconds)
                spent_us.setdefault(name, []).append((cpu_s(peer.pgid) - before_s) / count * 1e6)
                per_s.setdefault(f"messages/s {name}", []).append(count / options.seconds)
    claim = "websocket: a message and its echo"
    return [Row(claim=claim, unit="µs", samples={**spent_us, **per_s}, notes=missing)]


def _talk(peer: Peer, *, seconds: float) -> int:
    """Return how many messages were echoed."""
    connections: dict[int, socket.socket] = {}
    with select.epoll() as poll:
        try:
            for _ in range(CONNECTIONS):
                connection = _upgraded(peer)
                connections[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
            due = dict.fromkeys(connections, len(SAID))
            for connection in connections.values():
                connection.sendall(ASKS)
            count, until_s = 0, time.perf_counter() + seconds
            while time.perf_counter() < until_s:
                for number, _ in poll.poll(PATIENCE_S):
                    got = len(connections[number].recv(len(SAID)))
                    if not got:
                        raise BenchError(f"{peer.name} closed a WebSocket")
                    due[number] -= got
                    if not due[number]:
                        count += 1
                        due[number] = len(SAID)
                        connections[number].sendall(ASKS)
            return count
        finally:
            for connection in connections.values():
                connection.close()


def _upgraded(peer: Peer) -> socket.socket:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket"}
    asked |= {"Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"}
    connection = peer.connect()
    connection.sendall(request({**FETCH, **asked}))
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        head += piece
        if not piece or not head.startswith(b"HTTP/1.1 101 "[: len(head)]):
            raise BenchError(f"{peer.name} did not upgrade: {head.decode()}")
    return connection
