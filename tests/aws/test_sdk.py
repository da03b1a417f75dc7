"""The SDK's clients and errors: whether a call may have happened must survive the translation."""

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError, ParamValidationError, ProxyConnectionError, SSLError
from tests.aws.conftest import CREDENTIALS, REGION, Faults

from wakegate.aws.call import CallError
from wakegate.aws.sdk import make_client, translated


@pytest.fixture
def rules(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of EventBridge as Lambda's environment makes it."""
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret_key)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faults.url)
    return make_client("events")


def test_what_comes_back_comes_back(rules: Any, faults: Faults) -> None:
    """The region's account, at the address that the environment gives."""
    own = partial(rules.list_rules, NamePrefix="nobody-has-this")
    assert translated(own, has="Rules")["Rules"] == []
    assert faults.seen == ["ListRules"]


@pytest.mark.parametrize(
    ("fault", "may_pass", "did_nothing"),
    [
        ("lost", True, False),
        ("dropped", True, False),
        ("cut", True, False),
        ("page", True, False),
        ("error", True, False),
        ("busy", True, False),
        ("throttled", True, True),
        ("denied", False, False),
    ],
)
def test_a_failure_says_what_may_have_happened(
    rules: Any, faults: Faults, fault: str, may_pass: bool, did_nothing: bool
) -> None:
    """And the SDK asks once: its own retries would answer for an attempt that nobody saw."""
    faults.next = [fault]
    with pytest.raises(CallError) as caught:
        translated(rules.list_rules, has="Rules")
    assert (caught.value.may_pass, caught.value.did_nothing) == (may_pass, did_nothing)
    assert faults.seen == ["ListRules"]


@pytest.mark.parametrize(
    ("error", "did_nothing"),
    [
        (SSLError(endpoint_url="https://ecs", error=OSError("EOF occurred in violation of protocol")), False),
        (ProxyConnectionError(proxy_url="http://proxy", error="refused"), True),
    ],
)
def test_a_broken_connection_is_no_refusal(error: Exception, did_nothing: bool) -> None:
    """Of TLS or to a proxy: it passes, where a refusal would be told to the caller and never be tried again."""

    def fail() -> Any:
        raise error

    with pytest.raises(CallError) as caught:
        translated(fail)
    assert (caught.value.may_pass, caught.value.did_nothing) == (True, did_nothing)


def test_where_nobody_listens_nothing_was_sent(rules: Any, faults: Faults) -> None:
    """No route to AWS: repeated without a doubt."""
    faults.close()
    with pytest.raises(CallError) as caught:
        translated(rules.list_rules)
    assert (caught.value.may_pass, caught.value.did_nothing) == (True, True)


@pytest.mark.parametrize("error", [NoCredentialsError(), ParamValidationError(report="a bug")])
def test_what_never_left_is_refused_for_good(error: Exception) -> None:
    """No credentials today, none in a second."""

    def fail() -> dict[str, Any]:
        raise error

    with pytest.raises(CallError, match=type(error).__name__) as caught:
        translated(fail)
    assert (caught.value.may_pass, caught.value.did_nothing) == (False, True)
