"""Which stack is meant: everything that can be wrong before it is found is one sentence."""

import os
import subprocess
import sys

import pytest

HIDE_BOTO3 = "import sys; sys.modules['boto3'] = None; from wakegate.cli.main import main; main()"


def run(*words: str, code: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a machine that knows no account; nobody is shown a traceback."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/x", "AWS_SHARED_CREDENTIALS_FILE": "/x"}
    start = [sys.executable, "-c", code] if code else [sys.executable, "-m", "wakegate"]
    ended = subprocess.run(
        [*start, *words], env={**ours, **nowhere, **env}, capture_output=True, text=True, timeout=90, check=False
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


@pytest.mark.parametrize(
    "verb",
    [("doctor",), ("doctor", "shop"), ("verify", "--aws", "shop"), ("status", "--aws"), ("wake", "--aws", "shop")],
)
def test_without_credentials_it_says_what_to_run(verb: tuple[str, ...]) -> None:
    """The first thing that everybody meets."""
    ended = run(*verb, AWS_REGION="eu-central-1")
    said = 'wakegate: No AWS credentials were found. Run "aws configure" or set AWS_PROFILE, then again.\n'
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)


def test_without_a_region_it_says_so() -> None:
    """The second."""
    ended = run("doctor")
    assert (ended.returncode, ended.stderr.startswith("wakegate: No AWS region was given.")) == (1, True)


@pytest.mark.parametrize("verb", [("doctor", "shop"), ("verify", "--aws", "shop")])
def test_without_the_extra_it_says_which(verb: tuple[str, ...]) -> None:
    """The gateway needs no boto3, so that it is not there by itself."""
    ended = run(*verb, code=HIDE_BOTO3)
    said = 'wakegate: this needs boto3, which is not installed; run: pip install "wakegate[aws]"\n'
    assert (ended.returncode, ended.stderr) == (1, said)
