"""10,000 services asleep in one gateway: memory, what its ticks cost, how long it stalls, how long `status` takes.

A tick cannot be seen from outside; what it does to others can. While nothing happens, while one of the services wakes
and sleeps, and while a hundred fall asleep at the same moment, a client asks every millisecond for something that the
gateway answers by itself: its longest wait is longer than anything that the loop did in one go. The same client before
a gateway with one service says how much of that is the machine's.
"""

import shlex
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.asker import longest_ms
from bench.browser import FETCH, request
from bench.options import Options
from bench.peers import Wakegate, folder, stub, wait_until
from bench.proc import cpu_s, rss_bytes
from bench.table import Goal, Row, at_most
from bench.wake import must_be_200, woken_ms

COUNT, SLEEPERS = 10_000, 100
RSS_MAX_MB, STALL_MAX_MS = 150.0, 20.0
SOON = 'sleep={idle_timeout="5s",grace="0s"}\n'


def measure(options: Options, *, count: int = COUNT, sleepers: int = SLEEPERS) -> list[Row]:
    """Start a gateway with one service and a gateway with all, in every second round: each takes half a minute."""
    seen: dict[str, list[float]] = {}
    for _ in range(0, options.rounds, 2):
        for name, size in (("one", 1), ("many", count)):
            with folder() as here:
                _look(here, seen, name=name, count=size, sleepers=min(sleepers, size), seconds=options.seconds)
    return _rows(seen, count=count, sleepers=sleepers)


def _look(here: Path, seen: dict[str, list[float]], *, name: str, count: int, sleepers: int, seconds: float) -> None:
    def note(what: str, value: float) -> None:
        seen.setdefault(f"{name} {what}", []).append(value)

    began_s = time.monotonic()
    with Wakegate(stub("{port}"), app_port=0, folder=here, more=_services(here, count, sleepers=sleepers)) as gateway:
        note("start", time.monotonic() - began_s)
        wait_until(lambda: _rests(gateway), what="the gateway is done with its start")
        note("rss", rss_bytes(gateway.pgid) / 1e6)
        with longest_ms(gateway) as idle_ms:
            time.sleep(seconds)  # is what is measured: nothing happens
        note("idle", max(idle_ms))
        before_s = cpu_s(gateway.pgid)
        time.sleep(seconds)  # as well
        note("cpu", (cpu_s(gateway.pgid) - before_s) / seconds * 1e3)
        with longest_ms(gateway) as wake_ms:
            woken_ms(gateway.port)
            gateway.sleep()
        note("wake", max(wake_ms))
        asleep = gateway.told("asleep")
        _ask_all(gateway, sleepers)
        _ask_all(gateway, sleepers)  # now that they are awake, within some milliseconds
        with longest_ms(gateway) as asleep_ms:
            wait_until(lambda: gateway.told("asleep") >= asleep + sleepers, what=f"{sleepers} services sleep")
        note("fall asleep", max(asleep_ms))
        began_s = time.monotonic()
        with longest_ms(gateway) as look_ms:
            gateway.statuses()
            note("status", time.monotonic() - began_s)
        note("look", max(look_ms))


def _services(here: Path, count: int, *, sleepers: int) -> str:
    """Return the tables of the services, short ones: a file of more than 1 MiB is refused."""
    app = here / "app"
    app.write_text(f'#!/bin/sh\nexec {shlex.join(stub())} "$@"\n', encoding="utf-8")
    app.chmod(0o755)
    tables = (f'[service.s{n}]\nhosts=["s{n}.localhost"]\ncommand="./app {{port}}"\n' for n in range(count))
    return "\n".join(f"{table}{SOON if n < sleepers else ''}" for n, table in enumerate(tables))


def _rests(gateway: Wakegate) -> bool:
    """Say whether it has used no processor time for half a second."""
    before_s = cpu_s(gateway.pgid)
    time.sleep(0.5)  # the time that is looked at
    return cpu_s(gateway.pgid) == before_s


def _ask_all(gateway: Wakegate, count: int) -> None:
    """Send a request to that many services at once, and take the answers."""
    with ExitStack() as opened:
        connections = [opened.enter_context(gateway.connect()) for _ in range(count)]
        for number, connection in enumerate(connections):
            connection.sendall(request({**FETCH, "Host": f"s{number}.localhost"}))
        for connection in connections:
            must_be_200(connection.recv(65536))


def _rows(seen: dict[str, list[float]], *, count: int, sleepers: int) -> list[Row]:
    return [
        _row(f"many: memory of {count:,} sleeping services", "MB", seen, "rss", most=RSS_MAX_MB),
        _row("many: processor time a second asleep", "ms", seen, "cpu", most=STALL_MAX_MS),
        _row("many: longest stall while all sleep", "ms", seen, "idle", most=STALL_MAX_MS),
        _row("many: longest stall while one wakes and sleeps", "ms", seen, "wake", most=STALL_MAX_MS),
        _row(f"many: longest stall while {sleepers} fall asleep", "ms", seen, "fall asleep", most=STALL_MAX_MS),
        _row("many: longest stall while `status` looks", "ms", seen, "look"),
        _row("many: `wakegate status --json`", "s", seen, "status"),
        _row("many: from start to listening", "s", seen, "start"),
    ]


def _row(claim: str, unit: str, seen: dict[str, list[float]], what: str, *, most: float | None = None) -> Row:
    samples = {"wakegate": seen[f"many {what}"], "with one service": seen[f"one {what}"]}
    many, one = (median(values) for values in samples.values())
    goals: tuple[Goal, ...] = () if most is None else (at_most(many, most, of=unit),)
    note = f"with one service {one:.3g} {unit}"
    return Row(claim=claim, unit=unit, samples=samples, goals=goals, notes=(note,))
