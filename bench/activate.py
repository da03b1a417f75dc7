"""Plays systemd for one socket: python -m bench.activate PROXYD APP_PORT APP …

Prints the port that it holds. The first connection starts the app and, once that listens, systemd-socket-proxyd with
the socket as systemd hands it over. When standard input ends, both are ended.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time

FIRST_FD = 3  # where systemd puts the sockets
EVERY_S = 0.001


def main() -> None:
    """Hold the socket until standard input ends."""
    program, app_port, *app = sys.argv[1:]
    started: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as held:
        print(held.getsockname()[1], flush=True)
        ready, _, _ = select.select([held, sys.stdin], [], [])
        if held in ready:
            started.append(subprocess.Popen(app, stdout=subprocess.DEVNULL).pid)
            _wait_for(int(app_port))
            started.append(_proxy(program, held, to=f"127.0.0.1:{app_port}"))
    sys.stdin.read()
    for pid in reversed(started):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _wait_for(port: int) -> None:
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(EVERY_S)  # nothing tells that another process listens


def _proxy(program: str, held: socket.socket, *, to: str) -> int:
    """Start the proxy. Its environment names its own process, which only a fork knows."""
    pid = os.fork()
    if pid == 0:
        os.dup2(held.fileno(), FIRST_FD)
        os.set_inheritable(FIRST_FD, True)
        os.execve(program, [program, to], {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
    return pid


if __name__ == "__main__":
    main()
