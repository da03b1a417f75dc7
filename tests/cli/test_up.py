"""`wakegate up`: how it starts, what it says, and that every way to end it ends it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.cli.shell import Open, Up, environment, run
from tests.scenarios.gateway import PATIENCE_S, Wakegate, alive, eventually

from wakegate.cli.outlet import GONE
from wakegate.dashboard.wire import socket_path

App = tuple[str, ...]
TRUE = '[service.web]\ncommand = ["true"]\n'


@pytest.fixture
def ups(tmp_path: Path) -> Iterator[list[Up]]:
    """Collect what runs, and end it."""
    running: list[Up] = []
    yield running
    for one in running:
        while one.process.poll() is None:
            one.process.terminate()
            try:
                one.process.wait(3)
            except subprocess.TimeoutExpired:
                continue  # the second one is for the impatient


def test_a_file_gets_the_first_minute_line_by_line(ups: list[Up], tmp_path: Path, app: App) -> None:
    """What runs where, each event with its time, and at the end how long, how many, and what was lost: nothing."""
    up = Up(tmp_path, "--idle-timeout", "500ms", "--", *app)
    ups.append(up)
    url = up.see(r"http://[0-9.:]+")
    assert httpx.get(url, timeout=PATIENCE_S).status_code == 200
    up.see("0 lost")
    assert up.end(signal.SIGINT) == 0
    head, settings, empty, *events = up.out.splitlines()
    assert re.fullmatch(rf"wakegate \S+ · {url} → \S+ \S+app\.py {{port}} · asleep", head)
    assert settings == "sleeps after 0.5 s idle · state in .wakegate/ · Ctrl-C stops everything"
    assert empty == ""
    patterns = [
        r"GET /              woke web.*",
        r"web                starting replica 1 on :\d+",
        r"web                ready after \S+ s · 1 request was held, .*",
        r"web                idle for 0\.5\d* s · draining",
        r"web                asleep · was awake \S+ s · 1 request · 0 lost",
        r"wakegate           stopping",
        r"wakegate           stopped · every replica has ended",
    ]
    for event, pattern in zip(events, patterns, strict=True):
        assert re.fullmatch(r"\d\d:\d\d:\d\d  " + pattern, event)
    assert up.err == ""


def test_a_failed_wake_shows_what_the_app_wrote_indented_below(ups: list[Up], tmp_path: Path) -> None:
    """The cause is on the screen already: nobody should have to look for a log."""
    (tmp_path / "app.py").write_text("import no_such_module\n")
    up = Up(tmp_path, "--", sys.executable, "app.py", "{port}")
    ups.append(up)
    assert httpx.get(up.see(r"http://[0-9.:]+"), timeout=PATIENCE_S).status_code == 503
    up.see("asleep · wake failed, next try in .*")
    lines = up.out.splitlines()
    at = next(number for number, line in enumerate(lines) if "exited with status 1" in line)
    below = lines[at + 1 : lines.index(next(line for line in lines if "wake failed" in line))]
    assert below[-1] == " " * 31 + "ModuleNotFoundError: No module named 'no_such_module'"
    assert all(line.startswith(" " * 31) for line in below)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--"], 'Error: nothing stands behind "--"; write: wakegate up -- COMMAND {port}'),
        (["--", ""], "-- COMMAND: the command is empty; write"),
        (["good.toml", "--", "true"], "good.toml: a file and a command were given; choose one of them"),
        (["--image", "my app"], '--image: "my app" is no image; write "nginx:1.27"'),
        (["--image", "app", "--port", "http"], '--port: "http" is no whole number; write 0 to 65535'),
        (["good.toml", "--image", "app"], "good.toml: a file and an image were given; choose one of them"),
        (["folder"], "folder: is a folder; name the file in it, folder/wakegate.toml"),
        (["empty.toml"], "empty.toml: no service; write a table [service.web] with a command"),
        (["none.toml"], "none.toml: not found"),
        ([], "there is no wakegate.toml here"),
        (["flask", "run", "--port", "{port}"], 'A command stands behind "--": wakegate up -- COMMAND {port}'),
        (["good.toml", "other.toml"], "Got unexpected extra argument (other.toml)"),
        (["good.toml", "--idle-timeout", "5 minutes"], '--idle-timeout: "5 minutes" is no duration; write "5m"'),
        (["good.toml", "--listen", "nowhere"], '--listen: "nowhere" is no address to listen on; write "127.'),
    ],
)
def test_what_cannot_be_started_is_told_before_anything_is(words: list[str], said: str, tmp_path: Path) -> None:
    """Exit 2: the command or the file is wrong; one sentence with what helps, and no state directory left behind."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.toml").touch()
    (tmp_path / "good.toml").write_text(TRUE)
    ended = run("up", *words, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert not (tmp_path / ".wakegate").exists()


def test_how_many_problems_and_that_nothing_was_started(tmp_path: Path) -> None:
    """The last line is the one that is read."""
    (tmp_path / "empty.toml").touch()
    ended = run("up", "empty.toml", "--listen", "nowhere", folder=tmp_path)
    assert ended.stderr.splitlines()[-1] == "2 problems; nothing was started"


def test_a_pipe_that_is_closed_stops_no_service(ups: list[Up], tmp_path: Path, app: App) -> None:
    """`wakegate up | head -3`, or a log collector that restarts: a site must not end for want of a reader."""
    reader, writer = os.pipe()
    up = Up(tmp_path, "--", *app, stdout=writer)
    ups.append(up)
    os.close(writer)
    url = up.url()
    os.close(reader)
    assert httpx.get(url, timeout=PATIENCE_S).status_code == 200
    eventually(lambda: up.err == GONE, what="it says once that nobody reads")
    assert httpx.get(url, timeout=PATIENCE_S).status_code == 200
    assert up.end(signal.SIGTERM) == 0
    assert up.err == GONE


def test_a_terminal_that_is_closed_ends_what_runs_on_it(terminal: Open, tmp_path: Path, app: App) -> None:
    """An invisible gateway would hold the port; but the same signal, sent by hand, only reads the file again."""
    screen = terminal("up", "--listen", "127.0.0.1:0", "--", *app)
    url = screen.see(r"http://[0-9.:]+")[0]
    screen.process.send_signal(signal.SIGHUP)
    screen.see("reloaded · no changes")
    pid = httpx.get(url, timeout=PATIENCE_S).json()["pid"]
    screen.hang_up()
    assert screen.end() == 0
    assert not alive(pid)


def test_a_pipe_that_nobody_reads_holds_up_no_request(ups: list[Up], tmp_path: Path) -> None:
    """A pager that is paused must not pause the site."""
    reader, writer = os.pipe()
    (tmp_path / "app.py").write_text("print('\\n'.join(['x' * 8000] * 20))\nraise SystemExit(1)\n")
    up = Up(tmp_path, "--", sys.executable, "app.py", "{port}", stdout=writer)
    ups.append(up)
    os.close(writer)
    url = up.url()
    for _ in range(2):  # each wake that fails tells what the app wrote: more than a pipe holds
        assert run("wake", folder=tmp_path).returncode == 1
    assert httpx.get(url, timeout=PATIENCE_S).status_code == 503
    assert up.end(signal.SIGTERM) == 0
    os.close(reader)


def test_without_any_output_it_runs(tmp_path: Path, app: App) -> None:
    """A supervisor may close standard output before it starts us: its number must not become a socket's."""
    script = 'exec "$0" -m wakegate up --listen 127.0.0.1:0 -- "$@" >&-'
    process = subprocess.Popen(
        ["sh", "-c", script, sys.executable, *app], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE
    )
    try:
        eventually(lambda: socket_path(tmp_path / ".wakegate").exists(), what="it listens")
        url = re.findall(r"http://[0-9.:]+", run("status", "--json", folder=tmp_path).stdout)[0]
        assert httpx.get(url, timeout=PATIENCE_S).status_code == 200
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, b"")


