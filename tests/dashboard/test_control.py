"""The control socket: what it answers, whom it lets in, and that nobody who asks can harm the gateway."""

import asyncio
import json
import os
import select
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.dashboard.conftest import Desk

from wakegate.core.errors import StateError
from wakegate.core.phase import Phase
from wakegate.dashboard import control as control_module
from wakegate.dashboard.control import CLIENTS_MAX, REQUEST_BYTES_MAX, control
from wakegate.dashboard.wire import socket_path

pytestmark = pytest.mark.anyio

NOT_UNDERSTOOD = {"error": "BadRequest", "detail": "this is no request of the control socket"}


async def send(state_dir: Path, line: bytes) -> bytes:
    """Send bytes on a connection of their own, and return everything that comes back."""
    reader, writer = await asyncio.open_unix_connection(socket_path(state_dir))
    try:
        writer.write(line)
        return await reader.read()
    finally:
        writer.close()


async def ask(state_dir: Path, verb: str, **words: object) -> Any:
    """Send a request and return the reply."""
    return json.loads(await send(state_dir, json.dumps({"verb": verb, **words}).encode() + b"\n"))


async def test_each_verb_reaches_the_gateway(desk: Desk, tmp_path: Path) -> None:
    """What an operator may ask, and what comes back."""
    desk.may_wake.set()
    async with control(desk, tmp_path):
        assert await ask(tmp_path, "wake", service="web") == {"answer": None}
        assert (await ask(tmp_path, "status"))["answer"][0]["phase"] == "awake"
        assert await ask(tmp_path, "explain", service="web") == {"answer": ["web is awake."]}
        assert await ask(tmp_path, "sleep", service="web", force=False, stop=True) == {"answer": None}
        assert await ask(tmp_path, "keep", service="web", seconds=60, reason="demo") == {"answer": None}
        assert [one["id"] for one in (await ask(tmp_path, "sessions", service="web", limit=2))["answer"]] == [
            "s0",
            "s1",
        ]
    assert (desk.phase, desk.is_stopped, desk.kept_s, desk.kept_because) == (Phase.ASLEEP, True, 60, "demo")


async def test_others_have_their_turns_while_thousands_are_looked_at(desk: Desk, tmp_path: Path) -> None:
    """An operator who looks at 10,000 services must not make the visitors of all of them wait."""
    desk.services_count = 10_000
    async with control(desk, tmp_path):
        asking = asyncio.create_task(ask(tmp_path, "status"))
        seen: set[int] = set()
        while not asking.done():
            seen.add(desk.said_count)
            await asyncio.sleep(0)
        assert len((await asking)["answer"]) == desk.services_count
    assert len(seen) > 5


async def test_the_ledger_counts_what_was_lost(desk: Desk, tmp_path: Path) -> None:
    """It is worked out where the counts are, so that every reader sees the same number."""
    async with control(desk, tmp_path):
        both = (await ask(tmp_path, "ledger", service="web", limit=10))["answer"]
        assert [(one["id"], one["held"], one["lost"]) for one in both] == [("2", 3, 0), ("1", 3, 1)]
        assert len((await ask(tmp_path, "ledger", service="web", limit=1))["answer"]) == 1
        assert (await ask(tmp_path, "ledger", service="web", limit=-1))["answer"] == []


async def test_a_refusal_says_why_and_of_what_kind(desk: Desk, tmp_path: Path) -> None:
    """The gateway's own sentence reaches whoever asked, unchanged."""
    desk.in_flight = 2
    desk.wake_failure = "exited with status 3"
    desk.may_wake.set()
    async with control(desk, tmp_path):
        assert await ask(tmp_path, "sleep", service="web", force=False, stop=False) == {
            "error": "WakegateError",
            "detail": "web: 2 requests are in flight",
        }
        assert await ask(tmp_path, "wake", service="web") == {
            "error": "WakeFailedError",
            "detail": "web: exited with status 3",
        }
        unknown = await ask(tmp_path, "explain", service="shop")
        assert unknown == {"error": "ServiceUnknownError", "detail": 'no service is called "shop"; there is web'}


@pytest.mark.parametrize("seconds", [1e12, -1.0, float("nan"), float("inf")])
async def test_a_keep_without_a_date_is_refused(seconds: float, desk: Desk, tmp_path: Path) -> None:
    """Added to now it would be no date at all, and the gateway would stumble over it at every start."""
    async with control(desk, tmp_path):
        reply = await ask(tmp_path, "keep", service="web", seconds=seconds, reason="")
    assert reply["error"] == "WakegateError"
    assert desk.kept_s == 0


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'"status"\n',
        b"{}\n",
        b'{"verb": "stop"}\n',
        b'{"verb": ["status"]}\n',
        b'{"verb": "wake"}\n',
        b'{"verb": "wake", "service": 7}\n',
        b'{"verb": "sleep", "service": "web"}\n',
        b'{"verb": "keep", "service": "web", "seconds": "1h", "reason": ""}\n',
        b'{"verb": "ledger", "service": "web", "limit": null}\n',
        b"[" * 50_000 + b"\n",
        b"x" * (2 * REQUEST_BYTES_MAX) + b"\n",
    ],
)
async def test_what_is_not_understood_is_answered_and_changes_nothing(line: bytes, desk: Desk, tmp_path: Path) -> None:
    """A newer command, or a program that has the wrong socket, gets an answer; the next one is served."""
    async with control(desk, tmp_path):
        assert json.loads(await send(tmp_path, line)) == NOT_UNDERSTOOD
        assert "answer" in await ask(tmp_path, "status")
    assert desk == Desk()


