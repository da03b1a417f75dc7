"""HTTP in front of the functions: HTTP APIs with their stages, routes and limits, and Function URLs."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.account import payload
from tests.account.functions import ForbiddenError, Functions, GoneError, ThrottledError, TooLargeError
from tests.account.iam import allows
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.wire import Request, Response, port_of, serve

API_BODY_BYTES_MAX = 10 * 1024 * 1024
URL_BODY_BYTES_MAX = 6 * 1024 * 1024
INTEGRATION_TIMEOUT_S = 30.0


@dataclass
class Bucket:
    """Requests a second, and how many at once after a pause."""

    rate: float
    burst: float
    tokens: float = 0.0
    at_s: float = 0.0

    def take(self) -> bool:
        """Take one, if there is one."""
        now_s = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now_s - self.at_s) * self.rate) if self.at_s else self.burst
        self.at_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Front:
    """A server for each API and each Function URL, made when its address is first asked for."""

    def __init__(self, moto: Moto, functions: Functions) -> None:
        self._moto, self._functions = moto, functions
        self._ports: dict[str, int] = {}
        self._servers: list[asyncio.Server] = []
        self._buckets: dict[str, Bucket] = {}
        self._running: set[asyncio.Task[Any]] = set()

    async def api_port(self, api_id: str) -> int:
        """Return where an API is served."""
        handler = partial(self._api, api_id)
        return await self._port(api_id, handler, API_BODY_BYTES_MAX, b'{"message":"Request Entity Too Large"}')

    async def url_port(self, function: str) -> int:
        """Return where the Function URL of a function is served."""
        handler = partial(self._url, function)
        return await self._port(
            f"url:{function}", handler, URL_BODY_BYTES_MAX, b'{"Message":"Request Entity Too Large"}'
        )

    async def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _port(self, key: str, handler: Any, body_bytes_max: int, refused: bytes) -> int:
        if key not in self._ports:
            server = await serve(handler, body_bytes_max=body_bytes_max, refused=refused)
            self._servers.append(server)
            self._ports[key] = port_of(server)
        return self._ports[key]

    async def _api(self, api_id: str, request: Request) -> Response:
        """Answer for an API: stage -> CORS -> throttle -> route -> authorize -> invoke."""
        api = self._moto.apis.apis.get(api_id)
        stage, path = _stage(api, request.path) if api is not None else (None, "")
        if stage is None:
            return payload.message(404, "Not Found")
        cors = _cors(api.cors_configuration, request)
        is_preflight = request.method == "OPTIONS" and request.header("access-control-request-method")
        if cors and is_preflight and _route(api, "OPTIONS", payload.decoded(path))[0] is None:
            return Response(status=204, headers=list(cors.items()))
        if not self._admits(api_id, stage):
            response = payload.message(429, "Too Many Requests")
        else:
            response = await self._routed(api, stage, path, request)
        if api.cors_configuration:
            kept = [(name, value) for name, value in response.headers if not name.lower().startswith("access-control-")]
            response.headers = [*kept, *cors.items()]
        return response

    async def _routed(self, api: Any, stage: Any, path: str, request: Request) -> Response:
        route, parameters = _route(api, request.method, payload.decoded(path))
        if route is None:
            return payload.message(404, "Not Found")
        refusal = _authorize(route, request)
        if refusal:
            return refusal
        integration = api.integrations.get(str(route.target).rpartition("/")[2])
        function = _function_name(integration.integration_uri) if integration is not None else None
        if function is None:
            return payload.message(500, "Internal Server Error")
        prefix = "" if stage.name == "$default" else f"/{stage.name}"
        event = payload.event(
            request,
            domain=f"{api.api_id}.execute-api.{self._moto.region}.amazonaws.com",
            api_id=api.api_id,
            stage=stage.name,
            route_key=route.route_key,
            path=prefix + payload.decoded(path),
            parameters=parameters,
        )
        if stage.stage_variables:
            event["stageVariables"] = stage.stage_variables
        source = f"arn:aws:execute-api:{self._moto.region}:{ACCOUNT_ID}:{api.api_id}/{stage.name}/*{_source(route)}"
        if not self._may_invoke(function, "apigateway.amazonaws.com", source):
            return payload.message(500, "Internal Server Error")
        timeout_s = min(float(integration.timeout_in_millis or 30_000) / 1000, INTEGRATION_TIMEOUT_S)
        return await self._invoked(function, event, timeout_s)

    async def _invoked(self, function: str, event: dict[str, Any], timeout_s: float) -> Response:
        """Invoke, and go away when it takes too long: the function runs on."""
        invocation = asyncio.create_task(self._functions.invoke(function, json.dumps(event).encode()))
        self._running.add(invocation)
        invocation.add_done_callback(self._running.discard)
        try:
            outcome = await asyncio.wait_for(asyncio.shield(invocation), timeout_s)
        except (TimeoutError, ThrottledError):
            return payload.message(503, "Service Unavailable")
        except TooLargeError:
            return payload.message(413, "Request Entity Too Large")
        except (ForbiddenError, GoneError):
            return payload.message(500, "Internal Server Error")
        if outcome.error:
            return payload.message(500, "Internal Server Error")
        try:
            return payload.response(outcome.payload, request_id=event["requestContext"]["requestId"])
        except payload.MalformedError:
            return payload.message(500, "Internal Server Error")

    async def _url(self, name: str, request: Request) -> Response:
        """Answer for a Function URL: it waits as long as the function may run."""
        function = self._moto.functions.get_function(name)
        config = function.url_config
        if config is None or (config.config["AuthType"] != "NONE" and "authorization" not in _names(request)):
            return Response(status=403, headers=[("Content-Type", "application/json")], body=b'{"Message":"Forbidden"}')
        statements = function.policy.statements
        context = {"lambda:FunctionUrlAuthType": [config.config["AuthType"]], "lambda:InvokedViaFunctionUrl": ["true"]}
        public = [one for one in statements if one["Principal"] in ("*", {"AWS": "*"}, ACCOUNT_ID)]
        needed = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")  # both, since October 2025
        if not all(allows(public, action, function.function_arn, context) for action in needed):
            return Response(status=403, headers=[("Content-Type", "application/json")], body=b'{"Message":"Forbidden"}')
        domain = str(config.url).removeprefix("https://").rstrip("/")
        event = payload.event(
            request,
            domain=domain,
            api_id=domain.partition(".")[0],
            stage="$default",
            route_key="$default",
            path=request.path,
            parameters={},
        )
        try:
            outcome = await self._functions.invoke(name, json.dumps(event).encode())
            if not outcome.error:
                return payload.response(outcome.payload)
        except ThrottledError:
            return Response(
                status=429, headers=[("Content-Type", "application/json")], body=b'{"Message":"Rate Exceeded."}'
            )
        except TooLargeError:
            return Response(status=413, headers=[("Content-Type", "application/json")], body=b'{"Message":null}')
        except (ForbiddenError, GoneError, payload.MalformedError):
            pass
        return Response(status=502, headers=[("Content-Type", "application/json")], body=b'"Internal Server Error"')

    def _admits(self, api_id: str, stage: Any) -> bool:
        settings = stage.default_route_settings or {}
        rate, burst = settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
        if rate is None and burst is None:
            return True
        wanted = (float(rate or 10_000), float(burst or 5_000))
        bucket = self._buckets.get(api_id)
        if bucket is None or (bucket.rate, bucket.burst) != wanted:
            bucket = self._buckets[api_id] = Bucket(*wanted)
        return bucket.take()

    def _may_invoke(self, function: str, principal: str, source: str) -> bool:
        return may_invoke(self._moto, function, principal, source)


def may_invoke(moto: Moto, function: str, principal: str, source: str) -> bool:
    """Say whether the function's own policy lets a service invoke it on behalf of a resource."""
    found = next((one for one in moto.functions.list_functions() if one.function_name == function), None)
    if found is None:
        return False
    statements = [one for one in found.policy.statements if _names_service(one.get("Principal"), principal)]
    context = {"aws:SourceArn": [source], "aws:SourceAccount": [ACCOUNT_ID]}
    return allows(statements, "lambda:InvokeFunction", found.function_arn, context)


