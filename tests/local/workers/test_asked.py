"""A request of a worker in the keeper's line: it is let in, held or refused as any other, and ends exactly once."""

from tests.local.workers.world import Home, address_of, ask

from wakegate.local.workers.asked import Asked
from wakegate.local.workers.wire import Comfort, Order, Refuse, Release


class Case:
    """One such request, its service, and what its worker is told."""

    def __init__(self, home: Home, **changes: object) -> None:
        self.home = home
        self.sent: list[Order] = []
        self.ended: list[int] = []
        self.asked = Asked(ask(7, **changes), home=home, send=self.sent.append, ended=self.ended.append)
        self.asked.enter(suspect=None, reason="")

    def counts(self) -> tuple[int, int, int]:
        """Return what is in flight, unanswered and held."""
        return self.home.here.in_flight, self.home.here.unanswered, len(self.home.held)


def test_one_that_may_go_is_released_at_once_and_was_not_held() -> None:
    """A health check at a service that is awake is told of no cold start."""
    case = Case(Home())
    assert case.sent == [Release(number=7, address=address_of(case.home.here), was_held=False)]
    case.asked.answered()
    assert case.counts() == (1, 0, 0)
    case.asked.finished()
    assert (case.counts(), case.ended) == ((0, 0, 0), [7])


def test_one_that_waits_stands_in_the_line_as_what_it_is() -> None:
    """The core decides by what the client asked for, not by who passed it on."""
    home = Home()
    home.is_awake = False
    case = Case(home, session_id="s", is_navigation=True, arrived_s=5.0)
    (waiter,) = home.held
    seen = waiter.method, waiter.path, waiter.agent, waiter.session_id, waiter.is_navigation, waiter.arrived_s
    assert seen == ("GET", "/a", "curl/8", "s", True, 5.0)
    waiter.interim()
    waiter.comment()
    waiter.release(home.let_in())
    assert case.sent == [
        Comfort(number=7, is_interim=True),
        Comfort(number=7, is_interim=False),
        Release(number=7, address=address_of(home.here), was_held=True),
    ]


def test_one_that_is_refused_ends_with_the_reason() -> None:
    """With all that its answer needs."""
    home = Home()
    home.is_refusing = True
    case = Case(home)
    (refuse,) = case.sent
    assert isinstance(refuse, Refuse)
    assert (refuse.kind, refuse.detail, refuse.retry_after_s, refuse.log_tail) == (
        "WakeFailedError",
        "it does not start",
        3.0,
        ("oops",),
    )
    assert (case.counts(), case.ended) == ((0, 0, 0), [7])


def test_a_client_that_hangs_up_while_it_waits_frees_its_seat() -> None:
    """The line is bounded."""
    home = Home()
    home.is_awake = False
    case = Case(home)
    case.asked.leave()
    assert (case.counts(), case.ended) == ((0, 0, 0), [7])


def test_a_client_that_hangs_up_while_its_release_is_on_the_way_is_finished() -> None:
    """Its worker sends only that it has left: it did not know yet."""
    case = Case(Home())
    case.asked.leave()
    assert (case.counts(), case.ended) == ((0, 0, 0), [7])


def test_one_that_meets_a_closed_port_waits_again() -> None:
    """And may be released once more."""
    case = Case(Home())
    case.asked.unreachable("refused")
    assert (case.counts(), case.home.told) == ((0, 0, 1), ["refused"])
    case.home.held.clear()
    case.asked.release(case.home.let_in())
    case.asked.finished()
    assert (case.counts(), case.ended) == ((0, 0, 0), [7])


def test_a_suspect_is_told_before_the_next_target_is_chosen() -> None:
    """Else the same one would be chosen again."""
    home = Home()
    asked = Asked(ask(7), home=home, send=lambda _: None, ended=lambda _: None)
    asked.enter(suspect=3, reason="refused")
    assert home.told == [("suspect", 3, "refused")]
