"""What the user asked for, as values: one dataclass a table of `wakegate.toml`.

Durations are seconds, sizes are bytes; 0 means "off" or "no limit" where the setting's help says so.
`config/settings.py` holds the defaults that users see and builds these.
"""

from dataclasses import dataclass, field

from wakegate.core.schedule import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """A process on this machine: its command (`{port}` is replaced), environment and directory."""

    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    directory: str = "."
    port: int = 0  # 0: a free port for each replica; else fixed, and only one replica can run
    log_bytes_max: int = 10 * 1024 * 1024
    log_files_max: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeStep:
    """One start on the way to a Compose service: those it depends on come before it, each until it is this far."""

    service: str
    until: str = "started"  # or "healthy", "completed": what the next step waits for
    is_required: bool = True  # else it is left out where it has no container
    users: tuple[str, ...] = ()  # every service of the file that depends on it, however indirectly


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A Docker container: made of an image or a build, or one that somebody else made; exactly one of the four is set.

    What is below `port` is of an image or a build only: one that exists already stays as it is, and only one runs.
    """

    image: str = ""  # pulled when it is missing
    build: str = ""  # folder with a Dockerfile
    name: str = ""  # of an existing container
    compose: str = ""  # file of a Compose project whose containers exist
    compose_service: str = ""
    compose_project: str = ""
    compose_steps: tuple[ComposeStep, ...] = ()  # what the file says: in order of their start, itself last
    port: int = 0  # in the container; 0: the only one that it exposes
    command: tuple[str, ...] = ()  # empty: the image's own
    env: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()  # "source:/target[:ro]"; a source with a slash is a path, absolute; else a name
    labels: tuple[tuple[str, str], ...] = ()
    memory_bytes: int = 0  # 0: no limit
    cpus: float = 0.0  # cores; 0: no limit
    user: str = ""  # empty: the image's own
    network: str = ""  # empty: published on 127.0.0.1, a free port each; else it is reached by its address there
    log_bytes_max: int = 10 * 1024 * 1024
    log_files_max: int = 3

    @property
    def is_ours(self) -> bool:
        """Say whether we make and remove it; else it exists already, and is only started, stopped and paused."""
        return bool(self.image or self.build)


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeSpec:
    """How a wake is made, and what may cause one."""

    timeout_s: float = 180.0
    probe: str = "tcp"  # or a path: ready when it answers 200-399
    probe_timeout_s: float = 1.0
    settle_s: float = 0.0  # settling time between ready and the first request
    backoff_min_s: float = 1.0
    backoff_max_s: float = 300.0
    on_paths: tuple[str, ...] = ()  # path prefixes; empty: every path but a browser's icons wakes
    on_methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSpec:
    """How requests wait for a target."""

    depth_max: int = 10_000
    timeout_s: float | None = None  # None: max(10 s, 3.5 x the usual wake), at most the wake timeout
    on_cold: str = "auto"  # "auto": page for browser navigations, hold for the rest; "hold"; "page"
    page_after_s: float = 2.0
    target_connections_max: int = 64  # the released herd: unanswered requests a target
    interim_interval_s: float = 0.0  # 102 interim responses while waiting; 0: off
    comment_interval_s: float = 0.0  # SSE comment lines while waiting; 0: off
    body_bytes_max: int = 65_536  # of a held request's body kept in memory; the rest waits in the socket


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepSpec:
    """When a service goes to sleep, and how gently."""

    idle_timeout_s: float = 300.0
    grace_s: float = 1.0  # draining lasts this long before anything is stopped
    drain_timeout_s: float = 30.0  # a replica that leaves may finish its requests for this long
    stop_grace_s: float = 10.0  # SIGTERM to SIGKILL
    unless_cpu_above: float = 0.0  # percent of one core; 0: off
    mode: str = "stop"  # or "pause": it is frozen, and keeps its memory
    then_stop_after_s: float = 3600.0  # paused for this long, it is stopped; 0: never


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSpec:
    """Scale bounds and target tracking."""

    replicas_min: int = 0
    replicas_max: int = 3
    metric: str = "cpu"  # "cpu", "memory" or "concurrency"
    target: float = 70.0  # percent for cpu and memory, requests in flight a replica for concurrency
    scale_out_cooldown_s: float = 300.0
    scale_in_cooldown_s: float = 300.0
    interval_s: float = 5.0
    window_s: float = 60.0  # samples are averaged over this window
    memory_bytes: int = 512 * 1024 * 1024  # what 100 % memory means for one replica
    concurrency_max: int = 0  # hard limit of requests in flight a replica; 0: none


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """The session cookie; an empty cookie name turns sessions off."""

    cookie: str = "uuid"
    ttl_s: float = 3600.0
    data_bytes_max: int = 4096
    secure: bool = False  # add Secure to the cookie: set it where a front in front of the gateway speaks TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreSpec:
    """Requests that neither wake the service nor keep it awake; forwarded while it is awake."""

    paths: tuple[str, ...] = ()  # exact, or a prefix when it ends in "*"
    agents: tuple[str, ...] = ()  # part of the User-Agent, any case; "monitors" and "bots" are built in
    methods: tuple[str, ...] = ()
    status: int = 503  # or 204


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSpec:
    """Limits of a request that is on its way to the app; waiting for a wake does not count."""

    connect_timeout_s: float = 5.0
    response_timeout_s: float = 300.0  # until the response head
    stream_timeout_s: float = 0.0  # between two pieces of the response body; 0: no limit
    timeout_s: float = 0.0  # whole request; 0: no limit
    tunnel_timeout_s: float = 0.0  # longest silence, both ways, of an upgraded connection; 0: no limit
    body_bytes_max: int = 1024**3  # of a request; 0: no limit
    strip_path: bool = False  # take the service's path prefix off, and say so in X-Forwarded-Prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One service: where its requests come from, what runs, and its policy."""

    name: str
    run: ProcessSpec | ContainerSpec
    hosts: tuple[str, ...] = ()  # lower case, no port; "*.example.com" matches one or more labels; empty: any host
    path: str = "/"
    is_routed: bool = True  # False: it has no place of its own, others wake it and speak to it themselves
    awake: tuple[Window, ...] = ()  # it is awake then without being asked
    wakes: tuple[str, ...] = ()  # the services that are awake before it, and while it is
    wake: WakeSpec = field(default_factory=WakeSpec)
    hold: HoldSpec = field(default_factory=HoldSpec)
    sleep: SleepSpec = field(default_factory=SleepSpec)
    scale: ScaleSpec = field(default_factory=ScaleSpec)
    session: SessionSpec = field(default_factory=SessionSpec)
    ignore: IgnoreSpec = field(default_factory=IgnoreSpec)
    forward: ForwardSpec = field(default_factory=ForwardSpec)

    @property
    def memory_bytes_max(self) -> int:
        """Return what 100 % memory means for one replica: the limit of its container, where it has one."""
        limit = self.run.memory_bytes if isinstance(self.run, ContainerSpec) else 0
        return limit or self.scale.memory_bytes


