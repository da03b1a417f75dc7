"""The zip that is deployed: small, complete, and the same whenever the code is."""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from wakegate.aws.deploy.bundle import bundle

BYTES_MAX = 200_000


def test_it_is_small() -> None:
    """Its size is part of every cold start."""
    assert len(bundle().data) <= BYTES_MAX


def test_the_same_code_makes_the_same_bytes() -> None:
    """Another key would replace both functions, and their environments, for nothing."""
    assert bundle() == bundle()


def test_it_has_neither_the_deployment_nor_the_gateway() -> None:
    """A function needs no template, no event loop and no command line."""
    names = ZipFile(BytesIO(bundle().data)).namelist()
    assert [name for name in names if "deploy" in name or "/local/" in name or "/cli/" in name] == []
    assert "wakegate/answer/page.html" in names
    assert not any(name.endswith(".pyc") for name in names)


@pytest.mark.parametrize("handler", ["startup", "cleanup"])
def test_a_handler_is_imported_from_the_zip_alone(handler: str, tmp_path: Path) -> None:
    """What it imports of ours must be in the zip: the runtime has boto3 and nothing else."""
    ZipFile(BytesIO(bundle().data)).extractall(tmp_path)
    environment = {
        "PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "CLUSTER": "c", "SERVICE_NAME": "s", "CONTAINER_PORT": "80", "DYNAMODB_TABLE": "t", "RULE_NAME": "r",
    }  # fmt: skip
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import wakegate.aws.{handler} as handler; "
        f"assert handler.__file__.startswith({str(tmp_path)!r}); assert callable(handler.lambda_handler)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
