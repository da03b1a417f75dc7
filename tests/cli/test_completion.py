"""Shell completion: verbs, options and the services of a running gateway, in a real shell."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.shell import environment, run
from tests.scenarios.gateway import PATIENCE_S, Wakegate

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_wakegate_completion wakegate
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete --do-complete "$argv[2..]"'
ZSH = """
compdef() { }
_describe() { print -l -- ${(P)3}; }
compadd() { print -l -- $completions; }
words=("${@:2}"); CURRENT=$#words
source "$1"
_wakegate_completion
"""


def with_wakegate(folder: Path) -> dict[str, str]:
    """Return an environment where `wakegate` is a command, as after an installation."""
    bin_dir = folder / "bin"
    bin_dir.mkdir(exist_ok=True)
    command = bin_dir / "wakegate"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wakegate "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    ours = environment()
    return {**ours, "PATH": f"{bin_dir}:{ours['PATH']}"}


def complete(shell: str, script: str, *words: str, folder: Path, tmp_path: Path) -> list[str]:
    """Return what a shell offers for the last word."""
    program = shutil.which(shell) or pytest.skip(f"{shell} is not installed here")
    written = tmp_path / f"completion.{shell}"
    written.write_text(run("completion", shell, folder=tmp_path).stdout, encoding="utf-8")
    ended = subprocess.run(
        [program, "-c", script, *([shell] if shell != "fish" else []), str(written), *words],
        cwd=folder,
        env=with_wakegate(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return [line.split("\t")[0].split(":")[0] for line in ended.stdout.splitlines() if line]


@pytest.mark.parametrize(("shell", "script"), [("bash", BASH), ("zsh", ZSH), ("fish", FISH)])
def test_a_shell_completes_verbs_and_options(shell: str, script: str, tmp_path: Path) -> None:
    """The script is printed by us and run by them: only a shell can say that it works."""
    verbs = complete(shell, script, "wakegate", "s", folder=tmp_path, tmp_path=tmp_path)
    assert sorted(verbs) == ["sessions", "sleep", "status"]
    options = complete(shell, script, "wakegate", "up", "--idle", folder=tmp_path, tmp_path=tmp_path)
    assert options == ["--idle-timeout"]


@pytest.mark.parametrize("verb", ["wake", "sleep", "explain", "sessions", "logs", "keep"])
def test_services_are_offered_while_a_gateway_runs(verb: str, gateway: Wakegate, tmp_path: Path) -> None:
    """The names are what one types most; without a gateway nothing is offered, and nothing is said."""
    assert complete("bash", BASH, "wakegate", verb, "", folder=gateway.folder, tmp_path=tmp_path) == ["web", "docs"]
    assert complete("bash", BASH, "wakegate", verb, "d", folder=gateway.folder, tmp_path=tmp_path) == ["docs"]
    assert complete("bash", BASH, "wakegate", verb, "", folder=tmp_path, tmp_path=tmp_path) == []


def test_the_command_of_an_app_is_not_ours_to_complete(tmp_path: Path) -> None:
    """Behind "--" stand another program's words; to offer our options there would be wrong."""
    words = ("wakegate", "up", "--", "gunicorn", "--li")
    assert "--listen" not in complete("bash", BASH, *words, folder=tmp_path, tmp_path=tmp_path)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_is_for_its_shell(shell: str, tmp_path: Path) -> None:
    """It is written where no such shell may be installed: an image is built before it runs."""
    ended = run("completion", shell, folder=tmp_path, env={"PATH": "/nonexistent"})
    assert ended.returncode == 0
    assert f"{shell}_complete" in ended.stdout


def test_an_unknown_shell_is_told_which_there_are(tmp_path: Path) -> None:
    """Exit 2, like every word that is not understood."""
    ended = run("completion", "csh", folder=tmp_path)
    assert ended.returncode == 2
    assert "'csh' is not one of 'bash', 'zsh', 'fish'" in ended.stderr
