"""What is deployed is decided from facts alone: names, parameters, the image, and what is refused."""

from dataclasses import replace

import pytest

from wakegate.aws.deploy.facts import Facts, Network, Stack
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.image import Image
from wakegate.aws.deploy.options import DEFAULTS
from wakegate.aws.deploy.plan import (
    PREVIOUS,
    Plan,
    decide,
    effective,
    prefix_of,
    refuse,
    request_s,
    say_image,
    say_plan,
)
from wakegate.core.errors import ConfigError

HERE = Facts(
    account_id="123456789012", region="eu-central-1", network=Network(vpc_id="vpc-1", subnet_ids=("s-1", "s-2"))
)
LOCAL = Image(id="sha256:3f2c1e5566778899aa", size_bytes=84_000_000, architecture="x86_64", name="shop:3f2c1e")
REMOTE = Image(uri="123456789012.dkr.ecr.eu-central-1.amazonaws.com/elsewhere:1", name="elsewhere:1")
KEY = "wakegate-0.zip"

OLD = {
    "CodeKey": "k",
    "FirstDeploy": "true",
    **DEFAULTS,
    "VpcId": "vpc-0",
    "SubnetIds": "s-0",
    "CreateRepository": "true",
    "CreateTable": "true",
    "Image": "i",
}


def stack(status: str = "UPDATE_COMPLETE", **parameters: str) -> Stack:
    """Return a stack that is there."""
    return Stack(name="wakegate", arn="arn", status=status, parameters={**OLD, **parameters})


def plan(facts: Facts = HERE, image: Image = LOCAL, name: str = "wakegate", **given: str) -> Plan:
    """Decide."""
    return decide(facts, image, given=given, stack_name=name, key=KEY)


def test_the_first_deploy_needs_no_option() -> None:
    """Account, network, image and code are found; the rest are the template's defaults."""
    uri = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/my-scaling-app:3f2c1e556677"
    assert plan().parameters == {
        "VpcId": "vpc-1",
        "SubnetIds": "s-1,s-2",
        "Image": uri,
        "ImageRepositoryArn": "",
        "CodeBucket": "wakegate-123456789012-eu-central-1",
        "CodeKey": KEY,
        "FirstDeploy": "true",
        "CreateRepository": "true",
        "CreateTable": "true",
    }
    assert (plan().is_new, plan().pushes, plan().pushes_first, plan().makes_bucket) == (True, True, False, True)


def test_a_later_deploy_keeps_what_is_not_said() -> None:
    """Whoever once set the port must not say it again, and the count of tasks is left alone."""
    facts = replace(HERE, stack=stack(ContainerPort="8080"), network=None, has_repository=True, has_bucket=True)
    found = plan(facts, IdleTimeout="600")
    assert found.parameters["ContainerPort"] is PREVIOUS
    assert found.parameters["VpcId"] is PREVIOUS
    assert found.parameters["CreateTable"] is PREVIOUS
    assert (found.parameters["IdleTimeout"], found.parameters["FirstDeploy"]) == ("600", "false")
    assert (found.is_new, found.pushes_first, found.makes_bucket) == (False, True, False)


def test_a_parameter_that_the_template_has_no_more_is_dropped() -> None:
    """CloudFormation refuses parameters that it does not know, also those of an older version."""
    facts = replace(HERE, stack=stack(OfAnOlderVersion="1"))
    assert "OfAnOlderVersion" not in plan(facts).parameters


def test_what_an_earlier_stack_has_kept_is_taken_over() -> None:
    """Else the stack could not be made: the names are taken."""
    found = plan(replace(HERE, has_repository=True, has_table=True))
    assert (found.parameters["CreateRepository"], found.parameters["CreateTable"]) == ("false", "false")
    assert "  uses the table session-table that is there, with its sessions" in told(found)