def _names_service(principal: Any, service: str) -> bool:
    named = principal.get("Service") if isinstance(principal, dict) else principal
    return service in (named if isinstance(named, list) else [named])


def _names(request: Request) -> set[str]:
    return {name.lower() for name, _ in request.headers}


def _stage(api: Any, path: str) -> tuple[Any, str]:
    """Return the stage and the path without it: a named stage is the first part, $default has none."""
    first, slash, rest = path.removeprefix("/").partition("/")
    if first in api.stages and first != "$default":
        return api.stages[first], slash + rest
    return api.stages.get("$default"), path


def _route(api: Any, method: str, path: str) -> tuple[Any, dict[str, str]]:
    """Return the most specific route: without a greedy parameter first, then by its method, then $default."""
    found: list[tuple[tuple[bool, bool, int], Any, dict[str, str]]] = []
    for route in api.routes.values():
        verb, _, template = route.route_key.partition(" ")
        if route.route_key == "$default" or verb not in ("ANY", method):
            continue
        pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(template))
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
        match = re.fullmatch(pattern, path or "/")
        if match:
            rank = ("+}" in template, verb == "ANY", -len(template))
            found.append((rank, route, match.groupdict()))
    if found:
        _, route, parameters = min(found, key=lambda one: one[0])
        return route, parameters
    return next((one for one in api.routes.values() if one.route_key == "$default"), None), {}


def _source(route: Any) -> str:
    _, _, template = route.route_key.partition(" ")
    return str(template) if template else "/$default"


def _authorize(route: Any, request: Request) -> Response | None:
    """Refuse who brings nothing; that a token or signature is right is not checked here."""
    token = request.header("authorization")
    if route.authorization_type == "AWS_IAM" and not token.startswith("AWS4-HMAC-SHA256"):
        return payload.message(403, "Forbidden")
    if route.authorization_type in ("JWT", "CUSTOM") and not token:
        return payload.message(401, "Unauthorized")
    return None


def _function_name(uri: str) -> str | None:
    """Return the function of an integration, which names it by its ARN or by the path of its invocations."""
    match = re.search(r":function:([^:/]+)", str(uri))
    return match[1] if match else None


def _cors(config: dict[str, Any] | None, request: Request) -> dict[str, str]:
    """Return the headers that API Gateway sets itself where CORS is configured."""
    origin = request.header("origin")
    origins = (config or {}).get("allowOrigins") or []
    if not config or not origin or not ("*" in origins or origin in origins):
        return {}
    is_credentialed = str(config.get("allowCredentials")).lower() == "true"
    found = {"Access-Control-Allow-Origin": "*" if "*" in origins and not is_credentialed else origin}
    if is_credentialed:
        found["Access-Control-Allow-Credentials"] = "true"
    lists = (
        ("allowMethods", "Access-Control-Allow-Methods", "OPTIONS"),
        ("allowHeaders", "Access-Control-Allow-Headers", "OPTIONS"),
        ("exposeHeaders", "Access-Control-Expose-Headers", ""),
    )
    for name, header, method in lists:
        if config.get(name) and method in ("", request.method):
            found[header] = ",".join(config[name])
    if config.get("maxAge") is not None and request.method == "OPTIONS":
        found["Access-Control-Max-Age"] = str(config["maxAge"])
    return found
