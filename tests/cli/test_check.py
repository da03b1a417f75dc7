"""`wakegate check`: every problem at once, with a code that a script can use."""

from pathlib import Path

from tests.cli.shell import run

BROKEN = """[service.web]
command = ["true"]

[service.web.sleep]
idle_timeout = "5 minutes"

[service.web.scale]
maximum = 3
"""


def test_a_good_file_is_counted(tmp_path: Path) -> None:
    """`wakegate check && wakegate up`."""
    (tmp_path / "wakegate.toml").write_text('[service.web]\ncommand = ["true"]\nhosts = ["web.localhost"]\n')
    ended = run("check", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "wakegate.toml: 1 service, no problems\n")


def test_a_broken_file_is_told_every_problem(tmp_path: Path) -> None:
    """Where, what was found, what is expected; whoever mends one at a time runs it ten times."""
    (tmp_path / "other.toml").write_text(BROKEN)
    ended = run("check", "other.toml", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        'other.toml:5: service.web.sleep.idle_timeout: "5 minutes" is no duration; write "5m" or "300s"',
        'other.toml:8: service.web.scale.maximum: unknown setting; did you mean "max"?',
        "2 problems",
    ]


def test_without_a_file_it_says_how_to_get_one(tmp_path: Path) -> None:
    """The first command that somebody tries."""
    ended = run("check", folder=tmp_path)
    assert ended.returncode == 2
    assert '"wakegate init" writes one' in ended.stderr
