"""For apps: the visitor's session as a dict, in any WSGI or ASGI framework; needs nothing but the standard library.

The gateway keeps what an app puts into the response header `Wakegate-Session-Data` and sends it with the visitor's next
request, to any replica, after any sleep. It takes that header off what clients send; without the gateway in front,
anybody could write it.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Session = dict[str, Any]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "wakegate.session"
HEADER = "Wakegate-Session-Data"
BYTES_MAX = 4096  # the default of session.data_bytes_max


class WsgiSession:
    """WSGI middleware: `environ["wakegate.session"]` is a dict of JSON values that outlives the app.

    What the app changes until it calls `start_response` is kept; raise `ValueError` when that is over `bytes_max`.
    """

    def __init__(self, app: "WSGIApplication", *, bytes_max: int = BYTES_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        before = environ.get("HTTP_WAKEGATE_SESSION_DATA", "")
        session = environ[KEY] = _load(before)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            after = _dump(session, bytes_max=self._bytes_max)
            changed = [(HEADER, after)] if after != before else []
            return start_response(status, [*headers, *changed], exc_info)

        return self._app(environ, start)


class AsgiSession:
    """ASGI middleware: `scope["wakegate.session"]` is a dict of JSON values that outlives the app.

    What the app changes until it begins its answer is kept; raises `ValueError` when that is more than `bytes_max`. A
    WebSocket can read it and has no answer to change it with.
    """

    def __init__(self, app: AsgiApp, *, bytes_max: int = BYTES_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        name = HEADER.lower().encode()
        before = next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
        session = scope[KEY] = _load(before)

        async def start(message: Message) -> None:
            if message["type"] == "http.response.start":
                after = _dump(session, bytes_max=self._bytes_max)
                if after != before:
                    message["headers"] = [*message.get("headers", ()), (name, after.encode())]
            await send(message)

        await self._app(scope, receive, start)


def _load(text: str) -> Session:
    """Read what `_dump` wrote; what another program wrote begins a new dict."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _dump(session: Session, *, bytes_max: int) -> str:
    """Write a dict as one line of ASCII; an empty one as nothing, which is how the gateway forgets."""
    text = json.dumps(session, separators=(",", ":")) if session else ""
    if len(text) > bytes_max:
        raise ValueError(
            f"the session is {len(text)} bytes as JSON, of which {bytes_max} are kept (session.data_bytes_max); "
            "keep large things elsewhere, and their key here"
        )
    return text
