"""The environment variables of the functions: defaults of the guide, and every problem at once."""

import pytest

from wakegate.aws.settings import COALESCE_S, GRACE_S, Settings, read
from wakegate.core.errors import ConfigError

NAMED = {"SERVICE_NAME": "web"}


def problems(**environ: str) -> tuple[str, ...]:
    """Return what is wrong with these."""
    with pytest.raises(ConfigError) as caught:
        read(NAMED | environ)
    return caught.value.problems


def test_the_defaults_are_the_guides() -> None:
    """Somebody who sets the five variables of the guide gets what it describes."""
    settings = read(NAMED)
    assert settings.spec.wake.timeout_s == 180
    assert settings.spec.sleep.idle_timeout_s == 300 + COALESCE_S
    assert settings.on_long_wait == "307"
    assert settings.replicas_on_wake == 1


def test_every_problem_is_said_at_once() -> None:
    """A deployment takes minutes: nobody should mend one thing at a time."""
    found = problems(SCALE_UP_TIMEOUT="soon", ON_LONG_WAIT="404", PROBE="healthz", REPLICAS_MIN="-1", SERVICE_NAME="")
    assert [one.partition(":")[0] for one in found] == [
        "SCALE_UP_TIMEOUT", "PROBE", "REPLICAS_MIN", "SERVICE_NAME", "ON_LONG_WAIT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("probe", "is_refused"),
    [
        ("tcp", False),
        ("/", False),
        ("/health?deep=1", False),
        ("/a b", True),
        ("/a\n", True),
        ("/a#b", True),
        ("/ü", True),
    ],
)
def test_a_probe_that_no_request_line_can_hold_is_refused(probe: str, is_refused: bool) -> None:
    """Each try would fail, and the wake time out after minutes with a reason that leads elsewhere."""
    if is_refused:
        assert problems(PROBE=probe)[0].startswith(f"PROBE: {probe!r} found; tcp, or a path ")
    else:
        assert read(NAMED | {"PROBE": probe}).spec.wake.probe == probe


@pytest.mark.parametrize(
    ("idle_timeout", "front", "is_refused"),
    [("30", "http-api", True), ("31", "http-api", False), ("180", "function-url", True), ("181", "both", False)],
)
def test_an_idle_timeout_within_a_request_is_refused(idle_timeout: str, front: str, is_refused: bool) -> None:
    """Only the beginning of a request is known for sure: a longer one would be cut by the sleep."""
    environ = NAMED | {"IDLE_TIMEOUT": idle_timeout, "FRONT": front}
    if is_refused:
        assert "in flight would be cut" in problems(IDLE_TIMEOUT=idle_timeout, FRONT=front)[0]
    else:
        assert read(environ).spec.sleep.idle_timeout_s == float(idle_timeout) + COALESCE_S


def test_a_drain_outlasts_every_cached_route() -> None:
    """Else a request could go to a task that is being stopped."""
    defaults = Settings(spec=read(NAMED).spec)
    assert defaults.cache_ttl_s + 2 < GRACE_S


def test_a_wake_asks_for_the_least_number_of_replicas() -> None:
    """A service that shall have three at least is not awake with one."""
    assert read(NAMED | {"REPLICAS_MIN": "3"}).replicas_on_wake == 3
