"""The control socket's language: one JSON object a line, and where the socket is."""

import dataclasses
import hashlib
import json
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

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
    text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"  # a word of a command line may be no text at all


def decode(line: bytes) -> Any:
    """Read one line."""
    return json.loads(line)


def fields(value: Any) -> dict[str, Any]:
    """Return the fields of a value of ours, as they are: `encode` knows what to make of each."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return fields(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")
