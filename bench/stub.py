"""The smallest app: listens on PORT after DELAY seconds, or once the file DELAY is there, says so, and answers.

python -I -S -E bench/stub.py PORT [DELAY]
"""

import os
import select
import socket
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"


def main() -> None:
    """Serve until killed."""
    port, delay = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "0"
    if "/" in delay:
        while not os.path.exists(delay):  # noqa: PTH110  pathlib would double the time that this app needs to start
            time.sleep(0.005)
    else:
        time.sleep(float(delay))
    server = socket.create_server(("127.0.0.1", port), backlog=1024)
    os.write(1, b"listening\n")
    poll = select.epoll()
    poll.register(server, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == server.fileno():
                client, _ = server.accept()
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif not _answer(clients[number]):
                clients.pop(number).close()


def _answer(client: socket.socket) -> bool:
    """Answer each request that ends in this piece; the requests of the bench have no body and fit into one."""
    try:
        piece = client.recv(65536)
        client.sendall(ANSWER * piece.count(b"\r\n\r\n"))
    except OSError:
        return False
    return bool(piece)


if __name__ == "__main__":
    main()
