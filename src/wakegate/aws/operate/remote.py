"""remote: what the functions do to a service, done from here with the operator's credentials; by the same rules."""

import json
import os
import time
from datetime import UTC, datetime

from wakegate.aws.cleanup import Cleanup
from wakegate.aws.cloud import AppRequest, AppResponse, Cloud, Seen
from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.stack import Stack
from wakegate.aws.record import Keeper
from wakegate.aws.table import DynamoTable
from wakegate.aws.wake import Waker
from wakegate.core.abandon import Crash
from wakegate.core.errors import UnreachableError


class WallClock:
    """See `cloud.Clock`."""

    def now(self) -> datetime:
        """See `cloud.Clock.now`."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """See `cloud.Clock.sleep`."""
        time.sleep(seconds)


class RemotePlatform:
    """See `cloud.Platform`; tasks are not looked at from here, only the functions are sure to reach them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def scale(self, desired: int) -> None:
        """See `cloud.Platform.scale`."""
        stack = self._stack
        stack.asker.ask_once(
            "ecs", "update_service", cluster=stack.cluster, service=stack.service, desiredCount=desired
        )

    def look(self) -> Seen:
        """See `cloud.Platform.look`; without tasks."""
        return Seen(desired=int(self._stack.describe_service().get("desiredCount", 0)), tasks=())

    def crashes(self, since: datetime) -> tuple[Crash, ...]:  # noqa: ARG002  the Protocol's signature
        """See `cloud.Platform.crashes`; as `look`, none."""
        return ()

    def set_rule(self, *, enabled: bool) -> None:
        """See `cloud.Platform.set_rule`."""
        operation = "enable_rule" if enabled else "disable_rule"
        self._stack.asker.ask("events", operation, Name=self._stack.output("CleanupRule"))


class NoNetwork:
    """See `cloud.Network`; whether an app answers to a function is not to be found out from here."""

    def connects(self, target: str) -> bool:  # noqa: ARG002  the Protocol's signature
        """See `cloud.Network.connects`."""
        return False

    def forward(self, request: AppRequest, target: str, *, timeout_s: float) -> AppResponse:  # noqa: ARG002  likewise
        """See `cloud.Network.forward`."""
        raise UnreachableError(target, "requests go through the API")


class Remote:
    """The service of a stack in an operator's hands; `me` is whom the record names as the owner meanwhile."""

    def __init__(self, stack: Stack, *, clock: WallClock | None = None) -> None:
        self.stack = stack
        self.settings = stack.settings
        self.clock = clock or WallClock()
        self.me = f"operator-{os.urandom(4).hex()}"
        self.table = remote_table(stack, clock=self.clock)
        cloud = Cloud(clock=self.clock, table=self.table, platform=RemotePlatform(stack), network=NoNetwork())
        self.keeper = Keeper(cloud, name=self.settings.spec.name)
        self.waker = Waker(cloud, self.settings, keeper=self.keeper, me=self.me, cause="wakegate wake")
        self.cleanup = Cleanup(_Operator(self.me), cloud=cloud, settings=self.settings)

    def tick(self) -> bool:
        """Let the cleanup function look now; False where this operator may not invoke it (it looks each minute)."""
        payload = json.dumps({"source": "wakegate.operator"}).encode()
        try:
            self.stack.asker.ask("lambda", "invoke", FunctionName=self.stack.output("CleanupFunction"), Payload=payload)
        except AskError as error:
            if error.is_denied:
                return False
            raise
        return True


def remote_table(stack: Stack, *, clock: WallClock) -> DynamoTable:
    """Return the table, reached with the operator's credentials."""
    return DynamoTable(stack.asker.dynamo, table=stack.table, service=stack.service, clock=clock)


class _Operator:
    """An invocation's context, of nobody's invocation: there is no end to the time."""

    def __init__(self, name: str) -> None:
        self.aws_request_id = name

    def get_remaining_time_in_millis(self) -> int:
        return 900_000
