"""The small DynamoDB client: its signature is the SDK's own, and a connection closed meanwhile is no failure."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials
from hypothesis import given
from hypothesis import strategies as st
from tests.aws.conftest import CREDENTIALS, REGION, Dynamo, Faults, eventually

from wakegate.aws.call import CallError
from wakegate.aws.dynamo import Credentials, DynamoClient, signed

HOST = "dynamodb.eu-central-1.amazonaws.com"
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+=", min_size=1, max_size=40)


@given(body=st.binary(max_size=200), access=WORDS, secret=WORDS, token=st.just("") | WORDS)
def test_the_signature_is_the_one_that_the_sdk_makes(body: bytes, access: str, secret: str, token: str) -> None:
    """AWS takes one and only one: a difference anywhere is a system that never works."""
    headers = {"host": HOST, "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.GetItem"}
    request = AWSRequest("POST", f"https://{HOST}/", headers=headers, data=body)
    SigV4Auth(SdkCredentials(access, secret, token or None), "dynamodb", REGION).add_auth(request)
    now = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signed(headers, body=body, region=REGION, credentials=Credentials(access, secret, token), now=now)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours.get("x-amz-security-token", "") == token


def test_the_connection_is_kept(faults: Faults, dynamo: Dynamo) -> None:
    """A TLS handshake takes longer than the call."""
    client = dynamo(faults.url)
    for _ in range(3):
        client.call("ListTables", {})
    assert faults.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(faults: Faults, dynamo: Dynamo) -> None:
    """An environment is frozen between two requests, for longer than DynamoDB keeps a connection."""
    client = dynamo(faults.url)
    faults.next = ["hangup"]
    client.call("ListTables", {})
    eventually(lambda: faults.ended == 1, what="the server has closed the connection")
    client.call("ListTables", {})
    assert (faults.connections, len(faults.seen)) == (2, 2)


@pytest.mark.parametrize("fault", ["lost", "late", "cut", "page"])
def test_after_a_failure_the_next_call_has_a_connection_of_its_own(faults: Faults, dynamo: Dynamo, fault: str) -> None:
    """What is left of an answer must never be read as the next one."""
    client = dynamo(faults.url, read_timeout_s=1 if fault == "late" else 10)
    faults.next = [fault]
    with pytest.raises(CallError) as caught:
        client.call("ListTables", {})
    assert (caught.value.may_pass, caught.value.did_nothing) == (True, False)
    assert "TableNames" in client.call("ListTables", {})


def test_nothing_was_sent_where_nobody_listens(faults: Faults, dynamo: Dynamo) -> None:
    """So that even a write may be repeated without a doubt."""
    faults.close()
    with pytest.raises(CallError, match="cannot be reached") as caught:
        dynamo(faults.url).call("ListTables", {})
    assert caught.value.did_nothing


def test_an_error_says_its_code_and_words(moto_url: str, dynamo: Dynamo) -> None:
    """What the operator reads in the log."""
    with pytest.raises(CallError, match=r"^ResourceNotFoundException: .+") as caught:
        dynamo(moto_url).call("GetItem", {"TableName": "none", "Key": {"uuid": {"S": "a"}}})
    assert not caught.value.may_pass


def test_credentials_are_asked_for_at_every_call(moto_url: str) -> None:
    """Those of a role are rotated."""
    asked: list[int] = []

    def credentials() -> Credentials:
        asked.append(1)
        return CREDENTIALS

    client = DynamoClient(moto_url, region=REGION, credentials=credentials)
    client.call("ListTables", {})
    client.call("ListTables", {})
    client.close()
    assert len(asked) == 2
