"""A gateway's writes, to be killed in the middle: says each thing on stdout as soon as the store says that it is kept.

python killed_store.py FILE ROUND
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session
from wakegate.local.store.sqlite import SqliteStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DATA = bytes(1_500)  # large enough that the log is moved into the file every few hundred writes


def say(text: str) -> None:
    """Write a line in one piece, not through a buffer that would die with us."""
    os.write(1, text.encode() + b"\n")


def session(session_id: str, *, requests: int) -> Session:
    """Return a session that will not expire."""
    expires = NOW + timedelta(days=36_500)
    return Session(
        id=session_id,
        service="web",
        created_at=NOW,
        last_seen_at=NOW,
        requests=requests,
        expires=expires,
        data=DATA,
    )


def main() -> None:
    """Write until killed."""
    with SqliteStore(Path(sys.argv[1])) as store:
        known = store.load("web")
        version = 0 if known is None else known.version
        for number in range(1_000_000):
            one = f"{sys.argv[2]}-{number}"
            store.put(session(one, requests=1))
            say(f"session {one} 1")
            if number % 5 == 4:
                batch = [f"{sys.argv[2]}-{n}" for n in range(number - 4, number + 1)]
                store.touch(session(touched, requests=2) for touched in batch)
                for touched in batch:
                    say(f"session {touched} 2")
                record = ServiceRecord(
                    name="web", version=version + 1, phase=Phase.AWAKE, since=NOW, last_active_at=NOW
                )
                store.save(record, expected_version=version)
                version += 1
                say(f"version {version}")


if __name__ == "__main__":
    main()
