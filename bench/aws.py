"""The functions on AWS against those that one writes straight from the guide (`bench/naive`), on one emulated account.

Calls are counted at the account's endpoint; what a call or an invocation costs on AWS is not measured here, only how
many there are. The time of the functions is real: the same interpreter, in the same run, a cold start each in turn.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
from tests.account.account import Account
from tests.account.sample.made import ANYTHING, api, permit, role
from tests.e2e.deployed import APP, Deployed, deploy
from tests.e2e.deployed import environ as environ_of
from tests.e2e.visitors import herd

from bench.options import Options
from bench.peers import ROOT, BenchError, folder
from bench.table import Goal, Row
from wakegate.aws.deploy.bundle import bundle

OWN_MAX_MS, INIT_MAX, ZIP_MAX_KB, ASLEEP_MAX = 0.5, 0.5, 200.0, 1
WARM_REQUESTS = 50
HERD, NAIVE_HERD = 500, 60  # a cold start of the naive one costs eight times as much: 500 of them, minutes
CONTROL_PLANE = ("ecs:", "ec2:", "events:")


def measure(options: Options, *, count: int = HERD, naive_count: int = NAIVE_HERD, requests: int = 1_000) -> list[Row]:
    """Measure what is counted on one account, and what is timed on another, whose functions start as on AWS."""
    with _subjects(forks=False) as (deployed, naive):
        rows = [
            _warm_calls(deployed, naive),
            _own_time(deployed, requests=options.rounds * requests),
            _init(deployed, naive, starts=options.rounds * 4),
            _asleep(deployed),
        ]
    with _subjects(forks=True) as (deployed, naive):
        rows.append(_herd(deployed, naive, count=count, naive_count=naive_count))
    return [*rows, _zip()]


@contextmanager
def _subjects(*, forks: bool) -> Iterator[tuple[Deployed, str]]:
    """Yield our stack, and where the naive function answers for the same service."""
    with folder() as here, Account(here, images={"*": APP}, forks=forks) as account:
        deployed = deploy(account)
        arn = role(account, ANYTHING, name="naive")
        functions = account.client("lambda")
        ours = functions.get_function_configuration(FunctionName=deployed.startup)["Environment"]["Variables"]
        for name, timeout_s in (("startup", 180), ("cleanup", 60)):
            functions.create_function(
                FunctionName=f"naive-{name}",
                Runtime="python3.13",
                Role=arn,
                Handler=f"naive.{name}.lambda_handler",
                Code={"ZipFile": _naive_zip()},
                Timeout=timeout_s,
                Environment={"Variables": {key: str(value) for key, value in ours.items()}},
            )
        _schedule(account)
        url = account.api_url(api(account, name="naive-startup"))
        deployed.reset(APP)
        yield deployed, url


def _schedule(account: Account) -> None:
    """Call the naive cleanup once a minute."""
    arn = account.client("lambda").get_function(FunctionName="naive-cleanup")["Configuration"]["FunctionArn"]
    events = account.client("events")
    rule = events.put_rule(Name="naive", ScheduleExpression="rate(1 minute)", State="DISABLED")["RuleArn"]
    events.put_targets(Rule="naive", Targets=[{"Id": "cleanup", "Arn": arn}])
    permit(account, "events", rule, name="naive-cleanup")


def _naive_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted((Path(__file__).parent / "naive").glob("*.py")):
            archive.write(path, f"naive/{path.name}")
    return packed.getvalue()


def _warm_calls(deployed: Deployed, naive: str) -> Row:
    counts = {}
    for name, url, by in (("wakegate", deployed.url, deployed.roles["startup"]), ("naive", naive, "naive")):
        with httpx.Client(timeout=60) as visitor:
            _must_be_200(visitor.get(f"{url}/"))
            before = len(deployed.account.calls_by(by))
            for _ in range(WARM_REQUESTS):
                _must_be_200(visitor.get(f"{url}/"))
        calls = deployed.account.calls_by(by)[before:]
        counts[name] = sum(call.name.startswith(CONTROL_PLANE) for call in calls) / WARM_REQUESTS
        counts[f"{name} table"] = sum(call.name.startswith("dynamodb:") for call in calls) / WARM_REQUESTS
    return _row(
        "aws: calls of the control plane per warm request",
        "",
        counts,
        Goal(reached=f"{counts['wakegate']:g}", wanted="0", met=counts["wakegate"] == 0),
        f"naive: {counts['naive']:g}; of the table: {counts['wakegate table']:g}, naive: {counts['naive table']:g}",
    )


def _own_time(deployed: Deployed, *, requests: int) -> Row:
    """Ask the awake service, in a process of its own with the function's environment."""
    functions = deployed.account.client("lambda")
    variables = functions.get_function_configuration(FunctionName=deployed.startup)["Environment"]["Variables"]
    environ = environ_of(deployed.account) | {key: str(value) for key, value in variables.items()}
    own = {}
    for name, module in (("wakegate", "wakegate.aws.startup"), ("naive", "bench.naive.startup")):
        command = [sys.executable, "-m", "bench.handler", module, str(requests if name == "wakegate" else 100)]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"{module}: {done.stderr}")
        own[name] = json.loads(done.stdout) / 1000
    return _row(
        "aws: the function's own time per warm request",
        "ms",
        own,
        Goal(reached=f"{own['wakegate']:.2f} ms", wanted=f"≤ {OWN_MAX_MS} ms", met=own["wakegate"] <= OWN_MAX_MS),
        f"naive: {own['naive']:.1f} ms",
    )


