"""What the verbs for AWS need: boto3, a name that is one, and somebody who agrees."""

import io
import subprocess
import sys

import pytest

from wakegate.cli.account import ask, needs_somebody, place
from wakegate.cli.main import main
from wakegate.core.errors import WakegateError

WITHOUT_BOTO3 = (
    "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None; "
    "from wakegate.cli.main import main; main(sys.argv[1:])"
)


class Person(io.StringIO):
    """Somebody at a terminal who has typed this."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.parametrize("verb", ["deploy", "destroy"])
def test_without_boto3_it_says_what_to_install(verb: str) -> None:
    """The gateway needs no AWS, so most who install Wakegate have none of it; the help is there all the same."""
    command = [sys.executable, "-c", WITHOUT_BOTO3, verb]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    said = 'wakegate: this needs boto3, which is not installed; run: pip install "wakegate[aws]"\n'
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
    assert subprocess.run([*command, "--help"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("verb", ["template", "bundle"])
def test_the_files_for_those_who_deploy_by_hand_need_no_boto3(
    verb: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """They have the AWS command line, or a pipeline of their own."""
    folder = tmp_path_factory.mktemp(verb)
    command = [sys.executable, "-c", WITHOUT_BOTO3, verb, str(folder / "file")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert (folder / "file").stat().st_size > 0


@pytest.mark.parametrize("name", ["1shop", "my_shop", "-x", "", "a" * 129])
def test_a_name_that_is_none_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """AWS answers with a regular expression."""
    with pytest.raises(SystemExit) as ended:
        main(["deploy", "--stack", name])
    assert ended.value.code == 2
    assert "is no name of a stack: letters, digits and dashes, a letter first." in capsys.readouterr().err


def test_where_nobody_can_be_asked_it_must_be_agreed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline that hangs on a question is worse than one that fails."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(WakegateError, match="here is nobody to ask; agree with: --yes"):
        needs_somebody(is_agreed=False)
    needs_somebody(is_agreed=True)
    monkeypatch.setattr(sys, "stdin", Person())
    needs_somebody(is_agreed=False)


@pytest.mark.parametrize(("typed", "is_agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_enter_is_no_agreement(*, typed: str, is_agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever agrees has read."""
    monkeypatch.setattr(sys, "stdin", Person(typed))
    assert ask("go on?") is is_agreed


def test_the_next_command_finds_the_same_account() -> None:
    """Whoever named region and profile once need not know that the next command is to be told, too."""
    assert place(region="eu-west-1", profile="my shop") == "AWS_REGION=eu-west-1 AWS_PROFILE='my shop' "
    assert place(region=None, profile=None) == ""
