"""EventBridge: rules with a schedule fire when the clock is moved; rules with a pattern fire on what ECS tells."""

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.account.front import may_invoke
from tests.account.functions import Functions, GoneError, ThrottledError
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.runtime_api import Outcome
from tests.account.task import Snapshot

_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_TIMES = ("createdAt", "startedAt", "pullStartedAt", "pullStoppedAt", "stoppingAt", "stoppedAt", "connectivityAt")


@dataclass(kw_only=True)
class Delivery:
    """One event brought to one function, or not."""

    rule: str
    function: str
    event: dict[str, Any]
    refused: str = ""  # why it was not delivered
    outcomes: list[Outcome] = field(default_factory=list)


class Schedule:
    """The clock of the schedules: it stands until it is moved, or runs with `run`."""

    def __init__(self, moto: Moto, functions: Functions) -> None:
        self.copies = 1  # 2: every event is delivered twice, as "at least once" allows
        self.retries = 2  # of an event whose function failed; AWS waits a minute or two before each
        self.minutes = 0  # since the account began
        self.deliveries: list[Delivery] = []
        self._moto, self._functions = moto, functions

    async def tick(self, minutes: int = 1) -> list[Delivery]:
        """Let minutes pass at once: fire what is due in each, and wait until all of it has been delivered."""
        done: list[Delivery] = []
        for _ in range(minutes):
            self.minutes += 1
            due = [rule for rule in self._rules() if self._is_due(rule)]
            for several in await asyncio.gather(*(self._fire(rule, self._scheduled(rule)) for rule in due)):
                done += several
        return done

    async def run(self, factor: float) -> None:
        """Let time pass by itself, `factor` times as fast as it does."""
        while True:
            await asyncio.sleep(60 / factor)
            await self.tick()

    async def task_changed(self, snapshot: Snapshot) -> None:
        """Bring a state change of a task to the rules that want it."""
        detail = {**snapshot}
        for name in _TIMES:
            if name in detail:
                detail[name] = _stamp(detail[name])
        for attachment in detail["attachments"]:
            attachment["type"] = "eni"
        event = self._event("aws.ecs", "ECS Task State Change", [snapshot["taskArn"]], detail)
        for rule in self._rules():
            if rule.event_pattern.get_pattern() and rule.event_pattern.matches_event(event):
                await self._fire(rule, event)

    def _rules(self) -> list[Any]:
        bus = self._moto.events.event_buses["default"]
        return [rule for rule in list(bus.rules.values()) if rule.state == "ENABLED"]

    def _is_due(self, rule: Any) -> bool:
        """Say whether a rate rule is due; a cron rule is, when the minute is (only its first field is read)."""
        expression = rule.scheduled_expression or ""
        if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
            return self.minutes % (int(match[1]) * _MINUTES[match[2]]) == 0
        if match := re.fullmatch(r"cron\((\d+|\*) .*\)", expression):
            return match[1] == "*" or self.minutes % 60 == int(match[1])
        return False

    def _scheduled(self, rule: Any) -> dict[str, Any]:
        return self._event("aws.events", "Scheduled Event", [rule.arn], {})

    def _event(self, source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": kind,
            "source": source,
            "account": ACCOUNT_ID,
            "time": _stamp(time.time()),
            "region": self._moto.region,
            "resources": resources,
            "detail": detail,
        }

    async def _fire(self, rule: Any, event: dict[str, Any]) -> list[Delivery]:
        waiting = []
        for target in rule.targets:
            match = re.search(r":function:([^:]+)", target["Arn"])
            if match is None:
                continue
            given = json.loads(target["Input"]) if target.get("Input") else event
            delivery = Delivery(rule=rule.name, function=match[1], event=given)
            self.deliveries.append(delivery)
            waiting.append(self._deliver(delivery, rule.arn))
        return list(await asyncio.gather(*waiting))

    async def _deliver(self, delivery: Delivery, rule_arn: str) -> Delivery:
        if not may_invoke(self._moto, delivery.function, "events.amazonaws.com", rule_arn):
            delivery.refused = f"the policy of {delivery.function} does not let events.amazonaws.com invoke it"
            return delivery
        copies = (self._invoke(delivery) for _ in range(self.copies))
        await asyncio.gather(*copies)
        return delivery

    async def _invoke(self, delivery: Delivery) -> None:
        """Invoke until it succeeds, or the retries are used up."""
        for _ in range(1 + self.retries):
            try:
                outcome = await self._functions.invoke(delivery.function, json.dumps(delivery.event).encode())
            except ThrottledError:
                await asyncio.sleep(0.1)
                continue
            except GoneError:
                return
            delivery.outcomes.append(outcome)
            if not outcome.error:
                return


def _stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))
