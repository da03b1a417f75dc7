"""The bucket that CloudFormation takes the functions' code from: one for an account and region, whatever the stack."""

from botocore.exceptions import ClientError

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.bundle import Bundle
from wakegate.aws.deploy.facts import MISSING_BUCKET
from wakegate.aws.deploy.failure import code_of, told

WITHOUT_CONSTRAINT = "us-east-1"  # the one region that a bucket must not name


def make_bucket(account: Account, name: str) -> None:
    """Make the bucket, closed to everybody else."""
    place = {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    with told(account.region):
        try:
            account.s3.create_bucket(Bucket=name, **({} if account.region == WITHOUT_CONSTRAINT else place))
        except ClientError as error:
            if code_of(error) != "BucketAlreadyOwnedByYou":  # another first deployment was faster
                raise
        account.s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )


def upload(account: Account, bucket: str, code: Bundle) -> bool:
    """Put the code there, and say whether it was not there yet: its key is that of its content."""
    place = {"Bucket": bucket, "Key": code.key, "ExpectedBucketOwner": account.id}
    with told(account.region):
        try:
            account.s3.head_object(**place)
        except ClientError as error:
            if code_of(error) not in (*MISSING_BUCKET, "NoSuchKey"):
                raise
        else:
            return False
        account.s3.put_object(**place, Body=code.data)
    return True
