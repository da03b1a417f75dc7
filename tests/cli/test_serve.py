"""What signals ask of a gateway that runs; upgrades and systemd are in the scenarios of their names."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.local.request.peer import PATIENCE_S
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


COLLECTED = """
import gc, os, signal
from wakegate.cli import serve
from wakegate.cli.main import main

ready, counts = serve.Serving._ready, []

def note(self):
    ready(self)
    counts.append(gc.get_freeze_count() if gc.isenabled() else -1)
    if len(counts) == 1:
        with open("wakegate.toml", "a") as file:
            file.write('[service.web.sleep]\\nidle_timeout = "9m"\\n')
    os.kill(os.getpid(), signal.SIGHUP if len(counts) < 3 else signal.SIGTERM)

serve.Serving._ready = note
try:
    main()
finally:
    print("counts", *counts, gc.isenabled(), flush=True)
"""


def test_the_collector_leaves_alone_what_was_made_at_the_start(tmp_path: Path) -> None:
    """With thousands of services requests would wait for it; after a reload, what that has made is left alone, too."""
    (tmp_path / "wakegate.toml").write_text('[gateway]\nlisten = "127.0.0.1:0"\n[service.web]\ncommand = "true"\n')
    done = subprocess.run(
        [sys.executable, "-c", COLLECTED, "up", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    word, *counts, is_enabled = done.stdout.splitlines()[-1].split()
    assert (word, is_enabled) == ("counts", "True"), done.stderr
    assert len(counts) == 3
    assert all(int(count) > 10_000 for count in counts), counts
