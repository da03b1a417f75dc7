"""A WebSocket app that sends back what it gets: `python echo.py PORT`; LISTEN_ON as in app.py."""

import asyncio
import os
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve


async def echo(socket: ServerConnection) -> None:
    """Serve one connection."""
    async for message in socket:
        await socket.send(message)


async def main() -> None:
    """Listen until it is ended."""
    if "LISTEN_ON" in os.environ:
        let = Path(os.environ["LET"]) / os.environ["LISTEN_ON"]
        while not let.exists():  # noqa: ASYNC110  nothing else runs here yet
            await asyncio.sleep(0.005)
    async with serve(echo, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
