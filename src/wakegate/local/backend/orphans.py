"""What a killed gateway left running and no service of now will adopt: found by file and by marker, and stopped."""

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from wakegate.local.backend.registry import Entry, Registry
from wakegate.local.backend.replica import group_members

ORPHAN_GRACE_S = 5.0  # SIGTERM to SIGKILL; the settings of a service that is no longer configured are not known
POLL_S = 0.01


async def stop_orphans(state_dir: Path, known_services: Iterable[str], *, grace_s: float = ORPHAN_GRACE_S) -> list[str]:
    """Stop the replicas of services that are no longer configured, and processes that have our marker but no file.

    Return a line for each. Call it once, while this gateway alone owns the state directory and before any `adopt` or
    `start`: whatever has the marker and belongs to no living replica's file is taken for an orphan.
    """
    registry, known = Registry(state_dir), frozenset(known_services)
    entries = [entry for entry in registry.entries() if entry.lives()]
    kept = [entry for entry in entries if entry.service in known]
    removed = [entry for entry in entries if entry.service not in known]
    strays = {(service, number): process.pid for process, service, number in _strays(registry, kept + removed)}
    for sign in (signal.SIGTERM, signal.SIGKILL):
        await _send(sign, _find(registry, kept=kept, removed=removed), grace_s=grace_s)
    for entry in registry.entries():
        if entry not in kept:
            registry.remove(entry)
    return [
        *(f"{entry}: no longer configured" for entry in removed),
        *(f"{name} replica {number} (pid {pid}): its gateway was killed" for (name, number), pid in strays.items()),
    ]


def _find(registry: Registry, *, kept: list[Entry], removed: list[Entry]) -> list[psutil.Process]:
    """Return every process to end now: asked again before the kill, for they may have forked."""
    members = [process for entry in removed if entry.lives() for process in group_members(entry.pid)]
    strays = [process for process, _, _ in _strays(registry, kept)]
    return list({process.pid: process for process in (*members, *strays)}.values())


def _strays(registry: Registry, kept: list[Entry]) -> list[tuple[psutil.Process, str, int]]:
    """Return the marked processes of no replica in `kept`; a replica's descendants, in any group, bear its marker."""
    names = {(entry.service, entry.number) for entry in kept}
    # A gateway that was started from inside one of its apps bears a marker too.
    return [marked for marked in registry.marked() if marked[1:] not in names and marked[0].pid != os.getpid()]


async def _send(sign: signal.Signals, processes: list[psutil.Process], *, grace_s: float) -> None:
    for process in processes:
        with suppress(psutil.Error):  # gone, or not ours to signal
            process.send_signal(sign)
            if process.status() == psutil.STATUS_STOPPED:  # its gateway had paused it: it could not end
                process.resume()
    with suppress(TimeoutError):
        async with asyncio.timeout(grace_s):
            while any(_runs(process) for process in processes):  # noqa: ASYNC110  other processes set no event
                await asyncio.sleep(POLL_S)


def _runs(process: psutil.Process) -> bool:
    # psutil's own wait would wait for init to reap it, too; some take seconds for that.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
