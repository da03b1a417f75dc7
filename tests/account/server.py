"""The endpoint that AWS_ENDPOINT_URL names: who calls what is read and judged, then Lambda, Fargate or moto answers."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from tests.account import calls
from tests.account.calls import Call
from tests.account.fargate import Fargate
from tests.account.functions import ForbiddenError, Functions, ThrottledError, TooLargeError
from tests.account.iam import Iam, denied
from tests.account.moto import Moto
from tests.account.stacks import Stacks
from tests.account.wire import Request, Response, port_of, serve

_JSON = [("Content-Type", "application/x-amz-json-1.1")]
_FAULTS = ("throttle", "error", "lose-request", "lose-answer", "kill-before", "kill-after")


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong with a call: which, how, after how many good ones, and how often."""

    kind: str
    matches: Callable[[Call], bool]
    skip: int = 0
    times: int = 1

    def __post_init__(self) -> None:
        assert self.kind in _FAULTS, f"{self.kind} is none of {', '.join(_FAULTS)}"

    def strikes(self, call: Call) -> bool:
        """Say whether it happens to this call, and count it."""
        if self.times == 0 or not self.matches(call):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Server:
    """The API of all services at one address."""

    def __init__(self, moto: Moto, iam: Iam, functions: Functions, fargate: Fargate, stacks: Stacks) -> None:
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self._moto, self._iam, self._functions, self._fargate = moto, iam, functions, fargate
        self._stacks = stacks
        self._server: asyncio.Server | None = None
        self._background: set[asyncio.Task[Any]] = set()

    async def start(self) -> str:
        """Listen; return the URL."""
        self._server = await serve(self._answer)
        return f"http://127.0.0.1:{port_of(self._server)}"

    async def stop(self) -> None:
        """Stop listening, and what was invoked without waiting."""
        if self._server is not None:
            self._server.close()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _answer(self, request: Request) -> Response:
        call = calls.read(request, region=self._moto.region)
        reason = self._iam.judge(call)
        self.calls.append(call)
        if reason:
            call.is_allowed = False
            response = denied(call, reason)
        else:
            response = await self._with_faults(call, request)
        call.status = response.status
        return response

    async def _with_faults(self, call: Call, request: Request) -> Response:
        kind = next((fault.kind for fault in self.faults if fault.strikes(call)), "")
        if kind == "throttle":
            body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
            return Response(status=400, headers=_JSON, body=body)
        if kind == "error":
            body = json.dumps({"__type": "InternalServerError", "message": "emulated"}).encode()
            return Response(status=500, headers=_JSON, body=body)
        if kind in ("lose-request", "kill-before"):
            self._lose(call, kind)
        response = await self._perform(call, request)
        if kind in ("lose-answer", "kill-after"):
            self._lose(call, kind)
        return response

    def _lose(self, call: Call, kind: str) -> NoReturn:
        """Close the connection without an answer; kill the caller too, if that is wanted."""
        if kind.startswith("kill"):
            self._functions.kill(call.environment)
        raise ConnectionAbortedError

    async def _perform(self, call: Call, request: Request) -> Response:
        if call.name == "lambda:Invoke":
            return await self._invoke(call, request)
        if call.name == "lambda:GetAccountSettings":
            return _json(_account_settings(self._functions.concurrency, self._moto))
        if call.service == "logs":
            await self._functions.write_logs()
        if call.service == "ecs" and (found := self._fargate.answer(call)) is not None:
            return _json(found)
        if call.service == "cloudformation" and self._stacks.takes(call):
            return await self._stacks.answer(call, request)
        loop = asyncio.get_running_loop()
        if call.name == "dynamodb:GetItem":  # what hundreds of held requests ask every second
            item = await loop.run_in_executor(self._moto.thread, self._moto.item, call.parameters)
            if item is not None:
                return Response(status=200, headers=[("Content-Type", "application/x-amz-json-1.0")], body=item)
        response = await loop.run_in_executor(self._moto.thread, self._moto.answer, request)
        if call.service == "ecs" and call.action in ("DescribeServices", "UpdateService"):
            return self._corrected(call, response)
        return response

    def _corrected(self, call: Call, response: Response) -> Response:
        """moto's services know nothing of tasks."""
        if response.status != 200:
            return response
        found = json.loads(response.body)
        if call.action == "UpdateService":
            service = found["service"]
            self._fargate.counted(service["clusterArn"].rpartition("/")[2], service["serviceName"])
        else:
            self._fargate.correct(found["services"])
        return _json(found)

    async def _invoke(self, call: Call, request: Request) -> Response:
        """Invoke a function: and wait for it, unless the caller does not."""
        name = re.sub(r"^arn:[^/]*:function:", "", call.parameters["FunctionName"]).partition(":")[0]
        if name not in {one.function_name for one in self._moto.functions.list_functions()}:
            body = json.dumps({"Message": f"Function not found: {name}", "Type": "User"}).encode()
            return Response(status=404, headers=[("x-amzn-ErrorType", "ResourceNotFoundException")], body=body)
        running = asyncio.create_task(self._functions.invoke(name, request.body or b"{}"))
        self._background.add(running)
        running.add_done_callback(self._background.discard)
        if request.header("x-amz-invocation-type") == "Event":
            return Response(status=202)
        try:
            outcome = await running
        except ThrottledError as error:
            return _refused(429, "TooManyRequestsException", str(error))
        except TooLargeError as error:
            return _refused(413, "RequestTooLargeException", str(error))
        except ForbiddenError as error:
            return _refused(403, "AccessDeniedException", str(error))
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
        headers += [("X-Amz-Function-Error", outcome.error)] if outcome.error else []
        return Response(status=200, headers=headers, body=outcome.payload)


def _json(value: dict[str, Any]) -> Response:
    return Response(status=200, headers=_JSON, body=json.dumps(value).encode())


def _refused(status: int, kind: str, text: str) -> Response:
    body = json.dumps({"Message": text, "Reason": kind}).encode()
    return Response(status=status, headers=[("x-amzn-ErrorType", kind)], body=body)


def _account_settings(concurrency: int, moto: Moto) -> dict[str, Any]:
    functions = list(moto.functions.list_functions())
    reserved = sum(int(one.reserved_concurrency) for one in functions if one.reserved_concurrency)
    return {
        "AccountLimit": {
            "TotalCodeSize": 80530636800,
            "CodeSizeUnzipped": 262144000,
            "CodeSizeZipped": 52428800,
            "ConcurrentExecutions": concurrency,
            "UnreservedConcurrentExecutions": concurrency - reserved,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(functions)},
    }
