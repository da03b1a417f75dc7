"""ask: what AWS refuses is a sentence; what an operator asks is asked once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.account.account import Account
from tests.account.iam import SECRET
from tests.account.sample.made import policy

from wakegate.aws.deploy.account import Account as DeployAccount
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.operate.ask import ONCE, Asker, AskError
from wakegate.aws.wake import CALL_S

NOTHING: list[dict[str, str]] = [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}]


def assume(account: Account, name: str, statements: list[dict[str, str]]) -> dict[str, str]:
    """Return the variables of somebody who may do only this."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam = account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(statements))
    key = f"AKIA{name.upper():0<16}"
    account.iam.issue(key, role_arn=arn, environment="")
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": SECRET}


def test_no_region_and_no_profile_are_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two that everybody meets first."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/config")
    with pytest.raises(AskError, match="No AWS region was given"):
        Asker()
    with pytest.raises(AskError, match="nobody"):
        Asker(profile="nobody", region="eu-central-1")


class Silent(BaseHTTPRequestHandler):
    """AWS, whose answers are lost on the way."""

    calls = 0

    def do_POST(self) -> None:
        """Do what was asked, and say nothing."""
        type(self).calls += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing of it here either."""


def test_a_call_that_must_not_come_late_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that is repeated after its lease scales down what a request has woken meanwhile."""
    Silent.calls = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, name="silent", daemon=True).start()
        for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", SECRET)):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        asker = Asker(region="eu-central-1")
        with pytest.raises(AskError):
            asker.ask_once("ecs", "update_service", cluster="c", service="s", desiredCount=0)
        asker.close()
        server.shutdown()
    assert Silent.calls == 1
    assert ONCE.connect_timeout + ONCE.read_timeout <= CALL_S  # type: ignore[attr-defined]  # the stubs have no fields


def test_no_credentials_are_said_with_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine where nobody has logged in; the table, which has its own client, says the same."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/config")
    asker = Asker(region="eu-central-1")
    for call in (
        lambda: asker.ask("ecs", "list_clusters"),
        lambda: asker.dynamo.call("GetItem", {}),
        lambda: asker.every("ecs", "list_clusters", "clusterArns"),
    ):
        with pytest.raises(AskError, match=r'No AWS credentials were found. Run "aws configure"'):
            call()
    asker.close()


def test_a_refusal_names_who_may_not_do_what(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs it must ask somebody else for exactly that."""
    for name, value in assume(account, "guest", NOTHING).items():
        monkeypatch.setenv(name, value)
    asker = Asker(region=account.region)
    with pytest.raises(AskError, match=r"assumed-role/guest/\S+ may not ecs:ListClusters\.") as caught:
        asker.ask("ecs", "list_clusters")
    assert caught.value.is_denied
    with pytest.raises(AskError, match="may not logs:DescribeLogGroups"):
        asker.every("logs", "describe_log_groups", "logGroups")
    asker.close()


def test_what_is_not_there_can_be_told_from_what_is_refused(account: Account) -> None:
    """A check says "it is gone" of the one, and "it could not be looked at" of the other."""
    asker = Asker(region=account.region)
    for service, operation, parameters in (
        ("iam", "get_role", {"RoleName": "nobody"}),
        ("dynamodb", "describe_table", {"TableName": "nothing"}),
        ("lambda", "get_policy", {"FunctionName": "nothing"}),
        ("events", "describe_rule", {"Name": "nothing"}),
        ("cloudformation", "describe_stacks", {"StackName": "nothing"}),
        ("ec2", "describe_subnets", {"SubnetIds": ["subnet-00000000"]}),
    ):
        with pytest.raises(AskError) as caught:
            asker.ask(service, operation, **parameters)
        assert (caught.value.is_missing, caught.value.is_denied) == (True, False), caught.value.code
    asker.close()


def test_nobody_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, or a proxy that is not set."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    asker = Asker(region="eu-central-1")
    with pytest.raises(AskError, match="AWS could not be reached in eu-central-1"):
        asker.ask("ecs", "list_clusters")
    asker.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(AskError, match="AWS could not be asked: Invalid endpoint: nonsense"):
        Asker(region="eu-central-1").ask("ecs", "list_clusters")


@contextmanager
def hotel(page: bytes) -> Iterator[str]:
    """Yield the URL of somebody who answers every question with a page of his own."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("page", [b"<html><body>Welcome</body></html>", b"<p>Welcome<br>Log in"], ids=["xml", "html"])
def test_an_answer_that_is_not_of_aws_is_a_sentence(monkeypatch: pytest.MonkeyPatch, page: bytes) -> None:
    """A hotel's or a company's proxy answers 200 with a page to log in; botocore raises whatever it stumbles over."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with hotel(page) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AskError, match="is not AWS"):
            Asker(region="eu-central-1").ask("cloudformation", "describe_stacks")
        with pytest.raises(AskError, match="is not AWS"):
            Asker(region="eu-central-1").every("cloudformation", "describe_stacks", "Stacks")
        with pytest.raises(DeployError, match="is not AWS"):
            _ = DeployAccount(region="eu-central-1").id
