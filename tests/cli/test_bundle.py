"""`wakegate bundle`: the zip that CloudFormation is told of, under a name that changes with its content."""

from pathlib import Path

import pytest

from wakegate.aws.deploy.bundle import bundle
from wakegate.cli.main import main


def run(*words: str) -> object:
    """Run a command; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["bundle", *words])
    return ended.value.code


def test_its_name_is_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudFormation updates the functions only where the key is another one; a script reads the name alone."""
    monkeypatch.chdir(tmp_path)
    assert run() == 0
    assert capsys.readouterr().out == f"{bundle().key}\n"
    assert (tmp_path / bundle().key).read_bytes() == bundle().data


def test_it_can_be_called_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipeline has names of its own."""
    assert run(str(tmp_path / "code.zip")) == 0
    assert (tmp_path / "code.zip").read_bytes() == bundle().data


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that does not exist, a full disk."""
    assert run(str(tmp_path / "no" / "code.zip")) == 1
    assert capsys.readouterr().err.endswith("code.zip cannot be written: No such file or directory\n")
