"""The name of a host as people write it, made into the one form that the routes compare."""

import re
import unicodedata
from ipaddress import AddressValueError, IPv6Address

from wakegate.config.kind import Text, Texts
from wakegate.config.show import UnfitError, show

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
HOST_LENGTH_MAX = 253


def host_name(text: str) -> str:
    """Return a host as the routes compare it: lower case, punycode, no port; "*.example.com" is any name below it."""
    if "/" in text:
        bare = text.partition("://")[2].partition("/")[0] or text.partition("/")[0]
        raise UnfitError(f'{show(text)} is more than a host; write "{bare}" (a path goes to path = "/…")')
    name = text.strip().rstrip(".")
    if is_ipv6(name.removeprefix("[").removesuffix("]")):
        return f"[{name.strip('[]').lower()}]"
    if ":" in name:
        raise UnfitError(
            f'{show(text)} has a port; write "{name.rpartition(":")[0]}" (the port is that of gateway.listen)'
        )
    if name == "*":
        raise UnfitError('"*" is any host; leave hosts out for that')
    wild = "*." if name.startswith("*.") else ""
    labels = [_label(label, text=text) for label in name.removeprefix("*.").split(".")]
    host = wild + ".".join(labels)
    if len(host) > HOST_LENGTH_MAX or not all(LABEL.fullmatch(label) for label in labels):
        raise UnfitError(
            f'{show(text)} is no host; write "shop.example.com", or "*.example.com" for all names below it'
        )
    return host


def _label(label: str, *, text: str) -> str:
    """Return one part of a host in lower case, in punycode where it is not ASCII."""
    if label.isascii():
        return label.lower()
    try:
        encoded = label.encode("idna").decode()
    except UnicodeError as error:
        raise UnfitError(f"{show(text)} is no host: {show(label)} has letters that no host may have") from error
    if set(label) & set("ßς"):  # the codec is of 2003 and replaces these two; browsers keep them
        return "xn--" + unicodedata.normalize("NFKC", label.lower()).encode("punycode").decode()
    return encoded.lower()


def is_ipv6(text: str) -> bool:
    """Say whether this is an IPv6 address, without brackets."""
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


HOSTS = Texts(of=Text(says="host", check=host_name, pattern=r"^[^\s:/]+$|^\[?[0-9A-Fa-f:.]+\]?$"), says="list of hosts")
