"""Every setting there is. The parser, the defaults, the docs page, the JSON schema and a test are made from this table.

A help text says what the setting is for, and when to change it; what 0 means is said where 0 is possible.
Over 300 lines because it is one table, and one place to look.
"""

from wakegate.config.awake import AWAKE
from wakegate.config.command import Command
from wakegate.config.container import (
    COMPOSE_PROJECT,
    COMPOSE_SERVICE,
    CONTAINER,
    IMAGE,
    LABELS,
    NETWORK,
    USER,
    VOLUMES,
)
from wakegate.config.host import HOSTS
from wakegate.config.kind import Boolean, Choice, Environment, Kind
from wakegate.config.listen import Listen
from wakegate.config.number import Bytes, Duration, Integer, Number
from wakegate.config.proxies import PROXIES
from wakegate.config.setting import Setting
from wakegate.config.text import AGENTS, COOKIE, FILE, FOLDER, IGNORED_PATHS, METHODS, PATH_PREFIX, PROBE, REQUEST_PATHS
from wakegate.config.wakes import WAKES
from wakegate.core.spec import PORT_MAX, WORKERS_MAX

MIB, GIB = 2**20, 2**30
TIME, TIME_OR_ZERO = Duration(), Duration(zero=True)


def _gateway(
    name: str, kind: Kind, default: object, fills: str, help_text: str, *, option: str = "", restart: bool = False
) -> Setting:
    return Setting(
        key=f"gateway.{name}",
        kind=kind,
        default=default,
        fills=tuple(fills.split()),
        help_text=help_text,
        option=option,
        needs_restart=restart,
    )


def _service(name: str, kind: Kind, default: object, fills: str, help_text: str, *, option: str = "") -> Setting:
    return Setting(
        key=f"service.*.{name}", kind=kind, default=default, fills=(fills,), help_text=help_text, option=option
    )


