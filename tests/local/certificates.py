"""Certificates for tests, made by the openssl command."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Pair(NamedTuple):
    """The files of a certificate for 127.0.0.1 and of its key."""

    certificate: Path
    key: Path


def make_pair(folder: Path, name: str = "gateway") -> Pair:
    """Make a certificate that signs itself, with this common name."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command here, and it makes the certificates")
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(pair.key), "-out", str(pair.certificate),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return pair
