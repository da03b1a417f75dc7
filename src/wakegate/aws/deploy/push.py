"""An image to its repository, with as much progress as Docker tells."""

import os
import pty
import re
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable, Iterator

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.failure import DeployError, told
from wakegate.aws.deploy.image import NO_DOCKER, Image, last_line, login, tag
from wakegate.aws.deploy.screen import Screen
from wakegate.core.say import say_bytes, say_duration

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LAYER = re.compile(r"([0-9a-f]{12}): (.+)")
PUSHING = re.compile(r"Pushing .*?([\d.]+)\s?([kMGT]?B)/([\d.]+)\s?([kMGT]?B)")
ENDED = ("Pushed", "Layer already exists", "Mounted from")
UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Layers:
    """What Docker has said about each layer: bytes while it is pushed, then that it is."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._ended: set[str] = set()
        self.count = 0

    def feed(self, line: str) -> None:
        """Take a line of `docker push`; whatever is not about a layer is no news."""
        match = LAYER.search(ESCAPES.sub("", line))
        if match is None:
            return
        layer, said = match[1], match[2]
        self._sent.setdefault(layer, 0)
        self.count = len(self._sent)
        if pushing := PUSHING.search(said):
            self._sent[layer] = round(float(pushing[1]) * UNITS[pushing[2]])
            self._sizes[layer] = round(float(pushing[3]) * UNITS[pushing[4]])
        elif said.startswith(ENDED):
            self._ended.add(layer)
            self._sent[layer] = self._sizes.get(layer, 0)

    @property
    def ended_count(self) -> int:
        """Return how many layers are there."""
        return len(self._ended)

    @property
    def sent_bytes(self) -> int:
        """Return how much has been sent."""
        return sum(self._sent.values())

    @property
    def size_bytes(self) -> int:
        """Return the size of all layers whose size is known so far."""
        return sum(self._sizes.values())


def push(account: Account, image: Image, target: str, *, screen: Screen) -> None:
    """Log in to the account's registry and push."""
    with told(account.region):
        token = account.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = b64decode(token).decode().partition(":")
    login(target.partition("/")[0], user=user, password=password)
    send(image, target, screen=screen)


def send(image: Image, target: str, *, screen: Screen, now_s: Callable[[], float] = time.monotonic) -> None:
    """Push to a registry that Docker may already push to."""
    tag(image, target)
    began_s, layers = now_s(), Layers()
    process, lines = _start(target, is_terminal=screen.is_terminal)
    said = []
    for line in lines:
        said.append(line)
        layers.feed(line)
        if layers.count:
            text = f"{layers.ended_count} of {layers.count} layers · {say_bytes(layers.sent_bytes)} sent"
            screen.bar("image", *_far(layers, image), text=text)
    if process.wait() != 0:
        screen.close()
        words = ESCAPES.sub("", last_line("\n".join(said[-20:])))
        raise DeployError(f"The image could not be pushed to {target}: {words}")
    took = say_duration(now_s() - began_s)
    if layers.size_bytes or not screen.is_terminal:
        size = say_bytes(max(layers.size_bytes, image.size_bytes) if not layers.size_bytes else layers.size_bytes)
        screen.say("image", f"pushed {image.name} ({size}) in {took}")
    else:
        screen.say("image", f"{image.name} was there already, layer by layer ({took})")


def _far(layers: Layers, image: Image) -> tuple[int, int]:
    """Say how far it is: by bytes, with what is not yet known of the sizes taken from the image."""
    if layers.ended_count == layers.count:
        return 1, 1
    return layers.sent_bytes, max(layers.size_bytes, image.size_bytes, 1)


def _start(target: str, *, is_terminal: bool) -> "tuple[subprocess.Popen[bytes], Iterator[str]]":
    """Start the push; Docker tells bytes to a terminal only, so it gets one where we have one ourselves."""
    ours, theirs = pty.openpty() if is_terminal else os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603  no shell; the target is the stack's own repository
            ["docker", "push", target],  # noqa: S607  whichever docker the user has
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
    except FileNotFoundError as error:
        os.close(ours)
        raise DeployError(NO_DOCKER) from error
    finally:
        os.close(theirs)
    return process, _lines(ours)


def _lines(fd: int) -> Iterator[str]:
    """Read lines to the end; a terminal ends with an error, a pipe with nothing."""
    rest = b""
    try:
        while piece := os.read(fd, 65_536):
            *lines, rest = re.split(rb"[\r\n]+", rest + piece)
            for line in lines:
                yield line.decode("utf-8", "replace")
    except OSError:
        pass
    finally:
        os.close(fd)
    yield rest.decode("utf-8", "replace")
