"""remote: an operator's hands reach what the functions' do, and no further."""

import pytest
from tests.account.account import Account
from tests.aws.operate.test_ask import assume

from wakegate.aws.cloud import AppRequest
from wakegate.aws.operate.ask import Asker
from wakegate.aws.operate.remote import NoNetwork, Remote, RemotePlatform
from wakegate.aws.operate.stack import Stack, find_stack
from wakegate.aws.operate.wake import wake
from wakegate.core.errors import UnreachableError
from wakegate.core.phase import Phase


def test_it_scales_looks_and_turns_the_schedule(deployed: Account, stack: Stack) -> None:
    """The three that a wake and a sleep need."""
    platform = RemotePlatform(stack)
    platform.scale(1)
    assert platform.look().desired == 1
    platform.scale(0)
    assert (platform.look().desired, platform.look().tasks) == (0, ())
    events, rule = deployed.client("events"), stack.output("CleanupRule")
    for is_on in (True, True, False):
        platform.set_rule(enabled=is_on)
        assert (events.describe_rule(Name=rule)["State"] == "ENABLED") is is_on


def test_it_does_not_judge_an_app_from_here() -> None:
    """A laptop behind a firewall reaches no task: that says nothing about the app."""
    network = NoNetwork()
    assert not network.connects("127.0.0.1:80")
    with pytest.raises(UnreachableError):
        network.forward(AppRequest(method="GET", target="/", headers=()), "127.0.0.1:80", timeout_s=1)


def test_who_may_not_invoke_waits_for_the_schedule(
    deployed: Account, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wake is begun all the same; whoever comes next, a request or the schedule, watches it to its end."""
    allowed = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "lambda:Invoke*", "Resource": "*"},
    ]
    for name, value in assume(deployed, "operator", allowed).items():
        monkeypatch.setenv(name, value)
    asker = Asker(region=deployed.region)
    remote = Remote(find_stack(asker, stack.name))
    assert not remote.tick()
    ticks = iter([deployed.schedule.tick] * 60)
    remote.clock.sleep = lambda _: next(ticks)()  # type: ignore[assignment,method-assign]  # a minute of EventBridge's
    assert wake(remote)
    assert remote.keeper.load().phase is Phase.AWAKE
    asker.close()
