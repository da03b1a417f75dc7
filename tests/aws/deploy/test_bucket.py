"""The bucket of the functions' code: closed to all others, and written to only when the code is new."""

import pytest
from tests.account.account import Account as Emulated

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.bucket import make_bucket, upload
from wakegate.aws.deploy.bundle import Bundle
from wakegate.aws.deploy.failure import DeployError

CODE = Bundle(key="wakegate-1.zip", data=b"code")


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_it_is_made_closed(region: str, emulated: Emulated) -> None:
    """Whoever could write to it would run code in the account. (us-east-1 refuses to be named.)"""
    account = Account(region=region)
    make_bucket(account, f"bucket-{region}")
    found = account.s3.get_public_access_block(Bucket=f"bucket-{region}")["PublicAccessBlockConfiguration"]
    assert set(found.values()) == {True}


def test_the_same_code_is_put_there_once(account: Account) -> None:
    """A deploy without a change uploads nothing."""
    make_bucket(account, "bucket-of-code")
    assert upload(account, "bucket-of-code", CODE)
    assert not upload(account, "bucket-of-code", CODE)
    assert account.s3.get_object(Bucket="bucket-of-code", Key=CODE.key)["Body"].read() == b"code"


def test_a_bucket_that_has_gone_is_said(account: Account) -> None:
    """Somebody deleted it between the plan and the upload."""
    with pytest.raises(DeployError, match="AWS refused PutObject"):
        upload(account, "bucket-that-has-gone", CODE)


def test_two_first_deployments_may_both_want_to_make_it(account: Account) -> None:
    """The slower one finds that it is there and ours, which is what it wanted."""
    make_bucket(account, "bucket-of-two")
    make_bucket(account, "bucket-of-two")
    assert upload(account, "bucket-of-two", CODE)
