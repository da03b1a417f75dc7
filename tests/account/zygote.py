"""A process that has imported runtime, boto3 and a handler once, and forks: `zygote.py FD HANDLER FOLDER`.

Each message has the environment variables of a new environment, and the descriptor of its log.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
from typing import NoReturn

SHARED = (  # what takes long; not the runtime's client, which reads the address of its API when it is imported
    "boto3.session", "botocore.client", "botocore.endpoint", "botocore.httpsession", "botocore.parsers",
    "botocore.serialize", "awslambdaric.lambda_runtime_marshaller", "concurrent.futures.thread", "http.client",
)  # fmt: skip


def main(fd: int, *, handler: str, folder: str) -> None:
    """Fork until the other end is closed."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    for name in SHARED:
        importlib.import_module(name)
    with contextlib.suppress(Exception):  # one that cannot be imported fails again in each environment, and says why
        importlib.import_module(handler.rpartition(".")[0])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    with socket.socket(fileno=fd) as messages:
        while True:
            data, fds, _, _ = socket.recv_fds(messages, 1024 * 1024, 1)
            if not data:
                return
            pid = os.fork()
            if pid == 0:
                messages.close()
                become(json.loads(data), handler=handler, log=fds[0])
            os.close(fds[0])
            messages.send(str(pid).encode())


def become(environ: dict[str, str], *, handler: str, log: int) -> NoReturn:
    """Be an environment from here on."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(environ)
    from awslambdaric.__main__ import main as run  # type: ignore[import-untyped]  # noqa: PLC0415  reads the address when it is imported

    try:
        run(["awslambdaric", handler])
    except SystemExit as error:
        os._exit(error.code if isinstance(error.code, int) else 1)
    except BaseException:  # noqa: BLE001  a fork must not go back into the loop of its parent
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), handler=sys.argv[2], folder=sys.argv[3])
