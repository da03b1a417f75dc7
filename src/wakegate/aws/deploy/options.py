"""One table from options of `wakegate deploy` to parameters of the template; command line and checks come from it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from wakegate.config.quantity import duration_s
from wakegate.config.show import UnfitError
from wakegate.core.errors import ConfigError

PREFIX_LENGTH_MAX = 20  # with its dash, as the template has it
PREFIX_PATTERN = "^([a-z][a-z0-9]*(-[a-z0-9]+)*-)?$"
SHOWN_MAX = 3  # so many choices stand in the place of the value, more behind the help

Given = Mapping[str, str | tuple[str, ...]]
Values = Mapping[str, str]


class Kind(StrEnum):
    """How an option is written."""

    TEXT = "TEXT"
    COUNT = "N"
    DURATION = "TIME"
    CHOICE = "CHOICE"
    LIST = "LIST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`flag` sets `parameter`; `default` is the template's own, which a test compares."""

    flag: str
    parameter: str
    help_text: str
    kind: Kind = Kind.TEXT
    default: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""  # the template's own, which a test compares
    wants: str = ""  # what the pattern stands for, in words
    least: int = 0
    most: int = 10**9


def _choice(flag: str, parameter: str, help_text: str, *choices: str) -> Option:
    return Option(
        flag=flag, parameter=parameter, help_text=help_text, kind=Kind.CHOICE, default=choices[0], choices=choices
    )


def _count(flag: str, parameter: str, help_text: str, *, default: int, least: int = 0, most: int = 10**9) -> Option:
    return Option(
        flag=flag, parameter=parameter, help_text=help_text, kind=Kind.COUNT, default=str(default),
        least=least, most=most,
    )  # fmt: skip


def _time(flag: str, parameter: str, help_text: str, *, default: int, least: int, most: int) -> Option:
    return Option(
        flag=flag, parameter=parameter, help_text=help_text, kind=Kind.DURATION, default=str(default),
        least=least, most=most,
    )  # fmt: skip


def _text(
    flag: str,
    parameter: str,
    help_text: str,
    *,
    default: str = "",
    kind: Kind = Kind.TEXT,
    pattern: str = "",
    wants: str = "",
) -> Option:
    return Option(
        flag=flag, parameter=parameter, help_text=help_text, kind=kind, default=default, pattern=pattern, wants=wants
    )


CPUS = ("256", "512", "1024", "2048", "4096", "8192", "16384")
LOG_DAYS = ("14", "1", "3", "5", "7", "30", "60", "90", "180", "365", "400", "545", "731", "1827", "3653")

