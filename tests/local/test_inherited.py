"""The sockets that systemd hands over, and what is no such socket."""

import os
import socket

import pytest

from wakegate.core.errors import StateError
from wakegate.local.inherited import take_sockets


def variables(count: int, *, pid: int | None = None) -> dict[str, str]:
    """Return an environment as systemd makes it."""
    return {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": "a", "HOME": "/"}


def test_the_sockets_are_those_from_the_first_descriptor_on() -> None:
    """And they are closed on exec: an app that kept one would hold the port after the gateway's end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        first = os.dup(listening.fileno())
        os.set_inheritable(first, True)
        (taken,) = take_sockets(variables(1), first=first)
        with taken:
            assert taken.getsockname() == listening.getsockname()
            assert not os.get_inheritable(taken.fileno())


@pytest.mark.parametrize("environ", [{}, variables(1, pid=1), variables(1) | {"LISTEN_FDS": "x"}, variables(0)])
def test_what_is_not_meant_for_this_process_is_left(environ: dict[str, str]) -> None:
    """A shell that systemd has started for another unit passes its variables on to what is started in it."""
    assert take_sockets(dict(environ)) == ()


def test_the_variables_are_taken_out_of_the_environment() -> None:
    """An app that looks for them would take the gateway's socket for its own."""
    environ = variables(0)
    take_sockets(environ)
    assert environ == {"HOME": "/"}


def test_what_does_not_listen_is_named() -> None:
    """Accept=yes hands over a connection, ListenDatagram= something that no HTTP comes by."""
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        for one in (ours, datagrams):
            with pytest.raises(StateError, match=r"no socket that listens; write ListenStream= and Accept=no"):
                take_sockets(variables(1), first=one.fileno())


def test_what_is_no_socket_is_named() -> None:
    """Somebody has set the variables by hand."""
    reading, writing = os.pipe()
    refused = pytest.raises(StateError, match=f"descriptor {reading} of LISTEN_FDS is no socket")
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"), refused:
        take_sockets(variables(1), first=reading)
