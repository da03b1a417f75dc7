"""Requests to a task that go wrong: what is said of them decides whether somebody may ask again."""

import socket
import threading

import pytest
from tests.aws.raw_app import GET, LONG_S, POST, App, Send, closed_port, read_request

from wakegate.aws.cloud import AppRequest
from wakegate.aws.network import HttpNetwork
from wakegate.aws.payload import PAYLOAD_BYTES_MAX
from wakegate.core.errors import (
    BadRequestError,
    BadResponseError,
    ConnectionLostError,
    ForwardError,
    ResponseTimeoutError,
    UnreachableError,
)

TOO_MUCH = b"x" * (PAYLOAD_BYTES_MAX + 1024 * 1024)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(TOO_MUCH), TOO_MUCH),
        b"HTTP/1.1 200 OK\r\n\r\n" + TOO_MUCH,
    ],
    ids=["length", "chunked", "until close"],
)
def test_more_is_not_read_into_the_functions_memory(app: App, send: Send, raw: bytes) -> None:
    """A download of a gigabyte would kill the environment, and with it the requests it holds."""
    app.answers = [raw]
    with pytest.raises(BadResponseError, match="at most 6 MiB"):
        send()


def test_where_nobody_listens_nothing_was_sent(network: HttpNetwork) -> None:
    """So any request may go to another task."""
    with pytest.raises(UnreachableError, match="no connection to 127"):
        network.forward(POST, closed_port(), timeout_s=LONG_S)


@pytest.mark.parametrize("target", ["", "nonsense", "127.0.0.1:port", "127.0.0.1:99999"])
def test_a_target_that_is_no_address_is_unreachable(network: HttpNetwork, target: str) -> None:
    """A record that somebody edited must not end in a traceback."""
    assert not network.connects(target)
    with pytest.raises(UnreachableError):
        network.forward(GET, target, timeout_s=LONG_S)


def test_a_port_beyond_the_last_one_is_not_that_of_somebody_else(network: HttpNetwork) -> None:
    """The C library takes 65,616 for 80."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert not network.connects(f"127.0.0.1:{other.getsockname()[1] + 65_536}")


def test_no_connection_in_time_is_unreachable() -> None:
    """A task that is gone answers with silence, not with a refusal."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # fill the line of those whom nobody accepts: further ones get no answer at all
            one.setblocking(False)
            one.connect_ex(address)
        network = HttpNetwork("web", connect_timeout_s=0.3, probe_timeout_s=0.3)
        target = f"127.0.0.1:{address[1]}"
        with pytest.raises(UnreachableError, match="timed out"):
            network.forward(POST, target, timeout_s=LONG_S)
        assert not network.connects(target)
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        (None, ConnectionLostError, "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", BadResponseError, "in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", BadResponseError, "in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", BadResponseError, "in the middle"),
        (b"HTTP/1.1 20", BadResponseError, "web: "),
        (b"SSH-2.0-OpenSSH\r\n\r\n", BadResponseError, "not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", BadResponseError, "web: "),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", BadResponseError, "not HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", BadResponseError, "not HTTP"),
        (b"HTTP/1.1 103 Hint\r\n\r\n" * 17, BadResponseError, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\nok", BadResponseError, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!", BadResponseError, "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", BadResponseError, "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", BadResponseError, "length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", BadResponseError, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 150 + b"\r\n", BadResponseError, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", BadResponseError, "not HTTP"),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(
    app: App, send: Send, raw: bytes | None, error: type[ForwardError], says: str
) -> None:
    """And whether a byte came back: after that nobody may ask a second time."""
    app.answers, app.closes = [raw], True
    with pytest.raises(error, match=says):
        send(POST)
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    ("raw", "says"), [(b"", "did not answer"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "did not go on")]
)
def test_an_app_that_stops_is_given_up_in_time(app: App, send: Send, raw: bytes, says: str) -> None:
    """The front hangs up on us after 30 s: the client must have heard from us before that."""
    app.answers, app.holds = [raw], True
    with pytest.raises(ResponseTimeoutError, match=says):
        send(timeout_s=0.3)


def test_the_time_is_for_all_of_the_answer(network: HttpNetwork) -> None:
    """An app that sends a byte now and then would else hold the function as long as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                read_request(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not done.wait(0.05):
                    connection.sendall(b"X: 1\r\n")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(ResponseTimeoutError):
                network.forward(GET, f"127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.5)
        finally:
            done.set()
            thread.join(LONG_S)


@pytest.mark.parametrize(
    "request_",
    [
        AppRequest(method="GET", target="/", headers=(("X", "a\r\nInjected: 1"),)),
        AppRequest(method="GET", target="/", headers=(("X\r\nInjected", "1"),)),
        AppRequest(method="GET", target="/ HTTP/1.1\r\nInjected: 1", headers=()),
        AppRequest(method="GET", target="/ü", headers=()),
        AppRequest(method="GET /", target="/", headers=()),
    ],
)
def test_no_request_has_a_line_that_was_not_meant(app: App, send: Send, request_: AppRequest) -> None:
    """The last door before the app, whoever left the others open."""
    with pytest.raises(BadRequestError):
        send(request_)
    assert app.connections == 0
