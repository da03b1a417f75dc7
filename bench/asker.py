"""A client that asks every millisecond for what the gateway answers by itself; prints its longest wait in ms.

python -m bench.asker PORT; it says when it has begun, and ends when standard input does. A process of its own, because
a thread would wait for the bench's other threads, too.
"""

import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers import PATIENCE_S, ROOT, BenchError, Peer

EVERY_S = 0.001
ASKS = b"GET /.wakegate/status HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def longest_ms(gateway: Peer) -> Iterator[list[float]]:
    """Ask while the block runs; the list has the longest wait, in ms, once it has ended."""
    found: list[float] = []
    command = [sys.executable, "-m", "bench.asker", str(gateway.port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        asker.stdout.readline()
        yield found
        said, _ = asker.communicate(timeout=PATIENCE_S)
    if asker.returncode:
        raise BenchError("the gateway did not answer its own path")
    found.append(float(said))


def main() -> None:
    """Ask until standard input ends."""
    longest_s = 0.0
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=PATIENCE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        longest_s = _took_s(connection)
        print("asking", flush=True)
        while not select.select([sys.stdin], [], [], EVERY_S)[0]:
            longest_s = max(longest_s, _took_s(connection))
    print(longest_s * 1e3)


def _took_s(connection: socket.socket) -> float:
    began_s = time.perf_counter()
    connection.sendall(ASKS)
    if not connection.recv(65536).startswith(b"HTTP/1.1 200 "):
        sys.exit(1)
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