def test_ctrl_c_while_it_reads_its_file_ends_it_quietly(ups: list[Up], tmp_path: Path) -> None:
    """Exit 130, no traceback; here the file is a pipe whose writer takes his time."""
    os.mkfifo(tmp_path / "slow.toml")
    up = Up(tmp_path, "slow.toml")
    ups.append(up)
    with (tmp_path / "slow.toml").open("w"):  # opens once the other side reads
        assert up.end(signal.SIGINT) == 130
    assert up.out == ""


def test_ctrl_c_waits_for_who_is_served_and_twice_does_not(ups: list[Up], tmp_path: Path, app: App) -> None:
    """Once is polite, twice is for the impatient; neither leaves a process of the app behind."""
    up = Up(tmp_path, "--", *app)
    ups.append(up)
    host, port = up.url().removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as client:
        client.sendall(b"GET /wait?for=never HTTP/1.1\r\nHost: x\r\n\r\n")
        up.see("ready after")
        eventually(lambda: '"in_flight": 1' in run("status", "--json", folder=tmp_path).stdout, what="it is in flight")
        up.process.send_signal(signal.SIGINT)
        eventually(lambda: '"in_flight": 1' in run("status", "--json", folder=tmp_path).stdout, what="it waits")
        assert up.process.poll() is None
        assert up.end(signal.SIGINT) == 0
    assert "stopped · every replica has ended" in up.out


