"""One command makes the stack, and one takes it away; by hand it is the same stack."""

import re
import threading
from pathlib import Path

from tests.account.account import Account
from tests.account.sample.made import network, parameters, until
from tests.e2e.deployed import HELLO, IDLE_S, Deployed, run
from tests.e2e.visitors import ask


def test_the_deployment_ends_with_a_url_that_answers(deployed: Deployed) -> None:
    """That is what it was run for."""
    urls = [line.split()[1] for line in deployed.said if line.startswith("ready ")]
    assert urls == [deployed.outputs["Url"]]
    assert re.fullmatch(r"https://[a-z0-9]+\.execute-api\.eu-central-1\.amazonaws\.com/prod", urls[0])
    assert ask(f"{deployed.account.local_url(urls[0])}/").status_code == 200


def test_verify_finds_all_of_it_right(deployed: Deployed) -> None:
    """The guide's step 9, as whoever has deployed takes it; the idle timeout is moved on, the grace is waited for."""
    deployed.push(HELLO)
    idle = threading.Thread(target=lambda: _let_it_idle(deployed), name="idle")
    idle.start()
    done = run(deployed.account, "verify", f"{deployed.url}/", "--requests", "20")
    idle.join()
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1]) == (0, "6 of 6"), done.stdout + done.stderr
    assert lines[-2].endswith("same session")


def _let_it_idle(deployed: Deployed) -> None:
    """Let the time pass as soon as verify does nothing but wait for the sleep."""
    until(lambda: deployed.phase == "awake", timeout_s=60)
    asked = len(deployed.account.functions.outcomes[deployed.startup])
    outcomes = deployed.account.functions.outcomes[deployed.startup]
    until(lambda: len(outcomes) >= asked + 22, timeout_s=60)  # all its warm requests, and a look or two
    deployed.pass_time(IDLE_S + 20)
    deployed.tick()


def test_by_hand_it_is_the_same_stack_and_goes_away_again(account: Account, stack: Deployed, tmp_path: Path) -> None:
    """As docs/aws.md has it: two files, one bucket, plain CloudFormation."""
    template, code = tmp_path / "template.yaml", tmp_path / "code.zip"
    assert run(account, "template", str(template)).returncode == 0
    assert run(account, "bundle", str(code)).returncode == 0
    s3, stacks = account.client("s3"), account.client("cloudformation")
    s3.create_bucket(Bucket="by-hand", CreateBucketConfiguration={"LocationConstraint": account.region})
    s3.put_object(Bucket="by-hand", Key="code.zip", Body=code.read_bytes())
    found = network(account)
    given = {"Prefix": "shop-", "CodeBucket": "by-hand", "CodeKey": "code.zip", "ContainerPort": "8080"}
    given |= {"VpcId": found["Vpc"], "SubnetIds": found["Subnets"]}
    given["Image"] = f"{account.id}.dkr.ecr.{account.region}.amazonaws.com/shop-my-scaling-app:1"
    stacks.create_stack(
        StackName="shop",
        TemplateBody=template.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=parameters(given),
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="shop", WaiterConfig={"Delay": 1})
    shop = Deployed(account, "shop")
    shop.push(HELLO)
    assert "<h1>Hello.</h1>" in ask(f"{shop.url}/").text
    shop.sleep()
    assert (shop.phase, shop.desired, shop.is_scheduled) == ("asleep", 0, False)
    assert shop.denied == []

    done = run(account, "destroy", "--stack", "shop", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  keeps    repository shop-my-scaling-app with 0 images; to delete it:" in done.stdout.splitlines()
    assert "  keeps    bucket by-hand with the functions' code, which other stacks may use" in done.stdout.splitlines()
    names = {
        "tables": account.client("dynamodb").list_tables()["TableNames"],
        "repositories": [
            one["repositoryName"] for one in account.client("ecr").describe_repositories()["repositories"]
        ],
        "functions": [one["FunctionName"] for one in account.client("lambda").list_functions()["Functions"]],
        "roles": [one["RoleName"] for one in account.client("iam").list_roles()["Roles"]],
    }
    left = {kind: [name for name in several if name.startswith("shop-")] for kind, several in names.items()}
    assert left == {"tables": [], "repositories": ["shop-my-scaling-app"], "functions": [], "roles": []}
    assert ask(f"{stack.url}/.wakegate/status").status_code == 200  # the other stack is as it was
