"""Sessions as requests meet them: issued, renewed, evicted, expired, and kept through whatever fails.

Over 300 lines because one shop with its browser and its two stores serves every test of them.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wakegate.core.errors import WakegateError
from wakegate.core.session import sign
from wakegate.core.spec import SessionSpec
from wakegate.local import sessions as sessions_module
from wakegate.local.clock import SystemClock
from wakegate.local.lane import Visit
from wakegate.local.sessions import FLUSH_INTERVAL_S, SessionBook
from wakegate.local.store.sqlite import SqliteStore
from wakegate.sim.clock import HandClock, run
from wakegate.sim.store import SimStore

TTL_S = 3600.0


@dataclass
class Shop:
    """One service's sessions, its browser, and gateways that come and go."""

    store: Any
    clock: HandClock
    warnings: list[str] = field(default_factory=list)
    due: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, *, service: str = "web", **settings: Any) -> SessionBook:
        """Forget all that is in memory, as a killed gateway does."""
        spec = SessionSpec(**({"ttl_s": TTL_S} | settings))
        self.book = SessionBook(
            spec, service=service, path="/shop", store=self.store, clock=self.clock, warn=self.warnings.append
        )
        self.book.changed = self._note
        return self.book

    def _note(self) -> None:
        self.due += 1

    def stored(self, visit: Visit) -> Any:
        """Return what the store has of a session."""
        return self.store.get("web", visit.id)

    def known(self) -> tuple[str, Visit]:
        """Return the cookie of a session that has come back once, and that visit."""
        cookie = value(self.answered(self.book.visit(None)))
        return cookie, self.book.visit(cookie)

    def answered(self, visit: Visit) -> Visit:
        """Let the answer carry the cookie to the browser."""
        self.book.cookie_sent(visit)
        return visit


def value(visit: Visit) -> str:
    """Return the cookie that a visit sets."""
    assert visit.set_cookie is not None
    return visit.set_cookie.decode().partition("=")[2].partition(";")[0]


