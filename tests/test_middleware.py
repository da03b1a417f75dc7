"""The session as a dict: a real WSGI server, and an ASGI app that is called as a server calls it."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from flask import Flask, request

from wakegate.middleware import HEADER, KEY, AsgiSession, Message, Receive, Scope, Send, WsgiSession

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.anyio

Change = Callable[[dict[str, Any]], None]


class Silent(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        """Say nothing."""


@contextmanager
def served(app: "WSGIApplication") -> Iterator[httpx.Client]:
    """Serve an app on a real socket; yield a client of it."""
    with make_server("127.0.0.1", 0, app, handler_class=Silent) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=30) as client:
                yield client
        finally:
            server.shutdown()
            thread.join()


def cart() -> Flask:
    """Return a Flask app, in Flask's own way, that counts in the session."""
    app = Flask(__name__)
    app.wsgi_app = WsgiSession(app.wsgi_app)  # type: ignore[method-assign]  # how Flask says to wrap an app

    @app.get("/")
    def show() -> dict[str, Any]:
        return dict(request.environ[KEY])

    @app.get("/add/<thing>")
    def add(thing: str) -> dict[str, Any]:
        session = request.environ[KEY]
        session.setdefault("things", []).append(thing)
        return dict(session)

    @app.get("/empty")
    def empty() -> str:
        request.environ[KEY].clear()
        return "empty"

    return app


def test_what_a_framework_app_changes_goes_out_and_what_it_reads_came_in() -> None:
    """The whole contract: one header out when it changed, the same header in."""
    with served(cart()) as client:
        added = client.get("/add/pen", headers={HEADER: '{"things":["ink"]}'})
        assert added.json() == {"things": ["ink", "pen"]}
        assert added.headers[HEADER] == '{"things":["ink","pen"]}'
        assert client.get("/", headers={HEADER: added.headers[HEADER]}).json() == {"things": ["ink", "pen"]}


def test_a_request_that_changes_nothing_costs_no_write() -> None:
    """The gateway writes what it is sent; most requests only read."""
    with served(cart()) as client:
        assert HEADER not in client.get("/", headers={HEADER: '{"things":["ink"]}'}).headers
        assert HEADER not in client.get("/").headers


def test_an_emptied_session_is_forgotten() -> None:
    """The empty header is what makes the gateway drop the data."""
    with served(cart()) as client:
        assert client.get("/empty", headers={HEADER: '{"things":["ink"]}'}).headers[HEADER] == ""


def test_any_text_survives_a_header() -> None:
    """Header values are a line of ASCII; what people write is not."""
    thing = "naïve ☕ line\r\nbreak"
    with served(cart()) as client:
        sent = client.get(f"/add/{quote(thing)}").headers[HEADER]
        assert sent.isascii()
        assert sent.isprintable()
        assert client.get("/", headers={HEADER: sent}).json() == {"things": [thing]}


@pytest.mark.parametrize("data", ["not json", "[1, 2]", "7"])
def test_what_another_program_stored_begins_a_new_dict(data: str) -> None:
    """The app may have kept something else in its session before it used this."""
    with served(cart()) as client:
        assert client.get("/", headers={HEADER: data}).json() == {}


def test_too_much_is_an_error_that_says_how_much() -> None:
    """Silently dropping a visitor's cart would be found by the visitor."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[KEY]["large"] = "x" * 90
        with pytest.raises(ValueError, match=r"102 bytes as JSON, of which 100 are kept \(session\.data_bytes_max\)"):
            start_response("200 OK", [])
        environ[KEY]["large"] = "x" * 88
        start_response("200 OK", [])
        return [b""]

    with served(WsgiSession(app, bytes_max=100)) as client:
        assert len(client.get("/").headers[HEADER]) == 100


async def call(change: Change, scope: Scope) -> list[Message]:
    """Call an ASGI app that changes its session and answers; return what it sent."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        change(scope[KEY])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await AsgiSession(app)(scope, receive, send)
    return sent


async def test_an_asgi_app_changes_its_session_in_the_scope() -> None:
    """The same dict for the other half of the frameworks."""
    scope = {"type": "http", "headers": [(b"wakegate-session-data", b'{"visits":1}')]}
    start, _ = await call(lambda session: session.update(visits=session["visits"] + 1), scope)
    headers = dict(start["headers"])
    assert headers[b"x-own"] == b"1"
    assert json.loads(headers[b"wakegate-session-data"]) == {"visits": 2}


async def test_an_asgi_app_that_only_reads_sends_no_header() -> None:
    """As for WSGI: no write."""
    scope = {"type": "http", "headers": [(b"wakegate-session-data", b'{"visits":1}')]}
    start, _ = await call(lambda session: session.get("visits"), scope)
    assert start["headers"] == [(b"x-own", b"1")]


async def test_the_lifespan_of_an_asgi_app_passes_through() -> None:
    """It has no headers, and no session."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])
        assert KEY not in scope

    async def nothing() -> Message:
        return {}

    async def send(message: Message) -> None:
        assert not message

    await AsgiSession(app)({"type": "lifespan"}, nothing, send)
    assert seen == ["lifespan"]
