"""HTTP/1.1 for the servers of the account: a whole request in, a whole response out, each written in one piece."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

Headers = list[tuple[str, str]]
HEAD_BYTES_MAX = 64 * 1024
UPLOAD_BYTES_MAX = 256 * 1024 * 1024


@dataclass(kw_only=True)
class Request:
    """A request as it came."""

    method: str
    target: str  # path and query, as sent
    headers: Headers
    body: bytes = b""
    peer: str = "127.0.0.1"

    @property
    def path(self) -> str:
        """Return the path, still encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return what follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str, default: str = "") -> str:
        """Return the first value of a header; `name` in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), default)


@dataclass(kw_only=True)
class Response:
    """A response as it goes; Content-Length is added."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""


Handler = Callable[[Request], Awaitable[Response]]


class RefusedError(Exception):
    """A request that is not read to its end."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"status {response.status}")
        self.response = response


async def serve(handler: Handler, *, body_bytes_max: int = UPLOAD_BYTES_MAX, refused: bytes = b"") -> asyncio.Server:
    """Listen on a free port of 127.0.0.1; a longer body is answered with 413 and `refused`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _one(reader, writer, handler, body_bytes_max=body_bytes_max, refused=refused):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # the client has gone, or does not speak HTTP
        except asyncio.CancelledError:
            pass  # the account is left; nobody waits for this task
        finally:
            writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0, limit=HEAD_BYTES_MAX, backlog=4096)


def port_of(server: asyncio.Server) -> int:
    """Return where it listens."""
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, *, body_bytes_max: int, refused: bytes
) -> bool:
    """Answer one request; say whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, version = head[0].split(" ")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
    request = Request(method=method, target=target, headers=headers, peer=writer.get_extra_info("peername")[0])
    keeps = version == "HTTP/1.1" and request.header("connection").lower() != "close"
    if request.header("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        request.body = await _body(reader, request, body_bytes_max=body_bytes_max, refused=refused)
        response = await handler(request)
    except RefusedError as error:
        response, keeps = error.response, False
    except (OSError, EOFError):
        raise
    except Exception:  # noqa: BLE001  a mistake of the account's own must be seen, and must not look like a lost call
        traceback.print_exc()
        response, keeps = Response(status=500, body=b"the emulated account has failed: see its stderr"), False
    writer.write(_encode(response, is_head=method == "HEAD", keeps=keeps))
    await writer.drain()
    return keeps


async def _body(reader: asyncio.StreamReader, request: Request, *, body_bytes_max: int, refused: bytes) -> bytes:
    too_large = RefusedError(Response(status=413, headers=[("Content-Type", "application/json")], body=refused))
    if request.header("transfer-encoding").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
            if len(body) > body_bytes_max:
                raise too_large
        await reader.readuntil(b"\r\n")
        return body
    size = int(request.header("content-length", "0"))
    if size > body_bytes_max:
        raise too_large
    return await reader.readexactly(size)


def _encode(response: Response, *, is_head: bool, keeps: bool) -> bytes:
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if not (is_head and any(name.lower() == "content-length" for name, _ in response.headers)):
        lines += [f"Content-Length: {len(response.body)}"] if response.status not in (204, 304) else []
    lines += [] if keeps else ["Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (b"" if is_head else response.body)
