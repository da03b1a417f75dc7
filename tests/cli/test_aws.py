"""`--aws`: the verbs of a gateway, asked of a stack in AWS; the same tables and the same words.

Over 300 lines because the account that every verb here is asked of is deployed once for the file.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.account.account import Account
from tests.account.sample.made import HELLO
from tests.aws.operate.conftest import make, visit
from tests.cli.shell import Open, run

from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.stack import open_stack
from wakegate.cli.status import COLUMNS
from wakegate.core.session import Session

NAME = "my-scaling-service"
ELSEWHERE = 'there is no stack of Wakegate in eu-west-1; "wakegate deploy" makes one'
NO_PROFILE = 'The config profile (none) could not be found. See "aws configure list-profiles".'
WITHOUT_BOTO3 = (
    "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None; "
    "from wakegate.cli.main import main; main(sys.argv[1:])"
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Yield an account with the stack "shop" in it, which every command here finds by its environment."""
    images = {"*": [sys.executable, HELLO, "{host}", "{port}"]}
    folder: Path = tmp_path_factory.mktemp("account")
    with Account(folder, images=images, forks=True) as opened, pytest.MonkeyPatch.context() as patch:
        for name, value in opened.environ.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        make(opened)
        yield opened


@pytest.fixture
def asleep(account: Account, tmp_path: Path) -> Account:
    """Return the account when its service sleeps and nothing is kept."""
    aws(tmp_path, "sleep", "--aws", "shop", "--force")
    return account


@pytest.fixture
def awake(account: Account) -> Account:
    """Return the account when somebody has just been there."""
    assert visit(account) == 200
    return account


def aws(folder: Path, *words: str) -> str:
    """Run a command that works; return what it printed."""
    ended = run(*words, folder=folder)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout


def refused(folder: Path, *words: str) -> tuple[int, str]:
    """Run a command that does not work; return its exit code and the last line that it says."""
    ended = run(*words, folder=folder)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()[-1]


def status(folder: Path) -> dict[str, Any]:
    """Return how the service is, as a program reads it."""
    (found,) = json.loads(aws(folder, "status", "--aws", "shop", "--json"))
    assert isinstance(found, dict)
    return found


def test_status_of_one_that_sleeps_is_the_row_of_a_gateway(asleep: Account, tmp_path: Path) -> None:
    """One learns to read one table; what nobody can know from outside the functions is a dash, not a zero."""
    header, row, address = aws(tmp_path, "status", "--aws").splitlines()
    assert address.startswith("http")
    assert re.split(r"  +", header) == list(COLUMNS)
    assert row.split()[:8] == [NAME, "asleep", "0", "/", "3", "–", "–", "–"]
    assert row.endswith("on the first request")


def test_status_of_one_that_is_awake_says_when_it_sleeps(awake: Account, tmp_path: Path) -> None:
    """How many are in flight only the functions' own memory knows: a zero there would be a lie."""
    row = aws(tmp_path, "status", "--aws", "shop").splitlines()[1]
    assert row.split()[:8] == [NAME, "awake", "1", "/", "3", "–", "–", "–"]
    assert "sleeps in " in row


def test_json_has_the_names_of_a_gateway_and_null_for_what_is_not_known(awake: Account, tmp_path: Path) -> None:
    """A program that reads one reads the other; what only a stack has comes on top."""
    found = status(tmp_path)
    assert (found["name"], found["stack"], found["phase"], found["replicas_ready"]) == (NAME, "shop", "awake", 1)
    assert [found[name] for name in ("in_flight", "held", "sessions", "memory_bytes", "p99_s")] == [None] * 5
    assert (len(found["urls"]), found["urls"][0][:8], "url" in found) == (1, "https://", False)
    assert found["is_scheduled"] is True
    assert datetime.fromisoformat(found["last_active_at"]).tzinfo is not None


def test_watch_looks_again_until_ctrl_c(asleep: Account, terminal: Open, tmp_path: Path) -> None:
    """It shows the wake that one waits for; its normal end is no error."""
    screen = terminal("status", "--watch", "--aws", "shop")
    screen.see(f"{NAME} +asleep")
    assert visit(asleep) == 200
    screen.see(f"{NAME} +awake")
    screen.press("\x03")
    assert screen.end() == 0


def test_wake_returns_when_it_is_awake(asleep: Account, tmp_path: Path) -> None:
    """`wakegate wake --aws shop && ./smoke-test`; the second time there is nothing to do."""
    for _ in range(2):
        assert aws(tmp_path, "wake", "--aws", "shop") == f"{NAME} is awake\n"
    assert status(tmp_path)["phase"] == "awake"


