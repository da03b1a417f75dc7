"""The real cloud: what the environment variables make of it, and what it must not load before it is needed."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.aws.conftest import CREDENTIALS, REGION, make_table

from wakegate.aws.clients import SystemClock, connect, credentials, endpoint
from wakegate.aws.cloud import Cloud, RefusedError
from wakegate.aws.dynamo import Credentials, DynamoClient
from wakegate.aws.settings import read
from wakegate.aws.table import DynamoTable
from wakegate.core.errors import ConfigError

ENVIRON = {
    "CLUSTER": "my-scaling-cluster",
    "SERVICE_NAME": "my-scaling-service",
    "CONTAINER_PORT": "80",
    "DYNAMODB_TABLE": "session-table",
    "SCALE_UP_TIMEOUT": "180",
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
    "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
}
LOADS = """
import os, sys
from wakegate.aws.clients import connect
from wakegate.aws.settings import read
from wakegate.aws.table import DynamoTable
import wakegate.aws.startup
connect(os.environ, settings=read(os.environ))
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"boto3", "botocore", "urllib3", "asyncio"}))
"""


def cloud(**changes: str) -> Cloud:
    """Return the cloud of the environment with these changes."""
    environ = ENVIRON | changes
    return connect(environ, settings=read(environ))


def test_a_cold_start_loads_no_sdk() -> None:
    """Its import and its clients are three quarters of the time that the hand-written functions take to load."""
    done = subprocess.run(
        [sys.executable, "-c", LOADS],
        env=ENVIRON | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\n"


def test_every_missing_variable_is_named_at_once() -> None:
    """One deployment mends them all."""
    with pytest.raises(ConfigError) as caught:
        cloud(CLUSTER="", AWS_REGION="", CONTAINER_PORT="eighty")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "CLUSTER",
        "AWS_REGION",
        "CONTAINER_PORT",
    ]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "٣", ""])
def test_a_port_that_is_none_is_said_to_be(port: str) -> None:
    """Before a wake is spent on it."""
    with pytest.raises(ConfigError, match="CONTAINER_PORT"):
        cloud(CONTAINER_PORT=port)


def test_the_table_is_reached_where_the_environment_says(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulated account is the account, with nothing translated in between."""
    client = DynamoClient(moto_url, region=REGION, credentials=lambda: CREDENTIALS)
    name = make_table(client)
    client.close()
    made = cloud(AWS_ENDPOINT_URL=moto_url, DYNAMODB_TABLE=name, CLUSTER="cluster-of-nobody")
    assert isinstance(made.table, DynamoTable)
    assert made.table.touch(datetime.now(UTC)) is None
    for variable, value in (ENVIRON | {"AWS_ENDPOINT_URL": moto_url}).items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(RefusedError, match="ClusterNotFoundException"):
        made.platform.look()
    assert not made.network.connects("127.0.0.1:1")
    made.table.close()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "https://dynamodb.eu-central-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}, "http://127.0.0.1:5000"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"},
            "http://127.0.0.1:8000",
        ),
    ],
)
def test_the_endpoint_is_the_regions_or_the_one_that_is_given(environ: dict[str, str], expected: str) -> None:
    """The variables are the SDK's own: who knows them there is not surprised here."""
    assert endpoint(ENVIRON | environ, "dynamodb") == expected


def test_credentials_are_those_of_the_role() -> None:
    """With its token, without which AWS knows no temporary key."""
    found = credentials(ENVIRON | {"AWS_SESSION_TOKEN": "token"})
    assert found == Credentials(CREDENTIALS.access_key, CREDENTIALS.secret_key, "token")
    with pytest.raises(RefusedError, match="AWS_SECRET_ACCESS_KEY"):
        credentials({"AWS_ACCESS_KEY_ID": "only half"})


def test_the_clock_tells_utc_and_waits() -> None:
    """The one clock that machines share."""
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.001)
    assert before.tzinfo is UTC
    assert clock.now() > before
