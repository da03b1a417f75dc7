"""The gateway whose place this one takes, as this one sees it; `successor.py` has the other side, and what is said."""

import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import asdict
from typing import Protocol, Self

from wakegate.core.errors import StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.spec import GatewaySpec
from wakegate.local.channel import Channel
from wakegate.local.inherited import Inheritance
from wakegate.local.store.rows import wake_of_row
from wakegate.local.successor import VARIABLE

GONE = "the gateway that was to be replaced goes on, or has ended; start it again with: wakegate up"


Welcome = Callable[[socket.socket, str], Awaitable[None]]


class Guested(Protocol):
    """A service that is to stay awake while another gateway has requests in flight at it."""

    def guest_came(self) -> None:
        """One has."""
        ...

    def guest_left(self) -> None:
        """It has none any more."""
        ...


class Predecessor:
    """Has the listening sockets that it left, and says what else it leaves."""

    def __init__(self, channel: Channel, sockets: tuple[socket.socket, ...]) -> None:
        self.sockets = sockets
        self._channel = channel
        self._guested: dict[str, Guested] = {}
        self._busy: set[str] = set()  # where it had requests in flight when it left

    @classmethod
    def take(cls, environ: MutableMapping[str, str]) -> Self | None:
        """Return the one that the environment names, and take that out of it; None where there is none."""
        found = environ.pop(VARIABLE, "")
        if not found:
            return None
        try:
            channel, *listening = [socket.socket(fileno=int(number)) for number in found.split(",")]
        except (ValueError, OSError) as error:
            raise StateError(f"{VARIABLE}={found} names no sockets; it is set by a gateway, unset it") from error
        for one in (channel, *listening):
            one.set_inheritable(False)
        return cls(Channel(channel), tuple(listening))

    async def left(self, spec: GatewaySpec) -> Inheritance:
        """Say that this one could take over, and return what it gets once it is to; raise `StateError` if it is not."""
        try:
            await self._channel.send("prepared", spec=asdict(spec))
        except OSError as error:
            self.close()
            raise StateError(GONE) from error
        packet = await self._channel.receive()
        if packet is None:
            self.close()
            raise StateError(GONE)
        self._busy = set(packet.facts["busy"])
        return Inheritance(sockets=self.sockets, are_ours=packet.facts["are_ours"])

    def come(self, services: Mapping[str, Guested]) -> None:
        """Count what it still has in flight, before any of these services may go to sleep."""
        busy, self._busy = self._busy & services.keys(), set()
        for name in busy:
            self._come(name, services[name])

    def _come(self, name: str, service: Guested) -> None:
        self._guested[name] = service
        service.guest_came()

    async def follow(
        self, services: Mapping[str, Guested], *, welcome: Welcome, write_wake: Callable[[WakeLine], None]
    ) -> None:
        """Say that this one serves; take the clients that are handed on, and let services stay for what is not done.

        What becomes of requests that waited for a wake of the other is written. Return when the other has ended.
        """
        with suppress(OSError):  # it has ended
            await self._channel.send("serving")
        try:
            while (packet := await self._channel.receive()) is not None:
                name = packet.facts.get("service", "")
                if packet.word == "client":
                    await welcome(packet.sockets[0], packet.facts["told"])
                elif packet.word == "wake":
                    with suppress(ValueError):  # the lines of that version have other fields
                        write_wake(wake_of_row(packet.facts["row"]))
                elif packet.word == "busy" and name in services:
                    self._come(name, services[name])
                elif packet.word == "idle" and name in self._guested:
                    self._guested.pop(name).guest_left()
        finally:
            for service in self._guested.values():
                service.guest_left()
            self._channel.close()

    def close(self) -> None:
        """Take nothing over: let go of the sockets."""
        self._channel.close()
        for listening in self.sockets:
            listening.close()
