"""What scenarios with workers ask: which processes there are, who has answered, and visitors who never pause."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
from tests.scenarios.gateway import Wakegate, eventually

TWO = "[gateway]\nworkers = 2\n"
LONG_DRAIN = '[gateway]\nworkers = 2\ndrain_timeout = "60s"\n'


def workers(gateway: Wakegate) -> list[int]:
    """Return the processes of the workers that belong to the state of this gateway, whoever started them."""
    mine = str(gateway.folder / ".wakegate")
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "wakegate.local.workers" in words and mine in words[-1] and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(int(process.info["pid"]))
    return sorted(found)


def who(answer: httpx.Response) -> str:
    """Return what the ids of all requests that one process let in begin with."""
    return answer.headers["X-Request-Id"][:12]


def of_each(gateway: Wakegate, path: str = "/", *, headers: dict[str, str] | None = None) -> dict[str, httpx.Response]:
    """Ask on new connections until both workers have answered; return an answer of each."""
    answers: dict[str, httpx.Response] = {}

    def ask() -> bool:
        answer = gateway.get(path, headers=headers)
        answers.setdefault(who(answer), answer)
        return len(answers) == 2

    eventually(ask, what="both workers answer")
    return answers


class Visitors:
    """Ask without a pause, each on new connections, and note every answer that is not the app's."""

    def __init__(self, gateway: Wakegate) -> None:
        self.gateway = gateway
        self.served = 0
        self.problems: list[str] = []
        self._is_over = threading.Event()
        self._lock = threading.Lock()

    def visit(self) -> None:
        """Come again and again."""
        while not self._is_over.is_set():
            try:
                answer = self.gateway.get()
            except httpx.ConnectError as error:
                problem = f"refused: {error}"
            except httpx.TransportError:
                continue  # it was in flight in a process that was killed
            else:
                problem = "" if answer.status_code == 200 else answer.text
            with self._lock:
                self.served += not problem
                self.problems += [problem] if problem else []

    def more(self, count: int = 20) -> None:
        """Wait until so many more have been served."""
        before = self.served
        eventually(lambda: self.served >= before + count, what=f"{count} more are served")

    @contextmanager
    def coming(self, *, count: int = 3) -> Iterator[None]:
        """Let so many come, all the time, in this block."""
        with ThreadPoolExecutor(count) as pool:
            for _ in range(count):
                pool.submit(self.visit)
            try:
                yield
            finally:
                self._is_over.set()


def connections(gateway: Wakegate) -> int:
    """Count the clients that are connected to the gateway."""
    port = int(gateway.url.rpartition(":")[2])
    return sum(
        1
        for pid in workers(gateway)
        for one in psutil.Process(pid).net_connections("tcp")
        if one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED
    )
