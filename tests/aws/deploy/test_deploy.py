"""The flow of a deployment on an emulated account: shown, asked, run; and nothing is left of what was not wanted."""

from pathlib import Path

import pytest
from tests.account.account import Account as Emulated
from tests.aws.deploy.conftest import Paper
from tests.aws.deploy.docker import why_not, write_app

from wakegate.aws.deploy import deploy as flow
from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.bundle import bundle
from wakegate.aws.deploy.facts import Stack, read_stack
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.plan import Plan
from wakegate.aws.deploy.screen import Screen
from wakegate.core.errors import ConfigError

needs_docker = pytest.mark.skipif(bool(why_not()), reason=why_not())

APP = "public.ecr.aws/wakegate/app:1"


class Deployer:
    """Runs deployments of one stack, and remembers what was asked for."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.asked = 0
        self.paper = Paper()

    def deploy(self, what: str = APP, *, stack: str = "wakegate", says: bool = True, **given: str) -> Stack | None:
        """Deploy, and answer what is asked."""
        self.paper = Paper()

        def ask() -> bool:
            self.asked += 1
            return says

        return flow.deploy(
            self.account, what, stack_name=stack, given=given, screen=self.paper, ask=ask, pause=lambda _: None
        )


@pytest.fixture
def deployer(account: Account) -> Deployer:
    """Return one who has not deployed yet."""
    return Deployer(account)


def calls_since(emulated: Emulated, count: int) -> set[str]:
    """Return the names of the calls that changed something."""
    reading = ("Get", "Describe", "List", "Head", "BatchGet")
    names = {(call.name, call.action) for call in emulated.calls[count:]}
    return {name for name, action in names if not action.startswith(reading)}


def test_whoever_says_no_finds_the_account_as_it_was(deployer: Deployer, emulated: Emulated) -> None:
    """A question that has already changed something is none."""
    count = len(emulated.calls)
    assert deployer.deploy(stack="not-wanted", says=False) is None
    assert deployer.asked == 1
    assert read_stack(deployer.account, "not-wanted") is None
    assert calls_since(emulated, count) == {"cloudformation:CreateChangeSet", "cloudformation:DeleteStack"}


def test_whoever_presses_ctrl_c_finds_the_account_as_it_was(deployer: Deployer) -> None:
    """A name without a stack would be in the way of the next one."""

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flow.deploy(deployer.account, APP, stack_name="interrupted", given={}, screen=Paper(), ask=interrupt)
    assert read_stack(deployer.account, "interrupted") is None


def test_a_first_deploy_makes_everything(deployer: Deployer, emulated: Emulated) -> None:
    """One command, and there is a URL."""
    stack = deployer.deploy()
    assert stack is not None
    assert stack.outputs["Url"].endswith(".execute-api.eu-central-1.amazonaws.com/prod")
    lines = deployer.paper.lines
    assert lines[0] == "account 123456789012 · eu-central-1 · stack wakegate"
    assert "will create 29 resources, change 0, delete 0" in lines
    assert f"code     {bundle().key} in wakegate-123456789012-eu-central-1" in lines
    assert sum(line.startswith("stack    created ") for line in lines) == 29
    assert lines[-1] == "stack    wakegate is there · 29 resources"
    assert (
        emulated.client("ecs").describe_services(cluster="my-scaling-cluster", services=["my-scaling-service"])[
            "services"
        ][0]["desiredCount"]
        == 0
    )


def test_a_second_stack_gets_names_of_its_own(deployer: Deployer) -> None:
    """Both live in one account; the first one is left alone."""
    stack = deployer.deploy(stack="shop", Front="both")
    assert stack is not None
    assert (stack.outputs["Table"], stack.outputs["Service"]) == ("shop-session-table", "shop-my-scaling-service")
    assert stack.outputs["LongHoldUrl"] != stack.outputs["Url"]


def test_a_deploy_without_a_change_asks_nothing_and_does_nothing(deployer: Deployer, emulated: Emulated) -> None:
    """A pipeline deploys at every commit."""
    deployer.deploy()  # from the second one on, the count of tasks is left to itself
    count, deployer.asked = len(emulated.calls), 0
    stack = deployer.deploy()
    assert stack is not None
    assert (deployer.asked, deployer.paper.lines[-1]) == (0, "stack    nothing to change")
    assert stack.outputs["Url"]
    assert calls_since(emulated, count) == {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}


def test_a_change_changes_only_what_it_is_about(deployer: Deployer) -> None:
    """And the rest keeps what an earlier deploy has said."""
    deployer.deploy(stack="shop", IdleTimeout="600", WakeTimeout="120")
    stack = deployer.deploy("public.ecr.aws/wakegate/app:2", stack="shop")
    assert stack is not None
    assert (stack.parameters["IdleTimeout"], stack.parameters["Front"]) == ("600", "both")
    assert deployer.paper.lines[-1].startswith("stack    shop is up to date · ")
    assert any(line.startswith("stack    changed TaskDefinition") for line in deployer.paper.lines)


def test_names_that_are_taken_are_refused_before_anything_is_made(deployer: Deployer) -> None:
    """The prefix of another stack, by a slip."""
    with pytest.raises(ConfigError, match="belong to stack shop"):
        deployer.deploy(stack="other", Prefix="shop-")
    assert read_stack(deployer.account, "other") is None


def test_a_failed_creation_names_the_first_cause(deployer: Deployer, emulated: Emulated) -> None:
    """CloudFormation's own summary lists what was cancelled because of it."""
    emulated.client("logs").create_log_group(logGroupName="/aws/lambda/broken-container-startup")
    with pytest.raises(DeployError) as caught:
        deployer.deploy(stack="broken")
    said = str(caught.value)
    assert said.startswith("The stack could not be made: StartupLogs: ")
    assert said.endswith("Nothing is left of it; mend that, then again.")
    assert read_stack(deployer.account, "broken") is None


