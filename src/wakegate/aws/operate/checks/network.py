"""Can a function reach a task, and a task the internet?"""

from ipaddress import ip_network
from typing import Any

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok, warn
from wakegate.aws.operate.stack import Stack

ANYWHERE = "0.0.0.0/0"


def check_security_group(stack: Stack) -> list[Check]:
    """Look whether the app's port is open: a function outside a VPC comes from anywhere."""
    name, port = "security group", int(stack.parameters.get("ContainerPort", "80"))
    ids = _network(stack).get("securityGroups", [])
    if not ids:
        return [fail(name, "the service has none", f"wakegate deploy --stack {stack.name}")]
    try:
        groups = stack.asker.ask("ec2", "describe_security_groups", GroupIds=ids)["SecurityGroups"]
    except AskError as error:
        if not error.is_missing:
            raise
        return [fail(name, f"{', '.join(ids)} is gone", f"wakegate deploy --stack {stack.name}")]
    into = [rule for group in groups for rule in group["IpPermissions"] if _covers(rule, port)]
    mend = (
        f"aws ec2 authorize-security-group-ingress --group-id {ids[0]} --protocol tcp --port {port}"
        f" --cidr {ANYWHERE} --region {stack.asker.region}"
    )
    sources = [one["CidrIp"] for rule in into for one in rule.get("IpRanges", [])]
    if not sources:
        return [fail(name, f"{ids[0]} lets nobody in at port {port}: every wake times out", mend)]
    if ANYWHERE not in sources:
        return [
            warn(
                name, f"{ids[0]} lets in at port {port} only {', '.join(sources)}; the function may be elsewhere", mend
            )
        ]
    out = [
        one["CidrIp"] for group in groups for rule in group["IpPermissionsEgress"] for one in rule.get("IpRanges", [])
    ]
    if not any(ip_network(cidr).prefixlen == 0 for cidr in out):
        mend = (
            f"aws ec2 authorize-security-group-egress --group-id {ids[0]} --region {stack.asker.region}"
            f" --ip-permissions IpProtocol=-1,IpRanges=[{{CidrIp={ANYWHERE}}}]"
        )
        return [fail(name, f"{ids[0]} lets nothing out to the internet: no image can be pulled", mend)]
    return [ok(name, f"{ids[0]} is open at port {port}")]


def check_subnets(stack: Stack) -> list[Check]:
    """Look whether tasks get public addresses, and whether their subnets lead to the internet."""
    name, network = "subnets", _network(stack)
    ids, deploy = network.get("subnets", []), f"wakegate deploy --stack {stack.name}"
    if network.get("assignPublicIp") != "ENABLED":
        saw = "tasks get no public address: they can pull no image, and the functions cannot reach them"
        return [fail(name, saw, deploy)]
    try:
        subnets = stack.asker.ask("ec2", "describe_subnets", SubnetIds=ids)["Subnets"]
    except AskError as error:
        if not error.is_missing:
            raise
        return [fail(name, f"not all of {', '.join(ids)} are there: {error}", f"{deploy} --subnet …")]
    vpc = subnets[0]["VpcId"]
    tables = stack.asker.ask("ec2", "describe_route_tables", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    private = [one["SubnetId"] for one in subnets if not _is_public(one["SubnetId"], tables["RouteTables"])]
    if private:
        saw = f"{', '.join(private)}: no route to an internet gateway, so tasks there cannot be reached"
        return [fail(name, saw, f"{deploy} --subnet …  (public ones of {vpc})")]
    return [ok(name, f"{len(subnets)} public ones in {vpc}, public addresses are on")]


def _network(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.describe_service().get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return found


def _covers(rule: dict[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in ("tcp", "6") and rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65_535)


def _is_public(subnet_id: str, tables: list[dict[str, Any]]) -> bool:
    """Say whether the routes of a subnet, or those of its VPC where it has none, lead to an internet gateway."""
    own = [table for table in tables if any(one.get("SubnetId") == subnet_id for one in table["Associations"])]
    main = [table for table in tables if any(one.get("Main") for one in table["Associations"])]
    routes = [route for table in (own or main) for route in table["Routes"]]
    return any(
        str(route.get("GatewayId", "")).startswith("igw-")
        and route.get("DestinationCidrBlock") == ANYWHERE
        and route.get("State", "active") == "active"
        for route in routes
    )
