"""The address that the gateway listens on, in the forms that people write it in."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from wakegate.config.host import LABEL, is_ipv6
from wakegate.config.kind import Kind, Schema
from wakegate.config.show import UnfitError, show, whole
from wakegate.config.text import at_home
from wakegate.core.say import UNIX_PREFIX, say_address
from wakegate.core.spec import EVERY_ADDRESS, PORT_MAX

UNIX_PATH_BYTES_MAX = 107 if sys.platform == "linux" else 103  # of the kernel, without the zero behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(Kind):
    """An address to listen on, as host, port and the path of a Unix socket: one or the other is there."""

    default_host: str
    says: str = "address"

    def read(self, value: object) -> tuple[str, int, str]:
        """Return host, port and path."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if 0 <= value <= PORT_MAX else value
        if not isinstance(value, str):
            raise UnfitError(f'{show(value)} is no address to listen on; write "127.0.0.1:8080"')
        if value.startswith(UNIX_PREFIX):
            return "", 0, _unix_path(value)
        if value.lower().startswith(UNIX_PREFIX):
            raise UnfitError(f"{show(value)} is no address to listen on; write {_lower(value)}")
        return *listen_address(value, default_host=self.default_host), ""

    def placed(self, value: object, *, folder: Path) -> tuple[str, int, str]:
        """Return it with the path below a folder, unless that is absolute."""
        host, port, path = _parts(value)
        return host, port, str(folder / path) if path else ""

    def write(self, value: object) -> str:
        """Write it as HOST:PORT or unix:PATH."""
        host, port, path = _parts(value)
        if path:
            return UNIX_PREFIX + path
        return say_address(host, port)

    def schema(self) -> Schema:
        """Return a pattern, or a port."""
        text = {"type": "string", "pattern": r"^(\[[0-9A-Za-z:.%]+\]:|[A-Za-z0-9._-]*:)?[0-9]{1,5}$|^unix:."}
        return {"anyOf": [text, {"type": "integer", "minimum": 0, "maximum": PORT_MAX}]}


def _parts(value: object) -> tuple[str, int, str]:
    assert isinstance(value, tuple)
    host, port, path = value
    return host, port, path


def _lower(text: str) -> str:
    return whole(UNIX_PREFIX + text[len(UNIX_PREFIX) :])


def _unix_path(text: str) -> str:
    path = text.removeprefix(UNIX_PREFIX)
    if not path or "\0" in path or path.endswith("/"):
        raise UnfitError(f'{show(text)} is no socket to listen on; write "unix:/run/wakegate.sock"')
    return at_home(path)


def listen_address(text: str, *, default_host: str) -> tuple[str, int]:
    """Return host and port of "HOST:PORT", ":8080" (every address), "8080" (the default host) or "[::1]:8080"."""
    host, colon, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > PORT_MAX:
        raise UnfitError(f'{show(text)} is no address to listen on; write "127.0.0.1:8080", ":8080" or "[::1]:8080"')
    if not colon:
        return default_host, int(port)
    return _listen_host(host, port=port) if host else EVERY_ADDRESS, int(port)


def _listen_host(host: str, *, port: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if is_ipv6(host.partition("%")[0]):
            return host.lower()
    elif ":" in host and is_ipv6(host):
        raise UnfitError(f'"{host}:{port}" may be read in two ways; write "[{host}]:{port}"')
    elif all(LABEL.fullmatch(label) for label in host.lower().split(".")):
        return host.lower()
    raise UnfitError(f'{show(host)} is no host to listen on; write "127.0.0.1:{port}", or ":{port}" for every address')
