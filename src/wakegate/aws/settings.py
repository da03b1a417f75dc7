"""settings: what the two functions are told by their environment variables, and the times of the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

from wakegate.core.errors import ConfigError
from wakegate.core.say import say_duration
from wakegate.core.spec import (
    ForwardSpec,
    HoldSpec,
    ProcessSpec,
    ScaleSpec,
    ServiceSpec,
    SessionSpec,
    SleepSpec,
    WakeSpec,
)

COALESCE_S = 10.0  # an environment writes a touch once in this time
GRACE_S = 8.0  # a drain lasts longer than any environment keeps a route (`CACHE_TTL_S`) and the slowest read
BACKOFF_MIN_S = 10.0  # a failed wake has cost minutes of Fargate: not tried again at once
HTTP_API_REQUEST_S = 30.0  # an HTTP API gives up after this, and no setting changes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All a handler is told; the times below the line are the protocol's and nobody's to set but a test's."""

    spec: ServiceSpec
    replicas_on_wake: int = 1
    has_cors: bool = False  # the front adds the headers; preflights come here without authorization
    on_long_wait: str = "307"  # or "503": what a client hears before its front gives up
    base_path: str = ""
    rule_name: str = ""

    coalesce_s: float = COALESCE_S
    cache_ttl_s: float = 5.0  # a route is used this long without a look at the record
    lease_s: float = 10.0  # of a wake's owner
    life_s: float = 60.0  # of a stopper: the cleanup function's timeout, after which it can do nothing any more
    settle_s: float = 5.0  # a read of the platform may be this old: nothing younger is corrected
    trust_s: float = 20.0  # what the platform stops, after it was told to, it has begun to stop by then
    hold_s: float = 27.0  # behind an HTTP API
    answer_s: float = 29.0  # behind an HTTP API: also for the app's own answer


def read(environ: Mapping[str, str]) -> Settings:
    """Read the environment variables; every problem at once in one `ConfigError`."""
    reader = _Reader(environ)
    wake_timeout_s = reader.seconds("SCALE_UP_TIMEOUT", 180.0, least=1.0)
    idle_timeout_s = reader.seconds("IDLE_TIMEOUT", 300.0, least=1.0)
    # Behind a Function URL a request may take as long as the function: the template gives it the wake timeout.
    has_url = reader.choice("FRONT", ("http-api", "function-url", "both")) != "http-api"
    reader.check_idle(idle_timeout_s, request_s=wake_timeout_s if has_url else HTTP_API_REQUEST_S)
    probe = reader.text("PROBE", "tcp")
    is_path = probe.startswith("/") and probe.isascii() and probe.isprintable() and not set(probe) & set("# ")
    if probe != "tcp" and not is_path:
        reader.problem("PROBE", probe, "tcp, or a path that begins with / and has no space, # or other than ASCII")
    replicas_min = reader.count("REPLICAS_MIN", 0)
    spec = ServiceSpec(
        name=reader.text("SERVICE_NAME", ""),
        run=ProcessSpec(command=()),
        wake=WakeSpec(timeout_s=wake_timeout_s, probe=probe, backoff_min_s=BACKOFF_MIN_S),
        hold=HoldSpec(),
        # Touches are coalesced: the truth may be that much newer than the record.
        sleep=SleepSpec(idle_timeout_s=idle_timeout_s + COALESCE_S, grace_s=GRACE_S),
        scale=ScaleSpec(replicas_min=replicas_min),
        session=SessionSpec(
            cookie=reader.text("SESSION_COOKIE", "uuid", may_be_empty=True),
            ttl_s=reader.seconds("SESSION_TTL", 3600.0, least=60.0),
            secure=True,
        ),
        forward=ForwardSpec(),
    )
    has_cors = reader.choice("CORS", ("false", "true")) == "true"
    on_long_wait = reader.choice("ON_LONG_WAIT", ("307", "503"))
    base_path = reader.text("BASE_PATH", "", may_be_empty=True)
    reader.finish()
    return Settings(
        spec=spec,
        replicas_on_wake=max(1, replicas_min),
        has_cors=has_cors,
        on_long_wait=on_long_wait,
        base_path=base_path,
        rule_name=environ.get("RULE_NAME", ""),
    )


class _Reader:
    """Reads one variable after the other and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, name: str, default: str, *, may_be_empty: bool = False) -> str:
        value = self._environ.get(name, default)
        if not value and not may_be_empty:
            self._problems.append(f"{name}: not set; the template sets it")
        return value

    def choice(self, name: str, values: tuple[str, ...]) -> str:
        value = self._environ.get(name, values[0])
        if value not in values:
            self.problem(name, value, " or ".join(values))
        return value

    def seconds(self, name: str, default: float, *, least: float) -> float:
        text = self._environ.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not least <= value < 1e8:
            self.problem(name, text, f"a number of seconds, at least {least:g}")
            return default
        return value

    def count(self, name: str, default: int) -> int:
        text = self._environ.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            self.problem(name, text, "a whole number, at least 0")
            return default
        return int(text)

    def check_idle(self, idle_timeout_s: float, *, request_s: float) -> None:
        """A request in flight is known by its beginning alone: it must not outlast the idle timeout."""
        if idle_timeout_s <= request_s:
            found = say_duration(idle_timeout_s)
            expected = f"more than the longest request its front allows, {say_duration(request_s)}"
            self.problem("IDLE_TIMEOUT", found, f"{expected}: a request in flight would be cut")

    def problem(self, name: str, found: str, expected: str) -> None:
        self._problems.append(f"{name}: {found!r} found; {expected} is expected")

    def finish(self) -> None:
        if self._problems:
            raise ConfigError(tuple(self._problems))
