"""`wakegate destroy` as it is typed."""

import io
import sys
from collections.abc import Iterator

import pytest
from tests.account.account import Account as Emulated
from tests.aws.deploy.conftest import opened

from wakegate.cli.main import main

APP = "public.ecr.aws/wakegate/app:1"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """Open an account for all tests of this file."""
    with opened(tmp_path_factory.mktemp("account")) as account:
        yield account


def run(*words: str) -> object:
    """Run a command; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([*words])
    return ended.value.code


def test_a_stack_goes_and_says_so(emulated: Emulated, capsys: pytest.CaptureFixture[str]) -> None:
    """The way back from `wakegate deploy`, with the same words."""
    assert run("deploy", APP, "--stack", "shop", "--yes") == 0
    capsys.readouterr()
    assert run("destroy", "--stack", "shop", "--yes", "--keep-data") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "account 123456789012 · eu-central-1 · stack shop"
    assert lines[-1] == "stack    shop is gone · 28 resources"
    assert emulated.client("dynamodb").list_tables()["TableNames"] == ["shop-session-table"]


def test_a_stack_that_is_not_there_is_said(emulated: Emulated, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence, with what helps."""
    assert run("destroy", "--stack", "shop", "--yes") == 1
    said = capsys.readouterr().err
    assert said.startswith("wakegate: There is no stack shop in eu-central-1 of account 123456789012. What is there: ")
    assert said.count("\n") == 1


def test_where_nobody_can_be_asked_nothing_is_done(
    emulated: Emulated, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion least of all."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run("destroy") == 1
    assert "here is nobody to ask; agree with: --yes" in capsys.readouterr().err
