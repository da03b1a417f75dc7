"""A client with a rate of its own: requests come whether or not the earlier ones have been answered.

wrk asks again only when it has been answered, so a slow answer hides the wait of the requests behind it. Here the
moments of arrival are drawn beforehand (Poisson, seeded), and a latency counts from the moment of arrival. The client
spins instead of sleeping: a timer of an event loop is a millisecond coarse, which is more than what is measured.
One process, because two that spin take the cores from those who are measured.
"""

import gc
import random
import select
import socket
from collections import deque
from time import perf_counter

CONNECTIONS = 64


def latencies_s(port: int, request: bytes, *, rate: float, seconds: float, seed: int, end: bytes) -> list[float]:
    """Ask `rate` times a second over 64 connections; return the latency of every request, sorted.

    An answer is complete when its last bytes are `end`.
    """
    connections: dict[int, socket.socket] = {}
    poll = select.epoll()
    gc.disable()
    try:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[connection.fileno()] = connection
            poll.register(connection, select.EPOLLIN)
        arrivals = _arrivals(rate, int(rate * seconds), seed)
        return sorted(_spin(poll, connections, request=request, arrivals=arrivals, end=end))
    finally:
        gc.enable()
        poll.close()
        for connection in connections.values():
            connection.close()


def _arrivals(rate: float, count: int, seed: int) -> deque[float]:
    """Return the moments of arrival, in seconds from the start."""
    chance = random.Random(seed)
    moments: deque[float] = deque()
    moment = 0.0
    for _ in range(count):
        moment += chance.expovariate(rate)
        moments.append(moment)
    return moments


def _spin(
    poll: select.epoll, connections: dict[int, socket.socket], *, request: bytes, arrivals: deque[float], end: bytes
) -> list[float]:
    """Send what is due, take what has come, until every request is answered."""
    free = list(connections)
    asked_s: dict[int, float] = {}
    latencies: list[float] = []
    start_s = perf_counter()
    while arrivals or asked_s:
        now_s = perf_counter() - start_s
        while free and arrivals and arrivals[0] <= now_s:
            number = free.pop()
            asked_s[number] = arrivals.popleft()
            connections[number].send(request)
        for number, _ in poll.poll(0):
            piece = connections[number].recv(65536)
            if not piece:
                raise ConnectionError("a proxy closed a connection while it was measured")
            if piece.endswith(end):
                latencies.append(perf_counter() - start_s - asked_s.pop(number))
                free.append(number)
    return latencies