def test_what_aws_refuses_is_one_sentence(asleep: Account, tmp_path: Path) -> None:
    """A wake that could not be begun must not look like one that was; the script behind `&&` does not run."""
    fault = asleep.fail("ecs:UpdateService", "throttle", times=100)
    try:
        code, said = refused(tmp_path, "wake", "--aws", "shop")
    finally:
        fault.times = 0
    assert code == 1
    assert said == "wakegate: AWS is asked too often just now (UpdateService). Try again in a minute."


def test_sleep_drains_and_returns_when_nothing_runs(awake: Account, tmp_path: Path) -> None:
    """It may be said with the service's name, as here; it takes as long as the grace."""
    assert aws(tmp_path, "sleep", NAME, "--aws", "shop") == f"{NAME} is asleep\n"
    assert (status(tmp_path)["phase"], status(tmp_path)["replicas_wanted"]) == ("asleep", 0)


def test_keep_holds_it_awake_until_it_is_taken_back(awake: Account, tmp_path: Path) -> None:
    """The demo of the afternoon: seen in `status`, with who asked, and gone by "off"."""
    assert aws(tmp_path, "keep", "2h", "--aws", "shop", "--reason", "demo") == f"{NAME} is kept awake for 2h\n"
    assert status(tmp_path)["next"].endswith("(demo)")
    assert aws(tmp_path, "keep", NAME, "off", "--aws") == f"{NAME} may sleep again\n"
    assert status(tmp_path)["keep_until"] is None


def test_a_keep_of_a_service_that_sleeps_is_not_said_to_wake_it(asleep: Account, tmp_path: Path) -> None:
    """Whoever reads "is kept awake" goes to the demo, and waits there for a cold start."""
    said = aws(tmp_path, "keep", "2h", "--aws", "shop", "--reason", "demo")
    assert said == f"{NAME} sleeps; once something wakes it, it is kept awake for 2h from now\n"
    assert "then kept awake for " in status(tmp_path)["next"]
    assert status(tmp_path)["phase"] == "asleep"
    aws(tmp_path, "keep", "off", "--aws", "shop")


def test_sessions_are_listed_the_newest_first(account: Account, tmp_path: Path) -> None:
    """Data is counted for people, and shown to programs, byte for byte."""
    assert aws(tmp_path, "sessions", "--aws", "shop") == "no live sessions\n"
    put(session("old", seen_s=500), session("new", seen_s=5, data=b"cart\xff"))
    header, *rows = aws(tmp_path, "sessions", "--aws", "shop").splitlines()
    assert header.split() == ["SESSION", "REQUESTS", "LAST", "SEEN", "EXPIRES", "IN", "DATA"]
    assert [row.split()[:2] for row in rows] == [["new", "7"], ["old", "7"]]
    assert (rows[0].endswith(" 5 B"), rows[1].endswith(" –")) == (True, True)
    listed = json.loads(aws(tmp_path, "sessions", "--aws", "--json", "--limit", "1"))
    assert [(one["id"], one["service"], one["data"].encode("latin-1")) for one in listed] == [
        ("new", NAME, b"cart\xff")
    ]


def put(*sessions: Session) -> None:
    """Write sessions as the function does."""
    stack = open_stack("shop")
    with closing(stack.asker):
        for one in sessions:
            Remote(stack).table.put_session(one, requests=one.requests, with_data=bool(one.data))


def session(name: str, *, seen_s: float, data: bytes = b"") -> Session:
    """Return a session that was last seen some seconds ago."""
    now = datetime.now(UTC)
    return Session(
        id=name,
        service=NAME,
        created_at=now - timedelta(hours=1),
        last_seen_at=now - timedelta(seconds=seen_s),
        requests=7,
        expires=now + timedelta(hours=1),
        data=data,
    )


def write(account: Account, group: str, *lines: str) -> None:
    """Let something write lines just now."""
    logs, stream = account.client("logs"), f"stream-{time.monotonic_ns()}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms - len(lines) + at, "message": line} for at, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_explain_says_why_it_is_awake(asleep: Account, tmp_path: Path) -> None:
    """The same words as of a gateway; for programs as a list, and the wakes as a table."""
    assert visit(asleep, "/orders") == 200
    said = aws(tmp_path, "explain", "--aws", "shop").splitlines()
    assert said[0].startswith(f"{NAME} is awake since ")
    assert "; GET /orders " in said[0]
    assert json.loads(aws(tmp_path, "explain", NAME, "--aws", "--json"))[2:] == said[2:]
    header, newest, *_ = aws(tmp_path, "explain", "--aws", "--wakes").splitlines()
    assert header.split() == ["WHEN", "WOKEN", "BY", "OUTCOME", "TOOK"]
    assert "GET /orders" in newest
    (found,) = json.loads(aws(tmp_path, "explain", "--aws", "--wakes", "--limit", "1", "--json"))
    assert (found["cause"], found["outcome"], found["held"]) == ("GET /orders", "ready", None)


