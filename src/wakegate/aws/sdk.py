"""sdk: clients of the AWS SDK, and its errors as `CallError`; imported when a wake or a tick needs it, not before."""

import os
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from wakegate.aws.call import CallError

Answer = dict[str, Any]

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 2.0, 5.0

_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_LOST = (HTTPClientError, IncompleteReadError, ResponseParserError, SSLError)  # the last: mostly in the handshake


def make_client(name: str) -> Any:
    """Return a client of the region and endpoints that the environment says, without retries of its own."""
    config = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries={"total_max_attempts": 1})
    session = botocore.session.get_session()
    return session.create_client(name, region_name=os.environ.get("AWS_REGION"), config=config)


def translated(operation: Callable[[], Answer], *, has: str = "") -> Answer:
    """Return what the operation returns; what the SDK raises, raise as `CallError`.

    So is an answer without the member that it must have: of one that was cut short the SDK makes an empty one.
    """
    try:
        answer = operation()
    except ClientError as error:
        said = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise CallError(said.get("Message", ""), code=said.get("Code", "Unknown"), status=status) from error
    except _NOT_SENT as error:
        raise CallError(str(error), is_sent=False) from error
    except _LOST as error:
        raise CallError(str(error)) from error
    except BotoCoreError as error:
        raise CallError(str(error), code=type(error).__name__, is_sent=False) from error  # no credentials, no region
    if has and has not in answer:
        raise CallError(f"its answer has no {has}")
    return answer