def test_an_image_that_needs_what_is_not_there_leaves_nothing(deployer: Deployer) -> None:
    """All that can be known before is known before."""
    with pytest.raises(DeployError, match="There is no image"):
        deployer.deploy("123456789012.dkr.ecr.eu-central-1.amazonaws.com/no-such:1", stack="refused")
    assert read_stack(deployer.account, "refused") is None


@needs_docker
def test_the_image_is_there_before_a_task_may_want_it(deployer: Deployer, tmp_path: Path) -> None:
    """Into a new repository as soon as the stack has made it, into an old one before the service is changed."""
    account, seen = deployer.account, list[tuple[str, str]]()

    def push(account: Account, plan: Plan, screen: Screen) -> None:
        if not seen:
            seen.append(("", ""))
            raise DeployError("no network.")
        stack = read_stack(account, "order")
        assert stack is not None
        seen.append((stack.status, plan.image_uri.partition("/")[2]))

    def deploy(content: bytes) -> None:
        what = str(write_app(tmp_path, content))
        flow.deploy(
            account,
            what,
            stack_name="order",
            given={},
            screen=Paper(),
            ask=lambda: True,
            push=push,
            pause=lambda _: None,
        )

    with pytest.raises(DeployError, match=r"no network\. .The stack is there: the same command again only pushes"):
        deploy(b"one")
    deploy(b"one")
    deploy(b"two")
    (first, name), (second, other) = seen[1:]
    assert first == "CREATE_COMPLETE"
    assert second in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert name.startswith("order-my-scaling-app:")
    assert name != other
    stack = read_stack(account, "order")
    assert stack is not None
    assert (stack.status, stack.parameters["Image"].partition("/")[2]) == ("UPDATE_COMPLETE", other)
    assert stack.parameters["ContainerPort"] == "8080"


def test_what_does_not_go_together_is_said_before_an_image_is_built(deployer: Deployer, tmp_path: Path) -> None:
    """A build takes minutes; to wait for it and be told of two numbers then is a waste."""
    with pytest.raises(ConfigError) as caught:
        deployer.deploy(str(tmp_path), TaskCpu="256", TaskMemory="4096", ReplicasMin="4")
    assert len(caught.value.problems) == 2
    assert "Dockerfile" not in str(caught.value)
