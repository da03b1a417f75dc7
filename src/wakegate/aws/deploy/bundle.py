"""The functions' code as a zip: what they import of ours and nothing else; the same files make the same bytes."""

from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PARTS = ("__init__.py", "core", "answer", "aws")  # of the package
LEFT_OUT = ("deploy", "operate", "__pycache__", "py.typed")
MODE = 0o644 << 16  # readable for the user that a function runs as


class Bundle(NamedTuple):
    """The bytes of the zip, and a key that is another one whenever they are."""

    key: str
    data: bytes


def bundle() -> Bundle:
    """Return the zip of both functions; the runtime has boto3."""
    package = files("wakegate")
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for part in PARTS:
            _add(archive, package.joinpath(part), name=f"wakegate/{part}")
    data = buffer.getvalue()
    return Bundle(key=f"wakegate-{sha256(data).hexdigest()[:16]}.zip", data=data)


def _add(archive: ZipFile, entry: Traversable, *, name: str) -> None:
    if entry.is_dir():
        for child in sorted(entry.iterdir(), key=lambda one: one.name):
            if child.name not in LEFT_OUT:
                _add(archive, child, name=f"{name}/{child.name}")
        return
    info = ZipInfo(name)  # of 1980: the time of a checkout must not make another key
    info.external_attr = MODE
    archive.writestr(info, entry.read_bytes(), ZIP_DEFLATED, compresslevel=9)
