"""moto's backends and its WSGI application, touched by one thread only: nothing in moto is locked."""

import io
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import unquote

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands of images, made anew at each reset

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.events.models import events_backends
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.logs.models import logs_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from tests.account.wire import Request, Response

ACCOUNT_ID = "123456789012"
AWS_POLICIES = (  # those of AWS's own that a role of ours may have; moto has 1,600, and takes a second to make them
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AmazonECSTaskExecutionRolePolicy",
    "AdministratorAccess",
)
T = TypeVar("T")


class Backends:
    """What moto keeps of one region; to be used on its thread."""

    def __init__(self, region: str) -> None:
        self.region = region

    @property
    def functions(self) -> Any:
        """Lambda."""
        return lambda_backends[ACCOUNT_ID][self.region]

    @property
    def apis(self) -> Any:
        """API Gateway's HTTP APIs."""
        return apigatewayv2_backends[ACCOUNT_ID][self.region]

    @property
    def ecs(self) -> Any:
        """Clusters, services and task definitions."""
        return ecs_backends[ACCOUNT_ID][self.region]

    @property
    def ec2(self) -> Any:
        """Networks."""
        return ec2_backends[ACCOUNT_ID][self.region]

    @property
    def ecr(self) -> Any:
        """Images."""
        return ecr_backends[ACCOUNT_ID][self.region]

    @property
    def events(self) -> Any:
        """EventBridge."""
        return events_backends[ACCOUNT_ID][self.region]

    @property
    def logs(self) -> Any:
        """CloudWatch Logs."""
        return logs_backends[ACCOUNT_ID][self.region]

    @property
    def iam(self) -> Any:
        """Roles and policies."""
        return iam_backends[ACCOUNT_ID]["aws"]

    @property
    def stacks(self) -> Any:
        """CloudFormation."""
        return cloudformation_backends[ACCOUNT_ID][self.region]

    def item(self, given: dict[str, Any]) -> bytes | None:
        """Answer a GetItem of a whole item, without moto's 3 ms for it; None where moto shall answer."""
        backend = dynamodb_backends[ACCOUNT_ID][self.region]
        table = backend.tables.get(given["TableName"])
        extras = set(given) - {"TableName", "Key", "ConsistentRead"}
        if table is None or extras or set(given["Key"]) != set(table.table_key_attrs):
            return None
        found = backend.get_item(given["TableName"], given["Key"])
        return json.dumps(found.describe_attrs() if found else {}, default=lambda one: one.to_json()).encode()

    @property
    def scaling(self) -> Any:
        """Application Auto Scaling."""
        return applicationautoscaling_backends[ACCOUNT_ID][self.region]


class Moto(Backends):
    """moto's API of one region, and the thread that all of moto runs on."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="moto")
        self._app = DomainDispatcherApplication(create_backend_app)

    def reset(self) -> None:
        """Forget everything."""
        self.call(self._reset)

    def _reset(self) -> None:
        moto_api_backend.reset()
        for name in AWS_POLICIES:
            policy = AWSManagedPolicy.from_data(name, ACCOUNT_ID, self.region, _aws_policies()[name])
            self.iam.managed_policies[policy.arn] = policy
        self._lead_to_the_internet()

    def _lead_to_the_internet(self) -> None:
        """Give the default VPC the gateway that one of AWS has from the beginning."""
        (vpc,) = self.ec2.describe_vpcs()
        gateway = self.ec2.create_internet_gateway()
        self.ec2.attach_internet_gateway(gateway.id, vpc.id)
        (table,) = self.ec2.describe_route_tables(filters={"vpc-id": [vpc.id]})
        self.ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)

    def stop(self) -> None:
        """End the thread."""
        self.thread.shutdown()

    def call(self, function: Callable[..., T], *arguments: Any, **more: Any) -> T:
        """Run a function on moto's thread and wait for it; not from the event loop."""
        return self.thread.submit(partial(function, *arguments, **more)).result()

    def answer(self, request: Request) -> Response:
        """Answer an API call; on moto's thread."""
        environ = _environ(request)
        head: list[Any] = []
        body = self._app(environ, lambda status, headers, *_: head.extend((status, headers)))
        data = b"".join(body)
        headers = [(name, value) for name, value in head[1] if name.lower() not in ("content-length", "connection")]
        return Response(status=int(head[0].split(" ")[0]), headers=headers, body=data)


@lru_cache
def _aws_policies() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def _environ(request: Request) -> dict[str, Any]:
    host = request.header("host", "127.0.0.1")
    name, _, port = host.partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, "latin-1"),
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.target,
        "RAW_URI": request.target,
        "REMOTE_ADDR": request.peer,
        "SERVER_NAME": name,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for key, value in request.headers:
        upper = key.upper().replace("-", "_")
        if upper == "CONTENT_TYPE":
            environ["CONTENT_TYPE"] = value
        elif upper not in ("CONTENT_LENGTH", "TRANSFER_ENCODING", "EXPECT"):
            environ[f"HTTP_{upper}"] = value
    return environ
