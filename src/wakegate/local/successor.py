"""The program that takes this gateway's place, as this gateway sees it: started, asked, and given what is here.

It begins as a child with the listening sockets and one end of a channel, and reads its configuration:

    new → old   prepared (what it would listen on and where it keeps state)
    old → new   yours: the state directory is free, nothing is accepted here any more; which services are busy
    new → old   serving
    old → new   client, with its socket, for each connection that is free; busy and idle, by service;
                wake, when a request that waited for one has ended
"""

import asyncio
import socket
import subprocess
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Self

from wakegate.core.errors import StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.say import say_duration
from wakegate.core.spec import GatewaySpec
from wakegate.local.channel import Channel, Packet
from wakegate.local.request.accept import ClientConnection
from wakegate.local.store.rows import row_of_wake

VARIABLE = "WAKEGATE_HANDOVER"  # the channel's descriptor, and those of the listening sockets
START_TIMEOUT_S = 60.0  # until it has read its configuration, and again until it serves
TURN_TIMEOUT_S, LOOK_INTERVAL_S = 300.0, 0.01  # how long it waits for a moment in which nobody waits for a wake
TEXT_MAX = 2_000  # characters of what clients and apps have said: a packet must hold three such texts
FIXED = ("host", "port", "unix_path", "state_dir", "workers")  # what a new program may not see differently


class Successor:
    """Runs beside this gateway until it serves; then it stays, and this one leaves."""

    def __init__(self, process: subprocess.Popen[bytes], channel: Channel) -> None:
        self.pid = process.pid
        self._process = process
        self._channel = channel
        self._parked: list[ClientConnection] = []  # free, and not read any more
        self._busy: set[str] = set()
        self._wakes: list[WakeLine] = []  # to be stored there
        self.is_serving = False

    @classmethod
    def start(cls, command: Sequence[str], *, sockets: Sequence[socket.socket], environ: Mapping[str, str]) -> Self:
        """Start it; raise `StateError` where that is not possible."""
        channel, theirs = Channel.pair()
        with theirs:
            numbers = [theirs.fileno(), *(listening.fileno() for listening in sockets)]
            env = {**environ, VARIABLE: ",".join(map(str, numbers))}
            try:
                process = subprocess.Popen(command, env=env, pass_fds=numbers)  # noqa: S603  the command of this process
            except OSError as error:
                channel.close()
                raise StateError(f"{command[0]} cannot be started: {error.strerror}") from error
        return cls(process, channel)

    async def prepared(self, spec: GatewaySpec) -> None:
        """Return once it could take over; raise `StateError` where it cannot."""
        packet = await self._next()
        if packet is None:
            raise StateError(await self._why_ended())
        for name, ours in asdict(spec).items():
            if name in FIXED and packet.facts["spec"][name] != ours:
                theirs = packet.facts["spec"][name]
                raise StateError(f"{name} is {ours} here and {theirs} in its configuration; that needs a restart")

    async def serves(self) -> bool:
        """Say, once it is known, whether it has taken over."""
        self.is_serving = await self._next() is not None
        if not self.is_serving:
            await self.end()  # it may have the state directory still
        return self.is_serving

    async def turn(self, has_come: Callable[[], bool]) -> None:
        """Return at once when its turn has come; raise `StateError` where that takes too long, or it has ended.

        It looks only after a timer: then the loop has made known every connection that it has accepted. After a
        packet, those that were accepted in the same moment are still to come.
        """
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                while True:
                    await asyncio.sleep(LOOK_INTERVAL_S)
                    if has_come():
                        return
                    if self._process.poll() is not None:
                        raise StateError(await self._why_ended())
        except TimeoutError as error:
            patience = say_duration(TURN_TIMEOUT_S)
            raise StateError(f"for {patience} there was no moment without a request that waits; try again") from error

    async def _next(self) -> Packet | None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                return await self._channel.receive()
        except TimeoutError:
            self._process.kill()
            return None

    async def _why_ended(self) -> str:
        code = await asyncio.to_thread(self._process.wait)
        return f"the new program ended with status {code} before it was ready (what it said stands before this)"

    async def end(self) -> None:
        """Give it up."""
        self._channel.close()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    # -- what it is given

    async def leave_to(self, *, are_ours: bool, busy: Iterable[str]) -> None:
        """Tell it that everything is its own now; `are_ours`: the sockets are what the configuration says."""
        self._busy = set(busy)
        with suppress(OSError):  # it has gone: `serves` will say so
            await self._channel.send("yours", are_ours=are_ours, busy=sorted(self._busy))

    def write_wake(self, line: WakeLine) -> None:
        """Let it store a line of the ledger."""
        self._wakes.append(line)

    def take(self, connection: ClientConnection) -> None:
        """Keep a connection that is free for it: what comes from now on is for it to read."""
        if connection.is_free:
            connection.park()
            self._parked.append(connection)

    async def finish(
        self,
        connections: Collection[ClientConnection],
        *,
        busy: Callable[[], Iterable[str]],
        is_hurried: Callable[[], bool],
        timeout_s: float,
    ) -> None:
        """Return when these have ended, or were given to it, or may not take longer; tell it meanwhile who is busy."""
        with suppress(TimeoutError, OSError):  # OSError: it has died since
            async with asyncio.timeout(timeout_s):
                while connections and not is_hurried():
                    if self.is_serving:
                        await self._tell_wakes()
                        await self._tell_busy(set(busy()))
                        await self._hand_on()
                    await asyncio.sleep(LOOK_INTERVAL_S)

    async def part(self) -> None:
        """Say how those have ended that were cut, too, and let go of it."""
        await asyncio.sleep(LOOK_INTERVAL_S)  # their ends are seen in the next turn of the loop
        with suppress(OSError):  # it has died since
            await self._tell_wakes()
        self._channel.close()

    async def _hand_on(self) -> None:
        """Give it the connections that are free and have been sent all that is for them."""
        parked, self._parked = self._parked, []
        for connection in parked:
            if connection.is_lost:
                continue
            client = connection.give_away()
            if client is None:
                self._parked.append(connection)
                continue
            with client:
                await self._channel.send("client", [client], told=connection.told)

    def take_back(self) -> list[tuple[socket.socket, str]]:
        """Return the connections that it was to get, and the addresses that their proxies have told."""
        parked, self._parked = self._parked, []
        given = [(connection.give_away(), connection.told) for connection in parked if not connection.is_lost]
        return [(client, told) for client, told in given if client is not None]

    async def _tell_wakes(self) -> None:
        wakes, self._wakes = self._wakes, []
        for line in wakes:
            texts = {name: getattr(line, name)[:TEXT_MAX] for name in ("cause", "agent", "reason")}
            await self._channel.send("wake", row=row_of_wake(replace(line, **texts)))

    async def _tell_busy(self, busy: set[str]) -> None:
        """Say which services have requests in flight here, for it to keep awake."""
        for name in busy - self._busy:
            await self._channel.send("busy", service=name)
        for name in self._busy - busy:
            await self._channel.send("idle", service=name)
        self._busy = busy
