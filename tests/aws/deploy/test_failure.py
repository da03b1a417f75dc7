"""What AWS refuses is one sentence with its cause and what helps; the texts of AWS are those of its own services."""

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from wakegate.aws.deploy.failure import DeployError, code_of, say, told


def refusal(code: str, message: str = "", operation: str = "DescribeStacks") -> ClientError:
    """Return what boto3 raises when AWS refuses a call."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def said(error: ClientError | boto.BotoCoreError, region: str = "eu-central-1") -> str:
    """Return the sentence."""
    return say(error, region=region)


DENIED_BY_IAM = (
    "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: cloudformation:CreateChangeSet on "
    "resource: arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/* because no identity-based policy allows it"
)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_say_how_to_renew_them(code: str) -> None:
    """It happens every working day to whoever logs in by SSO."""
    assert said(refusal(code)).startswith('The AWS credentials have expired. Run "aws sso login"')


@pytest.mark.parametrize(
    "code", ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"]
)
def test_wrong_credentials_say_where_to_look(code: str) -> None:
    """Each service has its own name for it."""
    assert said(refusal(code)) == 'AWS does not know these credentials. Check "aws configure list", then again.'


def test_a_missing_permission_is_named_with_who_lacks_it() -> None:
    """It is what the administrator is asked for."""
    assert said(refusal("AccessDenied", DENIED_BY_IAM)) == (
        "arn:aws:iam::123456789012:user/ann may not cloudformation:CreateChangeSet. "
        "Have that action allowed, or use another AWS_PROFILE."
    )


def test_a_permission_that_aws_does_not_name_is_named_by_the_call() -> None:
    """EC2 and S3 say no more than that it is denied."""
    found = said(refusal("UnauthorizedOperation", "You are not authorized to perform this operation.", "DescribeVpcs"))
    assert found.startswith("This identity may not DescribeVpcs.")


def test_another_refusal_is_told_in_the_words_of_aws() -> None:
    """They are better than ours, as ours do not know the case."""
    error = refusal("ValidationError", "Parameters: [Image] must have values.")
    assert said(error) == "AWS refused DescribeStacks: Parameters: [Image] must have values."
    assert code_of(error) == "ValidationError"
    assert said(refusal("OptInRequired")).startswith("The region eu-central-1 is not enabled")
    assert said(refusal("Throttling")).startswith("AWS is asked too often just now (DescribeStacks)")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            boto.NoCredentialsError(),
            'No AWS credentials were found. Run "aws configure" or set AWS_PROFILE, then again.',
        ),
        (
            boto.ProfileNotFound(profile="x"),
            'The config profile (x) could not be found. See "aws configure list-profiles".',
        ),
        (
            boto.NoRegionError(),
            'No AWS region was given. Add --region, or set AWS_REGION, or run "aws configure", then again.',
        ),
        (boto.UnauthorizedSSOTokenError(), 'The AWS credentials have expired. Run "aws sso login"'),
        (boto.ReadTimeoutError(endpoint_url="u"), "AWS could not be asked: Read timeout on endpoint URL"),
    ],
)
def test_what_goes_wrong_on_the_way_is_said_as_well(error: boto.BotoCoreError, sentence: str) -> None:
    """Most first tries end here."""
    assert said(error).startswith(sentence)


def test_a_region_that_does_not_exist_is_told_which_was_meant() -> None:
    """boto3 says that it could not connect to an endpoint."""
    error = boto.EndpointConnectionError(endpoint_url="https://sts.eu-centrall-1.amazonaws.com/")
    assert said(error, "eu-centrall-1") == 'There is no AWS region "eu-centrall-1". Did you mean --region eu-central-1?'
    assert said(error, "moon") == 'There is no AWS region "moon". See "aws ec2 describe-regions --output table".'
    assert said(error) == "AWS could not be reached in eu-central-1. Check the network, then again."


def test_only_failures_of_aws_are_translated() -> None:
    """A bug of ours must stay one."""
    with pytest.raises(DeployError, match="have expired") as caught, told("eu-central-1"):
        raise refusal("ExpiredToken")
    assert isinstance(caught.value.__cause__, ClientError)
    with pytest.raises(KeyError), told("eu-central-1"):
        raise KeyError("bug")
