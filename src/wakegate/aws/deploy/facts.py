"""What is in the account before a deployment: the stack, the network, and what an earlier stack has left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.failure import DeployError, code_of, told

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_ec2.type_defs import FilterTypeDef, RouteTableTypeDef, SubnetTypeDef

OURS = frozenset(("CodeKey", "FirstDeploy", "IdleTimeout"))  # parameters that our template always had
MISSING_BUCKET = frozenset(("404", "NoSuchBucket", "NotFound"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as CloudFormation has it."""

    name: str
    arn: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Say whether nothing has been made of it yet."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def is_ours(self) -> bool:
        """Say whether it was made from our template, of whatever version."""
        return self.is_new or set(self.parameters) >= OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A VPC and those of its subnets whose tasks can be reached from outside."""

    vpc_id: str
    subnet_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All a plan is decided by; `network` is None where the stack has one already."""

    account_id: str
    region: str
    dns_suffix: str = "amazonaws.com"
    partition: str = "aws"
    stack: Stack | None = None
    network: Network | None = None
    has_repository: bool = False
    has_table: bool = False
    table_key: str = "uuid"
    names_owner: str = ""  # the stack that has these names
    has_bucket: bool = False
    image_tags: frozenset[str] = frozenset()  # what is in the repository

    @property
    def bucket(self) -> str:
        """Return the bucket that has the functions' code."""
        return f"wakegate-{self.account_id}-{self.region}"


def read_stack(account: Account, name: str) -> Stack | None:
    """Return the stack of this name or ARN, or None."""
    with told(account.region):
        try:
            found = account.cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
    return _stack(found[0]) if found else None


def _stack(found: "StackTypeDef") -> Stack:
    return Stack(
        name=found["StackName"],
        arn=found.get("StackId", found["StackName"]),
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])},
        outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])},
    )


def gather(account: Account, *, stack: Stack | None, values: Mapping[str, str]) -> Facts:
    """Ask for everything that a plan needs; `values` are the effective parameters, as far as they are known."""
    prefix = values["Prefix"]
    table = prefix + values["TableName"]
    has_table, table_key = _table(account, table)
    tags = _tags(account, prefix + values["RepositoryName"])
    is_network_known = stack is not None and bool(stack.parameters.get("VpcId"))
    is_network_kept = is_network_known and values["VpcId"] == stack.parameters["VpcId"] if stack else False
    return Facts(
        account_id=account.id,
        region=account.region,
        dns_suffix=account.dns_suffix,
        partition=account.partition,
        stack=stack,
        network=None if is_network_kept and values["SubnetIds"] else find_network(account, values),
        has_repository=tags is not None,
        image_tags=tags or frozenset(),
        has_table=has_table,
        table_key=table_key,
        names_owner=_owner(account, f"{prefix}container-startup"),
        has_bucket=_has_bucket(account, f"wakegate-{account.id}-{account.region}"),
    )


def _table(account: Account, name: str) -> tuple[bool, str]:
    """Say whether there is a table of this name, and its key."""
    with told(account.region):
        try:
            table = account.dynamodb.describe_table(TableName=name)["Table"]
        except account.dynamodb.exceptions.ResourceNotFoundException:
            return False, ""
    return True, "+".join(key["AttributeName"] for key in table["KeySchema"])


def _tags(account: Account, repository: str) -> frozenset[str] | None:
    """Return the tags of a repository, or None where there is none."""
    with told(account.region):
        try:
            pages = account.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
            return frozenset(
                tag for page in pages for image in page["imageDetails"] for tag in image.get("imageTags", [])
            )
        except account.ecr.exceptions.RepositoryNotFoundException:
            return None


def _owner(account: Account, function: str) -> str:
    """Return the stack that a function of this name belongs to, or nothing."""
    with told(account.region):
        try:
            found = account.cloudformation.describe_stack_resources(PhysicalResourceId=function)["StackResources"]
        except ClientError as error:
            if code_of(error) == "ValidationError":  # so it says that it belongs to none
                return ""
            raise
    return next((one.get("StackName", "") for one in found if one.get("PhysicalResourceId") == function), "")


def _has_bucket(account: Account, name: str) -> bool:
    with told(account.region):
        try:
            account.s3.head_bucket(Bucket=name, ExpectedBucketOwner=account.id)
        except ClientError as error:
            if code_of(error) in MISSING_BUCKET:
                return False
            if code_of(error) == "403":
                raise DeployError(
                    f"The bucket {name} for the functions' code is not this account's, or s3:ListBucket on it is not "
                    "allowed. Have that allowed; if the bucket is somebody else's, use another region."
                ) from error
            raise
    return True


def find_network(account: Account, values: Mapping[str, str]) -> Network:
    """Return the VPC and subnets that are named, or the default ones."""
    if values["SubnetIds"]:
        return _named(account, tuple(values["SubnetIds"].split(",")), vpc_id=values["VpcId"])
    vpc_id = values["VpcId"] or _default_vpc(account)
    with told(account.region):
        here: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": [vpc_id]}]
        subnets = account.ec2.describe_subnets(Filters=here)["Subnets"]
        tables = account.ec2.describe_route_tables(Filters=here)["RouteTables"]
    public = tuple(sorted(subnet["SubnetId"] for subnet in subnets if _is_public(subnet, tables)))
    if not public:
        raise DeployError(
            f"{vpc_id} has no public subnet: the functions could not reach the tasks. "
            "Name a public one with --subnet, or another --vpc."
        )
    return Network(vpc_id=vpc_id, subnet_ids=public)


def _default_vpc(account: Account) -> str:
    with told(account.region):
        vpcs = account.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not vpcs:
        raise DeployError(
            f"{account.region} has no default VPC. Is it the region that you mean? Else name one with --vpc, "
            f'or run "aws ec2 create-default-vpc --region {account.region}", then again.'
        )
    return vpcs[0]["VpcId"]


def _named(account: Account, subnet_ids: tuple[str, ...], *, vpc_id: str) -> Network:
    with told(account.region):
        subnets = account.ec2.describe_subnets(SubnetIds=list(subnet_ids))["Subnets"]
    vpcs = {subnet["VpcId"] for subnet in subnets}
    if len(vpcs) != 1 or (vpc_id and vpcs != {vpc_id}):
        raise DeployError(f"The subnets are of {', '.join(sorted(vpcs))}; all must be of one VPC, the one of --vpc.")
    return Network(vpc_id=vpcs.pop(), subnet_ids=subnet_ids)


def _is_public(subnet: "SubnetTypeDef", tables: "list[RouteTableTypeDef]") -> bool:
    """Say whether a subnet hands out public addresses, or its routes lead to the internet."""
    if subnet.get("MapPublicIpOnLaunch"):
        return True
    own = [table for table in tables if any(one.get("SubnetId") == subnet["SubnetId"] for one in table["Associations"])]
    main = [table for table in tables if any(one.get("Main") for one in table["Associations"])]
    return any(route.get("GatewayId", "").startswith("igw-") for table in (own or main) for route in table["Routes"])
