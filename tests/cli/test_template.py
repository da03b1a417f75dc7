"""`wakegate template`: to a file, or to the terminal."""

from pathlib import Path

import pytest

from wakegate.aws.deploy.template import template
from wakegate.cli.main import main


def run(*words: str) -> object:
    """Run a command; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["template", *words])
    return ended.value.code


def test_it_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`aws cloudformation deploy` wants one."""
    file = tmp_path / "template.yaml"
    assert run(str(file)) == 0
    assert file.read_text(encoding="utf-8") == template()
    assert capsys.readouterr().err == f"{file} written; the functions' code: wakegate bundle\n"


def test_without_a_file_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For a pipe, byte for byte."""
    assert run() == 0
    assert capsys.readouterr().out == template()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that does not exist, a full disk."""
    assert run(str(tmp_path / "no" / "template.yaml")) == 1
    assert capsys.readouterr().err.endswith("template.yaml cannot be written: No such file or directory\n")
