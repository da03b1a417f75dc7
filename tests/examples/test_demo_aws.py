"""`make demo-aws` does what it promises: deploy, verify, sleep and destroy, without an AWS account."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_ends_well() -> None:
    """It is the first thing that somebody with an AWS account in mind tries."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, str(ROOT / "examples" / "demo_aws.py")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line[10:].rstrip() for line in done.stdout.splitlines()]
    assert said[0].startswith("account ")
    for line in (
        *("wakegate deploy    stack    wakegate is there · 32 resources", "wakegate verify    6 of 6"),
        *("LambdaStartupRole  ecs:UpdateService, desired count 1", "my-scaling-service asleep"),
        *("LambdaCleanupRole  events:DisableRule", "wakegate destroy   table    session-table is gone"),
    ):  # fmt: skip
        assert line in said, done.stdout
    assert said.count("LambdaStartupRole  ecs:UpdateService, desired count 1") == 2
