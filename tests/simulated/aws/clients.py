"""Clients of the simulated account: they follow what they are told until they have the app's answer."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.simulated.aws.world import DOMAIN, World

STAGE = "/prod"
FRONT_S = 30.0  # an HTTP API gives up after this
POLL_S = 1.0
SESSION_TTL_S = 3600.0


def make_event(
    path: str = "/",
    *,
    method: str = "GET",
    query: str = "",
    cookie: str = "",
    is_page: bool = False,
    is_url: bool = False,
) -> dict[str, Any]:
    """Write a request as the front does."""
    headers = {"host": DOMAIN, "accept": "*/*", "x-forwarded-for": "203.0.113.7"}
    if is_page:
        headers |= {"accept": "text/html,*/*", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    prefix = "" if is_url else STAGE
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": prefix + path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "domainName": "abc.lambda-url.eu-central-1.on.aws" if is_url else DOMAIN,
            "apiId": "abc" if is_url else "abc123",
            "stage": "$default" if is_url else "prod",
            "requestId": "r1",
            "http": {"method": method, "sourceIp": "203.0.113.7"},
        },
    }
    if cookie:
        event["cookies"] = [f"uuid={cookie}"]
    return event


@dataclass(slots=True)
class Jar:
    """A browser that keeps the session cookie, and what the app has told it."""

    cookie: str = ""
    session: str = ""
    visits: int = 0
    seen_s: float = 0.0
    is_busy: bool = False
    problems: list[str] = field(default_factory=list)

    def hear(self, session: str, visits: int, *, now_s: float) -> None:
        """Compare what the app knows of this visitor with what it knew the last time."""
        if self.session and now_s - self.seen_s < SESSION_TTL_S / 2:
            if session != self.session:
                self.problems.append(f"{now_s:.2f} session {self.session} became {session}")
            elif visits <= self.visits:
                self.problems.append(f"{now_s:.2f} visit {visits} after visit {self.visits}")
        self.session, self.visits, self.seen_s = session, visits, now_s


@dataclass(slots=True)
class Client:
    """One visitor with one wish. It ends `served`, `gone` when its patience is over, or with the status of an error."""

    world: World
    method: str = "GET"
    takes_s: float = 0.01
    is_page: bool = False
    is_url: bool = False
    patience_s: float = 1800.0
    jar: Jar | None = None
    keep_s: int = 0  # what the app then asks for
    began_s: float = 0.0
    ended_s: float = 0.0
    endings: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Ask, follow, come back."""
        hub = self.world.hub
        self.began_s = hub.now_s
        first = f"takes={self.takes_s}" + (f"&keep={self.keep_s}" if self.keep_s else "")
        query = first
        while hub.now_s - self.began_s <= self.patience_s:
            answer = self._ask(query)
            query = first
            if answer is None:
                hub.wait(1.0)  # the front said 502 or 503 without a reason
                continue
            self.statuses.append(answer["statusCode"])
            headers = {name.lower(): value for name, value in answer["headers"].items()}
            if answer["statusCode"] == 307:
                query = urlsplit(headers["location"]).query
            elif answer["statusCode"] == 200:
                self._served(answer)
                return
            elif answer["statusCode"] in (502, 504):
                self._end(str(answer["statusCode"]))
                return
            elif headers["content-type"].startswith("text/html"):
                self._look()
            else:
                hub.wait(float(headers["retry-after"]))
        self._end("gone")

    def _ask(self, query: str) -> dict[str, Any] | None:
        cookie = self.jar.cookie if self.jar else ""
        event = make_event(method=self.method, query=query, cookie=cookie, is_page=self.is_page, is_url=self.is_url)
        began_s = self.world.hub.now_s
        answer = self.world.request(event)
        is_late = not self.is_url and self.world.hub.now_s - began_s > FRONT_S
        return None if is_late else answer

    def _look(self) -> None:
        """Do what the waiting page does, until it loads again."""
        hub = self.world.hub
        asleep = 0
        while hub.now_s - self.began_s <= self.patience_s:
            hub.wait(POLL_S)
            answer = self.world.request(make_event("/.wakegate/status", query="path=%2F"))
            if answer is None or answer["statusCode"] != 200:
                continue
            status = json.loads(answer["body"])
            if status["state"] == "failed":
                hub.wait(status["retry_after_s"])
            asleep += status["state"] == "asleep"
            if status["state"] in ("ready", "failed") or asleep > 3:
                return

    def _served(self, answer: dict[str, Any]) -> None:
        self._end("served")
        jar = self.jar
        if jar is None:
            return
        session, _, visits = str(answer["body"]).partition(" ")
        jar.hear(session, int(visits), now_s=self.world.hub.now_s)
        for line in answer.get("cookies", ()):
            jar.cookie = line.partition(";")[0].partition("=")[2]

    def _end(self, how: str) -> None:
        if self.jar is not None:
            self.jar.is_busy = False
        self.endings.append(how)
        self.ended_s = self.world.hub.now_s
