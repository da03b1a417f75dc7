"""Where the daemon is: DOCKER_HOST, a Docker context, the usual sockets (also rootless, Podman's), in that order."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

USUAL = "/var/run/docker.sock"


def find_address(environ: Mapping[str, str], *, home: Path, usual: str = USUAL) -> str | None:
    """Return the address of the daemon as a URL, None where a Docker context says it.

    Of the usual sockets it is the first that this user may write to, else the first there is: the error that opening
    it meets says what is wrong with it.
    """
    if host := environ.get("DOCKER_HOST"):
        return host
    if environ.get("DOCKER_CONTEXT", _current_context(home)) not in ("", "default"):
        return None
    there = [path for path in (Path(usual), *_other_sockets(environ, home=home)) if path.is_socket()]
    usable = [path for path in there if os.access(path, os.R_OK | os.W_OK)]
    return f"unix://{next(iter(usable + there), usual)}"


def _other_sockets(environ: Mapping[str, str], *, home: Path) -> list[Path]:
    own = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return [
        own / "docker.sock",  # rootless
        home / ".docker/run/docker.sock",  # Docker Desktop
        home / ".docker/desktop/docker.sock",
        own / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ]


def _current_context(home: Path) -> str:
    with suppress(OSError, ValueError, AttributeError):
        settings = json.loads((home / ".docker/config.json").read_text(encoding="utf-8"))
        return str(settings.get("currentContext", ""))
    return ""
