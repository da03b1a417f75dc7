"""The program that a worker is; `start` has its only argument."""

import json
import sys

import uvloop

from wakegate.core.errors import WakegateError
from wakegate.local.workers.papers import Papers
from wakegate.local.workers.worker import Worker


def main() -> None:
    """Be a worker until it ends; what keeps it from being one is the last line of its log."""
    papers = Papers(**json.loads(sys.argv[1]))
    why = None
    try:
        uvloop.run(Worker(papers).run())
    except* WakegateError as group:
        why = str(group.exceptions[0])
    sys.exit(why)


if __name__ == "__main__":
    main()
