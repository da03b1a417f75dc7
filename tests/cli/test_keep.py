"""`wakegate keep`: for a while, or no more."""

import pytest
from tests.cli.shell import run
from tests.scenarios.gateway import Wakegate


def test_a_keep_is_told_until_it_is_ended(gateway: Wakegate) -> None:
    """It does not wake; `explain` names who asked, and "off" takes it back."""
    ended = run("keep", "web", "2h", "--reason", "the demo", folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (0, "web is kept awake for 2h\n")
    assert gateway.status("web")["phase"] == "asleep"
    run("wake", "web", folder=gateway.folder)
    assert "the demo" in run("explain", "web", folder=gateway.folder).stdout
    ended = run("keep", "web", "off", folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (0, "web may sleep again\n")
    assert "the demo" not in run("explain", "web", folder=gateway.folder).stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["web", "2 hours"], 2, 'Error: "2 hours" is no duration; write "5m" or "300s"'),
        (["web", "90"], 2, 'Error: "90" has no unit; write "90s"'),
        (["web"], 2, 'Error: "web" is no duration; write "5m" or "300s"'),
        (["web", "2h", "please"], 2, "Error: write it as: wakegate keep SERVICE 2h"),
        ([], 2, "Error: Missing argument '[SERVICE] TIME|off'."),
        (["wbe", "2h"], 1, 'wakegate: no service is called "wbe"; did you mean "web"?'),
        (
            ["web", "9999999999d"],
            1,
            "wakegate: a keep lasts a year at most; use min = 1 in [service.NAME.scale] for ever",
        ),
    ],
)
def test_a_keep_that_cannot_be_is_one_sentence(words: list[str], code: int, said: str, gateway: Wakegate) -> None:
    """A time without a unit, a time for which no date exists: said before anything is changed."""
    ended = run("keep", *words, folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.splitlines()[-1] == said
