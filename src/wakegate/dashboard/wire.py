"""The control socket's language: one JSON object a line, and where the socket is."""

import asyncio
import dataclasses
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

TURN_S = 0.002  # of the event loop, for one who asks; then requests have theirs
PATH_BYTES_MAX = 100  # sun_path has 104 bytes on macOS, 108 on Linux


def socket_path(state_dir: Path) -> Path:
    """Return where the control socket of a state directory is: in it, or in the temporary one if that is too long."""
    inside = state_dir.resolve() / "control.sock"
    if len(os.fsencode(inside)) <= PATH_BYTES_MAX:
        return inside
    name = hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"wakegate-{os.getuid()}-{name}.sock"


def encode(value: Any) -> bytes:
    """Write one line."""
    return _encoded(value) + b"\n"


async def encode_rows(rows: Iterable[Any]) -> bytes:
    """Write one line, `{"answer":[…]}`; what it takes to make the rows and write them is done in many turns."""
    encoded = []
    began_s = time.perf_counter()
    for row in rows:
        encoded.append(_encoded(row))
        if time.perf_counter() - began_s > TURN_S:
            await asyncio.sleep(0)
            began_s = time.perf_counter()
    return b'{"answer":[' + b",".join(encoded) + b"]}\n"


def decode(line: bytes) -> Any:
    """Read one line."""
    return json.loads(line)


def fields(value: Any) -> dict[str, Any]:
    """Return the fields of a value of ours, as they are: `encode` knows what to make of each."""
    return {name: getattr(value, name) for name in _names(value.__class__)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _encoded(value: Any) -> bytes:
    return ENCODER.encode(value).encode(errors="replace")  # a word of a command line may be no text at all


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return fields(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


ENCODER = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"))
