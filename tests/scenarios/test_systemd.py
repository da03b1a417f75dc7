"""Under systemd, which listens, is told how the gateway is, and starts it by the unit files in examples/."""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.scenarios.conftest import PLAIN
from tests.scenarios.gateway import PATIENCE_S, Wakegate, eventually

UNITS = Path(__file__).parents[2] / "examples" / "systemd"
ANALYZE = shutil.which("systemd-analyze")


class Manager:
    """Does what systemd does for a unit: a socket that is bound, one to be told by, and the variables for both."""

    def __init__(self, folder: Path) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(folder / "notify"))
        self.notified.settimeout(PATIENCE_S)
        self.gateway = Wakegate(folder, "wakegate.toml")
        self.gateway.configure(PLAIN)
        descriptor = self.listening.fileno()
        as_systemd = f'LISTEN_PID=$$ LISTEN_FDS=1 WATCHDOG_PID=$$ exec "$@" 3<&{descriptor}'
        self.gateway.launcher = ("bash", "-c", as_systemd, "bash")
        self.gateway.env = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "60000000"}
        self.gateway.descriptors = (descriptor,)

    def told(self, wanted: str) -> list[str]:
        """Return the next message that begins so; those before it are passed over."""
        while True:
            lines = self.notified.recv(4096).decode().splitlines()
            if lines[0] == wanted:
                return lines

    def close(self) -> None:
        """End everything."""
        self.gateway.end()
        self.listening.close()
        self.notified.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """A service manager with a gateway that it has not started yet."""
    manager = Manager(tmp_path)
    yield manager
    manager.close()


def test_a_connection_from_before_the_start_is_served(manager: Manager) -> None:
    """That is what socket activation is for; and the apps learn nothing of it."""
    name = manager.listening.getsockname()
    with socket.create_connection(name, PATIENCE_S) as early:
        early.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        manager.gateway.start()
        assert manager.gateway.url == f"http://127.0.0.1:{name[1]}"
        answer = b""
        while piece := early.recv(65536):
            answer += piece
    assert b"HTTP/1.1 200 " in answer
    (pid,) = manager.gateway.started_pids()
    environ = psutil.Process(pid).environ()
    assert [name for name in environ if name.startswith(("LISTEN_", "NOTIFY_", "WATCHDOG_"))] == []
    assert manager.gateway.stop() == 0
    socket.create_connection(name, PATIENCE_S).close()  # systemd still listens: it is not refused


def test_the_service_manager_is_told_of_each_turn_of_its_life(manager: Manager) -> None:
    """`systemctl start` and `reload` return when they are done, and `status` says what it does."""
    manager.gateway.start()
    assert manager.told("READY=1")[1] == f"STATUS=1 service on {manager.gateway.url}"
    assert manager.told("WATCHDOG=1")
    manager.gateway.reload(PLAIN + "[service.api]\ncommand = {app}\npath = '/api'\n")
    assert manager.told("RELOADING=1")[1].startswith("MONOTONIC_USEC=")
    assert manager.told("READY=1")[1] == f"STATUS=2 services on {manager.gateway.url}"
    manager.gateway.config_file.write_text("[service.web]\n", encoding="utf-8")
    manager.gateway.process.send_signal(signal.SIGHUP)
    assert manager.told("RELOADING=1")
    assert manager.told("READY=1")[1] == f"STATUS=2 services on {manager.gateway.url}"
    manager.gateway.process.send_signal(signal.SIGTERM)
    assert manager.told("STOPPING=1")
    eventually(lambda: manager.gateway.process.poll() == 0, what="it has ended")


def test_an_upgrade_is_told_as_another_main_process(manager: Manager) -> None:
    """Else systemd would take the end of the old program for the end of the service, and start a third."""
    manager.gateway.start()
    manager.gateway.upgrade()
    assert manager.told(f"MAINPID={manager.gateway.process.pid}")
    assert manager.gateway.get().status_code == 200
    manager.gateway.process.send_signal(signal.SIGTERM)
    assert manager.told("STOPPING=1")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (apt-get install systemd)")
def test_the_unit_files_are_what_systemd_understands(tmp_path: Path) -> None:
    """A slip in a name is only a line in its journal, and a setting that is not there."""
    assert ANALYZE is not None
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8")
        program = str(Path(sys.executable).parent / "wakegate")
        (tmp_path / unit.name).write_text(text.replace("/opt/wakegate/bin/wakegate", program), encoding="utf-8")
    for unit in UNITS.iterdir():
        done = subprocess.run(
            [ANALYZE, "verify", "--man=no", str(tmp_path / unit.name)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        told = [line for line in done.stderr.splitlines() if "wakegate" in line]
        assert (unit.name, told) == (unit.name, [])
