"""The control socket's client: asks a running gateway, and waits for its answer."""

import socket
from pathlib import Path
from typing import Any

from wakegate.core.errors import StateError, WakegateError
from wakegate.dashboard.wire import decode, encode, socket_path

ANSWER_TIMEOUT_S = 10.0  # of what a gateway answers at once


class RefusedError(WakegateError):
    """The gateway has understood, and says no; `kind` is the class of its error."""

    def __init__(self, detail: str, *, kind: str) -> None:
        self.kind = kind
        super().__init__(detail)


def ask(state_dir: Path, verb: str, *, timeout_s: float | None = ANSWER_TIMEOUT_S, **words: object) -> Any:
    """Ask the gateway that uses this state directory; raise `StateError` where there is none.

    Without a timeout it waits for as long as the gateway takes: a wake may take minutes.
    """
    shown = _shown(state_dir)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(socket_path(state_dir)))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise StateError(f"no gateway is running here (state in {shown}); start one with: wakegate up") from error
        except OSError as error:
            why = error.strerror or "it does not answer"
            raise StateError(f"the gateway in {shown} cannot be asked: {why}") from error
        try:
            connection.sendall(encode({"verb": verb, **words}))
            with connection.makefile("rb") as lines:
                line = lines.readline()
        except TimeoutError as error:
            raise StateError(
                f"the gateway in {shown} has not answered for {timeout_s:.0f} s; is it stopped?"
            ) from error
        except OSError:
            line = b""  # it ended while we spoke
    if not line.endswith(b"\n"):
        raise StateError("the gateway has ended before it answered")
    reply = decode(line)
    if "error" in reply:
        raise RefusedError(reply["detail"], kind=reply["error"])
    return reply["answer"]


def _shown(state_dir: Path) -> str:
    """Say a path as people would: relative where it is below here."""
    try:
        return f"{state_dir.resolve().relative_to(Path.cwd())}/"
    except ValueError:
        return str(state_dir)
