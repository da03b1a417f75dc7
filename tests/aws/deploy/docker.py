"""Images made from nothing, for tests that need Docker; they are skipped where it is not."""

import shutil
import subprocess
from pathlib import Path

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
