"""visitor: a client that comes back when it is asked to, keeps its cookie, and can ask how the service is."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection, RemoteDisconnected
from typing import Any
from urllib.parse import quote, urlsplit

from wakegate.core.errors import WakegateError
from wakegate.core.say import UNIX_PREFIX, say_duration

STATUS = "/.wakegate/status"
PROBLEM = "urn:wakegate:problem:"
HOP = "wakegate-hop="
STATUS_TIMEOUT_S = 40.0  # it is answered from a record, but an HTTP API may first start a function
BODY_BYTES_MAX = 1024 * 1024  # of an answer; more says nothing about the wake
FINAL = ("wake-failed", "asleep", "service-unknown")  # coming back soon changes nothing
SAFE = "/?%:@!$&'()*+,;=~-._"  # what a person has encoded already stays as it is
HURRIED_MAX = 20  # come-backs at once; a server that counts wrongly must not be asked as fast as we can
NO_ANSWER = "closed the connection without an answer; is it https://, or gateway.proxy_protocol that it expects?"
PAUSE_MIN_S, PAUSE_MAX_S = 0.2, 30.0


class VisitError(WakegateError):
    """The address cannot be used, does not answer, or has no Wakegate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How one request ended, all come-backs included."""

    status: int
    took_s: float
    wake_s: float | None = None  # how much of it was the wait for the app; None: none was told
    comebacks: int = 0
    why: str = ""  # what Wakegate says where it did not answer with the app's own words

    @property
    def is_answered(self) -> bool:
        """Say whether the app has answered, and not with a failure."""
        return self.status < 500 and not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """Return the problem if Wakegate itself has answered."""
        found = _json(self.body)
        return found if str(found.get("type", "")).startswith(PROBLEM) else {}


class Visitor:
    """One visitor of one address, on one kept connection; `now_s` and `sleep` are the clock."""

    def __init__(
        self,
        url: str,
        *,
        cookie: str = "uuid",
        headers: Mapping[str, str] | None = None,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._unix_path = _unix_path(url)
        parts = urlsplit("http://localhost/" if self._unix_path else url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise VisitError(f'"{url}" is no address; write it as http://127.0.0.1:8080, or a stack as --aws {url}')
        try:
            self._port = parts.port
        except ValueError as error:
            raise VisitError(f'"{url}" has no port that there could be') from error
        try:
            self._netloc = parts.netloc.rpartition("@")[2].encode("idna").decode()
        except UnicodeError as error:
            raise VisitError(f'"{parts.hostname}" is no name of a host') from error
        self.url = url
        self.sessions: list[str] = []  # the ids that were given to us, in their order
        self._is_tls, self._host = parts.scheme == "https", parts.hostname
        self._path = quote(parts.path or "/", safe=SAFE)
        self._target = self._path + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
        self._cookie, self._cookies = cookie, dict[str, str]()
        self._headers = {"User-Agent": "wakegate-verify", "Accept": "*/*", **(headers or {})}
        self._status_target = ""
        self._connection: HTTPConnection | None = None
        self.now_s, self.sleep = now_s, sleep

    def close(self) -> None:
        """Close the kept connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def status(self) -> dict[str, Any]:
        """Return what `/.wakegate/status` says, which neither wakes nor touches; raise `VisitError` where it is not."""
        candidates = [self._status_target] if self._status_target else self._status_targets()
        answers = []
        for target in candidates:
            answer = self._exchange(target, timeout_s=STATUS_TIMEOUT_S)
            found = _json(answer.body)
            if answer.status == 200 and {"phase", "state", "service"} <= found.keys():
                self._status_target = target
                return found
            answers.append(answer)
            if answer.problem:
                break  # a Wakegate, but it says no
        raise VisitError(self._no_status(answers))

    def visit(self, *, within_s: float) -> Visit:
        """Send one GET, and come back for as long as Wakegate says so and time is left."""
        began_s = self.now_s()
        target, comebacks = self._target, 0
        while True:
            sent_s = self.now_s()
            left_s = began_s + within_s - sent_s
            answer = self._exchange(target, timeout_s=max(1.0, left_s))
            self._keep_cookies(answer.headers)
            again = self._again(answer, target)
            if again is None:
                break
            pause_s = again[1] if comebacks < HURRIED_MAX else max(1.0, again[1])
            if self.now_s() + pause_s > began_s + within_s:
                break
            target = again[0]
            comebacks += 1
            self.sleep(pause_s)
        ended_s = self.now_s()
        told_s = _wake_s(answer.headers)
        return Visit(
            status=answer.status,
            took_s=ended_s - began_s,
            wake_s=None if told_s is None else sent_s - began_s + told_s,
            comebacks=comebacks,
            why=_why(answer, is_over=again is not None, took_s=ended_s - began_s),
        )

    @property
    def has_cookie(self) -> bool:
        """Say whether the next request carries a session."""
        return self._cookie in self._cookies

    def _status_targets(self) -> list[str]:
        """Return where the reserved path may be: at the root, as a gateway has it, or below a stage."""
        root = STATUS if self._path == "/" else f"{STATUS}?path={quote(self._path)}"
        below = f"{self._path.rstrip('/')}{STATUS}"
        return [root] if below == STATUS else [root, below]

    def _no_status(self, answers: list[_Answer]) -> str:
        answer = answers[-1]
        if answer.problem:
            return f"{self.url}: {answer.problem.get('detail') or answer.problem.get('title')}"
        if answer.status in (401, 403):
            return (
                f"{self.url} lets nobody in without authorization ({STATUS} answered {answer.status}); "
                'give it with --header "Authorization: …"'
            )
        hint = "; is the path right (on AWS it is the stage: /prod)?" if answer.status == 404 else ""
        return f"{self.url} is no Wakegate: {STATUS} answered {answer.status}, not how a service is{hint}"

    def _again(self, answer: _Answer, target: str) -> tuple[str, float] | None:
        """Return where and in how many seconds to ask again; None for an answer that stands."""
        location = answer.headers.get("Location", "")
        if answer.status == 307 and HOP in location:
            parts = urlsplit(location)
            if parts.netloc in ("", self._netloc):
                return f"{parts.path or '/'}?{parts.query}", 0.0
        retry = answer.headers.get("Retry-After", "").strip()
        slug = str(answer.problem.get("type", "")).removeprefix(PROBLEM)
        if answer.status in (429, 503) and retry and slug not in FINAL:
            pause_s = float(retry) if retry.isascii() and retry.isdigit() and len(retry) < 6 else 1.0  # else a date
            return target, min(PAUSE_MAX_S, max(PAUSE_MIN_S, pause_s))
        return None

    def _exchange(self, target: str, *, timeout_s: float) -> _Answer:
        """Send one GET; once more on a new connection where the kept one has ended meanwhile."""
        is_kept = self._connection is not None
        try:
            return self._exchange_once(target, timeout_s=timeout_s)
        except (RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            if not is_kept:
                raise VisitError(f"{self.url} {NO_ANSWER}") from error
        except TimeoutError as error:
            self.close()
            raise VisitError(f"{self.url} did not answer within {say_duration(timeout_s)}") from error
        except (OSError, HTTPException) as error:
            self.close()
            raise VisitError(f"{self.url} cannot be reached: {_said(error)}") from error
        return self._exchange(target, timeout_s=timeout_s)

    def _exchange_once(self, target: str, *, timeout_s: float) -> _Answer:
        connection = self._connection = self._connection or self._connected()
        connection.timeout = timeout_s
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(timeout_s)
        headers = {"Host": self._netloc, **self._headers}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        body, give_up_s = b"", self.now_s() + timeout_s
        while len(body) < BODY_BYTES_MAX and self.now_s() < give_up_s and (piece := response.read1(65_536)):
            body += piece
        if response.length == 0:
            response.read()  # of a whole body: this says that the connection is free again
        if response.will_close or not response.isclosed():
            self.close()
        return _Answer(status=response.status, headers=response.headers, body=body)

    def _connected(self) -> HTTPConnection:
        if self._unix_path:
            return _UnixConnection(self._unix_path)
        host = "127.0.0.1" if self._host == "localhost" or self._host.endswith(".localhost") else self._host
        if self._is_tls:
            return HTTPSConnection(self._host, self._port)
        return HTTPConnection(host, self._port)

    def _keep_cookies(self, headers: HTTPMessage) -> None:
        """Keep cookies as a browser does, but for their attributes: this one visits one address, for minutes."""
        for line in headers.get_all("Set-Cookie") or ():
            pair, _, attributes = line.partition(";")
            name, _, value = pair.strip().partition("=")
            if "max-age=0" in attributes.replace(" ", "").lower().split(";"):
                self._cookies.pop(name, None)
                continue
            self._cookies[name] = value
            session = value.partition(".")[0]
            if name == self._cookie and session not in self.sessions[-1:]:
                self.sessions.append(session)


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """See `HTTPConnection`."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _unix_path(url: str) -> str:
    """Return the path of a Unix socket, or nothing where the address is another."""
    if not url.lower().startswith(UNIX_PREFIX):
        return ""
    path = url[len(UNIX_PREFIX) :]
    if not path or not url.startswith(UNIX_PREFIX):
        raise VisitError(f'"{url}" is no address; write it as {UNIX_PREFIX}{path or "/run/wakegate.sock"}')
    return path


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wake_s(headers: HTTPMessage) -> float | None:
    """Read `Server-Timing: wake;dur=840.0`."""
    for entry in ",".join(headers.get_all("Server-Timing") or ()).split(","):
        name, *parameters = [part.strip() for part in entry.split(";")]
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if name == "wake" and key == "dur":
                try:
                    return float(value) / 1000
                except ValueError:
                    return None
    return None


def _why(answer: _Answer, *, is_over: bool, took_s: float) -> str:
    if is_over:
        return f"still asked to come back after {say_duration(took_s)}"
    problem = answer.problem
    if not problem:
        return ""
    title, detail = str(problem.get("title", "")), str(problem.get("detail", ""))
    return f"{title}: {detail}" if title and detail and title != detail else title or detail


def _said(error: Exception) -> str:
    """Say a failure of the network in its own words, without the number in front, and what to do where nobody is."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    is_nobody = isinstance(error, (ConnectionRefusedError, FileNotFoundError, NotADirectoryError))
    return f"{text}; nobody listens there: is the gateway up?" if is_nobody else text
