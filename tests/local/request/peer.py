"""Raw HTTP over sockets: what is sent is what is written here, what came is read to the byte."""

import asyncio
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 20.0
BIG = 64 * 1024 * 1024
HOST = b"Host: shop\r\n"
GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /in HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def eventually(check: Callable[[], Any], what: str) -> None:
    """Let the loop run until something is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not check():  # noqa: ASYNC110  what is waited for is in sockets, it sets no event
            await asyncio.sleep(0.001)
    assert check(), what


def request(*lines: bytes, line: bytes = b"GET / HTTP/1.1", body: bytes = b"") -> bytes:
    """Write a request as given, well formed or not."""
    return b"\r\n".join([line, *lines, b"", body])


class Peer:
    """One raw connection, of a client to the gateway or of the gateway to the app."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes, as one write."""
        self.writer.write(data)

    async def drip(self, data: bytes, *, size: int = 1) -> None:
        """Send bytes in small pieces, each as a read of its own as far as the loop lets it."""
        for start in range(0, len(data), size):
            if self.writer.is_closing():
                return  # the other side has had enough
            self.writer.write(data[start : start + size])
            await asyncio.sleep(0)

    async def read(self, size: int) -> bytes:
        """Read exactly so many bytes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(size)

    async def until(self, mark: bytes) -> bytes:
        """Read up to and with this mark."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(mark)

    async def head(self) -> bytes:
        """Read one message head."""
        return await self.until(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Read to the end; fail where the connection is cut instead of closed."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def until_cut(self) -> bytes:
        """Read to the end, which must be a reset: a clean end would make an answer without a length look complete."""
        data = b""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while piece := await self.reader.read(65_536):
                    data += piece
            except ConnectionResetError:
                return data
        raise AssertionError(f"a clean end after {data[-200:]!r}")

    async def gone(self) -> None:
        """Return when the other side has closed, in whatever way."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionResetError:
                pass

    def end(self) -> None:
        """Say that nothing more will be sent: half-close."""
        self.writer.write_eof()

    def close(self) -> None:
        """Close, as somebody who goes away."""
        self.writer.close()

    def reset(self) -> None:
        """Go away with a reset."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()


@dataclass(frozen=True)
class Answer:
    """One response as a client reads it."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header line, None where there is none."""
        found = re.search(rf"\r\n{name}: ([^\r]*)\r\n".encode(), self.head, re.IGNORECASE)
        return None if found is None else found[1].decode()


class Client(Peer):
    """A client of the gateway."""

    said_close = False  # with the last problem

    async def answer(self, *, is_head: bool = False) -> Answer:
        """Read one response with a length or chunks."""
        head = await self.head()
        status = int(head.split(b" ", 2)[1])
        found = Answer(status, head, b"")
        if is_head or status in (204, 304) or status < 200:
            return found
        if found.header("Transfer-Encoding") == "chunked":
            return Answer(status, head, await self.chunks())
        length = found.header("Content-Length")
        return Answer(status, head, await (self.rest() if length is None else self.read(int(length))))

    async def chunks(self) -> bytes:
        """Read a chunked body without trailers."""
        body = b""
        while size := int(await self.until(b"\r\n"), 16):
            body += await self.read(size)
            assert await self.read(2) == b"\r\n"
        assert await self.read(2) == b"\r\n"
        return body

    async def problem(self, *, status: int, slug: str) -> str:
        """Read an error; return its detail."""
        answer = await self.answer()
        assert answer.status == status, answer
        problem = json.loads(answer.body)
        assert answer.header("Content-Type") == "application/problem+json"
        assert (problem["type"], problem["status"]) == (f"urn:wakegate:problem:{slug}", status)
        assert answer.header("X-Request-Id") == problem["request_id"]
        self.said_close = answer.header("Connection") == "close"
        return str(problem["detail"])

    async def refusal(self, *, status: int, slug: str) -> str:
        """Read an error and the close behind it; return its detail."""
        detail = await self.problem(status=status, slug=slug)
        assert self.said_close
        assert await self.rest() == b""
        return detail
