"""What llhttp and our own checks make of bytes together: the long way, as both ends of the gateway use it."""

from contextlib import suppress
from dataclasses import dataclass, field

import httptools

from wakegate.core.errors import BadRequestError
from wakegate.local.http.head import Header, RequestHead, read_head
from wakegate.local.http.peer import Peer, is_proxy
from wakegate.local.http.response import ResponseHead, interim, read_response

PEER = "192.0.2.7"


@dataclass(slots=True)
class Request:
    """One request that was let through."""

    method: bytes
    target: bytes
    head: RequestHead
    body: bytes = b""
    trailers: list[Header] = field(default_factory=list)
    is_complete: bool = False

    def lines(self) -> list[bytes]:
        """Return the header lines for the app."""
        return self.head.upstream.removesuffix(b"\r\n").split(b"\r\n")

    def value(self, name: str) -> bytes | None:
        """Return the value of the one line of this name that the app gets, None where it gets none."""
        found = [line for line in self.lines() if line.lower().startswith(name.lower().encode() + b":")]
        assert len(found) <= 1, f"the app gets {found}"
        return found[0].partition(b":")[2].strip(b" ") if found else None


class Reader:
    """Reads requests; `upgrade_at` is where llhttp has stopped to parse."""

    def __init__(self, *, peer: str = PEER, trusted: tuple[str, ...] = ()) -> None:
        self.requests: list[Request] = []
        self.upgrade_at: int | None = None
        self._peer = Peer(peer, is_trusted=is_proxy(peer, trusted))
        self._trusted = trusted
        self._headers: list[Header] = []
        self._url = b""
        self._parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        """See httptools."""
        self._headers, self._url = [], b""

    def on_url(self, url: bytes) -> None:
        """See httptools."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """See httptools."""
        version = self._parser.get_http_version()
        head, target = read_head(
            self._headers, version=version, target=self._url, peer=self._peer, trusted=self._trusted
        )
        self.requests.append(Request(method=self._parser.get_method(), target=target, head=head))
        self._headers = self.requests[-1].trailers

    def on_body(self, data: bytes) -> None:
        """See httptools."""
        self.requests[-1].body += data

    def on_message_complete(self) -> None:
        """See httptools."""
        self.requests[-1].is_complete = True

    def feed(self, data: bytes) -> None:
        """Read on; raise our own error or llhttp's."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self.upgrade_at = stop.args[0]
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError as error:
            raise BadRequestError(str(error)) from error


def read_all(data: bytes, *, peer: str = PEER, trusted: tuple[str, ...] = ()) -> Reader:
    """Read everything at once."""
    reader = Reader(peer=peer, trusted=trusted)
    reader.feed(data)
    return reader


def read_one(
    *lines: str,
    first: str = "GET / HTTP/1.1",
    host: str = "shop.localhost",
    peer: str = PEER,
    trusted: tuple[str, ...] = (),
) -> Request:
    """Read one request with these header lines; without a Host line where `host` is empty."""
    hosts = [f"Host: {host}"] if host else []
    reader = read_all("\r\n".join([first, *hosts, *lines, "", ""]).encode("latin-1"), peer=peer, trusted=trusted)
    (request,) = reader.requests
    return request


class Answers:
    """Reads what an app sends, as far as it is a head."""

    def __init__(self, *, is_head: bool) -> None:
        self.heads: list[ResponseHead] = []
        self.interims: list[bytes] = []
        self.body = b""
        self._is_head = is_head
        self._headers: list[Header] = []
        self._reason = b""
        self._parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        """See httptools."""
        self._headers, self._reason = [], b""

    def on_status(self, reason: bytes) -> None:
        """See httptools."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """See httptools."""
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            self.interims.append(interim(self._headers, status=status, reason=self._reason))
        else:
            head = read_response(self._headers, status=status, reason=self._reason, is_head=self._is_head)
            self.heads.append(head)

    def on_body(self, data: bytes) -> None:
        """See httptools."""
        self.body += data

    def feed(self, data: bytes) -> None:
        """Read on; raise what llhttp refuses, or the bug of ours that a head has shown."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None


def read_answer(*lines: str, status: str = "200 OK", is_head: bool = False) -> ResponseHead:
    """Read one answer with these header lines."""
    answers = Answers(is_head=is_head)
    stops = (httptools.HttpParserUpgrade, httptools.HttpParserError) if status.startswith("101") else ()
    with suppress(*stops):
        answers.feed("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1"))
    (head,) = answers.heads
    return head
