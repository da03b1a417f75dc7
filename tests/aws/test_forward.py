"""What happens between the handler and the app: nothing that fails afterwards sends the request again."""

from typing import Any

import pytest
from tests.aws.actor import ask
from tests.simulated.aws.clients import make_event
from tests.simulated.aws.cloud import SimNetwork
from tests.simulated.aws.world import World

from wakegate.aws.cloud import AppRequest, AppResponse, UnknownOutcomeError
from wakegate.core.errors import ConnectionLostError
from wakegate.core.session import Session
from wakegate.sim.cloud_ecs import Luck
from wakegate.sim.cloud_table import SimTable

READY = Luck(ready_s=(5.0, 5.0))


class CuttingNetwork(SimNetwork):
    """Every app dies of every request."""

    def forward(self, request: AppRequest, target: str, *, timeout_s: float) -> AppResponse:
        """See `Network.forward`."""
        super().forward(request, target, timeout_s=timeout_s)
        raise ConnectionLostError("web", "the app closed the connection")


def test_a_request_that_kills_the_app_is_not_repeated_for_ever() -> None:
    """Three deaths are enough to see that it is the request."""
    world = World(0, luck=READY, network=CuttingNetwork)
    assert ask(world, make_event())["statusCode"] == 502
    assert len(world.network.deliveries) == 3


class ForgetfulTable(SimTable):
    """Sessions and keeps cannot be written."""

    def put_session(self, session: Session, *, requests: int, with_data: bool) -> None:
        """See `Table.put_session`."""
        raise UnknownOutcomeError("no answer")

    def keep(self, until: Any, *, reason: str) -> None:
        """See `Table.keep`."""
        raise UnknownOutcomeError("no answer")


def test_what_the_answer_asks_of_us_never_sends_the_request_again(capfd: pytest.CaptureFixture[str]) -> None:
    """The order was placed: that its session could not be written is told in the log."""
    world = World(0, luck=READY, table=ForgetfulTable)
    answer = ask(world, make_event(method="POST", query="keep=60"))
    assert answer["statusCode"] == 200
    assert len(world.network.deliveries) == 1
    assert "session data was not kept" in capfd.readouterr().err


def test_the_session_headers_are_between_us_and_the_app() -> None:
    """The client gets a cookie, and nothing of what is in the session."""
    world = World(0, luck=READY)
    answer = ask(world, make_event())
    assert not [name for name in answer["headers"] if name.lower().startswith("wakegate-")]
    assert answer["cookies"][0].startswith("uuid=")
    assert "Path=/prod; HttpOnly; SameSite=Lax; Max-Age=3600; Secure" in answer["cookies"][0]


def test_an_answer_that_shared_caches_may_keep_gets_no_cookie() -> None:
    """Else the next visitor would get this one's session."""
    world = World(0, luck=READY)
    world.network.cache_control = "public, max-age=60"
    assert "cookies" not in ask(world, make_event())


def test_a_client_cannot_give_itself_a_session() -> None:
    """The headers that tell the app of it are ours alone."""
    world = World(0, luck=READY)
    event = make_event()
    event["headers"] |= {"x-wakegate-session": "somebody", "wakegate-session-data": "99"}
    session, visits = str(ask(world, event)["body"]).split()
    assert (session == "somebody", visits) == (False, "1")
