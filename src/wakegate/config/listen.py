"""The address that the gateway listens on, in the forms that people write it in."""

import re
from dataclasses import dataclass

from wakegate.config.host import LABEL, is_ipv6
from wakegate.config.kind import Kind, Schema
from wakegate.config.show import UnfitError, show

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  what ":8080" asks for; the default is 127.0.0.1
PORT_MAX = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(Kind):
    """An address to listen on, as host and port."""

    default_host: str
    says: str = "address"

    def read(self, value: object) -> tuple[str, int]:
        """Return host and port."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if 0 <= value <= PORT_MAX else value
        if not isinstance(value, str):
            raise UnfitError(f'{show(value)} is no address to listen on; write "127.0.0.1:8080"')
        return listen_address(value, default_host=self.default_host)

    def write(self, value: object) -> str:
        """Write it as HOST:PORT."""
        assert isinstance(value, tuple)
        host, port = value
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def schema(self) -> Schema:
        """Return a pattern, or a port."""
        text = {"type": "string", "pattern": r"^(\[[0-9A-Za-z:.%]+\]:|[A-Za-z0-9._-]*:)?[0-9]{1,5}$"}
        return {"anyOf": [text, {"type": "integer", "minimum": 0, "maximum": PORT_MAX}]}


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
