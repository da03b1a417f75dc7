"""The proxies in front of the gateway whose word is believed, as addresses and networks, or "unix"."""

import ipaddress

from wakegate.config.kind import Text, Texts
from wakegate.config.show import UnfitError, show
from wakegate.core.spec import UNIX_PEER


def _proxy(text: str) -> str:
    """Return a network; an address is one of itself alone."""
    if text == UNIX_PEER:
        return text
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise UnfitError(f"{show(text)} is no address or network; write {_network_hint(text)}") from error


def _network_hint(text: str) -> str:
    """Return the network that was meant where only bits behind its mask are set."""
    try:
        return f'"{ipaddress.ip_network(text, strict=False)}", which it is in'
    except ValueError:
        return '"127.0.0.1" or "10.0.0.0/8"'


PROXIES = Texts(
    of=Text(says="address or network", check=_proxy, pattern=r"^[0-9a-fA-F:.]+(/[0-9]{1,3})?$|^unix$"),
    says="list of addresses and networks",
)
