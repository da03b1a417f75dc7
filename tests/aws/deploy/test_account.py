"""Which account and region: found as the AWS command line finds them, and said where they are missing."""

import pytest
from tests.account.account import Account as Emulated

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.failure import NO_CREDENTIALS, NO_REGION, DeployError


def test_it_says_whose_account_it_is(account: Account) -> None:
    """It is the first thing that is shown."""
    assert (account.id, account.region, account.partition) == ("123456789012", "eu-central-1", "aws")


def test_host_names_end_as_they_do_there(emulated: Emulated) -> None:
    """China has a suffix of its own, and so has its registry."""
    assert Account(region="eu-west-1").dns_suffix == "amazonaws.com"
    assert Account(region="cn-north-1").dns_suffix == "amazonaws.com.cn"


def test_without_a_region_it_says_how_to_give_one(emulated: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh machine has none."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    with pytest.raises(DeployError) as caught:
        Account()
    assert str(caught.value) == NO_REGION


def test_the_region_is_found_as_everything_else_in_aws_finds_it(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK for Python alone knows no AWS_REGION: we tell people to set it, and it says where a stack is made."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Account().region == "eu-west-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert Account().region == "eu-west-1"
    assert Account(region="us-east-1").region == "us-east-1"


def test_a_profile_that_does_not_exist_is_said(emulated: Emulated) -> None:
    """A misspelt name must not end in the default account."""
    with pytest.raises(DeployError, match=r"The config profile \(shop\) could not be found"):
        Account(profile="shop")


def test_without_credentials_it_says_how_to_get_some(emulated: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is where everybody begins."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(DeployError) as caught:
        _ = Account().id
    assert str(caught.value) == NO_CREDENTIALS
