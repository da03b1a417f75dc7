"""A small app to put to sleep: `python app.py PORT`; no dependency, shows its visits, streams, and takes its time.

/ is a page, /slow?s=2 answers late, /sse streams the time, /ws echoes, /exit?status=3 crashes. START_DELAY_S delays
the start, HOST is where it listens. Visits are kept in the session (Wakegate-Session-Data), so any replica knows
them, after any sleep.
"""

import asyncio
import base64
import hashlib
import os
import signal
import sys
import time
from urllib.parse import parse_qs, urlsplit

BORN = time.time()
REPLICA = os.environ.get("WAKEGATE_REPLICA", "-").rpartition("/")[2]
COLORS = ["#4f6df5", "#0f9d7a", "#c2557a", "#b7791f", "#7c4dd6", "#2b8fb3"]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Hello from replica {replica}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; color: #fff; font: 1.1rem/1.6 system-ui;
  background: radial-gradient(circle at 20% 10%, #fff4, transparent 60%), linear-gradient(160deg, {color}, #10131f) }}
main {{ padding: 2rem 3rem; border-radius: 1.2rem; background: #0003; box-shadow: 0 1rem 4rem #0004 }}
h1 {{ margin: 0 0 .6rem; font-weight: 650 }} b {{ font-variant-numeric: tabular-nums }} a {{ color: inherit }}
</style><main><h1>Hello.</h1>Replica <b>{replica}</b> has been up for <b>{up:.1f} s</b>.<br>
This is visit <b>{visits}</b> of your session.<br><a href="slow?s=2">slow</a> · <a href="sse">stream</a></main></html>
"""

Head = dict[str, str]


async def read_head(reader: asyncio.StreamReader) -> tuple[str, Head]:
    """Return the request's path and header, and read its body away."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    await reader.readexactly(int(head.get("content-length", 0)))
    return lines[0].split(" ")[1], head


async def answer(writer: asyncio.StreamWriter, body: str, *more: str, kind: str = "text/plain") -> None:
    """Send a whole response and keep the connection."""
    data = body.encode()
    head = ["HTTP/1.1 200 OK", f"Content-Type: {kind}; charset=utf-8", f"Content-Length: {len(data)}", *more]
    writer.write("\r\n".join([*head, "", ""]).encode() + data)
    await writer.drain()


async def stream(writer: asyncio.StreamWriter) -> None:
    """Send the time each second until the client goes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        event = f"data: {time.strftime('%H:%M:%S')}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(1)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> None:
    """Speak WebSocket: send back each short frame until one says close."""
    accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    kind = 0
    while kind != 8:
        first, second = await reader.readexactly(2)
        size = second & 127
        if size > 125:  # longer messages are for larger examples
            break
        mask = await reader.readexactly(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(await reader.readexactly(size)))
        kind = first & 15
        writer.write(bytes([128 | (10 if kind == 9 else kind), size]) + data)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    try:
        while True:
            target, head = await read_head(reader)
            url = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path == "/slow":
                await asyncio.sleep(float(query.get("s", 2)))
                await answer(writer, f"That took {query.get('s', '2')} s.\n")
            elif url.path == "/sse":
                await stream(writer)
            elif url.path == "/ws" and "sec-websocket-key" in head:
                return await echo(reader, writer, head["sec-websocket-key"])
            elif url.path == "/exit":
                os._exit(int(query.get("status", 1)))
            else:
                visits = int(head.get("wakegate-session-data") or 0) + 1
                color = COLORS[int(REPLICA) % len(COLORS)] if REPLICA.isdigit() else COLORS[0]
                page = PAGE.format(replica=REPLICA, up=time.time() - BORN, visits=visits, color=color)
                await answer(writer, page, f"Wakegate-Session-Data: {visits}", kind="text/html")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has gone
    finally:
        writer.close()


async def main(port: int) -> None:
    """Listen until SIGTERM."""
    await asyncio.sleep(float(os.environ.get("START_DELAY_S", "0")))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await asyncio.start_server(serve, os.environ.get("HOST", "127.0.0.1"), port, backlog=1024)
    print(f"hello listens on :{port}", flush=True)
    await stopped.wait()


asyncio.run(main(int(sys.argv[1])))
