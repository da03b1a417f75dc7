"""Does a request at the URL reach the startup function?"""

from typing import Any
from urllib.parse import urlsplit

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok
from wakegate.aws.operate.checks.rules import function_policy
from wakegate.aws.operate.policy import permits
from wakegate.aws.operate.stack import Stack

ROUTES = ("ANY /", "ANY /{proxy+}")


def check_front(stack: Stack) -> list[Check]:
    """Look at the HTTP API, the Function URL, or both."""
    checks = []
    host = urlsplit(stack.url).hostname or ""
    if ".lambda-url." not in host:
        checks += _http_api(stack, host.partition(".")[0])
    if stack.parameters.get("Front", "http-api") != "http-api":
        checks += _function_url(stack)
    return checks


def _http_api(stack: Stack, api_id: str) -> list[Check]:
    name, function, deploy = "API", stack.output("StartupFunction"), f"wakegate deploy --stack {stack.name}"
    try:
        api = stack.asker.ask("apigatewayv2", "get_api", ApiId=api_id)
    except AskError as error:
        if not error.is_missing:
            raise
        return [fail(name, f"there is no API {api_id}, which the URL names", deploy)]
    label = f"{api['Name']} ({api_id})"
    trouble = _integration(stack, api_id, function) or _stage(stack, api_id)
    if trouble:
        return [fail(name, f"{label}: {trouble}", deploy)]
    region, account, partition = _place(stack)
    source = f"arn:{partition}:execute-api:{region}:{account}:{api_id}/*/*/*"
    policy = function_policy(stack, function)
    if not permits(policy, principal="apigateway.amazonaws.com", action="lambda:InvokeFunction", source_arn=source):
        mend = (
            f"aws lambda add-permission --function-name {function} --statement-id api --action lambda:InvokeFunction"
            f" --principal apigateway.amazonaws.com --source-arn '{source.removesuffix('/*/*')}' --region {region}"
        )
        return [fail(name, f"{label}: {function} does not let it call it: every request hears 500", mend)]
    return [ok(name, f"{label} sends {' and '.join(ROUTES)} to {function}")]


def _integration(stack: Stack, api_id: str, function: str) -> str:
    """Say why a route does not lead to the function; "" where both do."""
    integrations = {
        one["IntegrationId"]: one for one in stack.asker.ask("apigatewayv2", "get_integrations", ApiId=api_id)["Items"]
    }
    routes = {one["RouteKey"]: one for one in stack.asker.ask("apigatewayv2", "get_routes", ApiId=api_id)["Items"]}
    for key in ROUTES:
        if key not in routes:
            return f"it has no route {key}: such requests hear 404"
        found = integrations.get(str(routes[key].get("Target", "")).removeprefix("integrations/"))
        if found is None:
            return f"the route {key} leads nowhere"
        uri = found.get("IntegrationUri", "")
        if uri.rpartition(":function:")[2].partition("/")[0].partition(":")[0] != function:
            return f"the route {key} leads to {uri or 'nothing'}, not to {function}"
        if found.get("PayloadFormatVersion") != "2.0":
            return f"the payload format is {found.get('PayloadFormatVersion')}, {function} reads 2.0"
        if int(found.get("TimeoutInMillis", 30_000)) < 29_500:
            return f"the integration is given up after {found['TimeoutInMillis']} ms, a held request needs 30000"
    return ""


def _stage(stack: Stack, api_id: str) -> str:
    wanted = stack.parameters.get("StageName", "prod")
    stages = {one["StageName"]: one for one in stack.asker.ask("apigatewayv2", "get_stages", ApiId=api_id)["Items"]}
    if wanted not in stages:
        return f"it has no stage {wanted}: every request hears 404"
    stage: dict[str, Any] = stages[wanted]
    if not stage.get("AutoDeploy") and not stage.get("DeploymentId"):
        return f"nothing was deployed to the stage {wanted}, and it does not deploy by itself"
    return ""


def _function_url(stack: Stack) -> list[Check]:
    name, function, deploy = "function URL", stack.output("StartupFunction"), f"wakegate deploy --stack {stack.name}"
    try:
        found = stack.asker.ask("lambda", "get_function_url_config", FunctionName=function)
    except AskError as error:
        if not error.is_missing:
            raise
        return [fail(name, f"{function} has none", deploy)]
    policy = function_policy(stack, function)
    statements = policy.get("Statement", [])
    if not any("InvokeFunctionUrl" in str(one.get("Action")) for one in statements):
        return [fail(name, f"{function} lets nobody call its URL: every request hears 403", deploy)]
    return [ok(name, f"{found['FunctionUrl']} calls {function}")]


def _place(stack: Stack) -> tuple[str, str, str]:
    found = stack.asker.ask("lambda", "get_function_configuration", FunctionName=stack.output("StartupFunction"))
    parts = found["FunctionArn"].split(":")
    return parts[3], parts[4], parts[1]
