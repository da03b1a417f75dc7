"""A registry on loopback and images made from nothing, for tests that need Docker; they are skipped where it is not."""

import contextlib
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

LISTENS = re.compile(r"listening on (127\.0\.0\.1:\d+)")
REGISTRY = shutil.which("docker-registry") or "/usr/bin/docker-registry"
CONFIG = """
version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:0"}}
"""
DOCKERFILE = 'FROM scratch\nCOPY content /content\nEXPOSE 8080 9090/udp\nCMD ["/content"]\n'


def why_not() -> str:
    """Say why these tests cannot run here, or nothing."""
    if shutil.which("docker") is None:
        return "there is no docker command here"
    done = subprocess.run(["docker", "version"], capture_output=True, timeout=30, check=False)
    return "" if done.returncode == 0 else "dockerd does not run here"


def write_app(folder: Path, content: bytes) -> Path:
    """Write an app that can be built without a network."""
    (folder / "content").write_bytes(content)
    (folder / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    return folder


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run a registry; give its address."""
    if not Path(REGISTRY).exists():
        pytest.skip("there is no docker-registry here (on Debian: apt-get install docker-registry)")
    config = folder / "registry.yml"
    config.write_text(CONFIG.format(folder=folder / "blobs"), encoding="utf-8")
    command = [REGISTRY, "serve", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            said = next(match for line in process.stderr if (match := LISTENS.search(line.decode())))
            reader = threading.Thread(target=process.stderr.read)
            reader.start()
            yield said[1]
        finally:
            process.terminate()
        reader.join(10)
