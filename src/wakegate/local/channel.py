"""What two gateways say to each other while one takes the other's place: packets of JSON, with sockets in them."""

import asyncio
import errno
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from wakegate.core.errors import StateError
from wakegate.local.ready import readable, writable

PACKET_BYTES_MAX = 65_536
SOCKETS_MAX = 1  # of a packet
FULL_S = 0.01  # until it is tried again when the kernel holds as many sockets as it may


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One word with its facts, and the socket that came with it."""

    word: str
    facts: dict[str, Any]
    sockets: tuple[socket.socket, ...] = ()


class Channel:
    """One end; each packet arrives whole, in order, or the other end has gone."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)

    @classmethod
    def pair(cls) -> tuple[Self, socket.socket]:
        """Return one end, and the socket of the other, to be inherited; raise `StateError` where there is no such."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise StateError(f"this system cannot pass sockets on as that needs ({error.strerror}); restart") from error
        return cls(ours), theirs

    async def send(self, word: str, sockets: Sequence[socket.socket] = (), **facts: object) -> None:
        """Send a packet; raise `OSError` where the other end has gone."""
        data = json.dumps({"word": word, **facts}).encode()
        while True:
            try:
                socket.send_fds(self._end, [data], [one.fileno() for one in sockets])
            except BlockingIOError:
                await writable(self._end)
            except OSError as error:
                if error.errno != errno.ETOOMANYREFS:
                    raise
                await asyncio.sleep(FULL_S)
            else:
                return

    async def receive(self) -> Packet | None:
        """Return the next packet, None where the other end has gone."""
        while True:
            try:
                data, numbers, _, _ = socket.recv_fds(self._end, PACKET_BYTES_MAX, SOCKETS_MAX)
            except BlockingIOError:
                await readable(self._end)
            except ConnectionError:
                return None
            else:
                break
        sockets = tuple(socket.socket(fileno=number) for number in numbers)
        if not data:
            return None
        facts = json.loads(data)
        return Packet(word=facts.pop("word"), facts=facts, sockets=sockets)

    def close(self) -> None:
        """Let the other end know that nothing more comes."""
        self._end.close()
