"""How a worker's process is started: a program of its own, with the sockets and the board that it is given."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from wakegate.local.backend.registry import MARKER
from wakegate.local.workers.papers import Papers, folder_of

LOG_LINES = 20


def start(
    *, slot: int, door: str, state_dir: Path, board_fd: int, channel: socket.socket, listening: Sequence[socket.socket]
) -> subprocess.Popen[bytes]:
    """Start one; what it says beside the channel, as when it cannot begin, goes to its log."""
    fds = tuple(one.fileno() for one in listening)
    papers = Papers(
        slot=slot, door=door, state_dir=str(state_dir), board=board_fd, channel=channel.fileno(), listening=fds
    )
    log = os.open(log_of(state_dir, slot), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603  a program of our own
            # -P: what lies in the folder where the gateway was started must not be taken for a module.
            [sys.executable, "-P", "-m", __package__, json.dumps(asdict(papers))],
            env={name: value for name, value in os.environ.items() if name != MARKER},  # a worker is nobody's replica
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(board_fd, channel.fileno(), *fds),
            start_new_session=True,  # Ctrl-C is for the keeper: a worker finishes what it has
        )
    finally:
        os.close(log)


def log_tail(state_dir: Path, slot: int) -> tuple[str, ...]:
    """Return the last that a worker has said beside its channel."""
    text = log_of(state_dir, slot).read_text(encoding="utf-8", errors="replace")
    return tuple(text.splitlines()[-LOG_LINES:])


def log_of(state_dir: Path, slot: int) -> Path:
    """Return where a worker's own words go."""
    return folder_of(state_dir) / f"{slot}.log"


def how_ended(status: int | None) -> str:
    """Say how a worker ended, as the end of a sentence; None where it was not our child."""
    if status is None:
        return "has ended"
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
