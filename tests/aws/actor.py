"""One actor in the simulated account: a test's own code, called as an invocation would."""

from collections.abc import Callable
from typing import Any, TypeVar

from tests.simulated.aws.world import World

from wakegate.sim.cloud import Invocation

T = TypeVar("T")


def act(world: World, work: Callable[[], T], *, name: str = "me", life_s: float = 1e6) -> T:
    """Run this now, as an invocation, to its end."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            result = world.hub.invoke(Invocation(name, end_s=world.hub.now_s + life_s), work)
        except Exception as error:  # noqa: BLE001  it is the test's own
            failed.append(error)
        else:
            done.append(result)  # type: ignore[arg-type]  # not killed: nothing kills it

    world.hub.spawn(run)
    while not done and not failed:
        world.hub.run(world.hub.now_s + 0.5)
    if failed:
        raise failed[0]
    return done[0]


def ask(world: World, event: dict[str, Any]) -> dict[str, Any]:
    """Send one request and return its answer."""
    answers: list[dict[str, Any] | None] = []
    world.hub.spawn(lambda: answers.append(world.request(event)))
    while not answers:
        world.hub.run(world.hub.now_s + 0.5)
    assert answers[0] is not None, "nothing kills it"
    return answers[0]
