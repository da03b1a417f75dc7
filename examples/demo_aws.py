"""The demo on AWS: the real template, deployed into an emulated account, verified, and taken away again.

    make demo-aws

The account is in this process (`tests/account`): moto for the API, the very zip of the functions in processes of their
own, the app as a process for each task, IAM enforced. No AWS account is needed, and none is touched. The clock is the
demo's: where nothing happens for minutes, it is moved on, and the timeline says so.
"""

import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.account.account import Account  # noqa: E402  the tree is no package of its own
from tests.account.sample.made import until  # noqa: E402  likewise
from tests.e2e.deployed import HELLO, IDLE_S, Deployed, command, deploy  # noqa: E402  likewise

START_DELAY_S = 2.0  # what Fargate takes 30 to 60 s for
SHOWN = ("ecs:UpdateService", "events:EnableRule", "events:DisableRule")


class Timeline:
    """What is said and what is called, as it comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, subject: str, text: str) -> None:
        """Write a line."""
        with self._lock:
            print(f"{time.strftime('%H:%M:%S')}  {subject:<18} {text}", flush=True)

    def quote(self, verb: str, lines: Iterable[str]) -> None:
        """Write what a command says, but not each resource."""
        for line in lines:
            if not re.search(r"\(\d+ of \d+\)$", line):
                self.say(f"wakegate {verb}", line.rstrip())


class Watch(threading.Thread):
    """Tells the calls of the functions, the tasks and the phases, until it is ended."""

    def __init__(self, deployed: Deployed, timeline: Timeline) -> None:
        super().__init__(name="watch", daemon=True)
        self.ended = threading.Event()
        self._deployed, self._timeline = deployed, timeline
        self._phase, self._told = "asleep", 0
        self._tasks: dict[str, str] = {}

    def run(self) -> None:
        """Look again and again."""
        while not self.ended.wait(0.1):
            self._look()
        self._look()

    def _look(self) -> None:
        self._tell_calls()
        self._tell_tasks()
        phase = self._deployed.phase
        if phase != self._phase:
            self._timeline.say(self._deployed.outputs["Service"], phase)
            self._phase = phase

    def _tell_calls(self) -> None:
        calls = self._deployed.calls()
        for call in calls[self._told :]:
            if call.name in SHOWN:
                count = call.parameters.get("desiredCount")
                told = call.name if count is None else f"{call.name}, desired count {count}"
                self._timeline.say(call.principal.rpartition("/")[2], told)
        self._told = len(calls)

    def _tell_tasks(self) -> None:
        for task in self._deployed.account.fargate.tasks:
            if self._tasks.get(task.id) != task.last_status:
                self._tasks[task.id] = task.last_status
                self._timeline.say("task " + task.id[:8], task.last_status.lower())


def main() -> int:
    """Run the demo; return 0 if all went as it should."""
    timeline = Timeline()
    with tempfile.TemporaryDirectory(prefix="wakegate-demo-") as folder:
        timeline.say("account", "an emulated one, in this process; the image's command is examples/hello/app.py")
        with Account(Path(folder), images={"*": HELLO}) as account:
            deployed = deploy(account)
            timeline.quote("deploy", deployed.said)
            account.fargate.start_delay_s = START_DELAY_S
            watch = Watch(deployed, timeline)
            watch.start()
            verified = _verify(deployed, timeline)
            _sleep_at_last(deployed, timeline)
            watch.ended.set()
            watch.join()
            calls, denied = len(deployed.calls()), len(account.denied)
            timeline.say("calls", f"{calls} by the two functions under their own roles, {denied} denied")
            destroyed = _destroy(deployed, timeline)
    return 0 if verified and destroyed and denied == 0 else 1


def _verify(deployed: Deployed, timeline: Timeline) -> bool:
    """Run `wakegate verify`, and move the clock on when it only waits for the sleep."""
    clock = threading.Thread(target=_idle, args=(deployed, timeline), name="clock", daemon=True)
    with command(deployed.account, "verify", f"{deployed.url}/", "--requests", "30") as verify:
        clock.start()
        assert verify.stdout is not None
        timeline.quote("verify", verify.stdout)
    clock.join()
    return verify.returncode == 0


def _idle(deployed: Deployed, timeline: Timeline) -> None:
    with suppress(AssertionError):  # it has not come that far: verify says why
        until(lambda: deployed.phase == "awake", timeout_s=60)
        outcomes = deployed.account.functions.outcomes[deployed.startup]
        asked = len(outcomes)
        until(lambda: len(outcomes) >= asked + 32, timeout_s=60)
        timeline.say("clock", f"moved on by {IDLE_S + 20:.0f} s, and EventBridge's by a minute")
        deployed.pass_time(IDLE_S + 20)
        deployed.tick()


def _sleep_at_last(deployed: Deployed, timeline: Timeline) -> None:
    timeline.say("clock", "moved on again, with a tick a minute")
    deployed.account.schedule.deliver(retries=0)
    deployed.sleep()
    until(lambda: not deployed.account.fargate.running())


def _destroy(deployed: Deployed, timeline: Timeline) -> bool:
    with command(deployed.account, "destroy", "--yes") as destroy:
        assert destroy.stdout is not None
        timeline.quote("destroy", destroy.stdout)
    return destroy.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
