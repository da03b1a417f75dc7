"""`wakegate logs`: what a service has written, with a gateway or without."""

from pathlib import Path

import pytest
from tests.cli.shell import Open, run
from tests.scenarios.gateway import Wakegate, eventually


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a folder where the service "web" has written something, and no gateway runs."""
    (tmp_path / ".wakegate" / "logs").mkdir(parents=True)
    log = tmp_path / ".wakegate" / "logs" / "web.log"
    log.write_text("".join(f"line {number}\n" for number in range(200)), encoding="utf-8")
    return tmp_path


def test_without_a_gateway_the_newest_lines_are_there(written: Path) -> None:
    """The log is read most when something has ended."""
    assert run("logs", folder=written).stdout.splitlines() == [f"line {number}" for number in range(100, 200)]
    assert run("logs", "web", "-n", "2", folder=written).stdout == "line 198\nline 199\n"
    assert run("logs", "-n", "0", folder=written).stdout == ""


def test_it_follows_until_ctrl_c(written: Path, terminal: Open) -> None:
    """Ctrl-C is its normal end: no error, no traceback."""
    screen = terminal("logs", "-f", "-n", "1", folder=written)
    screen.see("line 199")
    with (written / ".wakegate" / "logs" / "web.log").open("a", encoding="utf-8") as log:
        log.write("one more\n")
    screen.see("^one more$")
    screen.press("\x03")
    assert screen.end() == 0
    assert "Traceback" not in screen.raw()


def test_following_a_service_that_has_not_run_yet_waits_for_it(gateway: Wakegate, terminal: Open) -> None:
    """One opens the log first and makes the request then."""
    screen = terminal("logs", "docs", "-f", folder=gateway.folder)

    def asked() -> bool:
        gateway.get("/find-me")
        return any("GET /find-me" in line for line in screen.lines())

    eventually(asked, what="the line is shown")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wbe"], 'no service is called "wbe"; did you mean "web"?'),
        (["../../secret"], 'no service is called "../../secret"; there is web'),
    ],
)
def test_a_service_that_is_none_is_not_looked_for(words: list[str], said: str, written: Path) -> None:
    """A name is no path, and `-f` on a misspelt one would wait for ever."""
    for flags in ([], ["-f"]):
        ended = run("logs", *words, *flags, folder=written)
        assert (ended.returncode, ended.stderr) == (1, f"wakegate: {said}\n")


def test_of_several_logs_one_must_be_named(written: Path) -> None:
    """They are not one story."""
    (written / ".wakegate" / "logs" / "api.log").touch()
    ended = run("logs", folder=written)
    assert (ended.returncode, ended.stderr) == (1, "wakegate: say which service: api, web\n")


def test_where_nothing_was_written_it_says_so(gateway: Wakegate, tmp_path: Path) -> None:
    """Nothing here at all, and a service that has not run yet, are told apart."""
    ended = run("logs", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "wakegate: no service has written anything in .wakegate\n")
    ended = run("logs", "web", folder=gateway.folder)
    assert ended.returncode == 1
    assert ended.stderr.startswith("wakegate: web has written nothing yet (there is no ")


def test_a_log_that_cannot_be_read_is_one_sentence(written: Path) -> None:
    """Another user's, or no file at all."""
    log = written / ".wakegate" / "logs" / "web.log"
    log.unlink()
    log.mkdir()
    ended = run("logs", "web", folder=written)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "wakegate: .wakegate/logs/web.log cannot be read: Is a directory\n"


def test_a_part_of_a_stack_in_the_place_of_its_name_is_told_so(tmp_path: Path) -> None:
    """ "there is no stack startup" would send one to look for it in another region."""
    ended = run("logs", "--aws", "startup", folder=tmp_path)
    assert ended.returncode == 2
    assert "write it first: wakegate logs startup --aws" in ended.stderr
