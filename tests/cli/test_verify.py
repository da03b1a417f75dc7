"""`wakegate verify` against a real gateway: what is right, and everything that can be wrong with it."""

import json
import os
import pty
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.verify.server import Scripted

PATIENCE_S = 90.0
HELLO = Path(__file__).parent.parent.parent / "examples" / "hello" / "app.py"
CONFIG = """
[gateway]
listen = "127.0.0.1:{port}"
[service.web]
command = ["{python}", "{app}", "{{port}}"]
hosts = ["web.localhost"]
sleep = {{ idle_timeout = "2s", grace = "100ms" }}
[service.forgetful]
command = ["{python}", "{app}", "{{port}}"]
hosts = ["forgetful.localhost"]
sleep = {{ idle_timeout = "2s", grace = "100ms" }}
session = {{ ttl = "1s" }}
[service.busy]
command = ["{python}", "{app}", "{{port}}"]
hosts = ["busy.localhost"]
scale = {{ min = 1 }}
[service.broken]
command = ["{python}", "-c", "raise SystemExit(3)"]
hosts = ["broken.localhost"]
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Yield the port of a gateway with a good service and three that are not."""
    folder = tmp_path_factory.mktemp("gateway")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = int(taken.getsockname()[1])
    config = CONFIG.format(port=number, python=sys.executable, app=HELLO)
    (folder / "wakegate.toml").write_text(config, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "wakegate", "up"], cwd=folder, stdout=log, stderr=log)
    end_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                break
        time.sleep(0.02)
    assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
    yield number
    process.terminate()
    process.wait(PATIENCE_S)


def verify(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; nobody is shown a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "wakegate", "verify", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def steps(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the steps of its JSON, by name."""
    return {step["name"]: step for step in json.loads(ended.stdout)["steps"]}


def test_a_good_service_passes_all_six(port: int) -> None:
    """The line that everybody looks for, and the exit code that a script looks for."""
    ended = verify(f"http://web.localhost:{port}", "--idle-timeout", "2s", "--slack", "60s", "--requests", "7")
    lines = ended.stdout.splitlines()
    assert (ended.returncode, lines[-1]) == (0, "6 of 6"), ended.stdout
    assert [line[0] for line in lines[:-1]] == ["✓"] * 6
    assert lines[1].startswith("✓ first request 200 in ")
    assert lines[1].endswith(" of it the app's own start)")
    assert lines[3] == "✓ session       kept across 8 requests"
    assert lines[5].endswith("· same session")


def test_an_app_that_fails_to_start_is_told_with_its_reason(port: int) -> None:
    """Whoever has just written the Dockerfile sees here what is wrong with it."""
    ended = verify(f"http://broken.localhost:{port}", "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["passed"], found["of"]) == (1, 1, 6)
    first = steps(ended)["first request"]
    assert (first["outcome"], first["facts"]["status"]) == ("failed", 503)
    assert "exited with status 3" in first["detail"]


def test_a_session_that_is_lost_in_the_sleep_is_seen(port: int) -> None:
    """Here because it lives for a second only; elsewhere because its table was deleted."""
    ended = verify(f"http://forgetful.localhost:{port}", "--slack", "60s", "--requests", "2", "--json")
    found = steps(ended)
    assert (ended.returncode, found["second wake"]["outcome"]) == (1, "failed"), ended.stdout
    assert "ours was lost in the sleep" in found["second wake"]["detail"]


def test_one_that_never_sleeps_is_told_within_the_limit(port: int) -> None:
    """It costs money every hour, which is what one came here for."""
    url = f"http://busy.localhost:{port}"
    ended = verify(url, "--idle-timeout", "1s", "--slack", "1s", "--timeout", "30s", "--requests", "2")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[0] == "✗ asleep        busy was not asleep within 2 s; is somebody using it?"
    assert ended.stdout.splitlines()[-1] == "3 of 6"


def test_what_is_no_wakegate_is_one_sentence() -> None:
    """And not five failed steps about somebody else's server."""
    with Scripted(lambda _: (404, {}, b"nginx")) as server:
        ended = verify(server.url)
    said = (
        f"wakegate: {server.url} is no Wakegate: /.wakegate/status answered 404, not how a service is; "
        "is the path right (on AWS it is the stage: /prod)?\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("http://127.0.0.1:1",), 1, "wakegate: http://127.0.0.1:1 cannot be reached: Connection refused"),
        (("localhost:8080",), 1, 'wakegate: "localhost:8080" is no address; write it as http://127.0.0.1:8080'),
        ((), 2, "give a URL, or --aws [STACK]"),
        (("http://a", "--aws", "shop"), 2, "give a URL, or --aws [STACK]"),
        (("http://a", "--idle-timeout", "20"), 2, '"20" has no unit; write "20s"'),
        (("http://a", "--header", "nothing"), 2, 'write it as --header "Name: value", not "nothing"'),
    ],
)
def test_what_cannot_be_is_one_sentence(words: tuple[str, ...], code: int, sentence: str) -> None:
    """A slip of the hand is answered with what to write instead."""
    ended = verify(*words)
    assert (ended.returncode, sentence in ended.stderr) == (code, True), ended.stderr


def test_on_a_terminal_it_shows_what_it_waits_for(port: int) -> None:
    """Minutes without a line look like a program that hangs; what was waited for is gone when it is over."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wakegate", "verify", f"http://web.localhost:{port}", "--slack", "60s"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "100"},
    )
    os.close(theirs)
    pieces: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 65_536):
                pieces.append(piece)
        except OSError:
            pass  # the other side is closed

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert process.wait(PATIENCE_S) == 0
    reader.join(PATIENCE_S)
    os.close(ours)
    text = b"".join(pieces).decode()
    assert "\r\x1b[K· asleep again  awake, " in text
    shown = [line.rpartition("\x1b[K")[2] for line in text.split("\r\n")]
    assert [line[:1] for line in shown if line] == ["✓"] * 6 + ["6"]
