"""The entry: what is said and how it ends when a command is misspelt, has nobody to ask, or is cut short."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.shell import TRACE, environment, run
from tests.scenarios.gateway import PATIENCE_S, Wakegate

from wakegate import __version__
from wakegate.cli.main import VERBS

ASKS = ["status", "wake", "sleep", "explain", "sessions"]


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_an_example(verb: str, tmp_path: Path) -> None:
    """Whoever is lost types --help, and copies the example."""
    ended = run(verb, "--help", folder=tmp_path)
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"Usage: wakegate {verb} ")
    assert f"\n  wakegate {verb}" in ended.stdout


def test_the_help_names_every_verb_and_a_first_step(tmp_path: Path) -> None:
    """It is the whole manual for the first minute."""
    ended = run("--help", folder=tmp_path)
    assert ended.returncode == 0
    assert "wakegate up -- " in ended.stdout
    lines = ended.stdout.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in lines if line.strip()] == list(VERBS)


def test_without_a_verb_it_shows_the_help(tmp_path: Path) -> None:
    """A bare `wakegate` is a question; as in git and docker, in a script it is a mistake."""
    ended = run(folder=tmp_path)
    assert ended.returncode == 2
    assert "Commands:" in ended.stderr


def test_it_says_its_version(tmp_path: Path) -> None:
    """The first thing that a bug report needs."""
    ended = run("--version", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, f"wakegate {__version__}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stauts"], 'there is no command "stauts"; did you mean "wakegate status"?'),
        (["frobnicate"], 'there is no command "frobnicate"; see "wakegate --help"'),
        (["status", "--jsonn"], "No such option '--jsonn'. Did you mean '--json'?"),
        (["explain", "--limit", "0"], "Invalid value for '--limit': 0 is not in the range x>=1."),
        (["logs", "-n", "many"], "Invalid value for '-n' / '--lines': 'many' is not a valid integer"),
        (["wake", "web", "docs"], "Got unexpected extra argument (docs)"),
    ],
)
def test_a_mistyped_command_is_told_what_was_meant(words: list[str], said: str, tmp_path: Path) -> None:
    """Exit 2: the command is wrong, nothing was done."""
    ended = run(*words, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert said in ended.stderr


@pytest.mark.parametrize("verb", ASKS)
def test_without_a_gateway_each_verb_says_how_to_start_one(verb: str, tmp_path: Path) -> None:
    """The commonest mistake gets the commonest answer, in one line."""
    ended = run(verb, folder=tmp_path)
    assert ended.returncode == 1
    said = "wakegate: no gateway is running here (state in .wakegate/); start one with: wakegate up\n"
    assert (ended.stdout, ended.stderr) == ("", said)


@pytest.mark.parametrize("words", [["wake"], ["sleep"], ["explain"], ["explain", "--wakes"], ["sessions"], ["logs"]])
def test_a_misspelt_service_is_told_which_one_was_meant(words: list[str], gateway: Wakegate) -> None:
    """The same sentence from every verb."""
    ended = run(*words, "wbe", folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == 'wakegate: no service is called "wbe"; did you mean "web"?\n'


@pytest.mark.parametrize("words", [["wake"], ["sleep"], ["explain"], ["sessions"], ["keep", "1h"]])
def test_of_several_services_one_must_be_named(words: list[str], gateway: Wakegate) -> None:
    """Guessing which one to stop would be worse than asking."""
    ended = run(*words, folder=gateway.folder)
    assert (ended.returncode, ended.stderr) == (1, "wakegate: say which service: docs, web\n")


def test_a_word_that_is_no_text_is_a_name_that_nobody_has(gateway: Wakegate) -> None:
    """Bytes of another encoding come from file names and old shells."""
    command = [sys.executable.encode(), b"-m", b"wakegate", b"wake", b"\xff\xfe"]
    ended = subprocess.run(command, cwd=gateway.folder, capture_output=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 1
    assert b"no service is called" in ended.stderr
    assert TRACE.encode() not in ended.stderr


def test_an_old_locale_is_shown_what_it_can_show(gateway: Wakegate) -> None:
    """The dash and the "≈" of a table are no reason to fail."""
    ended = run("status", folder=gateway.folder, env={"PYTHONIOENCODING": "iso-8859-1"})
    assert ended.returncode == 0
    assert re.search(r"docs +asleep +0 / 3 +\? ", ended.stdout)


def test_a_reader_that_has_enough_is_no_error(gateway: Wakegate) -> None:
    """`wakegate status | head -1` under `set -o pipefail` must not fail a script."""
    command = [sys.executable, "-m", "wakegate", "status", "--json"]
    with subprocess.Popen(
        command, cwd=gateway.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE_S) == 0


def test_verbs_that_only_ask_load_no_event_loop(tmp_path: Path) -> None:
    """`status` in a prompt or a watch loop starts several times a second."""
    code = "import sys, wakegate.cli.main as m, wakegate.cli.status as s; print('uvloop' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert ended.stdout == "False\n"
