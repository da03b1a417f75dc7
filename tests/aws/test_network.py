"""Requests to a task over real sockets: in whatever way an app frames its answer, the client gets it."""

import pytest
from tests.aws.conftest import eventually
from tests.aws.raw_app import GET, HEAD, LONG_S, OK, POST, App, Send, closed_port

from wakegate.aws.cloud import AppRequest
from wakegate.aws.network import IDLE_MAX_S, HttpNetwork
from wakegate.aws.payload import PAYLOAD_BYTES_MAX
from wakegate.core.errors import (
    ConnectionLostError,
)


def test_a_request_arrives_as_it_is(app: App, send: Send) -> None:
    """To the byte: what is added here would be in no test of the payload."""
    send()
    send(POST)
    send(AppRequest(method="PUT", target="/", headers=(("Host", "web"), ("X-Name", "gr\xfcezi"))))
    assert app.requests == [
        b"GET /a?b=c HTTP/1.1\r\nHost: web\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\n\r\nx=1",
        b"PUT / HTTP/1.1\r\nHost: web\r\nX-Name: gr\xfcezi\r\nContent-Length: 0\r\n\r\n",
    ]


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1;ext=1\r\n!\r\n0\r\n\r\n", b"ok!"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n", b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_an_answer_is_read_to_its_end_and_the_connection_kept(app: App, send: Send, raw: bytes, body: bytes) -> None:
    """In each way of framing; a second request on the same connection shows that the end was found."""
    app.answers = [raw]
    assert send().body == body
    assert send().body == b"ok"
    assert app.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_an_answer_that_ends_with_its_connection_is_whole(app: App, send: Send, raw: bytes) -> None:
    """Old servers; the connection is not used again."""
    app.answers, app.closes = [raw], True
    assert send().body == b"ok"
    assert send().body == b"ok"
    assert app.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_an_answer_whose_end_two_could_read_differently_is_the_last_on_its_connection(
    app: App, send: Send, raw: bytes
) -> None:
    """The rest of one answer read as the next is another visitor's page."""
    app.answers = [raw]
    send()
    send()
    assert app.connections == 2


def test_a_head_has_no_body_whatever_its_length(app: App, send: Send) -> None:
    """It is longer than may go through a function, and that is no failure."""
    app.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"]
    response = send(HEAD)
    assert (response.body, dict(response.headers)) == (b"", {"Content-Length": "99999999"})
    assert send().body == b"ok"
    assert app.connections == 1


def test_headers_come_back_in_order_and_as_often_as_sent(app: App, send: Send) -> None:
    """Two cookies are two cookies."""
    app.answers = [
        b"HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX: gr\xfcezi\r\nContent-Length: 0\r\n\r\n"
    ]
    response = send()
    assert response.status == 302
    assert response.headers[:3] == (("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X", "gr\xfcezi"))


def test_six_megabytes_go_both_ways(app: App, send: Send) -> None:
    """All that a function may take and return."""
    body = bytes(range(256)) * (PAYLOAD_BYTES_MAX // 256)
    app.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)]
    request = AppRequest(method="POST", target="/", headers=(("Host", "web"),), body=body)
    assert send(request).body == body
    assert app.requests[0].endswith(body)


def test_a_connection_that_was_closed_meanwhile_is_replaced(app: App, send: Send) -> None:
    """Most servers close an idle one after seconds; an environment sleeps for minutes."""
    app.closes = True
    send()
    eventually(lambda: app.ended == 1, what="the app has closed the connection")
    assert send().body == b"ok"
    assert (app.connections, len(app.requests)) == (2, 2)


def test_an_app_that_spoke_unasked_is_not_listened_to(app: App, send: Send) -> None:
    """What it said would be taken for the answer to the next request."""
    app.answers = [OK + b"HTTP/1.1 500 Sneaky\r\nContent-Length: 0\r\n\r\n" * 4000]
    assert send().body == b"ok"
    assert send().status == 200


def test_a_kept_connection_that_dies_under_the_request_is_replaced(app: App, send: Send) -> None:
    """It was closed in the very moment: no byte came back and GET is idempotent, so it is asked again, once."""
    app.answers = [OK, None]
    send()
    assert send().body == b"ok"
    assert (app.connections, len(app.requests)) == (2, 3)


def test_on_a_new_connection_a_lost_request_is_not_repeated_here(app: App, send: Send) -> None:
    """The handler decides: there may be another task."""
    app.answers = [None]
    with pytest.raises(ConnectionLostError):
        send()
    assert len(app.requests) == 1


def test_what_is_not_idempotent_never_goes_on_a_kept_connection(app: App, send: Send) -> None:
    """If it died under an order, nobody could say whether there is one order or none."""
    send()
    send(POST)
    assert app.connections == 2


def test_a_kept_connection_is_not_trusted_for_ever(app: App) -> None:
    """A firewall forgets it without telling anybody; by the wall clock, as an environment may have been frozen."""
    now = [1000.0]
    network = HttpNetwork("web", now_s=lambda: now[0])
    for step_s in (0, IDLE_MAX_S - 1, IDLE_MAX_S + 1, -10):
        now[0] += step_s
        network.forward(GET, app.target, timeout_s=LONG_S)
    network.close()
    assert app.connections == 3


@pytest.mark.parametrize(
    ("answer", "is_ready"),
    [
        (OK, True),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 503 Starting\r\nContent-Length: 0\r\n\r\n", False),
        (None, False),
        (b"hello\r\n\r\n", False),
    ],
)
def test_an_http_probe_asks_the_app_itself(app: App, answer: bytes | None, is_ready: bool) -> None:
    """RUNNING is not ready, and a listening socket is not a loaded model."""
    app.answers = [answer]
    assert HttpNetwork("web", probe="/healthz", probe_timeout_s=LONG_S).connects(app.target) is is_ready
    assert app.requests[0].startswith(b"GET /healthz HTTP/1.1\r\n")


def test_a_probe_that_gets_no_answer_is_a_no(app: App) -> None:
    """It is asked again in a second."""
    app.answers, app.holds = [b""], True
    assert not HttpNetwork("web", probe="/healthz", probe_timeout_s=0.3).connects(app.target)


def test_a_tcp_probe_says_whether_somebody_listens(app: App) -> None:
    """The default: no assumption on what the app answers where."""
    network = HttpNetwork("web")
    assert network.connects(app.target)
    assert not network.connects(closed_port())


def test_a_probe_that_cannot_be_asked_is_a_no(app: App) -> None:
    """A path with a space in the settings: it never raises, as nobody would catch it."""
    assert not HttpNetwork("web", probe="/a b").connects(app.target)
