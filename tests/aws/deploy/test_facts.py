"""What is in the account before a deployment: the network, and what an earlier stack has left."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.account.account import Account as Emulated

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.facts import Network, find_network, gather, read_stack
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.options import DEFAULTS

EMPTY = """
Parameters: {A: {Type: String, Default: "1"}}
Resources: {Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /wakegate/test}}}
Outputs: {Url: {Value: "https://a.example"}}
"""


def network(account: Account, **values: str) -> Network:
    """Return the network that these values mean."""
    return find_network(account, {**DEFAULTS, **values})


@pytest.fixture
def vpc(account: Account) -> Iterator[str]:
    """Make a VPC that is not the default one."""
    vpc_id = account.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    yield vpc_id
    for subnet in account.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]:
        account.ec2.delete_subnet(SubnetId=subnet["SubnetId"])


def subnet(account: Account, vpc_id: str, number: int) -> str:
    """Make a subnet."""
    cidr = f"10.9.{number}.0/24"
    return account.ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr)["Subnet"]["SubnetId"]


def test_the_default_vpc_and_all_its_subnets_are_found(account: Account) -> None:
    """Nobody knows these ids by heart."""
    found = network(account)
    vpcs = account.ec2.describe_vpcs(VpcIds=[found.vpc_id])["Vpcs"]
    assert vpcs[0]["IsDefault"]
    assert len(found.subnet_ids) == 3


def test_only_subnets_that_lead_to_the_internet_are_taken(account: Account, vpc: str) -> None:
    """A task in a private one could not even pull its image."""
    public, private = subnet(account, vpc, 1), subnet(account, vpc, 2)
    gateway = account.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    account.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = account.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    account.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    account.ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    assert network(account, VpcId=vpc) == Network(vpc_id=vpc, subnet_ids=(public,))
    assert private not in network(account, VpcId=vpc).subnet_ids


def test_a_vpc_without_a_public_subnet_is_refused(account: Account, vpc: str) -> None:
    """Each wake would time out."""
    subnet(account, vpc, 3)
    with pytest.raises(DeployError, match=f"{vpc} has no public subnet.*--subnet"):
        network(account, VpcId=vpc)


def test_the_vpc_of_named_subnets_need_not_be_named(account: Account, vpc: str) -> None:
    """AWS knows it."""
    one, two = subnet(account, vpc, 4), subnet(account, vpc, 5)
    assert network(account, SubnetIds=f"{one},{two}") == Network(vpc_id=vpc, subnet_ids=(one, two))


def test_subnets_of_two_vpcs_are_refused(account: Account, vpc: str) -> None:
    """A service lives in one."""
    ours, other = network(account), subnet(account, vpc, 6)
    with pytest.raises(DeployError, match="all must be of one VPC"):
        network(account, SubnetIds=f"{ours.subnet_ids[0]},{other}")
    with pytest.raises(DeployError, match="all must be of one VPC"):
        network(account, SubnetIds=other, VpcId=ours.vpc_id)


def test_a_subnet_that_does_not_exist_is_told_in_the_words_of_aws(account: Account) -> None:
    """A slip of the finger, or the wrong region."""
    with pytest.raises(DeployError, match=r"AWS refused DescribeSubnets: .*subnet-0"):
        network(account, SubnetIds="subnet-0")


def test_a_region_without_a_default_vpc_says_what_helps(emulated: Emulated) -> None:
    """It is often the wrong region."""
    elsewhere = Account(region="eu-west-3")
    for vpc in elsewhere.ec2.describe_vpcs()["Vpcs"]:
        for one in elsewhere.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
            elsewhere.ec2.delete_subnet(SubnetId=one["SubnetId"])
        elsewhere.ec2.delete_vpc(VpcId=vpc["VpcId"])
    with pytest.raises(DeployError, match=r"eu-west-3 has no default VPC\. Is it the region that you mean\?"):
        network(elsewhere)


def test_an_empty_account_has_nothing(account: Account) -> None:
    """The first deploy makes everything."""
    facts = gather(account, stack=None, values=DEFAULTS)
    assert (facts.stack, facts.has_repository, facts.has_table, facts.names_owner) == (None, False, False, "")
    assert (facts.has_bucket, facts.bucket) == (False, "wakegate-123456789012-eu-central-1")
    assert read_stack(account, "no-such") is None


def test_what_is_there_is_seen(account: Account) -> None:
    """Repository, table and bucket of an earlier stack."""
    values = {**DEFAULTS, "Prefix": "kept-"}
    account.ecr.create_repository(repositoryName="kept-my-scaling-app")
    account.dynamodb.create_table(
        TableName="kept-session-table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "user", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "user", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    )
    facts = gather(account, stack=None, values=values)
    assert (facts.has_repository, facts.has_table, facts.table_key) == (True, True, "user+id")


def test_a_stack_is_read_with_its_parameters_and_outputs(account: Account, emulated: Emulated) -> None:
    """A later deploy begins where it is."""
    account.cloudformation.create_stack(StackName="read-me", TemplateBody=EMPTY)
    account.cloudformation.get_waiter("stack_create_complete").wait(StackName="read-me", WaiterConfig={"Delay": 0})
    found = read_stack(account, "read-me")
    assert found is not None
    assert (found.status, found.parameters, found.outputs) == (
        "CREATE_COMPLETE",
        {"A": "1"},
        {"Url": "https://a.example"},
    )


class Forbidden(BaseHTTPRequestHandler):
    """Answers as S3 does for a bucket of another account."""

    def do_HEAD(self) -> None:
        """Say that it is there, and not ours."""
        self.send_response(403)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@pytest.fixture
def squatted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let somebody else have every bucket."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Forbidden) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


def test_a_bucket_of_somebody_else_is_not_used(emulated: Emulated, squatted: None) -> None:
    """Names of buckets are the whole world's: code that a stranger may replace is never deployed."""
    with pytest.raises(DeployError, match=r"The bucket wakegate-123456789012-eu-central-1 .* is not this account's"):
        gather(Account(), stack=None, values=DEFAULTS)