SETTINGS: tuple[Setting, ...] = (
    _gateway(
        "listen", Listen(default_host="127.0.0.1"), "127.0.0.1:8080", "host port unix_path",
        'The address to listen on: "HOST:PORT", ":8080" for every address of this machine, "8080" for this machine '
        'only; port 0 takes a free one. "unix:/run/wakegate.sock" is a Unix socket; a relative path starts at the '
        "folder of the file.",
        option="--listen", restart=True,
    ),
    _gateway(
        "state_dir", FOLDER, ".wakegate", "state_dir",
        "The folder for sessions, the history of wakes and logs; a relative one starts at the folder of the file.",
        option="--state-dir", restart=True,
    ),
    _gateway(
        "head_timeout", TIME, "10s", "head_timeout_s",
        "How long a client may take to send the head of a request.",
    ),
    _gateway(
        "body_timeout", TIME, "60s", "body_timeout_s",
        "The longest pause between two pieces of a request's body; raise it for clients on bad networks.",
    ),
    _gateway(
        "send_timeout", TIME, "60s", "send_timeout_s",
        "How long a client may take nothing of an answer that waits for it, before it is cut.",
    ),
    _gateway(
        "keepalive_timeout", TIME, "75s", "keepalive_timeout_s",
        "How long a client's connection is kept open between requests.",
    ),
    _gateway(
        "head_bytes_max", Bytes(least=1024, most=MIB), "32KiB", "head_bytes_max",
        "The largest head of a request; a larger one is answered 431. Raise it for very large cookies.",
    ),
    _gateway(
        "connections_max", Integer(least=1, most=1_000_000), 20_000, "connections_max",
        "How many clients may be connected at once; one more gets 503 and is told when to come back. With workers, "
        "each may have its share of them.",
    ),
    _gateway(
        "workers", Integer(least=1, most=WORKERS_MAX, auto=True), 1, "workers",
        'How many processes let requests in, by the same port: "auto" is one for each core, 1 none beside the '
        "gateway's own. More than 1 needs Linux; raise it when one core is not enough for the requests.",
        restart=True,
    ),
    _gateway(
        "drain_timeout", TIME_OR_ZERO, "30s", "drain_timeout_s",
        'How long requests in flight may go on when the gateway is stopped; "0s" cuts them at once.',
    ),
    _gateway(
        "show_errors", Boolean(), False, "show_errors",
        "Put the app's last log lines into the answer when a wake fails: for development, as logs may hold secrets.",
    ),
    _gateway(
        "trusted_proxies", PROXIES, [], "trusted_proxies",
        'Proxies in front of the gateway, as addresses and networks ("127.0.0.1", "10.0.0.0/8"): what they say of '
        "their clients in X-Forwarded-For, -Proto and -Host, or in Forwarded, is believed. From all others it is "
        'replaced. "unix" is whoever connects to a Unix socket.',
    ),
    _gateway(
        "proxy_protocol", Boolean(), False, "proxy_protocol",
        "Each connection begins with a PROXY header (version 1 or 2) that says who the client is, and comes from one "
        "of trusted_proxies; all others are closed.",
        restart=True,
    ),
    _gateway(
        "tls_certificate", FILE, None, "tls_certificate",
        "The certificate to speak HTTPS with, as a PEM file with its chain; read again when the file changes.",
        restart=True,
    ),
    _gateway(
        "tls_key", FILE, None, "tls_key",
        "The private key of the certificate, as a PEM file without a passphrase.",
        restart=True,
    ),
    _service(
        "command", Command(), None, "run.command",
        "The program to run and its arguments; {port} becomes the port to listen on, which is also in PORT. "
        "No shell is involved. With image or build: instead of the image's own.",
    ),
    _service(
        "image", IMAGE, None, "run.image",
        "The image of a container to run, pulled when it is missing.",
    ),
    _service(
        "build", FOLDER, None, "run.build",
        "A folder with a Dockerfile, to run a container of what it builds.",
    ),
    _service(
        "container", CONTAINER, None, "run.name",
        "A container that exists already: it is started and stopped, never made, changed or removed.",
    ),
    _service(
        "compose", FILE, None, "run.compose",
        "A Compose file, or its folder: the containers that docker compose made of it are started, after what they "
        "depend on, and stopped.",
    ),
    _service(
        "compose_service", COMPOSE_SERVICE, None, "run.compose_service",
        "The service of the Compose file that gets the requests, where it is not called as this one is.",
    ),
    _service(
        "compose_project", COMPOSE_PROJECT, None, "run.compose_project",
        "The project's name, where docker compose was told one by -p; else it is found as Compose does.",
    ),
    _service(
        "env", Environment(), {}, "run.env",
        "Environment variables for the app, on top of the gateway's own or of the image's; {port} is replaced in the "
        "values.",
    ),
    _service(
        "directory", FOLDER, ".", "run.directory",
        "The folder to run the command in; a relative one starts at the folder of the file.",
    ),
    _service(
        "port", Integer(most=PORT_MAX), 0, "run.port",
        "The port that the app listens on, if it cannot be told one: then only one replica can run. "
        "0 gives each replica a free one. Of a container: the port in it; 0 is the one that it exposes.",
        option="--port",
    ),
    _service(
        "hosts", HOSTS, [], "hosts",
        'The hosts that belong to this service, "*.example.com" for all names below one; empty: any host.',
    ),
    _service(
        "path", PATH_PREFIX, "/", "path",
        "The path below which requests belong to this service; the longest one that fits wins.",
    ),
    _service(
        "awake", AWAKE, [], "awake",
        'Times at which it is awake without a request: "Mon-Fri 08:00-18:00", with a zone ("… Europe/Zurich") where '
        "it is not to be this machine's; or a list of such.",
    ),
    _service(
        "wakes", WAKES, [], "wakes",
        "The services that it needs, a database: they are woken before it, and sleep after it.",
    ),
    _service(
        "docker.volumes", VOLUMES, [], "run.volumes",
        'What a container of an image or a build finds where: "./data:/var/lib/app" is a folder here, '
        '"data:/var/lib/app" a volume, ":ro" at the end makes it read-only.',
    ),
    _service(
        "docker.labels", LABELS, {}, "run.labels",
        "Labels of its containers, for other tools.",
    ),
    _service(
        "docker.memory", Bytes(least=6 * MIB), None, "run.memory_bytes",
        "The most memory that a replica may use; one that needs more is killed. Where it is written, it is also what "
        "100 % memory means.",
    ),
    _service(
        "docker.cpus", Number(most=10_000.0), None, "run.cpus",
        "The most cores that a replica may use: 0.5 is half of one.",
    ),
    _service(
        "docker.user", USER, None, "run.user",
        "The user that it runs as, where it is not to be the image's.",
    ),
    _service(
        "docker.network", NETWORK, None, "run.network",
        "A network that exists, on which replicas are reached by their addresses, and reach others by name; without "
        "it their port is published on 127.0.0.1.",
    ),
    _service(
        "wake.timeout", TIME, "180s", "wake.timeout_s",
        "How long a wake may take before it has failed; raise it for an app that starts more slowly.",
        option="--wake-timeout",
    ),
    _service(
        "wake.probe", PROBE, "tcp", "wake.probe",
        'How to tell that a replica is ready: "tcp" when it accepts connections, or a path that answers 200-399.',
    ),
    _service(
        "wake.probe_timeout", TIME, "1s", "wake.probe_timeout_s",
        "How long one try of the probe may take.",
    ),
    _service(
        "wake.settle", TIME_OR_ZERO, "0s", "wake.settle_s",
        'A pause between ready and the first request, for an app that listens before it can answer; "0s" is off.',
    ),
    _service(
        "wake.backoff_min", TIME, "1s", "wake.backoff_min_s",
        "How long a failed wake is not tried again; doubled for each further failure in a row.",
    ),
    _service(
        "wake.backoff_max", TIME, "5m", "wake.backoff_max_s",
        "The longest that failed wakes are not tried again.",
    ),
    _service(
        "wake.on_paths", REQUEST_PATHS, [], "wake.on_paths",
        "Only requests below these paths wake the service; empty: all do but those for icons (favicon.ico).",
    ),
    _service(
        "wake.on_methods", METHODS, [], "wake.on_methods",
        "Only requests with these methods wake the service; empty: all do.",
    ),
    _service(
        "hold.depth_max", Integer(), 10_000, "hold.depth_max",
        "How many requests may wait for a wake; the next one is answered 503 at once.",
    ),
    _service(
        "hold.timeout", Duration(auto=True), "auto", "hold.timeout_s",
        'How long one request may wait; "auto" is 3.5 times the usual wake, at least 10s, at most wake.timeout.',
    ),
    _service(
        "hold.on_cold", Choice(of=("auto", "hold", "page")), "auto", "hold.on_cold",
        'What browsers get while they wait: "auto" is the waiting page where it takes long (page_after), "page" is the '
        'page at once, "hold" is never the page. All other clients are held.',
    ),
    _service(
        "hold.page_after", TIME_OR_ZERO, "2s", "hold.page_after_s",
        "Browsers get the waiting page at once where the wake is expected to take longer, else after this time.",
    ),
    _service(
        "hold.target_connections_max", Integer(least=1, most=65_535), 64, "hold.target_connections_max",
        "How many requests that waited may be on their way to one fresh replica at once; lower it for an app that "
        "a herd fells.",
    ),
    _service(
        "hold.interim_interval", TIME_OR_ZERO, "0s", "hold.interim_interval_s",
        'How often a waiting client is sent "102 Processing", for fronts that give up on silent connections; '
        '"0s" is off.',
    ),
    _service(
        "hold.comment_interval", TIME_OR_ZERO, "0s", "hold.comment_interval_s",
        'How often a waiting event stream is sent a comment line, which begins its answer with 200; "0s" is off.',
    ),
    _service(
        "hold.body_bytes_max", Bytes(least=0, most=GIB), "64KiB", "hold.body_bytes_max",
        "How much of a waiting request's body is taken into memory; the rest waits in the network.",
    ),
    _service(
        "sleep.idle_timeout", TIME, "5m", "sleep.idle_timeout_s",
        "How long nobody may use the service before it is put to sleep.",
        option="--idle-timeout",
    ),
    _service(
        "sleep.grace", TIME_OR_ZERO, "1s", "sleep.grace_s",
        'How long after that nothing is stopped yet: a request that comes now finds it awake; "0s" is off.',
    ),
    _service(
        "sleep.drain_timeout", TIME_OR_ZERO, "30s", "sleep.drain_timeout_s",
        "How long a replica that leaves may finish its requests.",
    ),
    _service(
        "sleep.stop_grace", TIME_OR_ZERO, "10s", "sleep.stop_grace_s",
        "How long the app may take to end after SIGTERM, before SIGKILL.",
    ),
    _service(
        "sleep.unless_cpu_above", Number(zero=True), 0, "sleep.unless_cpu_above",
        "Keep it awake while it uses more than this percentage of one core, for work after the last answer; 0 is off.",
    ),
    _service(
        "sleep.mode", Choice(of=("stop", "pause")), "stop", "sleep.mode",
        'How it sleeps: "stop" ends it, "pause" freezes it: it wakes in milliseconds, and keeps its memory.',
    ),
    _service(
        "sleep.then_stop_after", TIME_OR_ZERO, "1h", "sleep.then_stop_after_s",
        'How long it stays paused before it is stopped after all, which frees its memory; "0s": until it is used.',
    ),
    _service(
        "scale.min", Integer(most=1000), 0, "scale.replicas_min",
        "How many replicas run at least: 0 lets the service sleep, 1 or more keeps it awake always.",
    ),
    _service(
        "scale.max", Integer(least=1, most=1000), 3, "scale.replicas_max",
        "How many replicas may run at once.",
    ),
    _service(
        "scale.metric", Choice(of=("cpu", "memory", "concurrency")), "cpu", "scale.metric",
        "What is kept near the target: processor time, memory, or requests in flight.",
    ),
    _service(
        "scale.target", Number(), 70, "scale.target",
        "What a replica should be at: percent of one core or of scale.memory; for concurrency, requests in flight.",
    ),
    _service(
        "scale.scale_out_cooldown", TIME_OR_ZERO, "300s", "scale.scale_out_cooldown_s",
        "The pause after more replicas were started, before still more are.",
    ),
    _service(
        "scale.scale_in_cooldown", TIME_OR_ZERO, "300s", "scale.scale_in_cooldown_s",
        "The pause after a change of the number of replicas, before some are stopped.",
    ),
    _service(
        "scale.interval", TIME, "5s", "scale.interval_s",
        "How often the metric is read.",
    ),
    _service(
        "scale.window", TIME, "60s", "scale.window_s",
        "The time over which readings are averaged: shorter reacts faster, longer is calmer.",
    ),
    _service(
        "scale.memory", Bytes(least=MIB), "512MiB", "scale.memory_bytes",
        "What 100 % memory means for one replica; nothing is limited by it.",
    ),
    _service(
        "scale.concurrency_max", Integer(most=1_000_000), 0, "scale.concurrency_max",
        "How many requests one replica gets at once, the others wait; 1 for an app that can do only one. 0: no limit.",
    ),
    _service(
        "session.cookie", COOKIE, "uuid", "session.cookie",
        'The name of the session cookie; "" turns sessions off.',
    ),
    _service(
        "session.ttl", TIME, "1h", "session.ttl_s",
        "How long after its last request a session ends.",
    ),
    _service(
        "session.data_bytes_max", Bytes(least=0, most=65_536), "4KiB", "session.data_bytes_max",
        "The most that the app may keep in a session by Wakegate-Session-Data.",
    ),
    _service(
        "session.secure", Boolean(), False, "session.secure",
        "Add Secure to the cookie: set it where something in front of the gateway speaks TLS.",
    ),
    _service(
        "ignore.paths", IGNORED_PATHS, [], "ignore.paths",
        'Requests for these paths neither wake the service nor keep it awake; "/static/*" is all below.',
    ),
    _service(
        "ignore.agents", AGENTS, [], "ignore.agents",
        'Requests of these user agents (parts of them, any case; "monitors" and "bots" stand for known ones) neither '
        "wake the service nor keep it awake.",
    ),
    _service(
        "ignore.methods", METHODS, [], "ignore.methods",
        "Requests with these methods neither wake the service nor keep it awake.",
    ),
    _service(
        "ignore.status", Choice(of=(503, 204)), 503, "ignore.status",
        "What ignored requests are answered while the service sleeps: 503, or 204, which raises no alarm.",
    ),
    _service(
        "forward.connect_timeout", TIME, "5s", "forward.connect_timeout_s",
        "How long a connection to the app may take.",
    ),
    _service(
        "forward.response_timeout", TIME, "300s", "forward.response_timeout_s",
        "How long the app may take to begin its answer; waiting for a wake does not count.",
    ),
    _service(
        "forward.stream_timeout", TIME_OR_ZERO, "0s", "forward.stream_timeout_s",
        'The longest pause between two pieces of an answer; "0s": no limit.',
    ),
    _service(
        "forward.tunnel_timeout", TIME_OR_ZERO, "0s", "forward.tunnel_timeout_s",
        'How long a WebSocket may be silent before it is closed; "0s": no limit, an open one keeps the service awake.',
    ),
    _service(
        "forward.timeout", TIME_OR_ZERO, "0s", "forward.timeout_s",
        'How long a whole request may take, waiting for a wake apart; "0s": no limit.',
    ),
    _service(
        "forward.body_bytes_max", Bytes(least=0), "1GiB", "forward.body_bytes_max",
        "The largest body of a request; a larger one is answered 413. 0: no limit.",
    ),
    _service(
        "forward.strip_path", Boolean(), False, "forward.strip_path",
        "Take the service's path off before the app sees it, and tell the app by X-Forwarded-Prefix.",
    ),
    _service(
        "log.bytes_max", Bytes(least=4096), "10MiB", "run.log_bytes_max",
        "How large the log of the app may grow before a new one is begun.",
    ),
    _service(
        "log.files_max", Integer(least=1, most=1000), 3, "run.log_files_max",
        "How many logs are kept.",
    ),
)  # fmt: skip
OF_GATEWAY = {setting.name: setting for setting in SETTINGS if setting.is_of_gateway}
OF_SERVICE = {setting.name: setting for setting in SETTINGS if not setting.is_of_gateway}
