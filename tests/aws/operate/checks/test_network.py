"""Security group and subnets: a function reaches a task, and a task the internet."""

from typing import Any

from tests.account.account import Account

from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.checks.network import check_security_group, check_subnets
from wakegate.aws.operate.stack import Stack


def group_of(stack: Stack) -> str:
    """Return the security group of the service."""
    return str(stack.describe_service()["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"][0])


def reconfigure(account: Account, stack: Stack, **changes: Any) -> None:
    """Change the service's network, as somebody in the console does."""
    network = stack.describe_service()["networkConfiguration"]["awsvpcConfiguration"] | changes
    service = next(iter(account.moto.ecs.services.values()))
    service.network_configuration = {"awsvpcConfiguration": network}


def test_both_are_in_order_as_deployed(stack: Stack) -> None:
    """The port is open, and the subnets lead to the internet."""
    assert [check.verdict for check in (*check_security_group(stack), *check_subnets(stack))] == [Verdict.OK] * 2


def test_a_port_that_is_closed_or_half_open_is_seen(deployed: Account, stack: Stack) -> None:
    """Each wake times out, and nothing in any log says why."""
    ec2, group = deployed.client("ec2"), group_of(stack)
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule | {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    (closed,) = check_security_group(stack)
    assert (closed.verdict, closed.saw) == (
        Verdict.FAIL, f"{group} lets nobody in at port 80: every wake times out"
    )  # fmt: skip
    assert closed.mend == (
        f"aws ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port 80"
        " --cidr 0.0.0.0/0 --region eu-central-1"
    )
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule | {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    (half,) = check_security_group(stack)
    assert (half.verdict, "10.0.0.0/8" in half.saw) == (Verdict.WARN, True)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule | {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    assert check_security_group(stack)[0].verdict is Verdict.OK


def test_a_task_that_cannot_get_out_cannot_pull_its_image(deployed: Account, stack: Stack) -> None:
    """Somebody who tightens security groups thinks of requests, not of images."""
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    deployed.client("ec2").revoke_security_group_egress(GroupId=group_of(stack), IpPermissions=[everything])
    (found,) = check_security_group(stack)
    assert found.verdict is Verdict.FAIL
    assert "no image can be pulled" in found.saw


def test_no_public_address_and_private_subnets_are_failures(deployed: Account, stack: Stack) -> None:
    """The guide's third common issue."""
    reconfigure(deployed, stack, assignPublicIp="DISABLED")
    assert "no public address" in check_subnets(stack)[0].saw
    ec2 = deployed.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    reconfigure(deployed, stack, assignPublicIp="ENABLED", subnets=[subnet])
    (private,) = check_subnets(stack)
    assert (private.verdict, private.saw.partition(":")[0]) == (Verdict.FAIL, subnet)
    reconfigure(deployed, stack, subnets=["subnet-00000000"])
    (gone,) = check_subnets(stack)
    assert gone.verdict is Verdict.FAIL
    assert gone.saw.startswith("not all of subnet-00000000 are there")


def test_a_security_group_that_is_gone_is_a_failure(deployed: Account, stack: Stack) -> None:
    """ECS then starts nothing, and says so in an event only."""
    reconfigure(deployed, stack, securityGroups=["sg-00000000"])
    (found,) = check_security_group(stack)
    assert (found.verdict, found.saw) == (Verdict.FAIL, "sg-00000000 is gone")
