"""`wakegate deploy` as it is typed: what is shown, what is asked, and how it ends."""

import io
import sys
from collections.abc import Callable, Iterator

import pytest
from tests.account.account import Account as Emulated
from tests.aws.deploy.conftest import opened

from wakegate.aws.deploy.options import OPTIONS
from wakegate.cli.deploy import urls
from wakegate.cli.main import main

APP = "public.ecr.aws/wakegate/app:1"
Run = Callable[..., tuple[object, list[str], list[str]]]


class Person(io.StringIO):
    """Somebody at a terminal who has typed this."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """Open an account for all tests of this file."""
    with opened(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], emulated: Emulated, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command; return its exit code and both outputs. `typed` is what somebody answers."""

    def run_it(*words: str, typed: str | None = None) -> tuple[object, list[str], list[str]]:
        monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Person(typed))
        with pytest.raises(SystemExit) as ended:
            main([*words])
        out, err = capsys.readouterr()
        return ended.value.code, out.splitlines(), err.splitlines()

    return run_it


def test_where_nobody_can_be_asked_nothing_is_done(run: Run, emulated: Emulated) -> None:
    """In a pipeline it is agreed to with --yes."""
    count = len(emulated.calls)
    said = "wakegate: it asks before it changes an account, and here is nobody to ask; agree with: --yes"
    assert run("deploy", APP) == (1, [], [said])
    assert len(emulated.calls) == count


def test_a_no_changes_nothing(run: Run, emulated: Emulated) -> None:
    """And it is no error."""
    code, out, _ = run("deploy", APP, typed="n\n")
    assert code == 0
    assert out[:2] == ["account 123456789012 · eu-central-1 · stack wakegate", "  image app:1"]
    assert out[-1].endswith("nothing was changed")
    assert emulated.client("cloudformation").describe_stacks()["Stacks"] == []


def test_it_ends_with_the_url_and_what_to_do_next(run: Run) -> None:
    """That is what it was run for."""
    code, out, err = run("deploy", APP, "--stack", "shop", "--region", "eu-central-1", "--port", "8080", typed="y\n")
    assert (code, err) == (0, [])
    assert out[-2].startswith("ready    https://")
    assert out[-2].endswith(".execute-api.eu-central-1.amazonaws.com/prod")
    assert out[-1] == "next     AWS_REGION=eu-central-1 wakegate verify --aws shop"


def test_without_credentials_it_says_how_to_get_some(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before an image is built for minutes."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said = 'wakegate: No AWS credentials were found. Run "aws configure" or set AWS_PROFILE, then again.'
    assert run("deploy", ".", "--yes") == (1, [], [said])


def test_all_that_is_wrong_with_the_options_is_said_at_once(run: Run, emulated: Emulated) -> None:
    """Exit 2: the command is wrong, nothing was asked."""
    count = len(emulated.calls)
    code, out, err = run("deploy", APP, "--yes", "--port", "http", "--idle-timeout", "20s")
    assert (code, out) == (2, [])
    assert err == [
        '--port: "http" is no whole number',
        '--idle-timeout: "20s" is not a whole number from 60s to 86,400s',
    ]
    assert len(emulated.calls) == count


def test_an_idle_timeout_within_the_longest_request_is_refused(run: Run) -> None:
    """On a Function URL a request may take as long as a wake."""
    code, _, err = run("deploy", APP, "--yes", "--front", "both", "--idle-timeout", "3m")
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith("--idle-timeout: 180 s is not longer than the longest request, 180 s")


def test_the_help_has_every_option_of_the_table(run: Run) -> None:
    """It is generated, so that none is forgotten."""
    _, out, _ = run("deploy", "--help")
    assert out[0].startswith("Usage: wakegate deploy [OPTIONS] [PATH|IMAGE|ECR-URI]")
    text = "\n".join(out)
    assert [option.flag for option in OPTIONS if f"  {option.flag} " not in text] == []
    assert "\n  wakegate deploy ." in text


def test_every_address_is_told() -> None:
    """Two fronts have two, and a domain needs a record."""
    assert list(urls({"Url": "https://a"})) == [("ready", "https://a")]
    assert list(urls({"Url": "https://b", "LongHoldUrl": "https://b"})) == [("ready", "https://b")]
    assert list(urls({"Url": "https://a", "LongHoldUrl": "https://b", "DomainTarget": "d-1.example"})) == [
        ("ready", "https://a"),
        ("also", "https://b (holds a request for the whole wake)"),
        ("domain", "let its record (CNAME) point to d-1.example"),
    ]
