"""What keeper and workers say to each other: values, each in a frame of four bytes of length and a pickle.

Pickle, because both ends are this program in this version (see `hello`) on a socket that only their user can open.
"""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wakegate.core import errors
from wakegate.core.errors import AsleepError, HeldError
from wakegate.core.spec import GatewaySpec, ServiceSpec
from wakegate.local.elsewhere import Address, Outlook

LENGTH = 4  # bytes in front of each message


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A service that gets requests: its spec without what runs, its row on the board, and what is known of it."""

    spec: ServiceSpec
    row: int
    epoch: int
    outlook: Outlook


# -- the keeper says


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """Serve these from now on, and no others; what is not told of is the same as before."""

    gateway: GatewaySpec
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """This is what is true of a service from now on; to be answered by `Heard`."""

    service: str
    epoch: int
    outlook: Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Let the one who asked go to this target; it is counted in flight there, by the keeper."""

    number: int
    address: Address
    was_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer the one who asked with this error."""

    number: int
    kind: str
    service: str
    detail: str
    retry_after_s: float
    log_tail: tuple[str, ...]
    elapsed_s: float
    is_quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comfort:
    """Send a sign of life to the one who asked: a 102, or else a comment in its event stream."""

    number: int
    is_interim: bool


@dataclass(frozen=True, slots=True)
class Drain:
    """Accept nobody any more, and finish what is being served."""


@dataclass(frozen=True, slots=True)
class End:
    """Let go of every connection, and end."""


# -- a worker says


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The first it says to a keeper: the rows that it counts in, by service; none where it has just been started."""

    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """These epochs of these services are what it acts by; so many of their requests are at targets that are shut."""

    epochs: Mapping[str, int]
    busy: Mapping[int, int]  # requests by serial


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that may not go ahead: the keeper is to wake, hold, release or refuse.

    `suspect` is a target to which no connection could be made, with the `reason`.
    """

    number: int
    service: str
    method: str
    path: str
    agent: str
    session_id: str | None
    is_navigation: bool
    arrived_s: float
    suspect: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The client of one who asked has hung up, released or not."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The head of its answer has come."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """It has its last byte."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """No connection to the target that it was released to could be made: it waits again."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """Of a target that is shut, nothing is in flight here any more."""

    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The app asks to be kept awake."""

    service: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Somebody presses "try now" on the waiting page."""

    service: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """A signal has told it to end: it accepts nobody any more, and finishes what is being served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something for the timeline."""

    kind: str
    text: str
    service: str
    detail: tuple[str, ...]


Order = Configure | Look | Release | Refuse | Comfort | Drain | End
Report = Here | Heard | Ask | Leave | Answered | Finished | Unreachable | Emptied | Keep | Retry | Leaving | Told
Message = Order | Report


def encode(message: Message) -> bytes:
    """Write one frame."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(LENGTH) + body


def decode(buffer: bytearray) -> Iterator[Message]:
    """Take the whole frames off a buffer, one by one."""
    while len(buffer) >= LENGTH:
        end = LENGTH + int.from_bytes(buffer[:LENGTH])
        if len(buffer) < end:
            return
        body = bytes(buffer[LENGTH:end])
        del buffer[:end]
        yield pickle.loads(body)  # noqa: S301  of this program, see above


def refusal(number: int, error: HeldError) -> Refuse:
    """Write an error down."""
    return Refuse(
        number=number,
        kind=type(error).__name__,
        service=error.service,
        detail=error.detail,
        retry_after_s=error.retry_after_s,
        log_tail=error.log_tail,
        elapsed_s=error.elapsed_s,
        is_quiet=isinstance(error, AsleepError) and error.is_quiet,
    )


def error_of(refuse: Refuse) -> HeldError:
    """Make the error that was written down."""
    kind: type[HeldError] = getattr(errors, refuse.kind)
    error = kind(
        refuse.service,
        refuse.detail,
        retry_after_s=refuse.retry_after_s,
        log_tail=refuse.log_tail,
        elapsed_s=refuse.elapsed_s,
    )
    if isinstance(error, AsleepError):
        error.is_quiet = refuse.is_quiet
    return error