@pytest.fixture(params=["sqlite", "sim"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Yield one with each store."""
    if request.param == "sim":
        yield Shop(store=SimStore(), clock=HandClock())
        return
    with SqliteStore(tmp_path / "state.sqlite") as store:
        yield Shop(store=store, clock=HandClock())


def test_a_first_visit_sets_a_cookie_and_costs_nothing(shop: Shop) -> None:
    """A client that drops cookies, a bot, must not fill the memory or the disk."""
    visits = [shop.book.visit(None) for _ in range(3)]
    assert len({visit.id for visit in visits}) == 3
    assert [shop.stored(visit) for visit in visits] == [None] * 3
    assert (shop.due, shop.book.is_changed) == (0, False)
    cookie = visits[0].set_cookie
    assert cookie is not None
    assert cookie.startswith(b"uuid=" + visits[0].id.encode() + b".")
    assert cookie.endswith(b"; Path=/shop; HttpOnly; SameSite=Lax; Max-Age=3600")


def test_behind_tls_the_cookie_is_secure(shop: Shop) -> None:
    """The front speaks TLS, so only the settings know."""
    cookie = shop.restart(secure=True).visit(None).set_cookie
    assert cookie is not None
    assert cookie.endswith(b"; Secure")


def test_when_its_cookie_comes_back_a_session_is_stored_before_the_request_goes_on(shop: Shop) -> None:
    """From then on nothing that happens to the gateway may end it."""
    cookie = value(shop.book.visit(None))
    visit = shop.book.visit(cookie)
    stored = shop.stored(visit)
    assert (stored.id, stored.requests, visit.set_cookie) == (cookie.partition(".")[0], 2, None)


@pytest.mark.parametrize("cookie", ["", "x", "a.b", "\xe4.\xe4", "A" * 22, "A" * 22 + "." + "A" * 22, "." + "A" * 22])
def test_a_cookie_that_we_did_not_issue_begins_another_session(shop: Shop, cookie: str) -> None:
    """An id that a client chose is one that an attacker can choose for somebody else."""
    visit = shop.book.visit(cookie)
    assert visit.set_cookie is not None
    assert visit.id != cookie.partition(".")[0]
    assert shop.stored(visit) is None


def test_a_cookie_of_another_service_or_secret_is_not_ours(shop: Shop) -> None:
    """Services behind one host share the browser's cookies, not their sessions."""
    cookie, visit = shop.known()
    assert shop.restart(service="api").visit(cookie).id != visit.id
    shop.restart()
    assert shop.book.visit(sign(visit.id, service="web", secret=bytes(32))).id != visit.id
    assert shop.book.visit(cookie).id == visit.id


def test_counts_are_written_together_and_soon(shop: Shop) -> None:
    """A warm request costs no write: one a second does for all of them."""
    cookie, visit = shop.known()
    for _ in range(50):
        shop.book.visit(cookie)
    assert (shop.due, shop.stored(visit).requests) == (1, 2)
    shop.clock.move(3)
    shop.book.flush()
    stored = shop.stored(visit)
    assert (stored.requests, (shop.clock.utc() - stored.last_seen_at).total_seconds()) == (52, 3)
    assert (stored.expires - stored.last_seen_at).total_seconds() == TTL_S
    assert not shop.book.is_changed


def test_what_is_changed_is_written_after_the_interval_until_nothing_is_left() -> None:
    """Nobody has to ask again, and a service that is idle has no task."""

    async def main() -> tuple[float, int, int]:
        shop = Shop(store=SimStore(), clock=HandClock())
        cookies = [shop.known()[0] for _ in range(450)]
        for cookie in cookies:
            shop.book.visit(cookie)
        loop, before = asyncio.get_running_loop(), shop.store.write_count
        began_s = loop.time()
        await shop.book.write_soon()
        due = shop.due
        shop.book.visit(cookies[0])
        return loop.time() - began_s, shop.store.write_count - before, shop.due - due

    assert run(main()) == (FLUSH_INTERVAL_S, 3, 1)


def test_the_cookie_is_renewed_when_half_its_life_is_over(shop: Shop) -> None:
    """Max-Age counts from the day it was set: an active visitor would be logged out after an hour."""
    cookie, _ = shop.known()
    shop.clock.move(TTL_S / 2)
    assert shop.book.visit(cookie).set_cookie is None
    shop.clock.move(1)
    renewed = shop.book.visit(cookie)
    assert value(renewed) == cookie
    shop.answered(renewed)
    assert shop.book.visit(cookie).set_cookie is None


def test_a_renewal_is_offered_until_an_answer_has_carried_it(shop: Shop) -> None:
    """An answer that may be cached by others carries none, and a client may hang up: the next one must."""
    cookie, _ = shop.known()
    shop.clock.move(TTL_S / 2 + 1)
    lost = shop.book.visit(cookie)
    again = shop.book.visit(cookie)
    assert lost.set_cookie == again.set_cookie is not None
    shop.answered(again)
    assert shop.book.visit(cookie).set_cookie is None


def test_a_visitor_who_keeps_coming_has_one_session_for_days(shop: Shop) -> None:
    """Each visit moves the end of it, and the browser's copy moves along."""
    cookie, first = shop.known()
    jar_until_s = shop.clock.now_s() + TTL_S
    for hour in range(200):
        shop.clock.move(900)
        assert shop.clock.now_s() < jar_until_s, "the browser has dropped it"
        if hour % 7 == 0:
            shop.book.flush()
            shop.restart()
        visit = shop.book.visit(cookie)
        assert visit.id == first.id
        if visit.set_cookie is not None:
            shop.answered(visit)
            jar_until_s = shop.clock.now_s() + TTL_S


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("is_purged", [False, True])
def test_an_expired_session_does_not_come_back(shop: Shop, *, is_restarted: bool, is_purged: bool) -> None:
    """Neither from memory, nor from its row, nor from its cookie once the row is gone."""
    cookie, visit = shop.known()
    shop.book.store_data(visit, b"basket")
    shop.clock.move(TTL_S + 1)
    if is_restarted:
        shop.restart()
    if is_purged:
        shop.store.purge(now=shop.clock.utc())
    again = shop.book.visit(cookie)
    assert again.id != visit.id
    assert (again.data, shop.store.count("web", now=shop.clock.utc())) == (b"", 0)


def test_a_flush_after_the_end_brings_nothing_back_to_life(shop: Shop) -> None:
    """What was seen last before the end is written late, with the end that it had."""
    cookie, visit = shop.known()
    shop.book.visit(cookie)
    shop.clock.move(TTL_S + 1)
    shop.book.flush()
    assert shop.book.live_count() == 0
    assert shop.store.purge(now=shop.clock.utc()) == 1
    assert shop.book.visit(cookie).id != visit.id


def test_data_is_there_at_the_next_visit_from_any_gateway(shop: Shop) -> None:
    """Acknowledged is durable: a kill -9 right after it loses nothing."""
    cookie, visit = shop.known()
    shop.book.store_data(visit, b"basket")
    assert shop.book.visit(cookie).data == b"basket"
    assert shop.restart().visit(cookie).data == b"basket"


def test_the_data_of_a_first_visit_is_kept_too(shop: Shop) -> None:
    """The app may log somebody in before the cookie has ever come back."""
    first = shop.book.visit(None)
    shop.book.store_data(first, b"basket")
    assert shop.book.visit(value(first)).data == b"basket"


def test_data_that_is_as_before_is_not_written(shop: Shop) -> None:
    """A framework sends its session with every answer."""
    _, visit = shop.known()
    shop.book.store_data(visit, b"basket")
    before = shop.stored(visit)
    shop.clock.move(5)
    shop.book.store_data(visit, b"basket")
    assert shop.stored(visit) == before


def test_too_much_data_is_refused_with_the_limit(shop: Shop) -> None:
    """Opaque, at most 4 KB: it travels in a header."""
    _, visit = shop.known()
    shop.book.store_data(visit, b"x" * 4096)
    with pytest.raises(WakegateError, match="web: session data of 4097 bytes, at most 4096"):
        shop.book.store_data(visit, b"x" * 4097)
    assert shop.stored(visit).data == b"x" * 4096


def test_what_leaves_the_cache_is_written_first_and_comes_back_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded; ten thousand other visitors must not cost anybody a count or a basket."""
    monkeypatch.setattr(sessions_module, "CACHED_MAX", 3)
    cookie, visit = shop.known()
    shop.book.store_data(visit, b"basket")
    shop.book.visit(cookie)
    others = [shop.known()[0] for _ in range(5)]
    assert shop.stored(visit).requests == 3
    shop.book.store_data(visit, b"more")  # an answer that comes after its session has left
    again = shop.book.visit(cookie)
    assert (again.id, again.data) == (visit.id, b"more")
    assert len({shop.book.visit(other).id for other in others}) == 5


def test_other_settings_take_effect_with_the_next_visit(shop: Shop) -> None:
    """A reload ends no session."""
    cookie, visit = shop.known()
    shop.book.configure(SessionSpec(cookie="sid", ttl_s=7200), path="/")
    new = shop.book.visit(None).set_cookie
    assert new is not None
    assert (new[:4], new[-13:]) == (b"sid=", b" Max-Age=7200")
    assert b"Path=/;" in new
    assert shop.book.visit(cookie).id == visit.id


def failing() -> tuple[Shop, SimStore]:
    """Return a shop whose disk can be filled."""
    store = SimStore()
    return Shop(store=store, clock=HandClock()), store


def test_while_the_store_fails_sessions_go_on_and_it_is_told_once() -> None:
    """A full disk must not take the site down; a line a request would fill the log as well."""
    shop, store = failing()
    cookie, visit = shop.known()
    store.is_full = True
    shop.book.store_data(visit, b"basket")
    for _ in range(9):
        assert shop.book.visit(cookie).data == b"basket"
        shop.book.flush()
    new, fresh = shop.known()
    assert shop.book.visit(new).id == fresh.id
    assert len(shop.warnings) == 1
    assert "in memory only" in shop.warnings[0]


def test_a_store_that_recovers_gets_all_that_it_missed() -> None:
    """And the next failure is told again."""
    shop, store = failing()
    cookie, visit = shop.known()
    store.is_full = True
    shop.book.store_data(visit, b"basket")
    _, fresh = shop.known()
    store.is_full = False
    shop.book.flush()
    assert (shop.stored(visit).data, shop.stored(fresh).requests) == (b"basket", 2)
    assert shop.restart().visit(cookie).data == b"basket"
    store.is_full = True
    shop.known()
    assert len(shop.warnings) == 2


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """The real thing: another process stores, says so, and is killed in the same moment."""
    path = tmp_path / "state.sqlite"
    code = (
        "import os, signal, sys, asyncio\nfrom pathlib import Path\n"
        "from wakegate.core.spec import SessionSpec\nfrom wakegate.local.clock import SystemClock\n"
        "from wakegate.local.sessions import SessionBook\nfrom wakegate.local.store.sqlite import SqliteStore\n"
        f"book = SessionBook(SessionSpec(), service='web', path='/', store=SqliteStore(Path({str(path)!r})), "
        "clock=SystemClock())\n"
        "first = book.visit(None)\ncookie = first.set_cookie.decode().partition('=')[2].partition(';')[0]\n"
        "book.store_data(book.visit(cookie), b'basket')\nprint(cookie, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    with SqliteStore(path) as store:
        book = SessionBook(SessionSpec(), service="web", path="/", store=store, clock=SystemClock())
        visit = book.visit(killed.stdout.strip())
        assert (visit.data, visit.set_cookie) == (b"basket", None)
