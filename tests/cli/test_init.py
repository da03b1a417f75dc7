"""`wakegate init`: a first file for what is here, and never over one that is there."""

from pathlib import Path

from tests.cli.shell import run


def test_what_it_writes_is_right_as_it_is(tmp_path: Path) -> None:
    """`wakegate init && wakegate up` is the promise of its help."""
    (tmp_path / "Procfile").write_text("web: gunicorn shop:app -b 127.0.0.1:$PORT\n")
    ended = run("init", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "wakegate.toml written; look it over, then: wakegate up\n")
    assert "shop:app" in (tmp_path / "wakegate.toml").read_text()
    assert run("check", folder=tmp_path).returncode == 0


def test_a_file_that_is_there_is_written_over_only_by_force(tmp_path: Path) -> None:
    """It may be an afternoon's work."""
    file = tmp_path / "wakegate.toml"
    file.write_text("mine")
    ended = run("init", folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == "wakegate: wakegate.toml is there already; write over it with: wakegate init --force\n"
    assert file.read_text() == "mine"
    assert run("init", "--force", folder=tmp_path).returncode == 0
    assert file.read_text() != "mine"


def test_where_it_cannot_write_it_says_so(tmp_path: Path) -> None:
    """One sentence, whatever the system calls it."""
    (tmp_path / "wakegate.toml").mkdir()
    ended = run("init", "--force", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "wakegate: wakegate.toml cannot be written: Is a directory\n")
