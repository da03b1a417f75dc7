"""What a function loads: little, and once."""

import json
import os
import subprocess
import sys

import pytest

from wakegate.aws import function
from wakegate.core.errors import ConfigError

ENVIRON = {
    "CLUSTER": "c",
    "SERVICE_NAME": "web",
    "DYNAMODB_TABLE": "t",
    "AWS_REGION": "eu-central-1",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
}
LOADED = "import json, sys; import wakegate.aws.{0}; from wakegate.aws import function; print(json.dumps([{1}]))"
FACTS = "function.cloud.cache_info().currsize, sorted(sys.modules)"


@pytest.fixture(autouse=True)
def nothing_is_loaded() -> None:
    """Begin as an environment does."""
    function.settings.cache_clear()
    function.cloud.cache_clear()


@pytest.mark.parametrize("handler", ["startup", "cleanup"])
def test_loading_a_handler_makes_the_cloud_and_imports_no_sdk(handler: str) -> None:
    """Half of a cold start of the hand-written function is the SDK; the pages come when one is shown."""
    script = LOADED.format(handler, FACTS)
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | ENVIRON, capture_output=True, text=True, check=True
    )
    clouds, modules = json.loads(done.stdout)
    assert clouds == 1
    assert not {"boto3", "botocore", "wakegate.answer.page", "asyncio"} & set(modules)


def test_bad_settings_end_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda then writes them into the log, instead of requests that fail one by one."""
    monkeypatch.setenv("SERVICE_NAME", "web")
    monkeypatch.setenv("SCALE_UP_TIMEOUT", "soon")
    with pytest.raises(ConfigError, match="SCALE_UP_TIMEOUT"):
        function.settings()


def test_an_environment_remembers() -> None:
    """From one invocation to the next."""
    assert function.instance() is function.instance()
