"""Which requests neither wake a service nor keep it awake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.core.ignore import IgnoreRule
from wakegate.core.spec import IgnoreSpec

TEXTS = st.text(max_size=30)

MONITOR_AGENTS = (
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/98 StatusCake",
    "Better Uptime Bot Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "kube-probe/1.31",
    "ELB-HealthChecker/2.0",
    "GoogleHC/1.0",
    "Uptime-Kuma/1.23.16",
    "Site24x7",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/108.0 DatadogSynthetics",
    "Datadog/Synthetics",
    "Checkly/1.0 (https://www.checklyhq.com)",
    "Blackbox Exporter/0.25.0",
    "GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)",
    "Amazon-Route53-Health-Check-Service (ref 1234; report http://amzn.to/1vsZADi)",
    "check_http/v2.3.5 (monitoring-plugins 2.3.5)",
)
BOT_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "WhatsApp/2.23.20.0",
)
PEOPLE = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "",
)


def ignores(spec: IgnoreSpec, *, method: str = "GET", path: str = "/", agent: str = "") -> bool:
    """Ask a rule of this spec about one request."""
    return IgnoreRule(spec).matches(method=method, path=path, agent=agent)


@pytest.mark.parametrize("agent", MONITOR_AGENTS)
def test_the_well_known_monitors_have_one_name(agent: str) -> None:
    """14 of 20 wakes may be a monitor's: the cure must be one word."""
    assert ignores(IgnoreSpec(agents=("monitors",)), agent=agent)
    assert not ignores(IgnoreSpec(agents=("bots",)), agent=agent)


@pytest.mark.parametrize("agent", BOT_AGENTS)
def test_crawlers_and_link_previews_have_one_name(agent: str) -> None:
    """A link in a chat must not wake the staging server."""
    assert ignores(IgnoreSpec(agents=("bots",)), agent=agent)
    assert not ignores(IgnoreSpec(agents=("monitors",)), agent=agent)


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_and_their_programs_are_neither(agent: str) -> None:
    """Somebody who is taken for a robot finds the door shut."""
    assert not ignores(IgnoreSpec(agents=("monitors", "bots")), agent=agent)


def test_a_listed_agent_is_found_anywhere_and_in_any_case() -> None:
    """Users copy the part that they see in a log."""
    assert ignores(IgnoreSpec(agents=("MyProbe",)), agent="acme myprobe/2")
    assert ignores(IgnoreSpec(agents=("Monitors",)), agent="kube-probe/1.31")
    assert not ignores(IgnoreSpec(agents=("MyProbe",)), agent="probe")


@pytest.mark.parametrize(
    ("listed", "path", "expected"),
    [
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthz/", False),
        ("/healthz", "/healthzz", False),
        ("/static/*", "/static/a/b.css", True),
        ("/static/*", "/static/", True),
        ("/static/*", "/static", False),
        ("/ping*", "/pingpong", True),
        ("/*", "/", True),
    ],
)
def test_a_path_is_exact_unless_it_ends_in_a_star(listed: str, path: str, expected: bool) -> None:
    """ "/health" must not shut out "/healthy-recipes"."""
    assert ignores(IgnoreSpec(paths=(listed,)), path=path) is expected


def test_a_method_is_exact() -> None:
    """Methods are case-sensitive (RFC 9110)."""
    assert ignores(IgnoreSpec(methods=("OPTIONS",)), method="OPTIONS")
    assert not ignores(IgnoreSpec(methods=("OPTIONS",)), method="options")


@given(TEXTS, TEXTS, TEXTS)
def test_an_empty_rule_ignores_nothing_and_says_so(method: str, path: str, agent: str) -> None:
    """The hot path skips a rule that is falsy."""
    rule = IgnoreRule(IgnoreSpec())
    assert not rule
    assert not rule.matches(method=method, path=path, agent=agent)


@pytest.mark.parametrize(
    "spec",
    [IgnoreSpec(paths=("/a",)), IgnoreSpec(paths=("/a*",)), IgnoreSpec(agents=("a",)), IgnoreSpec(methods=("A",))],
)
def test_a_rule_with_anything_in_it_is_truthy(spec: IgnoreSpec) -> None:
    """Else the hot path would let through what it should ignore."""
    assert IgnoreRule(spec)


def test_an_empty_mark_is_a_bug_that_says_so() -> None:
    """It is part of every agent: nothing could ever wake the service."""
    with pytest.raises(AssertionError, match="empty mark"):
        IgnoreRule(IgnoreSpec(agents=("",)))
