"""The certificate that the gateway speaks TLS with: read at the start, and again when its files change."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

from wakegate.core.errors import StateError

LOOK_INTERVAL_S = 1.0  # how late a new certificate is seen

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """Holds the TLS settings of new connections; those that are open keep what they began with."""

    def __init__(self, certificate: str, key: str) -> None:
        """Read the files; raise `StateError` where they cannot be used."""
        self._files = (Path(certificate), Path(key))
        self._stamp = self._look()
        self.context = self._read()

    def refresh(self) -> bool:
        """Read the files again if they have changed; say whether they had, and could be used.

        Raise `StateError` for a pair that cannot be: one that is half written goes on being refused until it is whole,
        and the old one stays; each state of the files is told once.
        """
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self.context = self._read()
        return True

    def _look(self) -> Stamp:
        """Return what changes when a file is written or replaced; links are followed, as certbot swaps those."""
        try:
            stats = [file.stat() for file in self._files]
        except OSError:  # between removal and rename: reading says which file is not there
            return ()
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)

    def _read(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            for file in self._files:
                file.read_bytes()  # OpenSSL does not say which one is missing
            context.load_cert_chain(certificate, key, password=lambda: b"")  # never ask at the terminal for one
        except ssl.SSLError as error:
            raise StateError(_why_not(error, certificate=certificate, key=key)) from error
        except OSError as error:
            raise StateError(f"{error.filename} cannot be read: {error.strerror}") from error
        return context


async def renew(certificate: Certificate, *, tell: Callable[[str, str], None]) -> None:
    """Look whether there is a new certificate, for ever."""
    while True:
        await asyncio.sleep(LOOK_INTERVAL_S)
        try:
            if certificate.refresh():
                tell("reloaded", "new connections get the new certificate")
        except StateError as error:
            tell("warning", f"the new certificate is not used, the old one goes on: {error}")


def _why_not(error: ssl.SSLError, *, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of {certificate}; write the pair that was issued together"
    return f"{certificate} and {key} are no certificate and key in PEM without a passphrase ({error.reason or error})"
