"""User agents: who is a monitor or a bot, and how one is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.core.agent import BOTS, MONITORS, say_agent

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot/2.0"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot/2.1"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit/1.1"),
        ("Better Stack Better Uptime Bot Mozilla/5.0", "Better Stack"),
        ("kube-probe/1.31", "kube-probe/1.31"),
        (FIREFOX, "a browser"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("python-requests/2.32.3 with a very long story about itself", "python-requests/2.32.3"),
        ("an agent of exactly forty letters, whole", "an agent of exactly forty letters, whole"),
        ("", ""),
    ],
)
def test_an_agent_is_named_in_a_word_or_two(agent: str, said: str) -> None:
    """A sentence with five whole User-Agent headers in it is read by nobody."""
    assert say_agent(agent) == said


@given(st.text())
def test_every_agent_has_a_short_name(agent: str) -> None:
    """Clients write what they like into this header."""
    assert len(say_agent(agent)) <= 40


@given(st.sampled_from(MONITORS + BOTS), st.text(alphabet="x/1", max_size=200))
def test_a_known_agent_with_a_long_tail_is_still_named_shortly(mark: str, tail: str) -> None:
    """Also where the token around the mark is endless."""
    assert 0 < len(say_agent(f"{tail}{mark}{tail}")) <= 40


@pytest.mark.parametrize("mark", MONITORS + BOTS)
def test_a_mark_is_lower_case_and_no_part_of_a_browser(mark: str) -> None:
    """A mark that a browser's agent has would shut people out; one in upper case would never match."""
    assert mark == mark.lower()
    assert mark not in FIREFOX.lower()


def test_no_mark_is_part_of_another() -> None:
    """Each mark matches something that no other does; the two lists do not overlap."""
    marks = MONITORS + BOTS
    assert [(one, other) for one in marks for other in marks if one != other and one in other] == []
