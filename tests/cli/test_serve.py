"""What signals ask of a gateway that runs; upgrades and systemd are in the scenarios of their names."""

import signal
from pathlib import Path

from tests.scenarios.gateway import Wakegate


def test_a_reload_says_what_changed(tmp_path: Path) -> None:
    """Between "1 change" and nothing at all is a typing mistake that somebody looks for."""
    gateway = Wakegate(tmp_path, "wakegate.toml")
    gateway.configure("[service.web]\ncommand = {app}\n")
    try:
        gateway.start()
        gateway.configure('[service.web]\ncommand = {app}\n[service.web.sleep]\nidle_timeout = "9m"\n')
        gateway.process.send_signal(signal.SIGHUP)
        told = gateway.wait_for("reloaded")
        assert told["text"] == "reloaded · 1 change"
        assert "9m" in told["detail"][0]
        gateway.process.send_signal(signal.SIGHUP)
        assert gateway.wait_for("reloaded")["text"] == "reloaded · no changes"
        gateway.config_file.write_text("[service.web]\n")
        gateway.process.send_signal(signal.SIGHUP)
        warned = gateway.wait_for("warning")
        assert warned["text"] == "the file has problems; it goes on as before"
        assert "nothing to run" in warned["detail"][0]
    finally:
        gateway.end()