OPTIONS = (
    _choice("--cpu", "TaskCpu", "CPU units of a task; 1024 is one vCPU", *CPUS),
    _count("--memory", "TaskMemory", "Memory of a task in MB", default=512, least=512, most=122_880),
    _count("--port", "ContainerPort", "Port that the app listens on", default=80, least=1, most=65_535),
    _choice("--arch", "Architecture", "Processor of the image and the functions", "x86_64", "arm64"),
    _text(
        "--probe",
        "Probe",
        'How to tell that the app is ready: "tcp", or a path',
        default="tcp",
        pattern='^(tcp|/[!"$-~]*)$',
        wants='"tcp", or a path that begins with / and has neither a space nor #',
    ),
    _time("--idle-timeout", "IdleTimeout", "Sleep after being idle for this long", default=300, least=60, most=86_400),
    _time("--wake-timeout", "WakeTimeout", "Give a wake up after this long", default=180, least=30, most=870),
    _choice("--on-long-wait", "OnLongWait", "Answer to a wait that is longer than the HTTP API's", "307", "503"),
    _count("--concurrency", "Concurrency", "Most requests at once; 0 sets no limit", default=0, most=1_000),
    _count("--min", "ReplicasMin", "Fewest tasks; with 1 or more it never sleeps", default=0, most=100),
    _count("--max", "ReplicasMax", "Most tasks", default=3, least=1, most=100),
    _choice("--metric", "ScaleMetric", "What scales it out", "cpu", "memory"),
    _count("--target", "ScaleTarget", "Percent of the metric to aim at", default=70, least=1, most=100),
    _time("--scale-out-cooldown", "ScaleOutCooldown", "Pause after scaling out", default=300, least=0, most=3_600),
    _time("--scale-in-cooldown", "ScaleInCooldown", "Pause after scaling in", default=300, least=0, most=3_600),
    _text(
        "--prefix",
        "Prefix",
        'Put before every name, as in "shop-"',
        pattern=PREFIX_PATTERN,
        wants='lower-case letters, digits and dashes, a letter first and a dash last, at most 20, as in "shop-"',
    ),
    _text("--vpc", "VpcId", "VPC of the tasks (default: the default VPC)"),
    _text(
        "--subnet", "SubnetIds", "Public subnet of the tasks; may be repeated (default: all of the VPC)", kind=Kind.LIST
    ),
    _choice("--front", "Front", "What is in front", "http-api", "function-url", "both"),
    _text(
        "--stage",
        "StageName",
        'Stage of the HTTP API, part of its URL; "$default" has no path',
        default="prod",
        pattern=r"^([A-Za-z0-9_-]{1,128}|\$default)$",
        wants='letters, digits, - and _, or "$default"',
    ),
    _choice("--auth", "Authorization", "Who may call it", "none", "jwt", "iam"),
    _text("--jwt-issuer", "JwtIssuer", "Issuer of the tokens, with --auth jwt"),
    _text("--jwt-audience", "JwtAudience", "Audience of the tokens; may be repeated", kind=Kind.LIST),
    _text("--cors-origin", "CorsOrigins", "Origin that browsers may call it from; may be repeated", kind=Kind.LIST),
    _count("--throttle-rate", "ThrottleRate", "Requests a second", default=1_000, least=1),
    _count("--throttle-burst", "ThrottleBurst", "Requests in a burst", default=500, least=1),
    _text("--domain", "DomainName", "Domain of your own"),
    _text(
        "--certificate",
        "CertificateArn",
        "ARN of the domain's certificate",
        pattern="^(arn:aws[a-zA-Z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+)?$",
        wants="the ARN of one in ACM",
    ),
    _choice("--log-days", "LogRetentionDays", "Days that logs are kept", *LOG_DAYS),
)

# Parameters without an option: the guide's names. Whoever wants others has the template.
NAMES = MappingProxyType(
    {
        "RepositoryName": "my-scaling-app",
        "TableName": "session-table",
        "ClusterName": "my-scaling-cluster",
        "ServiceName": "my-scaling-service",
        "TaskFamily": "my-scaling-task",
        "ApiName": "container-scaling-api",
    }
)
# Parameters that a deployment finds out by itself.
FOUND = ("Image", "ImageRepositoryArn", "CodeBucket", "CodeKey", "FirstDeploy", "CreateRepository", "CreateTable")
PARAMETERS = frozenset((*NAMES, *FOUND, *(option.parameter for option in OPTIONS)))
DEFAULTS: Values = MappingProxyType({**NAMES, **{option.parameter: option.default for option in OPTIONS}})


def read(given: Given) -> dict[str, str]:
    """Return the parameters that these options set; every problem at once in one `ConfigError`."""
    values, problems = {}, []
    for option in OPTIONS:
        written = given.get(option.flag)
        if written is None or written == ():
            continue
        try:
            values[option.parameter] = _read(option, written)
        except UnfitError as error:
            problems.append(f"{option.flag}: {error}")
    if problems:
        raise ConfigError(tuple(problems))
    return values


