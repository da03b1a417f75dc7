"""Services that need others: a need is awake before its user starts anything, and until nothing of the user is left."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from wakegate.core.errors import HeldError, WorkloadError
from wakegate.core.phase import Phase
from wakegate.core.say import say_duration
from wakegate.core.spec import ServiceSpec
from wakegate.local.flag import Flag
from wakegate.local.fleet import Fleet
from wakegate.local.member import Life
from wakegate.ports import Exit


class Linked(Protocol):
    """A service as those that need it, or that it needs, see it."""

    spec: ServiceSpec
    changed: Flag
    begun: Flag  # set once what an earlier gateway left of it is taken over: until then its phase is hearsay
    closed: Flag  # set once it runs no more, and never will
    fleet: Fleet
    links: "Links"

    @property
    def phase(self) -> Phase:
        """The phase now."""
        ...

    async def wake_for(self, user: "Linked") -> None:
        """Return when it is awake because a user of it wakes; raise the `HeldError` of a wake that failed.

        Return also when the user sleeps: what it wants no more drains, and must not be kept from that.
        """
        ...


class Links:
    """What one service needs, and who uses it; `link` fills it."""

    def __init__(self) -> None:
        self.needs: tuple[Linked, ...] = ()
        self.users: tuple[Linked, ...] = ()

    @property
    def awake_users(self) -> tuple[str, ...]:
        """The names of those that cannot do without it now."""
        return tuple(user.spec.name for user in self.users if user.phase is not Phase.ASLEEP)

    @property
    def present_users(self) -> tuple[str, ...]:
        """Those, and the ones of which a replica still ends, or may: it may have something to write yet."""
        return tuple(user.spec.name for user in self.users if _is_present(user))

    async def awake(self, user: Linked, *, timeout_s: float, tell: Callable[[str, str], None]) -> None:
        """Return when all that it needs is awake, woken side by side; raise `WorkloadError` naming what is not.

        Return also when the user sleeps meanwhile.
        """
        asleep = [need for need in self.needs if not _is_awake(need)]
        if not asleep:
            return
        tell("starting-needed", f"first wakes {', '.join(need.spec.name for need in asleep)}")
        try:
            async with asyncio.timeout(timeout_s):
                while asleep and user.phase is not Phase.ASLEEP:
                    ends = await asyncio.gather(*(_woken(need, user) for need in asleep), return_exceptions=True)
                    for end in ends:
                        if isinstance(end, BaseException):
                            raise end
                    # One may have ended while another still woke.
                    asleep = [need for need in self.needs if not _is_awake(need)]
        except TimeoutError as error:
            names = ", ".join(need.spec.name for need in self.needs if not _is_awake(need))
            text = f"{names}, which it wakes first: not awake after {say_duration(timeout_s)}"
            raise WorkloadError(text) from error

    def nudge(self) -> None:
        """Let what it needs look again: it may sleep now, or must wake."""
        for need in self.needs:
            need.changed.set()


def link(services: Collection[Linked]) -> None:
    """Connect these services by what their specs say, and let each look again."""
    by_name = {service.spec.name: service for service in services}
    users: dict[str, list[Linked]] = {}  # by whom they use; to ask all of 10,000 about each other takes 10 seconds
    for service in services:
        service.links.needs = tuple(by_name[name] for name in service.spec.wakes if name in by_name)
        for need in service.links.needs:
            users.setdefault(need.spec.name, []).append(service)
    for service in services:
        service.links.users = tuple(users.get(service.spec.name, ()))
        service.changed.set()


def leaving(fleet: Fleet) -> Sequence[asyncio.Future[Exit]]:
    """Return the ends of its replicas that are on their way out; those that are paused are not."""
    return [member.exit for member in fleet.members if member.life in (Life.STOPPING, Life.DRAINING)]


def _is_present(user: Linked) -> bool:
    return user.phase is not Phase.ASLEEP or not user.begun.is_set() or bool(leaving(user.fleet))


def _is_awake(need: Linked) -> bool:
    return need.phase is Phase.AWAKE and need.begun.is_set()


async def _woken(need: Linked, user: Linked) -> None:
    try:
        await need.wake_for(user)
    except HeldError as error:
        text = f"{need.spec.name}, which it wakes first: {error.detail}"
        raise WorkloadError(text, log_tail=error.log_tail) from error