async def test_whoever_hangs_up_stops_nobody_else(desk: Desk, tmp_path: Path) -> None:
    """Ctrl-C in one window must not cancel what was asked in another; the wake goes on for both."""
    async with control(desk, tmp_path):
        line = b'{"verb": "wake", "service": "web"}\n'
        _, leaving = await asyncio.open_unix_connection(socket_path(tmp_path))
        leaving.write(line)
        staying = asyncio.create_task(send(tmp_path, line))
        assert {await desk.asked_wakes.get() for _ in range(2)} == {"wakegate wake"}
        leaving.close()
        desk.may_wake.set()
        assert json.loads(await staying) == {"answer": None}


async def test_one_that_waits_holds_up_nobody(desk: Desk, tmp_path: Path) -> None:
    """A wake may take minutes; `status` is what one asks meanwhile."""
    async with control(desk, tmp_path):
        waiting = asyncio.create_task(ask(tmp_path, "wake", service="web"))
        await desk.asked_wakes.get()
        assert (await ask(tmp_path, "status"))["answer"][0]["phase"] == "asleep"
        desk.may_wake.set()
        assert await waiting == {"answer": None}


async def test_a_silent_connection_is_closed(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one left open would be a file of the gateway for ever."""
    monkeypatch.setattr(control_module, "REQUEST_TIMEOUT_S", 0.05)
    async with control(desk, tmp_path):
        assert await send(tmp_path, b'{"verb": "sta') == b""


async def test_more_commands_than_may_be_at_once_are_told_so(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that runs wild costs the gateway no more than that."""
    monkeypatch.setattr(control_module, "REQUEST_TIMEOUT_S", 1000)
    async with control(desk, tmp_path):
        waking = [asyncio.create_task(ask(tmp_path, "wake", service="web")) for _ in range(CLIENTS_MAX)]
        for _ in waking:
            await desk.asked_wakes.get()
        told = await ask(tmp_path, "status")
        assert told == {"error": "WakegateError", "detail": "64 commands are being answered already; try again"}
        silent = [await asyncio.open_unix_connection(socket_path(tmp_path)) for _ in range(CLIENTS_MAX + 1)]
        async with asyncio.timeout(20):
            assert await silent[-1][0].read() == b""
        for _, writer in silent:
            writer.close()
        desk.may_wake.set()
        assert await asyncio.gather(*waking) == [{"answer": None}] * CLIENTS_MAX
        assert "answer" in await ask(tmp_path, "status")


async def test_a_long_answer_arrives_whole(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever part of it the kernel takes at once."""
    async with control(desk, tmp_path):
        for size in range(100_000, 400_000, 20_000):
            monkeypatch.setattr(desk, "explain", lambda _, size=size: ("x" * size,))
            assert await ask(tmp_path, "explain", service="web") == {"answer": ["x" * size]}


async def test_an_answer_that_nobody_takes_ends_some_time(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that was stopped by Ctrl-Z reads nothing, and is there."""
    monkeypatch.setattr(control_module, "REQUEST_TIMEOUT_S", 0.2)
    monkeypatch.setattr(desk, "explain", lambda _: ("x" * 1_000_000,))
    async with control(desk, tmp_path):
        with socket.socket(socket.AF_UNIX) as stopped:
            stopped.connect(str(socket_path(tmp_path)))
            stopped.sendall(b'{"verb": "explain", "service": "web"}\n')
            seen = select.poll()
            seen.register(stopped, 0)  # only of its end
            async with asyncio.timeout(20):
                while not seen.poll(0):  # noqa: ASYNC110  the end of a socket sets no event
                    await asyncio.sleep(0.01)


async def test_only_its_user_may_speak_to_it(desk: Desk, tmp_path: Path) -> None:
    """Whoever can write to the socket can stop services; files made meanwhile keep the rights they should have."""
    before = os.umask(0o022)
    try:
        async with control(desk, tmp_path):
            assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o600
            assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


async def test_a_socket_left_by_a_killed_gateway_is_replaced(desk: Desk, tmp_path: Path) -> None:
    """After kill -9 the file is still there, and nobody listens."""
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(socket_path(tmp_path)))
    async with control(desk, tmp_path):
        assert "answer" in await ask(tmp_path, "status")
    assert not socket_path(tmp_path).exists()


async def test_a_state_directory_with_a_long_path_has_a_socket_too(desk: Desk, tmp_path: Path) -> None:
    """It stands in the temporary directory then, and is taken away like any other."""
    state_dir = tmp_path / ("deep" * 40)
    async with control(desk, state_dir):
        assert socket_path(state_dir).exists()
        assert "answer" in await ask(state_dir, "status")
    assert not socket_path(state_dir).exists()


async def test_where_no_socket_can_be_it_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    """Some shared folders have no sockets; a directory may be in the way."""
    (tmp_path / "control.sock").mkdir()
    with pytest.raises(StateError, match=r"control\.sock cannot be made .*; choose another --state-dir"):
        async with control(desk, tmp_path):
            pass
