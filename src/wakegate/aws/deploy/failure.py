"""What AWS refuses, as one sentence: the cause, and the command that helps."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from boto3 import Session
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from wakegate.core.errors import WakegateError

LOGIN = 'Run "aws sso login" or renew them where you got them, then again.'
NO_CREDENTIALS = 'No AWS credentials were found. Run "aws configure" or set AWS_PROFILE, then again.'
NO_REGION = 'No AWS region was given. Add --region, or set AWS_REGION, or run "aws configure", then again.'

EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"))
UNKNOWN_KEY = frozenset(
    (
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
        "AuthFailure", "InvalidAccessKeyId", "IncompleteSignature", "MissingAuthenticationToken",
    )
)  # fmt: skip
DENIED = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedException",
        "AllAccessDisabled",
        "403",
    )
)
THROTTLED = frozenset(("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"))
NOT_ENABLED = frozenset(("OptInRequired", "SubscriptionRequiredException", "RegionDisabledException"))


NOT_AWS = "What answered is not AWS; is there a proxy between? See HTTPS_PROXY."


class DeployError(WakegateError):
    """The account, the image or the stack is not as a deployment needs it."""


@contextmanager
def told(region: str) -> Iterator[None]:
    """Raise what AWS or the way to it refuses as a `DeployError`."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise DeployError(say(error, region=region)) from error
    except (ResponseParserError, KeyError) as error:
        if not is_unreadable(error):
            raise
        raise DeployError(NOT_AWS) from error


def is_unreadable(error: Exception) -> bool:
    """Say whether botocore could not read an answer; of HTML that is well-formed it raises the key that it lacks."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    is_of_parser = trace is not None and trace.tb_frame.f_globals["__name__"] == "botocore.parsers"
    return isinstance(error, ResponseParserError) or is_of_parser


def code_of(error: ClientError) -> str:
    """Return AWS's own short name of a failure."""
    return error.response.get("Error", {}).get("Code", "")


def say(error: BotoCoreError | ClientError, *, region: str) -> str:
    """Say a failure as one sentence."""
    return _said_by_aws(error, region=region) if isinstance(error, ClientError) else _said_on_the_way(error, region)


def _said_by_aws(error: ClientError, *, region: str) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "").strip().rstrip(".")
    if code in EXPIRED:
        return f"The AWS credentials have expired. {LOGIN}"
    if code in UNKNOWN_KEY:
        return 'AWS does not know these credentials. Check "aws configure list", then again.'
    if code in DENIED:
        return _denied(error, message)
    if code in THROTTLED:
        return f"AWS is asked too often just now ({error.operation_name}). Try again in a minute."
    if code in NOT_ENABLED:
        return f"The region {region} is not enabled for this account. Enable it in the console, or add --region."
    return f"AWS refused {error.operation_name}: {message or code}."


def _denied(error: ClientError, message: str) -> str:
    """Name the action that is missing; AWS itself says it in most of its messages."""
    action = re.search(r"perform:? (\S+:\w+)", message)
    who = re.search(r"(arn:aws[\w-]*:(?:iam|sts)::\S+)", message)
    name = action[1] if action else error.operation_name
    return f"{who[1] if who else 'This identity'} may not {name}. Have that action allowed, or use another AWS_PROFILE."


def _said_on_the_way(error: BotoCoreError, region: str) -> str:
    match error:
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return NO_CREDENTIALS
        case boto.ProfileNotFound():
            return f'{str(error).rstrip(".")}. See "aws configure list-profiles".'
        case boto.NoRegionError():
            return NO_REGION
        case boto.TokenRetrievalError() | boto.UnauthorizedSSOTokenError() | boto.SSOTokenLoadError():
            return f"The AWS credentials have expired. {LOGIN}"
        case boto.InvalidRegionError() | boto.EndpointConnectionError() | boto.ConnectTimeoutError():
            return _unreachable(region)
        case _:
            return f"AWS could not be asked: {' '.join(str(error).split()).rstrip('.')}."


def _unreachable(region: str) -> str:
    session = Session()
    known = [name for part in session.get_available_partitions() for name in session.get_available_regions("ec2", part)]
    if region in known:
        return f"AWS could not be reached in {region}. Check the network, then again."
    close = get_close_matches(region, known, n=1)
    hint = f"Did you mean --region {close[0]}?" if close else 'See "aws ec2 describe-regions --output table".'
    return f'There is no AWS region "{region}". {hint}'
