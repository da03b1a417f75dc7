"""The instruments of the bench measure what they say; how fast anything is, is never asserted."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from bench.__main__ import CLAIMS
from bench.asker import longest_ms
from bench.browser import NAVIGATION, request, visit
from bench.crowd import gathered
from bench.load import latencies_s
from bench.peers import ROOT, Peer, folder, free_port, stub, wait_until
from bench.proc import cpu_s, forget_peak, group, peak_bytes, rss_bytes
from bench.table import Row, at_least, at_most, render
from bench.warm import LOADS, script

from bench import herd

SPINS_S = 0.3
SPINS = f"""
import os, sys, time
is_parent = os.fork() > 0
while time.process_time() < {SPINS_S}:
    pass
print("spun", flush=True)
sys.stdin.read()
if is_parent:
    os.wait()
"""


@pytest.fixture
def app() -> Iterator[Peer]:
    """Run the smallest app."""
    port = free_port()
    with folder() as here, Peer("stub", stub(str(port)), port=port, app_port=port, folder=here) as running:
        yield running


def test_every_claim_has_its_file() -> None:
    """`python -m bench wake` is in bench/wake.py."""
    assert [name for name in CLAIMS if not (ROOT / "bench" / f"{name}.py").exists()] == []


def test_the_table_shows_medians_and_goals_and_what_was_left_out() -> None:
    """The table is where the README's numbers come from."""
    goals = (at_least(0.5, 0.8, of="nginx"), at_most(30.0, 40.0, of="KB"))
    samples = {"wakegate": [30.0, 20.0, 90.0], "nginx": [15.0]}
    warm = Row(claim="warm", unit="µs", samples=samples, goals=goals, notes=("caddy is not installed",))
    lines = render([warm, Row(claim="wake", unit="ms")]).splitlines()
    assert lines[0].split() == ["claim", "wakegate", "nginx", "caddy", "ratio", "goal", "met?"]
    assert lines[2].split() == [
        "warm",
        "30",
        "µs",
        "15",
        "µs",
        "-",
        "0.50",
        "x",
        "nginx",
        "≥",
        "0.8",
        "x",
        "nginx",
        "NO",
    ]
    assert lines[3].split() == ["30.00", "KB", "≤", "40", "KB", "yes"]
    assert lines[4].split() == ["wake", "-", "-", "-", "-", "-", "skipped"]
    assert lines[-1] == "warm: caddy is not installed"


def test_the_processor_time_of_a_group_adds_up() -> None:
    """Workers of a proxy count, and so does the time that the kernel spends for them."""
    busy = subprocess.Popen(
        [sys.executable, "-c", SPINS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    )
    assert busy.stdout is not None
    assert [busy.stdout.readline() for _ in range(2)] == ["spun\n", "spun\n"]
    assert len(group(busy.pid)) == 2
    assert 2 * SPINS_S - 0.05 <= cpu_s(busy.pid) <= 2 * SPINS_S + 0.2
    assert rss_bytes(busy.pid) > 1_000_000
    busy.communicate()
    assert (group(busy.pid), cpu_s(busy.pid)) == ([], 0)


def test_the_peak_is_what_was_needed_for_a_moment() -> None:
    """What a body takes while it passes is given back before anybody could look; and an earlier peak does not count."""
    grows = "import sys; room = bytearray(40_000_000); del room; print(flush=True); sys.stdin.readline(); "
    grows += "room = bytearray(10_000_000); del room; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", grows], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    ) as growing:
        assert growing.stdin is not None
        assert growing.stdout is not None
        growing.stdout.readline()
        before = rss_bytes(growing.pid)
        assert peak_bytes(growing.pid) - before > 30_000_000
        forget_peak(growing.pid)
        print(file=growing.stdin, flush=True)
        growing.stdout.readline()
        assert 8_000_000 < peak_bytes(growing.pid) - before < 20_000_000
        growing.stdin.close()


def test_a_group_that_is_not_the_proxy_s_does_not_count() -> None:
    """The app behind the gateway is the gateway's child, and not its own time."""
    others = subprocess.Popen([sys.executable, "-c", SPINS], stdin=subprocess.PIPE, process_group=0)
    assert others.pid not in group(os.getpgrp())
    others.send_signal(signal.SIGKILL)
    others.communicate()


def test_the_load_asks_as_often_as_it_was_told(app: Peer) -> None:
    """Every request that was due is asked and answered, however slow the answers are."""
    took = latencies_s(app.port, request(NAVIGATION), rate=400, seconds=0.5, seed=1, end=b"hello\n")
    assert len(took) == 200
    assert took == sorted(took)
    assert took[0] > 0


def test_the_longest_stall_is_seen() -> None:
    """A loop that does something long in one go must show up in the longest wait."""
    port = free_port()
    stalls = f"""
import socket, time
server = socket.create_server(("127.0.0.1", {port}))
while True:
    client = server.accept()[0]
    count = 0
    while client.recv(65536):
        count += 1
        if count == 20:
            time.sleep(0.3)
        client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
        print(flush=True)
"""
    command = [sys.executable, "-u", "-c", stalls]
    with folder() as here, Peer("stalls", command, port=port, app_port=port, folder=here) as stalling:
        with longest_ms(stalling) as found:
            wait_until(lambda: len(stalling.output.read_text().splitlines()) >= 25, what="it has stalled")
        assert found[0] >= 300


@pytest.mark.anyio
async def test_the_herd_counts_every_client(app: Peer) -> None:
    """A client that is not answered must show up as lost."""
    assert await herd.ask(app.port, 100) == {"200": 100}


def test_a_crowd_stays(app: Peer) -> None:
    """Connections that are closed after their answer would cost nothing."""

    def connected() -> int:
        found = psutil.Process(app.pgid).net_connections("tcp")
        return sum(one.status == psutil.CONN_ESTABLISHED for one in found)

    with gathered(app.port, 40):
        assert connected() == 40
    wait_until(lambda: connected() == 0, what="the crowd is gone")


def test_the_loads_differ_in_what_a_gateway_could_remember(app: Peer) -> None:
    """A gateway that remembers headers must be measured without its memory too."""
    texts = {load: script(load, cookie="uuid=1", folder=app.folder).read_text() for load in LOADS}
    assert {load: text.count("Cookie: uuid=1\\r\\n") for load, text in texts.items()} == {
        "same": 1,
        "visit": 7,
        "traced": 1,
        "fresh": 0,
    }
    assert [load for load, text in texts.items() if "string.format" in text] == ["traced"]
    assert len({text.partition(b"\r\n")[2] for text in visit()}) == 5, "the three images have the same headers"


def test_a_missing_program_is_named_with_its_package(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A skipped row says how to get it."""
    command = [sys.executable, "-m", "bench", "warm", "--results", str(tmp_path_factory.mktemp("results"))]
    env = {**os.environ, "PATH": "/nonexistent"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert "warm: wrk is not installed; on Debian: apt-get install wrk" in done.stdout
    assert done.returncode == 0