def test_what_was_taken_over_and_has_gone_is_made_anew() -> None:
    """Somebody may have deleted what the stack only uses."""
    facts = replace(HERE, stack=stack(CreateRepository="false", CreateTable="false"), has_repository=True)
    found = plan(facts)
    assert (found.parameters["CreateRepository"], found.parameters["CreateTable"]) == ("false", "true")


def test_what_the_stack_has_made_stays_its_own() -> None:
    """To say "false" then would take table and repository out of the stack."""
    facts = replace(HERE, stack=stack(), has_repository=True, has_table=True)
    assert plan(facts).parameters["CreateTable"] is PREVIOUS


def test_an_image_in_ecr_is_used_as_it_is() -> None:
    """It needs no repository of ours, but a permission to be pulled."""
    found = plan(image=REMOTE)
    assert (found.pushes, found.image_uri, found.parameters["CreateRepository"]) == (False, REMOTE.uri, "false")
    assert found.parameters["ImageRepositoryArn"] == "arn:aws:ecr:eu-central-1:123456789012:repository/elsewhere"


def test_an_image_that_is_there_is_not_pushed_again() -> None:
    """The tag is that of the content."""
    assert not plan(replace(HERE, has_repository=True, image_tags=frozenset((LOCAL.tag,)))).pushes


def test_the_image_says_port_and_processor() -> None:
    """The commonest two mistakes: a probe at the wrong port, and "exec format error"."""
    found = plan(image=replace(LOCAL, ports=(8080,), architecture="arm64"))
    assert (found.parameters["ContainerPort"], found.parameters["Architecture"]) == ("8080", "arm64")
    assert "  port 8080, as the image exposes it (else: --port)" in told(found)


def test_what_is_said_counts_more_than_the_image() -> None:
    """EXPOSE is a hint, an option is not."""
    assert plan(image=replace(LOCAL, ports=(8080,)), ContainerPort="80").parameters["ContainerPort"] == "80"
    assert "ContainerPort" not in plan(image=replace(LOCAL, ports=(80, 443))).parameters


def test_an_image_for_another_processor_than_the_one_that_is_said_is_refused() -> None:
    """It would never start."""
    assert refused(image=replace(LOCAL, architecture="arm64"), Architecture="x86_64") == (
        "--arch: the image is built for arm64, not for x86_64",
    )


def test_only_the_default_stack_has_the_names_without_a_prefix() -> None:
    """Two stacks in one account must not fight for the same names."""
    assert "Prefix" not in plan().parameters
    found = plan(name="Shop")
    assert found.parameters["Prefix"] == "shop-"
    assert found.image_uri.endswith("/shop-my-scaling-app:3f2c1e556677")
    assert plan(name="shop", Prefix="").parameters["Prefix"] == ""


@pytest.mark.parametrize("name", ["s" * 20, "2nd", "a--b", "shop-", "sg", "sg-shop"])
def test_a_stack_whose_name_makes_no_prefix_is_asked_for_one(name: str) -> None:
    """Names in AWS are short, and begin with a letter; "sg-" is kept for ids of security groups."""
    assert prefix_of("S" * 19) == "s" * 19 + "-"
    with pytest.raises(DeployError, match='Add one: --prefix "shop-"'):
        prefix_of(name)


def test_names_of_another_stack_are_refused() -> None:
    """Half-way through, AWS would say "already exists"."""
    (said,) = refused(replace(HERE, names_owner="other"))
    assert said == '--prefix: the names without a prefix belong to stack other; give it its own, as in "shop-"'
    (said,) = refused(replace(HERE, names_owner="other"), Prefix="shop-")
    assert said == '--prefix: the names "shop-" belong to stack other; give it its own, as in "staging-"'
    assert plan(replace(HERE, stack=stack(), names_owner="wakegate")).stack == "wakegate"


def test_a_table_of_somebody_else_is_not_taken_over() -> None:
    """ "session-table" is a name that others may have given, too."""
    (said,) = refused(replace(HERE, has_table=True, table_key="user+id"))
    assert said.startswith('--prefix: the table session-table is not of Wakegate (its key is "user+id")')


