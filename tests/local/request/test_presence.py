"""Who has ended its side and who is gone, asked of real sockets."""

import socket
import time
from collections.abc import Iterator

import pytest

from wakegate.local.request.presence import has_ended, is_reset, reset, watch

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as theirs:
        ours, _ = server.accept()
        with ours:
            yield ours, theirs


def eventually_reset(ours: socket.socket) -> bool:
    """Say whether a reset comes within a while."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        if is_reset(ours):
            return True
    return False


def test_who_is_there_has_not_ended(pair: Pair) -> None:
    """Silence is not an end."""
    ours, _ = pair
    assert not has_ended(ours)
    assert not is_reset(ours)


def test_an_end_behind_unread_bytes_is_seen(pair: Pair) -> None:
    """A held upload stays in the socket, and the end of its client behind it."""
    ours, theirs = pair
    theirs.sendall(b"x" * 1000)
    theirs.shutdown(socket.SHUT_WR)
    assert has_ended(ours)


def test_who_half_closes_survives_a_byte(pair: Pair) -> None:
    """It listens."""
    ours, theirs = pair
    theirs.shutdown(socket.SHUT_WR)
    ours.sendall(b"x")
    assert theirs.recv(1) == b"x"
    assert has_ended(ours)
    assert not is_reset(ours)


def test_who_is_gone_does_not_survive_a_byte(pair: Pair) -> None:
    """Until then it looks like one that half-closed."""
    ours, theirs = pair
    theirs.close()
    assert has_ended(ours)
    assert not is_reset(ours)
    ours.sendall(b"x")
    assert eventually_reset(ours)


def test_a_reset_is_no_clean_end(pair: Pair) -> None:
    """Where only the end tells that an answer is whole."""
    ours, theirs = pair
    reset(ours)
    ours.close()
    with pytest.raises(ConnectionResetError):
        theirs.recv(1)


def test_the_kernel_is_told_to_ask(pair: Pair) -> None:
    """A laptop that was closed sends nothing, not even an end."""
    ours, _ = pair
    watch(ours)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_the_other_end_of_a_unix_socket_is_not_asked_for() -> None:
    """The kernel knows at once; it would refuse the settings of TCP with an error."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        watch(ours)
        assert not has_ended(ours)
        theirs.close()
        assert has_ended(ours)
