"""Tells the service manager how the gateway is, as sd_notify(3) says: ready, reloading, stopping, and still alive."""

import asyncio
import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notify:
    """Sends to the socket that the service manager named in the environment, or nowhere."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take what was said out of the environment: an app that spoke to our service manager would speak for us."""
        self.address, interval, pid = (environ.pop(name, "") for name in VARIABLES)
        self.variables = {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": interval} if self.address else {}
        is_ours = pid in ("", str(os.getpid()))
        self._watchdog_s = int(interval) / 1e6 if self.address and is_ours and interval.isdecimal() else 0.0

    def ready(self, status: str) -> None:
        """It serves, also: again, after a reload."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """It reads its configuration again; `ready` ends that."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def replaced(self, pid: int) -> None:
        """Another program goes on in its place."""
        self._send(f"MAINPID={pid}")

    def stopping(self) -> None:
        """It ends."""
        self._send("STOPPING=1", "STATUS=stopping")

    async def watchdog(self) -> None:
        """Say twice an interval that the event loop turns, where the service manager asks for it."""
        while self._watchdog_s > 0:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 2)

    def _send(self, *lines: str) -> None:
        if not self.address:
            return
        path = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.setblocking(False)
            with suppress(OSError):  # nobody listens, or does not keep up: that is no reason not to serve
                sending.sendto("\n".join(lines).encode(), path)
