"""`wakegate wake`: awake when it returns, or an error that says why."""

from pathlib import Path

from tests.cli.shell import run
from tests.scenarios.gateway import Wakegate


def test_it_returns_when_the_service_is_awake(gateway: Wakegate) -> None:
    """`wakegate wake web && ./smoke-test` is how it is used."""
    ended = run("wake", "web", folder=gateway.folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "web is awake\n", "")
    assert gateway.status("web")["phase"] == "awake"


def test_it_waits_for_as_long_as_a_wake_takes(tmp_path: Path) -> None:
    """A slow app is no failed one; and who asks for one that is awake is answered at once."""
    gateway = Wakegate(tmp_path, "wakegate.toml")
    gateway.configure('[service.web]\ncommand = {app}\nenv = { LISTEN_ON = "listen" }\n')
    try:
        gateway.start()
        answer = gateway.together(1)[0]
        gateway.wait_for("starting")
        gateway.let("listen")
        assert run("wake", folder=tmp_path).stdout == "web is awake\n"
        assert answer.result().status_code == 200
        assert run("wake", folder=tmp_path).stdout == "web is awake\n"
        assert gateway.starts() == 1
    finally:
        gateway.end()


def test_a_failed_wake_says_why_and_where_to_read_more(tmp_path: Path) -> None:
    """The log lines of the app are one command away; each try asked for by hand is a real one."""
    gateway = Wakegate(tmp_path, "wakegate.toml")
    gateway.configure('[service.web]\ncommand = {app}\nenv = { EXIT_BEFORE_LISTEN = "3" }\n')
    try:
        gateway.start()
        for _ in range(2):
            ended = run("wake", folder=tmp_path)
            assert (ended.returncode, ended.stdout) == (1, "")
            assert ended.stderr.startswith("wakegate: web: exited with status 3 after ")
            assert ended.stderr.endswith("; what it wrote: wakegate logs web\n")
        assert gateway.starts() == 2
        assert "cannot go on: a setting is missing" in run("logs", "web", folder=tmp_path).stdout
    finally:
        gateway.end()