def _init(deployed: Deployed, naive: str, *, starts: int) -> Row:
    """Start an environment of each in turn; the whole of it, interpreter and runtime included."""
    account = deployed.account
    before = {name: len(account.functions.cold_starts(name)) for name in (deployed.startup, "naive-startup")}
    for _ in range(starts):
        for name, url in ((deployed.startup, deployed.url), ("naive-startup", naive)):
            deployed.recycle(name)
            _must_be_200(httpx.get(f"{url}/", timeout=60))
    init = {name: [1000 * took for took in account.functions.cold_starts(name)[before[name] :]] for name in before}
    ratio = median(init[deployed.startup]) / median(init["naive-startup"])
    return Row(
        claim="aws: init of the function",
        unit="ms",
        samples={"wakegate": init[deployed.startup], "naive": init["naive-startup"]},
        goals=(Goal(reached=f"{ratio:.2f} x naive", wanted=f"≤ {INIT_MAX} x naive", met=ratio <= INIT_MAX),),
        notes=(f"naive: {median(init['naive-startup']):.0f} ms",),
    )


def _asleep(deployed: Deployed) -> Row:
    """Count the invocations of an hour in which nothing happens."""
    deployed.account.schedule.deliver(retries=0)
    deployed.sleep()
    deployed.account.client("events").enable_rule(Name="naive")
    functions = [one.function for one in deployed.tick(60)]
    deployed.account.client("events").disable_rule(Name="naive")
    counts = {"wakegate": functions.count(deployed.cleanup), "naive": functions.count("naive-cleanup")}
    return _row(
        "aws: invocations per hour asleep",
        "",
        {name: float(count) for name, count in counts.items()},
        Goal(reached=f"{counts['wakegate']}", wanted=f"≤ {ASLEEP_MAX}", met=counts["wakegate"] <= ASLEEP_MAX),
        f"naive: {counts['naive']}",
    )


def _herd(deployed: Deployed, naive: str, *, count: int, naive_count: int) -> Row:
    """Ours cold, in environments that start then; the naive one warm, since here its cold starts stand in line."""
    scaled = {}
    herd(naive, naive_count)
    for name, url, size in (("naive", naive, naive_count), ("wakegate", deployed.url, count)):
        deployed.reset(APP)
        by = "naive" if name == "naive" else deployed.roles["startup"]
        before = len(deployed.account.calls_by(by, "ecs:UpdateService"))
        found = herd(url, size)
        if name == "wakegate" and found != {200: size}:
            raise BenchError(f"of {size} first requests these statuses came: {dict(found)}")
        scaled[name] = float(len(deployed.account.calls_by(by, "ecs:UpdateService")) - before)
    return _row(
        f"aws: scale calls for {count} first requests at once",
        "",
        scaled,
        Goal(reached=f"{scaled['wakegate']:g}", wanted="1", met=scaled["wakegate"] == 1),
        f"naive: {scaled['naive']:g} for {naive_count} (more take it minutes on one machine)",
    )


def _zip() -> Row:
    size_kb = len(bundle().data) / 1024
    goal = Goal(reached=f"{size_kb:.0f} KB", wanted=f"≤ {ZIP_MAX_KB:g} KB", met=size_kb <= ZIP_MAX_KB)
    return Row(claim="aws: the functions' zip", unit="KB", samples={"wakegate": [size_kb]}, goals=(goal,))


def _row(claim: str, unit: str, values: dict[str, float], goal: Goal, note: str) -> Row:
    samples = {name: [value] for name, value in values.items()}
    return Row(claim=claim, unit=unit, samples=samples, goals=(goal,), notes=(note,))


def _must_be_200(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise BenchError(f"{response.url}: {response.status_code} {response.text[:200]}")
