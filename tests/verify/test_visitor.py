"""visitor: it comes back when it is asked to, keeps its cookie, and knows a Wakegate when it sees one."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.verify.server import Asked, Reply, Scripted, problem, status

from wakegate.verify.visitor import VisitError, Visitor


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_s(self) -> float:
        """Return the time."""
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.slept.append(seconds)


def visitor(server: Scripted, path: str = "/", *, time: Time | None = None) -> Visitor:
    """Return a visitor of a path, on a clock of its own."""
    time = time or Time()
    return Visitor(server.url + path, now_s=time.now_s, sleep=time.sleep)


def test_a_come_back_is_followed_with_the_cookie() -> None:
    """An HTTP API gives up after 30 s: a wake that takes longer is waited for in several requests."""

    def script(asked: Asked) -> Reply:
        if "wakegate-hop=1" in asked.path:
            return 307, {"Location": "/prod/x?a=1&wakegate-hop=2"}, b""
        if "wakegate-hop=2" in asked.path:
            return 200, {"Server-Timing": "db;dur=3, wake;dur=250.0"}, b"app"
        return 307, {"Location": "/prod/x?a=1&wakegate-hop=1", "Set-Cookie": "uuid=one.mac; Path=/"}, b""

    with Scripted(script) as server:
        guest = visitor(server, "/prod/x?a=1")
        visit = guest.visit(within_s=60)
        guest.close()
    assert (visit.status, visit.comebacks, visit.wake_s) == (200, 2, 0.25)
    assert [asked.path for asked in server.asked] == [
        "/prod/x?a=1", "/prod/x?a=1&wakegate-hop=1", "/prod/x?a=1&wakegate-hop=2"
    ]  # fmt: skip
    assert server.asked[-1].cookie == "uuid=one.mac"
    assert guest.sessions == ["one"]


def test_a_redirect_of_the_app_is_its_answer() -> None:
    """A page that sends visitors to /login works; where it leads to is not ours to look at."""
    with Scripted(lambda _: (307, {"Location": "/login"}, b"")) as server:
        guest = visitor(server)
        visit = guest.visit(within_s=60)
        guest.close()
    assert (visit.status, visit.comebacks, visit.is_answered) == (307, 0, True)


def test_a_come_back_to_another_host_is_not_followed() -> None:
    """What answers here must not send us, with our cookie and authorization, to somebody else."""
    with Scripted(lambda _: (307, {"Location": "http://127.0.0.2:1/?wakegate-hop=1"}, b"")) as server:
        guest = visitor(server)
        visit = guest.visit(within_s=60)
        guest.close()
    assert (visit.status, visit.comebacks) == (307, 0)


def test_come_backs_without_an_end_are_not_followed_as_fast_as_one_can() -> None:
    """A hop counter that is lost on the way must not make a flood of us, and has an end."""
    time = Time()
    with Scripted(lambda _: (307, {"Location": "/?wakegate-hop=1"}, b"")) as server:
        guest = visitor(server, time=time)
        visit = guest.visit(within_s=10)
        guest.close()
    assert visit.why == "still asked to come back after 10 s"
    assert len(server.asked) == 20 + 10 + 1


def test_retry_after_is_honoured_as_long_as_there_is_time() -> None:
    """Sooner would be load for nothing; for ever would be a verification without an end."""
    time = Time()
    with Scripted(lambda _: problem(503, "still-waking", "waking", **{"Retry-After": "4"})) as server:
        guest = visitor(server, time=time)
        visit = guest.visit(within_s=10)
        guest.close()
    assert time.slept == [4.0, 4.0]
    assert (visit.status, visit.comebacks) == (503, 2)
    assert visit.why == "still asked to come back after 8 s"


@pytest.mark.parametrize("retry", ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-3", "99999999999"])
def test_a_retry_after_that_is_no_number_is_a_second(retry: str) -> None:
    """Proxies write dates; nobody waits for a number that no clock can tell."""
    time = Time()
    answers = iter([(503, {"Retry-After": retry}, b""), (200, {}, b"")])
    with Scripted(lambda _: next(answers)) as server:
        guest = visitor(server, time=time)
        assert guest.visit(within_s=60).status == 200
        guest.close()
    assert time.slept == [1.0]


def test_a_failed_wake_is_not_asked_for_again() -> None:
    """Its Retry-After is that of the backoff; the reason is what one wants to read at once."""
    with Scripted(lambda _: problem(503, "wake-failed", "web: exited with status 3", **{"Retry-After": "5"})) as server:
        guest = visitor(server)
        visit = guest.visit(within_s=60)
        guest.close()
    assert (visit.comebacks, visit.is_answered) == (0, False)
    assert visit.why == "The title: web: exited with status 3"


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure() -> None:
    """Between two requests a front may close it at any moment."""
    answers: Iterator[Reply | None] = iter([(200, {}, b"one"), None, (200, {}, b"two")])
    with Scripted(lambda _: next(answers)) as server:
        guest = visitor(server)
        assert [guest.visit(within_s=60).status for _ in range(2)] == [200, 200]
        guest.close()
    assert len(server.asked) == 3


def test_a_cookie_that_is_taken_back_is_gone() -> None:
    """A log-out of the app's is not a session of ours that was lost."""
    answers = iter(
        [
            (200, {"Set-Cookie": "uuid=one.mac; Path=/\nlogin=x; Path=/"}, b""),
            (200, {"Set-Cookie": "login=; Max-Age=0"}, b""),
            (200, {"Set-Cookie": "uuid=one.mac"}, b""),
        ]
    )
    with Scripted(lambda _: next(answers)) as server:
        guest = visitor(server)
        for _ in range(3):
            guest.visit(within_s=60)
        guest.close()
    assert [asked.cookie for asked in server.asked] == ["", "uuid=one.mac; login=x", "uuid=one.mac"]
    assert guest.sessions == ["one"]
    assert guest.has_cookie