def test_an_idle_timeout_is_checked_against_the_front_of_the_whole_plan() -> None:
    """The front may have been set by an earlier deploy, and the timeout by this one, or the other way round."""
    facts = replace(HERE, stack=stack(Front="function-url", WakeTimeout="600", IdleTimeout="601"))
    assert plan(facts).parameters["IdleTimeout"] is PREVIOUS
    assert refused(facts, IdleTimeout="600")[0].startswith("--idle-timeout: 600 s is not longer than")


def test_the_longest_request_is_that_of_the_front() -> None:
    """An HTTP API ends it after 30 s; a Function URL waits for the function."""
    assert request_s(DEFAULTS) == 30
    assert request_s({**DEFAULTS, "Front": "both", "WakeTimeout": "200"}) == 200


def test_another_vpc_brings_its_own_subnets() -> None:
    """Those of the old one are of no use in it."""
    assert effective({"VpcId": "vpc-9"}, stack_name="wakegate", stack=stack())["SubnetIds"] == ""
    assert effective({"SubnetIds": "s-9"}, stack_name="wakegate", stack=stack())["VpcId"] == ""


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"]
)
def test_a_stack_at_rest_takes_changes(status: str) -> None:
    """Also one whose last change has failed, and one that a change set was once made for."""
    refuse(stack(status), region="eu-central-1")
    refuse(None, region="eu-central-1")


def test_a_stack_of_somebody_else_is_not_touched() -> None:
    """An update to our template would delete all that it has."""
    with pytest.raises(DeployError, match="Stack db is not of Wakegate; it is not touched"):
        refuse(Stack(name="db", arn="arn", status="CREATE_COMPLETE", parameters={"Image": "i"}), region="eu-central-1")


@pytest.mark.parametrize(
    ("status", "helps"),
    [
        ("ROLLBACK_COMPLETE", "wakegate destroy --stack wakegate --region eu-central-1 --keep-data"),
        ("ROLLBACK_FAILED", "wakegate destroy --stack wakegate"),
        ("CREATE_FAILED", "wakegate destroy --stack wakegate"),
        ("DELETE_FAILED", "wakegate destroy --stack wakegate"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name wakegate"),
        ("UPDATE_IN_PROGRESS", "aws cloudformation describe-stacks --stack-name wakegate"),
        ("DELETE_IN_PROGRESS", "aws cloudformation describe-stacks --stack-name wakegate"),
    ],
)
def test_a_stack_in_another_state_says_what_helps(status: str, helps: str) -> None:
    """AWS's own words name the state and no way out of it."""
    with pytest.raises(DeployError) as caught:
        refuse(stack(status), region="eu-central-1")
    assert status in str(caught.value)
    assert helps in str(caught.value)


def test_the_plan_says_where_it_goes_and_what_the_image_costs() -> None:
    """The wrong account is the mistake that is seen here or never."""
    head, image, bucket = told(plan(name="shop"))
    assert head == "account 123456789012 · eu-central-1 · stack shop"
    assert image == "  image shop:3f2c1e (84 MB unpacked, adds at most ≈ 8 s to a cold start)"
    assert bucket == "  makes the bucket wakegate-123456789012-eu-central-1 for the functions' code"


def test_an_image_in_a_registry_is_said_with_its_packed_size() -> None:
    """That is what is pulled; of an image that nothing is known of, nothing is said."""
    assert say_image(replace(REMOTE, size_bytes=25_000_000)) == "elsewhere:1 (25 MB, adds ≈ 2 s to a cold start)"
    assert say_image(REMOTE) == "elsewhere:1"


def told(found: Plan) -> list[str]:
    """Return what is shown of a plan."""
    return list(say_plan(found, account_id="123456789012", region="eu-central-1"))


def refused(facts: Facts = HERE, image: Image = LOCAL, **given: str) -> tuple[str, ...]:
    """Return why it is refused."""
    with pytest.raises(ConfigError) as caught:
        plan(facts, image, **given)
    return caught.value.problems