WORKERS_MAX = 64
PORT_MAX = 65_535
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  what ":8080" asks for; the default is 127.0.0.1
UNIX_PEER = "unix"  # among trusted proxies: whoever connects to a Unix socket


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySpec:
    """The gateway's own settings."""

    host: str = "127.0.0.1"
    port: int = 8080  # 0: a free port
    unix_path: str = ""  # of a Unix socket to listen on instead
    state_dir: str = ".wakegate"
    head_timeout_s: float = 10.0  # a client must send a whole request head within this
    body_timeout_s: float = 60.0  # longest pause between two pieces of a request body
    send_timeout_s: float = 60.0  # longest time in which a client takes nothing of an answer that waits for it
    keepalive_timeout_s: float = 75.0
    head_bytes_max: int = 32_768
    connections_max: int = 20_000
    workers: int = 1  # processes that let requests in; 0: one a core
    drain_timeout_s: float = 30.0
    show_errors: bool = False  # put the app's last log lines into answers
    trusted_proxies: tuple[str, ...] = ()  # networks, or "unix": from these, X-Forwarded-* is believed
    proxy_protocol: bool = False  # each connection begins with a PROXY header, of a trusted proxy
    tls_certificate: str = ""  # PEM files; empty: plain HTTP
    tls_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A whole configuration."""

    gateway: GatewaySpec
    services: tuple[ServiceSpec, ...]
