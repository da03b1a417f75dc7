"""The template of the package in an emulated account, deployed once a file: its tests look, plant, and put back."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.account.account import Account
from tests.account.sample.made import HELLO, network, parameters, until

from wakegate.aws.deploy.bundle import bundle
from wakegate.aws.deploy.template import template
from wakegate.aws.operate.ask import Asker
from wakegate.aws.operate.remote import WallClock
from wakegate.aws.operate.stack import Stack, find_stack

BUCKET = "code"
NAME = "shop"
REPOSITORY = "my-scaling-app"
KIND = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = {"size": 84_000_000, "digest": f"sha256:{'1' * 64}"}
MANIFEST = json.dumps({"schemaVersion": 2, "config": LAYER | {"size": 10}, "layers": [LAYER]})


def push(account: Account, tag: str = "v1") -> None:
    """Put an image into the repository of the stack."""
    account.client("ecr").put_image(
        repositoryName=REPOSITORY, imageManifest=MANIFEST, imageManifestMediaType=KIND, imageTag=tag
    )


def make(account: Account, **values: str) -> None:
    """Deploy the stack and push its image."""
    code = bundle()
    s3 = account.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": account.region})
    s3.put_object(Bucket=BUCKET, Key=code.key, Body=code.data)
    found = network(account)
    image = f"{account.id}.dkr.ecr.{account.region}.amazonaws.com/{REPOSITORY}:v1"
    given = {"VpcId": found["Vpc"], "SubnetIds": found["Subnets"], "CodeBucket": BUCKET, "CodeKey": code.key}
    stacks = account.client("cloudformation")
    name = f"change-{time.monotonic_ns()}"
    stacks.create_change_set(
        StackName=NAME,
        ChangeSetName=name,
        ChangeSetType="CREATE",
        TemplateBody=template(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=parameters({**given, "Image": image, "IdleTimeout": "60", **values}),
    )
    stacks.execute_change_set(StackName=NAME, ChangeSetName=name)
    until(lambda: not _status(account).endswith("_IN_PROGRESS"))
    assert _status(account) == "CREATE_COMPLETE"
    push(account)
    account.moto.call(lambda: _write_policies(account))


def _write_policies(account: Account) -> None:
    """Turn the policies that moto keeps as CloudFormation gave them into text, as IAM has them."""
    for role in account.moto.iam.roles.values():
        for name, document in role.policies.items():
            role.policies[name] = document if isinstance(document, str) else json.dumps(document)


def _status(account: Account) -> str:
    return str(account.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])


class Meanwhile(WallClock):
    """A clock whose first long sleep is used by somebody else."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens: Callable[[], object] | None = happens

    def sleep(self, seconds: float) -> None:
        """Let it happen instead of waiting."""
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        super().sleep(min(seconds, 1.0))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Yield an account that the SDK finds by the environment, as an operator's shell has it."""
    images = {"*": [sys.executable, HELLO, "{host}", "{port}"]}
    folder: Path = tmp_path_factory.mktemp("account")
    with Account(folder, images=images) as opened, pytest.MonkeyPatch.context() as patch:
        for name, value in opened.environ.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield opened


@pytest.fixture(scope="module")
def deployed(account: Account) -> Account:
    """Return the account with the stack in it."""
    make(account)
    return account


def visit(account: Account, path: str = "/") -> int:
    """Send a request through the front; return the status."""
    return httpx.get(account.api_url() + path, timeout=60).status_code


@pytest.fixture
def stack(deployed: Account) -> Iterator[Stack]:
    """Yield the stack as an operator opens it."""
    asker = Asker(region=deployed.region)
    yield find_stack(asker, NAME)
    asker.close()
