"""`wakegate doctor`: what it prints, for people and for programs, and its exit code."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.account.account import Account
from tests.account.sample.made import HELLO
from tests.aws.operate.conftest import make


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Yield an account with the stack in it."""
    folder: Path = tmp_path_factory.mktemp("account")
    with Account(folder, images={"*": [sys.executable, HELLO, "{host}", "{port}"]}) as opened:
        make(opened)
        yield opened


def doctor(account: Account, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the account; nobody is shown a traceback."""
    command = [sys.executable, "-m", "wakegate", "doctor", *words]
    environ = {"PATH": "/usr/bin:/bin", **account.environ, **variables}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=110, check=False)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def test_a_stack_in_order_is_exit_0(account: Account) -> None:
    """One line a check, and the sum."""
    ended = doctor(account)
    lines = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert lines[0] == "✓ stack              shop is CREATE_COMPLETE"
    assert {line[0] for line in lines[:-1]} == {"✓"}
    assert lines[-1] == f"{len(lines) - 1} of {len(lines) - 1} in order, 0 to look at, 0 wrong"


def test_what_is_wrong_is_exit_1_with_the_command_that_mends_it(account: Account) -> None:
    """The command stands alone on its line: it is there to be copied."""
    ec2 = account.client("ec2")
    group = next(
        one for one in ec2.describe_security_groups()["SecurityGroups"] if one["GroupName"] == "ecs-container-sg"
    )
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    ended = doctor(account, "shop")
    lines = ended.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("✗"))
    assert ended.returncode == 1
    assert lines[at].startswith("✗ security group     ")
    assert lines[at + 1].strip().startswith("mend: aws ec2 authorize-security-group-ingress ")
    found = json.loads(doctor(account, "shop", "--json").stdout)
    assert [check["name"] for check in found if check["verdict"] == "fail"] == ["security group"]


def test_the_commands_name_the_region_and_the_profile_that_were_given(account: Account, tmp_path: Path) -> None:
    """Copied as they are they must not mend, or miss, the account that the shell would use by itself."""
    config = tmp_path / "config"
    keys = (f"{name.lower()} = {account.environ[name]}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    config.write_text("\n".join(("[profile my-shop]", "region = us-east-1", *keys)), encoding="utf-8")
    functions = account.client("lambda")
    functions.put_function_concurrency(FunctionName="container-startup", ReservedConcurrentExecutions=0)
    account.client("events").disable_rule(Name="container-cleanup-tasks")
    environ = {"AWS_CONFIG_FILE": str(config)}
    words = ("shop", "--json", "--region", account.region, "--profile", "my-shop")
    found = json.loads(doctor(account, *words, **environ).stdout)
    functions.delete_function_concurrency(FunctionName="container-startup")
    account.client("events").enable_rule(Name="container-cleanup-tasks")
    mends = [line for check in found for line in check["mend"].splitlines()]
    assert len(mends) > 1
    for line in mends:
        assert line.count(f" --region {account.region}") == 1
        assert line.endswith(" --profile my-shop")


def test_a_stack_that_is_not_there_is_one_sentence(account: Account) -> None:
    """With the name that was perhaps meant."""
    ended = doctor(account, "shopp")
    said = 'wakegate: there is no stack "shopp" in eu-central-1; did you mean "shop"?\n'
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
