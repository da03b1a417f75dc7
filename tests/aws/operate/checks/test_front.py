"""The front: API, routes, integration, stage and permission."""

from dataclasses import replace

from tests.account.account import Account

from wakegate.aws.operate.check import Check, Verdict
from wakegate.aws.operate.checks.front import check_front
from wakegate.aws.operate.stack import Stack


def front(stack: Stack) -> Check:
    """Return the only check."""
    (found,) = check_front(stack)
    return found


def api_of(account: Account) -> str:
    """Return the API's id."""
    return str(account.client("apigatewayv2").get_apis()["Items"][0]["ApiId"])


def test_it_is_in_order_as_deployed(stack: Stack) -> None:
    """Both routes lead to the function, and it lets them in."""
    assert front(stack).verdict is Verdict.OK


def test_an_integration_that_gives_up_or_speaks_otherwise_is_seen(deployed: Account, stack: Stack) -> None:
    """A shorter timeout cuts every held request; payload 1.0 is another language."""
    client, api = deployed.client("apigatewayv2"), api_of(deployed)
    name = client.get_integrations(ApiId=api)["Items"][0]["IntegrationId"]
    client.update_integration(ApiId=api, IntegrationId=name, TimeoutInMillis=5000)
    assert "is given up after 5000 ms" in front(stack).saw
    client.update_integration(ApiId=api, IntegrationId=name, TimeoutInMillis=30_000, PayloadFormatVersion="1.0")
    assert "the payload format is 1.0" in front(stack).saw
    other = "arn:aws:lambda:eu-central-1:123456789012:function:container-cleanup"
    client.update_integration(ApiId=api, IntegrationId=name, PayloadFormatVersion="2.0", IntegrationUri=other)
    assert front(stack).saw.endswith(f"leads to {other}, not to container-startup")
    uri = other.replace("cleanup", "startup")
    client.update_integration(ApiId=api, IntegrationId=name, IntegrationUri=uri)
    assert front(stack).verdict is Verdict.OK


def test_a_stage_of_another_name_is_a_failure(stack: Stack) -> None:
    """Every request hears 404, from a URL that looks right."""
    found = front(replace(stack, parameters={**stack.parameters, "StageName": "live"}))
    assert (found.verdict, "it has no stage live" in found.saw) == (Verdict.FAIL, True)


def test_without_the_permission_every_request_hears_500(deployed: Account, stack: Stack) -> None:
    """The guide's last common issue, with the command that gives it."""
    function = next(one for one in deployed.moto.functions.list_functions() if one.function_name == "container-startup")
    kept = function.policy.statements
    function.policy.statements = []
    found = front(stack)
    function.policy.statements = kept
    assert (found.verdict, "does not let it call it" in found.saw) == (Verdict.FAIL, True)
    assert found.mend.startswith("aws lambda add-permission --function-name container-startup ")
    assert f"{api_of(deployed)}/*'" in found.mend


def test_a_function_url_that_is_missing_is_a_failure(stack: Stack) -> None:
    """The stack was deployed with it, and somebody has taken it away."""
    checks = check_front(replace(stack, parameters={**stack.parameters, "Front": "both"}))
    assert [(check.name, check.verdict) for check in checks] == [
        ("API", Verdict.OK), ("function URL", Verdict.FAIL)
    ]  # fmt: skip


def test_a_missing_route_and_a_missing_api_are_failures(deployed: Account, stack: Stack) -> None:
    """The root alone is easily forgotten: {proxy+} does not match it."""
    client, api = deployed.client("apigatewayv2"), api_of(deployed)
    root = next(one for one in client.get_routes(ApiId=api)["Items"] if one["RouteKey"] == "ANY /")
    client.delete_route(ApiId=api, RouteId=root["RouteId"])
    assert "it has no route ANY /: such requests hear 404" in front(stack).saw
    client.delete_api(ApiId=api)
    assert front(stack).saw == f"there is no API {api}, which the URL names"
