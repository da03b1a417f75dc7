"""Which account and region, and the clients for it; nothing in it is asked before it is needed."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from boto3 import Session
from botocore.config import Config

from wakegate.aws.deploy.failure import NO_REGION, DeployError, told

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecr import ECRClient

# AWS throttles whoever polls a stack: the standard retries wait with jitter, and a person watches.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=30)


class Account:
    """An account in one region, as `profile` or the environment names it."""

    def __init__(self, *, profile: str | None = None, region: str | None = None) -> None:
        region = region or os.environ.get("AWS_REGION")  # boto3 knows AWS_DEFAULT_REGION only, everything else both
        with told(region or ""):
            self._session = Session(profile_name=profile, region_name=region)
        if not self._session.region_name:
            raise DeployError(NO_REGION)
        self.region: str = self._session.region_name

    @cached_property
    def id(self) -> str:
        """Return the account's number; the first question that needs credentials."""
        with told(self.region):
            return self._session.client("sts", config=CONFIG).get_caller_identity()["Account"]

    @property
    def dns_suffix(self) -> str:
        """Return what host names of AWS end in there: "amazonaws.com"."""
        return "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"

    @property
    def partition(self) -> str:
        """Return what its ARNs begin with: "aws"."""
        return self._session.get_partition_for_region(self.region)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Stacks."""
        return self._session.client("cloudformation", config=CONFIG)

    @cached_property
    def ec2(self) -> "EC2Client":
        """Networks."""
        return self._session.client("ec2", config=CONFIG)

    @cached_property
    def ecr(self) -> "ECRClient":
        """Images."""
        return self._session.client("ecr", config=CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Tables."""
        return self._session.client("dynamodb", config=CONFIG)

    @cached_property
    def s3(self) -> Any:
        """Buckets."""
        return self._session.client("s3", config=CONFIG)
