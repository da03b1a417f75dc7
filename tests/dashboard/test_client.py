"""The client of the control socket: an answer, or one sentence about why there is none."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.dashboard.conftest import Desk

from wakegate.core.errors import StateError
from wakegate.dashboard.client import RefusedError, ask
from wakegate.dashboard.control import control
from wakegate.dashboard.wire import socket_path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in the folder of the test: messages say paths as seen from here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def listening(state_dir: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Be a gateway that does this with its first connection."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_path(state_dir)))
        server.listen()

        def run() -> None:
            with server.accept()[0] as connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join(60)


def test_an_answer_comes_back_as_it_was_given(desk: Desk, here: Path) -> None:
    """Client and server are two halves of one thing, tested as one."""

    async def both() -> tuple[object, object]:
        async with control(desk, here):
            sentences = await asyncio.to_thread(ask, here, "explain", service="web")
            wakes = await asyncio.to_thread(ask, here, "ledger", service="web", limit=1)
        return sentences, wakes[0]["lost"]

    assert asyncio.run(both()) == (["web is asleep."], 0)


def test_a_refusal_is_an_error_with_the_gateways_words(desk: Desk, here: Path) -> None:
    """And with its kind: some refusals have a next step that others have not."""

    async def refused() -> None:
        async with control(desk, here):
            await asyncio.to_thread(ask, here, "explain", service="shop")

    with pytest.raises(RefusedError, match='no service is called "shop"; there is web') as caught:
        asyncio.run(refused())
    assert caught.value.kind == "ServiceUnknownError"


def test_without_a_gateway_it_says_where_it_looked(here: Path) -> None:
    """Half of these are the wrong folder."""
    with pytest.raises(StateError) as caught:
        ask(here / ".wakegate", "status")
    assert str(caught.value) == "no gateway is running here (state in .wakegate/); start one with: wakegate up"
    with pytest.raises(StateError, match=r"\(state in /nowhere/at/all\)"):
        ask(Path("/nowhere/at/all"), "status")


def test_the_socket_of_a_killed_gateway_is_no_gateway(here: Path) -> None:
    """kill -9 leaves the file behind; the sentence is the same as if there were none."""
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(socket_path(here)))
    with pytest.raises(StateError, match="no gateway is running here"):
        ask(here, "status")


def test_a_gateway_that_ends_before_it_answers_is_told(here: Path) -> None:
    """Killed between question and answer: nobody may take that for a yes."""
    with listening(here, lambda connection: None), pytest.raises(StateError, match="has ended before it answered"):
        ask(here, "status")


def test_half_an_answer_is_none(here: Path) -> None:
    """An answer ends with its line; what was cut may still be valid JSON."""

    def cut_short(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b'{"answer": 12}')

    with listening(here, cut_short), pytest.raises(StateError, match="has ended before it answered"):
        ask(here, "status")


def test_a_gateway_that_hangs_is_not_waited_for_for_ever(here: Path) -> None:
    """Stopped with Ctrl-Z, or by a debugger: `status` in a script must come to an end."""
    has_left = threading.Event()

    def hang(connection: socket.socket) -> None:
        has_left.wait(60)

    with listening(here, hang):
        with pytest.raises(StateError, match=r"has not answered for 0 s; is it stopped\?"):
            ask(here, "status", timeout_s=0.1)
        has_left.set()


def test_a_slow_answer_is_waited_for_where_it_may_be_slow(here: Path) -> None:
    """A wake takes as long as the app."""

    def slowly(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b'{"ans')
        connection.sendall(b'wer": "awake"}\n')

    with listening(here, slowly):
        assert ask(here, "wake", timeout_s=None, service="web") == "awake"
