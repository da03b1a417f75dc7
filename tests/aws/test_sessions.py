"""Sessions over several environments: recognised, counted, their data never lost to an older copy."""

from datetime import timedelta

import pytest
from tests.aws.actor import act
from tests.simulated.aws.world import World

from wakegate.aws.instance import Instance
from wakegate.aws.sessions import CACHED_MAX, COALESCE_S, SessionBook, Visit
from wakegate.core.session import Session
from wakegate.core.spec import SessionSpec

SPEC = SessionSpec(ttl_s=3600.0)


class Browser:
    """A client that keeps its cookie, and environments that answer it."""

    def __init__(self, environments: int = 1) -> None:
        self.world = World(0)
        self.instances = [Instance() for _ in range(environments)]
        self.cookie: str | None = None

    def visit(self, environment: int = 0, *, data: bytes | None = None) -> Visit:
        """Make one request that one environment answers; the app may store something."""
        book = SessionBook(
            SPEC,
            service="web",
            table=self.world.table,
            clock=self.world.cloud.clock,
            instance=self.instances[environment],
        )

        def request() -> Visit:
            visit = book.visit(self.cookie)
            after = visit if data is None else book.store_data(visit, data) or visit
            if after.renew:
                line = book.set_cookie(after, path="/", is_secure=True)
                self.cookie = line.partition(";")[0].partition("=")[2]
            return visit

        return act(self.world, request)

    def stored(self, visit: Visit) -> Session:
        """Return what the table has."""
        return self.world.table.sessions[visit.id]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.hub.run(self.world.hub.now_s + seconds)


def test_the_first_request_counts_where_its_data_is_written_in_any_case() -> None:
    """`wakegate sessions` would show a visitor with a cart and no request."""
    browser = Browser()
    visit = browser.visit(data=b"cart")
    assert browser.stored(visit).requests == 1
    browser.wait(COALESCE_S + 1)
    browser.visit()
    assert browser.stored(visit).requests == 2


def test_a_client_that_drops_cookies_costs_no_write() -> None:
    """Monitors and crawlers never come back with one."""
    browser = Browser()
    for _ in range(3):
        browser.cookie = None
        browser.visit()
    assert browser.world.table.sessions == {}


def test_a_session_is_written_when_its_cookie_comes_back() -> None:
    """Before the request goes on: from here on it lives through anything."""
    browser = Browser()
    first = browser.visit()
    second = browser.visit()
    assert second.id == first.id
    assert browser.stored(second).requests == 1


def test_counts_are_written_together() -> None:
    """A busy visitor makes one write a minute, not one a request."""
    browser = Browser()
    browser.visit()
    for _ in range(5):
        visit = browser.visit()
    assert browser.stored(visit).requests == 1
    browser.wait(COALESCE_S + 1)
    browser.visit()
    assert browser.stored(visit).requests == 6


@pytest.mark.parametrize("cookie", ["x.y", "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", "", ".", "a.b.c.d", "ä.ö"])
def test_an_id_that_we_did_not_issue_is_never_accepted(cookie: str) -> None:
    """Somebody who knows another's id still has not its signature."""
    browser = Browser()
    browser.cookie = cookie
    visit = browser.visit()
    assert visit.renew
    assert visit.id not in cookie
    assert browser.world.table.sessions == {}


def test_data_comes_back_from_whichever_environment_answers() -> None:
    """The one that answered before has an older copy, and sees by the cookie that it is old."""
    browser = Browser(environments=2)
    browser.visit(0)
    browser.visit(0)
    assert browser.visit(1, data=b"cart").data == b""
    assert browser.visit(0).data == b"cart"
    assert browser.visit(1, data=b"").data == b"cart"
    assert browser.visit(0).data == b""


def test_an_environment_with_an_older_copy_does_not_overwrite_the_data() -> None:
    """It counts, and nothing else."""
    browser = Browser(environments=2)
    browser.visit(0)
    browser.visit(0)
    old_cookie = browser.cookie
    visit = browser.visit(1, data=b"cart")
    browser.cookie = old_cookie
    browser.wait(COALESCE_S + 1)
    browser.visit(0)
    assert browser.stored(visit).data == b"cart"
    assert browser.stored(visit).requests == 3


def test_a_cached_session_is_read_again_only_when_it_must_be() -> None:
    """A read takes milliseconds of every request of a page with thirty images."""
    browser = Browser()
    browser.visit()
    browser.visit(data=b"cart")
    browser.visit()
    browser.world.table.sessions.clear()
    assert browser.visit().data == b"cart"


def test_a_session_that_is_over_is_not_revived() -> None:
    """Neither from its row, which the table deletes late, nor from its cookie when the row is gone."""
    browser = Browser()
    browser.visit()
    first = browser.visit()
    browser.wait(SPEC.ttl_s + 1)
    assert browser.visit().id != first.id
    browser.wait(SPEC.ttl_s + 1)
    issued = browser.visit()
    assert issued.renew
    browser.wait(SPEC.ttl_s + 2)
    assert browser.visit().id != issued.id


def test_a_session_that_others_have_seen_is_not_over() -> None:
    """An environment that was not asked for an hour has an old copy."""
    browser = Browser(environments=2)
    browser.visit(0)
    first = browser.visit(0)
    for _ in range(4):
        browser.wait(SPEC.ttl_s / 3)
        browser.visit(1)
    assert browser.visit(0).id == first.id


def test_a_session_in_use_gets_its_cookie_again() -> None:
    """Else the browser would drop it when its first copy is an hour old."""
    browser = Browser()
    browser.visit()
    browser.visit()
    browser.wait(SPEC.ttl_s / 2 + 1)
    assert browser.visit().renew
    assert not browser.visit().renew


def test_data_over_the_limit_is_not_kept() -> None:
    """4 KB are promised; what is there stays."""
    browser = Browser()
    browser.visit()
    browser.visit(data=b"cart")
    visit = browser.visit(data=b"x" * (SPEC.data_bytes_max + 1))
    assert browser.stored(visit).data == b"cart"


def test_the_cache_is_bounded() -> None:
    """An environment lives for hours."""
    browser = Browser()
    for _ in range(CACHED_MAX + 5):
        browser.cookie = None
        browser.visit(data=b"x")
    assert len(browser.instances[0].sessions) == CACHED_MAX


def test_an_expiry_is_kept_with_the_session() -> None:
    """The table's TTL deletes by it."""
    browser = Browser()
    browser.visit()
    visit = browser.visit()
    stored = browser.stored(visit)
    assert stored.expires == stored.last_seen_at + timedelta(seconds=SPEC.ttl_s)
