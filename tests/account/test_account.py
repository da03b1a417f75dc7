"""The whole account: from a template to an answer of a real process, and to nothing."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from tests.account.account import Account
from tests.account.sample import made


def test_a_request_goes_through_front_and_function_to_a_process_of_its_own(account: Account) -> None:
    """This is what the e2e tests stand on: nothing between client and app is a stub."""
    outputs = {one["OutputKey"]: one["OutputValue"] for one in made.deploy(account, **made.network(account))["Outputs"]}
    response = httpx.get(account.local_url(outputs["Url"]) + "/x", timeout=30)
    (task,) = account.fargate.running("tiny-service")
    assert (response.status_code, response.text) == (200, f"hello from {task.address}")
    assert urlsplit(account.api_url()).hostname == "127.0.0.1"


def test_the_default_network_leads_to_the_internet(account: Account) -> None:
    """As that of every account of AWS does, from the beginning."""
    (table,) = account.client("ec2").describe_route_tables()["RouteTables"]
    assert any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])


def test_nothing_is_left_of_an_account_that_was_left(tmp_path: Path) -> None:
    """A test that leaves processes behind breaks the next one, far from here."""
    with Account(tmp_path / "1") as account:
        made.function(account, "def handler(event, context): return 1")
        account.client("lambda").invoke(FunctionName="made")
        children = psutil.Process().children(recursive=True)
        port = urlsplit(account.endpoint_url).port
        assert children
        assert port
    assert [child for child in children if child.is_running()] == []
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass
    with Account(tmp_path / "2") as account:
        assert account.client("lambda").list_functions()["Functions"] == []


def test_what_is_being_started_when_an_account_is_left_is_ended(tmp_path: Path) -> None:
    """An event may still be delivered at that moment, and nobody waits for its outcome."""
    with Account(tmp_path) as account:
        made.function(account, "def handler(event, context): return 1")
        running = asyncio.run_coroutine_threadsafe(account.functions.invoke("made", b"{}"), account._loop)
    assert running.done()
    assert psutil.Process().children(recursive=True) == []


def test_the_calls_of_each_role_can_be_counted(account: Account) -> None:
    """Claims such as "one UpdateService per wake" are counted here."""
    made.deploy(account, **made.network(account))
    assert httpx.get(account.api_url() + "/x", timeout=30).status_code == 200
    assert len(account.calls_by("tiny-role", "ecs:UpdateService")) == 1
    assert account.calls_by("tiny-role", "ec2:DescribeNetworkInterfaces") == []
