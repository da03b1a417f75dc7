"""clients: the real `Cloud`, made at import of a handler; all that is not needed at once is made at first use.

Region, credentials and endpoints come from the environment that Lambda gives; `AWS_ENDPOINT_URL` and
`AWS_ENDPOINT_URL_DYNAMODB` lead to an emulated account.
"""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wakegate.aws.cloud import Cloud, RefusedError
from wakegate.aws.dynamo import Credentials, DynamoClient
from wakegate.aws.ecs import EcsPlatform
from wakegate.aws.network import HttpNetwork
from wakegate.aws.settings import Settings
from wakegate.aws.table import DynamoTable
from wakegate.core.errors import ConfigError

_SUFFIX = {"cn": "amazonaws.com.cn"}  # by the first part of the region


class SystemClock:
    """See `cloud.Clock`."""

    def now(self) -> datetime:
        """See `cloud.Clock.now`."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """See `cloud.Clock.sleep`."""
        time.sleep(seconds)


def connect(environ: Mapping[str, str], *, settings: Settings) -> Cloud:
    """Return the cloud that the environment variables describe; nothing is called yet."""
    spec = settings.spec
    missing = [name for name in ("CLUSTER", "DYNAMODB_TABLE", "AWS_REGION") if not environ.get(name)]
    port = environ.get("CONTAINER_PORT", "80")
    problems = [f"{name}: not set; the template and Lambda set it" for name in missing]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        problems.append(f"CONTAINER_PORT: {port!r} found; a port, 1 to 65535, is expected")
    if problems:
        raise ConfigError(tuple(problems))
    clock = SystemClock()
    client = DynamoClient(
        endpoint(environ, "dynamodb"), region=environ["AWS_REGION"], credentials=lambda: credentials(environ)
    )
    return Cloud(
        clock=clock,
        table=DynamoTable(client, table=environ["DYNAMODB_TABLE"], service=spec.name, clock=clock),
        platform=EcsPlatform(
            cluster=environ["CLUSTER"],
            service=spec.name,
            port=int(port),
            rule=settings.rule_name,
            uses_public_ip=environ.get("PUBLIC_IP", "true").lower() == "true",
            clock=clock,
            client=_sdk_client,
        ),
        network=HttpNetwork(spec.name, probe=spec.wake.probe, probe_timeout_s=spec.wake.probe_timeout_s),
        log=_log,
    )


def endpoint(environ: Mapping[str, str], service: str) -> str:
    """Return the address of an AWS service in this region."""
    given = environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL")
    if given:
        return given
    region = environ["AWS_REGION"]
    return f"https://{service}.{region}.{_SUFFIX.get(region.partition('-')[0], 'amazonaws.com')}"


def credentials(environ: Mapping[str, str]) -> Credentials:
    """Return the role's credentials, as Lambda puts them into the environment."""
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not access or not secret:
        raise RefusedError("no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
    return Credentials(access, secret, environ.get("AWS_SESSION_TOKEN", ""))


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _sdk_client(name: str) -> Any:
    from wakegate.aws.sdk import make_client  # noqa: PLC0415  the SDK is not imported before it is needed

    return make_client(name)