def test_whoever_says_nothing_on_the_control_socket_does_not_keep_it_alive(ups: list[Up], tmp_path: Path) -> None:
    """A command that hangs is no reason for a gateway to hang."""
    up = Up(tmp_path, "--", "true", "{port}")
    ups.append(up)
    up.url()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(socket_path(tmp_path / ".wakegate")))
        assert up.end(signal.SIGTERM) == 0
    assert up.err == ""


def test_after_kill_9_the_socket_is_stale_and_the_next_gateway_takes_its_place(tmp_path: Path) -> None:
    """A file that is left behind must neither pass for a gateway nor stop the next one."""
    gateway = Wakegate(tmp_path, "wakegate.toml")
    gateway.configure("[service.web]\ncommand = {app}\n")
    try:
        gateway.start()
        gateway.kill()
        assert socket_path(tmp_path / ".wakegate").exists()
        ended = run("status", folder=tmp_path)
        assert ended.returncode == 1
        assert "no gateway is running here" in ended.stderr
        gateway.start()
        assert "asleep" in run("status", folder=tmp_path).stdout
    finally:
        gateway.end()
    assert not socket_path(tmp_path / ".wakegate").exists()


def test_a_state_directory_deep_down_can_be_asked_too(ups: list[Up], tmp_path: Path) -> None:
    """Build servers have paths longer than a socket's may be; its users see no difference."""
    deep = "/".join(["a-folder-of-a-build-server"] * 5)
    up = Up(tmp_path, "--state-dir", deep, "--", "true", "{port}")
    ups.append(up)
    eventually(lambda: run("status", "--state-dir", deep, folder=tmp_path).returncode == 0, what="it can be asked")
    socket_file = socket_path(tmp_path / deep)
    assert socket_file.parent != tmp_path / deep
    assert up.end(signal.SIGTERM) == 0
    assert not socket_file.exists()


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        (".wakegate", r"\S+/\.wakegate cannot be used for state: .*; choose another directory with --state-dir"),
        (".wakegate/control.sock/x", r"\S+/control\.sock cannot be made \(.*\); choose another --state-dir"),
    ],
)
def test_a_place_that_cannot_hold_the_state_is_one_sentence(obstacle: str, said: str, tmp_path: Path) -> None:
    """Exit 1: the command is right, the place is not."""
    (tmp_path / obstacle).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / obstacle).touch()
    ended = run("up", "--listen", "127.0.0.1:0", "--", "true", "{port}", folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(rf"wakegate: {said}\n", ended.stderr)
