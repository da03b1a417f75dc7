"""`wakegate sleep`: now, but not under a request, unless forced."""

from tests.cli.shell import run
from tests.scenarios.gateway import Wakegate, eventually


def test_it_puts_a_service_to_sleep_now(gateway: Wakegate) -> None:
    """Whoever has finished for today does not wait for an idle timeout."""
    run("wake", "web", folder=gateway.folder)
    ended = run("sleep", "web", folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (0, "web is asleep\n")
    assert gateway.status("web")["phase"] == "asleep"


def test_one_that_sleeps_already_stays_asleep(gateway: Wakegate) -> None:
    """A script may say it twice."""
    for _ in range(2):
        assert run("sleep", "web", folder=gateway.folder).returncode == 0


def test_a_request_in_flight_is_not_cut_unless_forced(gateway: Wakegate) -> None:
    """A slip of the hand must not cost a visitor the answer; an operator who means it has --force."""
    (answer,) = gateway.together(1, "/wait?for=never")
    eventually(lambda: gateway.status("docs")["in_flight"] == 1, what="the request is in flight")
    ended = run("sleep", "docs", folder=gateway.folder)
    assert ended.returncode == 1
    assert ended.stderr == "wakegate: docs: 1 request is in flight; wait for them, or use --force\n"
    assert gateway.status("docs")["phase"] == "awake"
    assert run("sleep", "docs", "--force", folder=gateway.folder).stdout == "docs is asleep\n"
    assert answer.result().status_code >= 500