def test_the_log_of_a_function_tells_each_change_of_phase_in_words(asleep: Account, tmp_path: Path) -> None:
    """With when it was, and what it was for; the line itself is JSON, for CloudWatch."""
    assert visit(asleep, "/orders") == 200
    shown = aws(tmp_path, "logs", "--aws", "shop", "startup").splitlines()
    changes = [line for line in shown if "→" in line][-2:]
    assert changes[0].split("  ", 1)[1].startswith("asleep → waking · a request arrived: GET /orders · was asleep for ")
    assert "waking → awake · a replica answered its probe: 127." in changes[1]
    assert not any("wakegate" in line and "{" in line for line in shown)


def test_logs_are_those_of_the_app_or_of_a_function(account: Account, tmp_path: Path) -> None:
    """The lines as they were written, as from a gateway; `doctor` sends one to those of a function by name."""
    write(account, "/ecs/my-scaling-task", "one", "two", "three")
    write(account, "/aws/lambda/container-startup", "startup says")
    assert aws(tmp_path, "logs", "--aws", "shop", "-n", "2") == "two\nthree\n"
    assert aws(tmp_path, "logs", NAME, "--aws", "-n", "1") == "three\n"
    assert aws(tmp_path, "logs", "--aws", "shop", "startup", "-n", "1") == "startup says\n"
    assert aws(tmp_path, "logs", "--aws", "-n", "0") == ""


def test_an_app_that_has_written_nothing_is_said(asleep: Account, tmp_path: Path) -> None:
    """An empty output could as well be the wrong stack."""
    logs = asleep.client("logs")
    logs.delete_log_group(logGroupName="/ecs/my-scaling-task")
    logs.create_log_group(logGroupName="/ecs/my-scaling-task")
    assert refused(tmp_path, "logs", "--aws") == (1, "wakegate: app has written nothing in the last 14d")


def test_logs_are_followed_until_ctrl_c(account: Account, terminal: Open) -> None:
    """Ctrl-C is its normal end: no error, no traceback."""
    write(account, "/ecs/my-scaling-task", "before")
    screen = terminal("logs", "-f", "-n", "1", "--aws", "shop")
    screen.see("^before$")
    write(account, "/ecs/my-scaling-task", "one more")
    screen.see("^one more$")
    screen.press("\x03")
    assert screen.end() == 0
    assert "Traceback" not in screen.raw()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status", "--aws", "shopp"), 'there is no stack "shopp" in eu-central-1; did you mean "shop"?'),
        (("explain", "web", "--aws"), f'no service is called "web"; the stack shop has {NAME}'),
        (("wake", "web", "--aws"), f'no service is called "web"; the stack shop has {NAME}'),
        (("keep", "web", "2h", "--aws"), f'no service is called "web"; the stack shop has {NAME}'),
        (("logs", "web", "--aws"), 'nothing here is called "web"; there is app, startup, cleanup'),
        (("sessions", "--aws", "--region", "eu-west-1"), ELSEWHERE),
        (("sleep", "--aws", "--profile", "none"), NO_PROFILE),
    ],
)
def test_what_is_not_there_is_one_sentence(words: tuple[str, ...], said: str, account: Account, tmp_path: Path) -> None:
    """A slip of the hand is answered with the names that there are."""
    assert refused(tmp_path, *words) == (1, f"wakegate: {said}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status", "--region", "eu-west-1"), "Error: --region and --profile are for a stack in AWS; add --aws"),
        (("wake", "--profile", "shop"), "Error: --region and --profile are for a stack in AWS; add --aws"),
        (("sleep", "--aws", "--state-dir", "x"), "Error: --state-dir is for a gateway here; leave it out, or --aws"),
        (("keep", "--aws", "2h"), "Error: write the time first: wakegate keep 2h --aws STACK"),
        (("keep", "--aws"), "Error: Missing argument '[SERVICE] TIME|off'."),
        (("keep", "90", "--aws"), 'Error: "90" has no unit; write "90s"'),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_asked(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """An option that is silently ignored lets one believe in what does not happen."""
    assert refused(tmp_path, *words) == (2, said)


@pytest.mark.parametrize("verb", ["status", "logs", "sessions", "wake", "sleep", "keep"])
def test_without_the_extra_everything_but_aws_is_there(verb: str, tmp_path: Path) -> None:
    """Most who install Wakegate have no boto3: a gateway here is asked as ever, and --aws says what to install."""

    def say(*words: str) -> str:
        command = [sys.executable, "-c", WITHOUT_BOTO3, verb, *words]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
        assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr
        return ended.stderr

    words = ("2h",) if verb == "keep" else ()
    missing = 'wakegate: this needs boto3, which is not installed; run: pip install "wakegate[aws]"\n'
    assert say(*words, "--aws") == missing
    assert ".wakegate" in say(*words)
