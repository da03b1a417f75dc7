"""A registry of images on loopback; what needs it is skipped where there is none."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LISTENS = re.compile(r"listening on (127\.0\.0\.1:\d+)")
CONFIG = """
version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:0"}}
"""


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run a registry; give its address once it listens there."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no registry here (Debian: docker-registry): pushing and pulling are not tested")
    config = folder / "registry.yml"
    config.write_text(CONFIG.format(folder=folder / "blobs"), encoding="utf-8")
    command = [program, "serve", str(config)]
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
