"""The Runtime API of one environment: what awslambdaric in it asks for, and where it brings its answers."""

import asyncio
import json
import time
from dataclasses import dataclass, field

from tests.account.wire import Request, Response, port_of, serve

PAYLOAD_BYTES_MAX = 6 * 1024 * 1024
_ACCEPTED = Response(status=202, headers=[("Content-Type", "application/json")], body=b'{"status":"OK"}')


@dataclass(kw_only=True)
class Outcome:
    """What came of an invocation."""

    payload: bytes
    error: str = ""  # "Unhandled" where the function failed
    environment: str = ""
    is_cold: bool = False
    init_s: float = 0.0  # of a cold one
    duration_s: float = 0.0  # from the runtime's getting the event to its answer


@dataclass(kw_only=True)
class Invocation:
    """One event on its way through an environment."""

    id: str
    payload: bytes
    arn: str
    timeout_s: float
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    given_s: float = 0.0

    def settle(self, payload: bytes, *, error: str = "") -> None:
        """Set the outcome; the first one holds."""
        if not self.outcome.done():
            took_s = time.monotonic() - self.given_s if self.given_s else 0.0
            self.outcome.set_result(Outcome(payload=payload, error=error, duration_s=took_s))


class RuntimeApi:
    """A server of its own for each environment, since all that a runtime is told is a host and a port."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()  # the runtime has asked for its first event: the init phase is over
        self.init_error: bytes = b""
        self._next: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._running: Invocation | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen; return what AWS_LAMBDA_RUNTIME_API is set to."""
        self._server = await serve(self._answer)
        return f"127.0.0.1:{port_of(self._server)}"

    def stop(self) -> None:
        """Stop listening, and let go whoever waits for an event: nothing else would end its connection."""
        self._next.put_nowait(None)
        if self._server is not None:
            self._server.close()

    def give(self, invocation: Invocation) -> None:
        """Put an event where the runtime will get it."""
        self._running = invocation
        self._next.put_nowait(invocation)

    def fail(self, payload: bytes) -> None:
        """Say that the environment has died or was ended: what ran in it has failed."""
        if self._running is not None:
            self._running.settle(payload, error="Unhandled")

    async def _answer(self, request: Request) -> Response:
        *_, parent, last = request.path.split("/")
        if last == "next":
            self.ready.set()
            invocation = await self._next.get()
            if invocation is None:
                raise ConnectionAbortedError
            invocation.given_s = time.monotonic()
            deadline_ms = int((time.time() + invocation.timeout_s) * 1000)
            headers = [
                ("Content-Type", "application/json"),
                ("Lambda-Runtime-Aws-Request-Id", invocation.id),
                ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
                ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
                ("Lambda-Runtime-Trace-Id", f"Root=1-{int(time.time()):08x}-{invocation.id.replace('-', '')[:24]}"),
            ]
            return Response(status=200, headers=headers, body=invocation.payload)
        if parent == "init":
            self.init_error = request.body
            self.ready.set()
        elif self._running is not None and self._running.id == parent:
            if last == "response" and len(request.body) > PAYLOAD_BYTES_MAX:
                self._running.settle(_too_large(len(request.body)), error="Unhandled")
                return Response(status=413, body=b'{"errorType":"RequestEntityTooLarge"}')
            self._running.settle(request.body, error="" if last == "response" else "Unhandled")
        return _ACCEPTED


def _too_large(size: int) -> bytes:
    message = f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_BYTES_MAX} bytes): {size}."
    return json.dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}).encode()
