"""What a file may hold, and how each slip in it is told: file, line, key, what was found, what is expected."""

import pytest
from tests.config.conftest import Problems, Reads

WEB = '[service.web]\ncommand = ["true"]\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            WEB + "[service.web.scale]\nmaximum = 3",
            '4: service.web.scale.maximum: unknown setting; did you mean "max"?',
        ),
        (
            WEB + 'idle_timeout = "5m"',
            '3: service.web.idle_timeout: unknown setting; did you mean "sleep.idle_timeout"?',
        ),
        (WEB + "[service.web.slep]\n", '3: service.web.slep: unknown setting; did you mean "sleep"?'),
        (WEB + "colour = 1", "3: service.web.colour: unknown setting; see docs/settings.md for all there are"),
        (WEB + "'a b' = 1", '3: service.web."a b": unknown setting; see docs/settings.md for all there are'),
        (WEB + "[gateway]\nport = 1", "4: gateway.port: unknown setting; see docs/settings.md for all there are"),
        (WEB + "[gateway]\nlistn = 1", '4: gateway.listn: unknown setting; did you mean "listen"?'),
        (WEB + "[services.api]", '3: services: unknown setting; did you mean "service"?'),
        (WEB + "[web]\n", "3: web: unknown setting; there are [gateway] and [service.NAME]"),
        (WEB + "ignore = ['monitors']", '3: service.web.ignore: ["monitors"] is no table; write [service.web.ignore]'),
        ("gateway = 5\n" + WEB, "1: gateway: 5 is no table; write [gateway]"),
        ("service = 5", "1: service: 5 is no table; write [service.web]"),
        ("[[service.web]]\ncommand = ['true']", "1: service.web: [a table] is no table; write [service.web]"),
        ("[service]\nweb = 'true'", '2: service.web: "true" is no table; write [service.web]'),
        (
            "[service.'a b']\ncommand = ['true']",
            (
                '1: service."a b": "a b" is no name of a service; write letters, digits, - and _, at most 63, '
                "a letter or digit first"
            ),
        ),
        (WEB + "sleep.idle_timeout = 300", '3: service.web.sleep.idle_timeout: 300 has no unit; write "300s"'),
        (
            "[service.web]",
            (
                '1: service.web: nothing to run; write command = ["program", "argument", "{port}"], or image, build, '
                "container or compose"
            ),
        ),
    ],
)
def test_a_slip_is_told_with_its_place_and_cure(problems: Problems, text: str, problem: str) -> None:
    """Design chapter 8, and the voice of UX.md."""
    assert f"wakegate.toml:{problem}" in problems(text)


def test_a_file_without_a_service_is_told_what_to_write(problems: Problems) -> None:
    """There is no line to point at."""
    expected = ("wakegate.toml: no service; write a table [service.web] with a command",)
    assert problems("") == problems("[service]") == problems("service = {}") == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[service.web]\ncommand = \n", "wakegate.toml:2: is no TOML: invalid value"),
        ("[service.web]\ncommand = [\n'a',\n", "wakegate.toml:3: is no TOML: invalid value"),
        (WEB + "command = []\n", "wakegate.toml:3: is no TOML: a key is written twice"),
        (WEB + "[service.web]\n", "wakegate.toml:3: is no TOML: cannot declare ('service', 'web') twice"),
        ("a = " + "9" * 5000, "wakegate.toml: is no TOML: exceeds the limit"),
        ("a = " + "[" * 50_000, "wakegate.toml: brackets are nested too deeply; no setting needs more than two"),
        (b"[service.web]\n# caf\xe9\n", "wakegate.toml:2: is not UTF-8; save the file as UTF-8"),
        ("[service.web]\n".encode("utf-16"), "wakegate.toml:1: is not UTF-8; save the file as UTF-8"),
        (b"a = 1\nb = \0\n", "wakegate.toml:2: is no TOML: invalid value"),
        (b"#" * 10_000_000, "wakegate.toml: is larger than 1 MiB, which no configuration is; name another file"),
    ],
    ids=range(10),
)
def test_what_is_no_toml_is_told_with_its_line(problems: Problems, text: str | bytes, problem: str) -> None:
    """The parser's own message, where the user can go to."""
    (told,) = problems(text)
    assert told.startswith(problem)


def test_a_byte_order_mark_and_windows_lines_are_fine(reads: Reads, problems: Problems) -> None:
    """Editors on Windows write both, and nobody sees them."""
    text = "\ufeff" + WEB.replace("\n", "\r\n")
    assert reads(text).services[0].run.command == ("true",)
    assert problems(text + "port = 'x'")[0].startswith("wakegate.toml:3: service.web.port:")


def test_a_service_without_a_name_is_one_problem(problems: Problems) -> None:
    """What stands below it is of a service all the same."""
    assert len(problems('[service.""]\ncommand = "true"\n[service."".sleep]\nidle_timeout = "9m"\n')) == 1
