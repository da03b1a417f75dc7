"""The table of options: the same as the template's parameters, and what does not go together."""

from typing import Any

import pytest
from tests.aws.deploy.yaml import loads

from wakegate.aws.deploy.options import (
    DEFAULTS,
    FOUND,
    OPTIONS,
    PARAMETERS,
    Given,
    Kind,
    memories_of,
    problems_of,
    read,
    say_default,
)
from wakegate.aws.deploy.template import template
from wakegate.core.errors import ConfigError


@pytest.fixture(scope="module")
def parameters() -> Any:
    """Return the parameters of the template."""
    return loads(template())["Parameters"]


def problems(*, request_s: int = 30, **changed: str) -> list[str]:
    """Return what is wrong with the defaults when these are changed."""
    return list(problems_of({**DEFAULTS, **changed}, request_s=request_s))


def test_every_parameter_of_the_template_has_its_option_and_none_has_two(parameters: Any) -> None:
    """A parameter that only the template knows could be set by nobody but those who deploy by hand."""
    assert set(parameters) == PARAMETERS
    assert len({option.parameter for option in OPTIONS}) == len({option.flag for option in OPTIONS}) == len(OPTIONS)


def test_the_defaults_are_those_of_the_template(parameters: Any) -> None:
    """What the help says and what a check assumes must be what is deployed."""
    of_template = {name: str(one.get("Default", "")) for name, one in parameters.items() if name not in FOUND}
    assert dict(DEFAULTS) == of_template


def test_the_bounds_are_those_of_the_template(parameters: Any) -> None:
    """A value that AWS would refuse after a minute is refused at once."""
    for option in OPTIONS:
        one = parameters[option.parameter]
        if option.kind is Kind.CHOICE:
            assert sorted(option.choices) == sorted(map(str, one["AllowedValues"]))
        assert option.pattern == one.get("AllowedPattern", "")
        if option.kind in (Kind.COUNT, Kind.DURATION):
            assert (option.least, option.most) == (int(one.get("MinValue", 0)), int(one.get("MaxValue", 10**9)))


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"--idle-timeout": "10m"}, {"IdleTimeout": "600"}),
        ({"--port": "8080", "--arch": "arm64"}, {"ContainerPort": "8080", "Architecture": "arm64"}),
        ({"--subnet": ("subnet-1", "subnet-2")}, {"SubnetIds": "subnet-1,subnet-2"}),
        ({"--subnet": (), "--vpc": None}, {}),
        ({"--probe": "/healthz"}, {"Probe": "/healthz"}),
    ],
)
def test_options_are_read_as_people_write_them(given: Given, values: dict[str, str]) -> None:
    """CloudFormation takes seconds and commas; nobody should have to."""
    assert read(given) == values


@pytest.mark.parametrize(
    ("flag", "written", "said"),
    [
        ("--idle-timeout", "20s", '--idle-timeout: "20s" is not a whole number from 60s to 86,400s'),
        ("--idle-timeout", "90.5s", '--idle-timeout: "90.5s" is not a whole number from 60s to 86,400s'),
        ("--wake-timeout", "180", '--wake-timeout: "180" has no unit; write "180s"'),
        ("--port", "http", '--port: "http" is no whole number'),
        ("--port", "70000", '--port: "70000" is not a whole number from 1 to 65,535'),
        ("--cpu", "300", '--cpu: "300" is none of 256, 512, 1024, 2048, 4096, 8192, 16384'),
        ("--stage", "a/b", '--stage: "a/b" does not fit; write letters, digits, - and _, or "$default"'),
        ("--front", "alb", '--front: "alb" is none of both, function-url, http-api'),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_does(flag: str, written: str, said: str) -> None:
    """The sentence is all that the user has."""
    with pytest.raises(ConfigError) as caught:
        read({flag: written})
    assert caught.value.problems == (said,)


def test_all_problems_are_told_at_once() -> None:
    """Nobody wants to learn of the second mistake after mending the first."""
    with pytest.raises(ConfigError) as caught:
        read({"--cpu": "1", "--port": "x"})
    assert len(caught.value.problems) == 2


def test_an_idle_timeout_within_the_longest_request_is_refused_with_the_reason() -> None:
    """It would stop the app under a request that is still running."""
    (said,) = problems(IdleTimeout="180", request_s=180, Front="function-url")
    assert said.startswith(
        "--idle-timeout: 180 s is not longer than the longest request, 180 s (a wake's whole timeout"
    )
    assert said.endswith("it would stop the app under a running request")
    (said,) = problems(IdleTimeout="30")
    assert "the longest request, 30 s (what an HTTP API allows)" in said
    assert problems(IdleTimeout="181", request_s=180) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ReplicasMin": "4"}, "--min: 4 is more than --max 3"),
        ({"TaskCpu": "1024"}, "--memory: with --cpu 1024 Fargate has 2048, 3072, 4096 … 8192, not 512"),
        ({"TaskMemory": "1536"}, "--memory: with --cpu 256 Fargate has 512, 1024, 2048, not 1536"),
        ({"Authorization": "jwt", "JwtIssuer": "https://i"}, "--auth: jwt needs --jwt-issuer and --jwt-audience"),
        (
            {"Authorization": "jwt", "JwtIssuer": "https://i", "JwtAudience": "a", "Front": "both"},
            "--auth: a Function URL checks no tokens, so jwt needs --front http-api; or use --auth iam",
        ),
        ({"Prefix": "sg-"}, '--prefix: "sg-" is longer than 20, or begins with "sg-", which AWS keeps for itself'),
        ({"DomainName": "a.example"}, "--domain: needs the --certificate of it"),
    ],
)
def test_what_does_not_go_together_is_refused(changed: dict[str, str], said: str) -> None:
    """AWS would refuse it as well, minutes later and half-way through."""
    assert list(problems_of({**DEFAULTS, **changed}, request_s=30)) == [said]


def test_the_defaults_go_together() -> None:
    """Nothing must be said for a first deployment."""
    assert problems() == []


def test_the_sizes_of_tasks_are_those_of_fargate() -> None:
    """The pairs are AWS's, and no formula's."""
    assert memories_of(256) == (512, 1024, 2048)
    assert memories_of(512) == (1024, 2048, 3072, 4096)
    assert (memories_of(4096)[0], memories_of(4096)[-1], len(memories_of(4096))) == (8192, 30_720, 23)
    assert memories_of(16_384) == tuple(range(32_768, 122_881, 8192))


def test_the_help_says_the_default_with_its_unit() -> None:
    """A bare 300 could be minutes."""
    by_flag = {option.flag: option for option in OPTIONS}
    assert say_default(by_flag["--idle-timeout"]) == "Sleep after being idle for this long (default: 300s)."
    assert say_default(by_flag["--domain"]) == "Domain of your own."
    assert say_default(by_flag["--cpu"]).endswith(
        "is one vCPU: 256, 512, 1024, 2048, 4096, 8192, 16384 (default: 256)."
    )