def _read(option: Option, written: str | tuple[str, ...]) -> str:
    if not isinstance(written, str):
        return ",".join(written)
    if option.kind is Kind.CHOICE and written not in option.choices:
        raise UnfitError(f'"{written}" is none of {", ".join(sorted(option.choices, key=_natural))}')
    if option.kind is Kind.DURATION:
        return _bounded(option, duration_s(written), unit="s", written=written)
    if option.kind is Kind.COUNT:
        if not (written.isascii() and written.isdigit()):
            raise UnfitError(f'"{written}" is no whole number')
        return _bounded(option, int(written), unit="", written=written)
    if option.pattern and not re.fullmatch(option.pattern, written):
        raise UnfitError(f'"{written}" does not fit; write {option.wants}')
    return written


def _bounded(option: Option, number: float, *, unit: str, written: str) -> str:
    if not option.least <= number <= option.most or number != int(number):
        raise UnfitError(f'"{written}" is not a whole number from {option.least:,}{unit} to {option.most:,}{unit}')
    return str(int(number))


def _natural(text: str) -> tuple[int, str]:
    return (int(text) if text.isdigit() else 0, text)


def say_default(option: Option) -> str:
    """Say an option's default as the help does."""
    unit = "s" if option.kind is Kind.DURATION else ""
    of = f": {', '.join(sorted(option.choices, key=_natural))}" if len(option.choices) > SHOWN_MAX else ""
    return f"{option.help_text}{of} (default: {option.default}{unit})." if option.default else f"{option.help_text}."


def problems_of(values: Values, *, request_s: int) -> Iterator[str]:
    """Say what does not go together in all parameters; `request_s` is the longest request of the front."""
    idle_s, wake_s = int(values["IdleTimeout"]), int(values["WakeTimeout"])
    if idle_s <= request_s:
        why = "a wake's whole timeout on a Function URL" if request_s == wake_s else "what an HTTP API allows"
        yield (
            f"--idle-timeout: {idle_s} s is not longer than the longest request, {request_s} s ({why}); "
            f"it would stop the app under a running request"
        )
    if int(values["ReplicasMin"]) > int(values["ReplicasMax"]):
        yield f"--min: {values['ReplicasMin']} is more than --max {values['ReplicasMax']}"
    memories = memories_of(int(values["TaskCpu"]))
    if int(values["TaskMemory"]) not in memories:
        sizes = ", ".join(map(str, memories[:3])) + (f" … {memories[-1]}" if len(memories) > 3 else "")
        yield f"--memory: with --cpu {values['TaskCpu']} Fargate has {sizes}, not {values['TaskMemory']}"
    if values["Authorization"] == "jwt" and not (values["JwtIssuer"] and values["JwtAudience"]):
        yield "--auth: jwt needs --jwt-issuer and --jwt-audience"
    if values["Authorization"] == "jwt" and values["Front"] != "http-api":
        yield "--auth: a Function URL checks no tokens, so jwt needs --front http-api; or use --auth iam"
    if not is_prefix(values["Prefix"]):
        why = f'is longer than {PREFIX_LENGTH_MAX}, or begins with "sg-", which AWS keeps for itself'
        yield f'--prefix: "{values["Prefix"]}" {why}'
    if values["DomainName"] and not values["CertificateArn"]:
        yield "--domain: needs the --certificate of it"


def is_prefix(text: str) -> bool:
    """Say whether this may stand before every name: the template's own rules, and one of AWS's."""
    is_written_so = re.fullmatch(PREFIX_PATTERN, text) is not None
    return is_written_so and len(text) <= PREFIX_LENGTH_MAX and not text.startswith("sg-")


def memories_of(cpu: int) -> tuple[int, ...]:
    """Return the sizes in MB that Fargate has with this CPU."""
    most = {256: 2048, 512: 4096, 1024: 8192, 2048: 16_384, 4096: 30_720, 8192: 61_440, 16_384: 122_880}[cpu]
    step = {256: 512, 8192: 4096, 16_384: 8192}.get(cpu, 1024)
    return tuple(size for size in range(cpu * 2, most + 1, step) if size != 1536)
