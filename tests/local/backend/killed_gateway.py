"""Stands in for a gateway that is killed: start one replica, perhaps pause it, say so, and wait for the SIGKILL."""

import sys
from pathlib import Path

import uvloop
from tests.local.backend.world import ready, workload


async def main(state_dir: Path, how: str, *command: str) -> None:
    """Print the replica's pid and port once it is ready; `how` it is left is "running" or "paused"."""
    replica = await ready(await workload(state_dir, *command).start(number=1))
    if how == "paused":
        await replica.pause()
    sys.stdout.write(f"{replica.pid} {replica.port}\n")
    sys.stdout.flush()
    await replica.exited()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), *sys.argv[2:]))