@pytest.mark.parametrize(
    ("path", "served", "asked"),
    [
        ("/", "/.wakegate/status", ["/.wakegate/status"]),
        ("/docs/", "/.wakegate/status?path=/docs/", ["/.wakegate/status?path=/docs/"]),
        ("/prod", "/prod/.wakegate/status", ["/.wakegate/status?path=/prod", "/prod/.wakegate/status"]),
    ],
)
def test_the_status_is_found_at_the_root_or_below_a_stage(path: str, served: str, asked: list[str]) -> None:
    """A gateway has it at its root, for whichever path; an HTTP API below its stage. Asked again, it is known."""
    with Scripted(lambda one: status() if one.path == served else (404, {}, b"{}")) as server:
        guest = visitor(server, path)
        assert guest.status()["phase"] == "asleep"
        assert [one.path for one in server.asked] == asked
        guest.status()
        guest.close()
    assert [one.path for one in server.asked] == [*asked, served]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ((200, {}, b"<html>a shop</html>"), "is no Wakegate: /.wakegate/status answered 200, not how a service is"),
        ((200, {}, b'["phase"]'), "is no Wakegate"),
        ((404, {}, b'{"message":"Not Found"}'), "is no Wakegate: /.wakegate/status answered 404"),
        ((401, {}, b""), 'without authorization .* answered 401.; give it with --header "Authorization: …"'),
        (problem(404, "service-unknown", "no service has this host and path"), "no service has this host and path"),
        (None, "closed the connection without an answer"),
    ],
)
def test_what_is_no_wakegate_is_said_so(reply: Reply | None, sentence: str) -> None:
    """A wrong address must not end as "the service does not sleep"."""
    with (
        Scripted(lambda _: reply) as server,
        closing(visitor(server)) as guest,
        pytest.raises(VisitError, match=sentence),
    ):
        guest.status()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("127.0.0.1:8080", "is no address; write it as http://127.0.0.1:8080"),
        ("ftp://example.com/", "is no address"),
        ("http://", "is no address"),
        ("http://example.com:99999/", "has no port that there could be"),
        ("unix:", '"unix:" is no address; write it as unix:/run/wakegate.sock'),
        ("UNIX:/w", '"UNIX:/w" is no address; write it as unix:/w'),
        (f"http://{'a' * 70}.example/", "is no name of a host"),
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str, sentence: str) -> None:
    """One sentence, and not what urllib thinks of it."""
    with pytest.raises(VisitError, match=sentence):
        Visitor(url)


def test_nobody_there_is_one_sentence() -> None:
    """The gateway was not started, or listens elsewhere."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = "cannot be reached: Connection refused; nobody listens there: is the gateway up"
        with pytest.raises(VisitError, match=said):
            Visitor(url).status()


def test_no_socket_there_is_one_sentence(tmp_path: Path) -> None:
    """It was never made, or a killed gateway has left it."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    for name, why in (("missing", "No such file or directory"), ("left", "Connection refused")):
        with pytest.raises(VisitError, match=f"cannot be reached: {why}; nobody listens there: is the gateway up"):
            Visitor(f"unix:{tmp_path}/{name}").status()


def test_a_path_is_sent_as_people_write_it() -> None:
    """A space or an umlaut in an address is no traceback; what is encoded already stays so."""
    with Scripted(lambda _: (200, {}, b"")) as server:
        guest = visitor(server, "/über uns/a%2Fb?q=ö&r=%20")
        guest.visit(within_s=60)
        guest.close()
    assert server.asked[0].path == "/%C3%BCber%20uns/a%2Fb?q=%C3%B6&r=%20"
