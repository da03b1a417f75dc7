"""An app for large bodies and open WebSockets: python -I -S -E bench/bulk.py PORT

`GET /bytes/N` sends N bytes. A body is read, and its length answered. A WebSocket gets for every message of `ASKED`
bytes on the wire the message `SAID`. Everything else gets the hello of upstream.conf.
"""

import socket
import sys
import threading

HELLO = b"hello from the app behind the proxy\n"
PIECE = b"x" * 1_000_000
SAID = b"\x82\x40" + b"s" * 64  # a binary message of 64 bytes; a client's has a mask of four bytes more
ASKED = len(SAID) + 4


def main() -> None:
    """Serve until killed, a thread a connection."""
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    while True:
        client, _ = server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(client,), daemon=True).start()


def _serve(client: socket.socket) -> None:
    with client:
        begun = b""
        while True:
            while b"\r\n\r\n" not in begun:
                piece = client.recv(65536)
                if not piece:
                    return
                begun += piece
            head, _, begun = begun.partition(b"\r\n\r\n")
            fields = _fields(head)
            if b"upgrade" in fields:
                _echo(client)
                return
            begun = _answer(client, head.split(b" ")[1], length=int(fields.get(b"content-length", b"0")), begun=begun)


def _fields(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}


def _answer(client: socket.socket, path: bytes, *, length: int, begun: bytes) -> bytes:
    """Read the body, answer, and return what came after the request."""
    left, room = length - len(begun), bytearray(len(PIECE))
    while left > 0:
        left -= client.recv_into(room, min(left, len(room)))
    if path.startswith(b"/bytes/"):
        count = int(path.removeprefix(b"/bytes/"))
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % count)
        for _ in range(count // len(PIECE)):
            client.sendall(PIECE)
        client.sendall(PIECE[: count % len(PIECE)])
    else:
        body = b"%d" % length if length else HELLO
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return begun[length:]


def _echo(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    client.sendall(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    got = 0
    while piece := client.recv(65536):
        got += len(piece)
        client.sendall(SAID * (got // ASKED))
        got %= ASKED


if __name__ == "__main__":
    main()
