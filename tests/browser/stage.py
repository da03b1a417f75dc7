"""A small real server that plays a service: asleep, waking, ready or failed, in the gateway's own words."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from wakegate.answer.reserved import routed_path
from wakegate.core.errors import RequestError, StillWakingError, WakeFailedError
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.local.request.answer import answer, reserved

T = TypeVar("T")

FAILURE = "exited with status 3 after 0.4 s, before it listened"
APP = """<!doctype html><html><head><meta name="color-scheme" content="light dark"><title>The app</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/slow.css"></head>
<body><h1>The app is here</h1></body></html>"""
DARK = "html{background:#101418;color:#eee}"
RESPONSE = (
    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nContent-Length: {length}\r\n\r\n{body}"
)


class Stage:
    """The server, in a thread of its own; set `state` from the test, at any time."""

    def __init__(self, *, service: str = "shop", usual_s: float | None = 12.0) -> None:
        self.service = service
        self.usual_s = usual_s
        self.state = "waking"
        self.retry_s = 60.0
        self.refusals = 0  # so many retries come too soon after the last one
        self.failure = FAILURE
        self.error: RequestError | None = None  # what a page gets instead of what the state says
        self.status_head: str | None = None  # e.g. "404 Not Found": the status path is answered by somebody else
        self.refresh_s: float | None = None  # Retry-After of the waiting page; None: 60 s
        self.began_s = time.monotonic()
        self.css_delay_s = 0.0
        self.requests: list[str] = []
        self.on_load: Callable[[], None] = lambda: None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage")

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def loads(self) -> int:
        """Count the pages that were asked for."""
        return sum(1 for line in self.requests if "/.wakegate/" not in line and ".css" not in line)

    def polls(self) -> int:
        """Count the questions of the page."""
        return sum(1 for line in self.requests if "/.wakegate/status" in line)

    # -- what the reserved paths ask

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        phases = {"waking": Phase.WAKING, "ready": Phase.AWAKE}
        return Progress(
            service=self.service,
            phase=phases.get(self.state, Phase.ASLEEP),
            elapsed_s=time.monotonic() - self.began_s if self.state == "waking" else 0.0,
            usual_s=self.usual_s,
            retry_after_s=self.retry_s,
            failure=self.failure if self.state == "failed" else "",
        )

    def retry(self) -> bool:
        """See `Lane.retry`."""
        self.refusals -= 1
        if self.refusals >= 0:
            return False
        self.state, self.began_s = "waking", time.monotonic()
        return True

    # -- the server

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _stop(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split("\r\n")[0].split(" ")
                self.requests.append(f"{method} {target}")
                if target == "/slow.css":
                    await asyncio.sleep(self.css_delay_s)
                writer.write(self._answer(method, target, head))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # cancelled only at the end; to pass it on would make asyncio's streams log it
        finally:
            writer.close()

    def _answer(self, method: str, target: str, head: str) -> bytes:
        path = target.partition("?")[0]
        if path.startswith("/.wakegate/"):
            return self._reserved(method, target, head)
        if path == "/slow.css":
            return respond("200 OK", DARK, kind="text/css")
        self.on_load()
        error = self.error or self._error()
        if error is None:
            return respond("200 OK", APP)
        return answer(
            error,
            request_id="5f3a9c0e00000012",
            wants_html=True,
            is_head=False,
            keep_alive=True,
            progress=self.progress(),
            path=path,
            show_errors=False,
        )

    def _error(self) -> RequestError | None:
        if self.state == "failed":
            return WakeFailedError(self.service, f"{self.failure}; next try in 5 s", retry_after_s=self.retry_s)
        if self.state == "waking":
            return StillWakingError(self.service, "waking up", retry_after_s=self.refresh_s or 60.0)
        return None

    def _reserved(self, method: str, target: str, head: str) -> bytes:
        if self.status_head is not None:
            return respond(self.status_head, "somebody else's page")
        assert routed_path(target).startswith("/")
        return reserved(
            target.partition("?")[0],
            method=method,
            lane=self,
            same_origin="sec-fetch-site: same-origin" in head.lower(),
            is_head=False,
            keep_alive=True,
            request_id="5f3a9c0e00000013",
        )


def respond(status: str, body: str, *, kind: str = "text/html") -> bytes:
    """Write a response of the app."""
    return RESPONSE.format(status=status, kind=kind, length=len(body.encode()), body=body).encode()
