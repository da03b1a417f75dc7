"""User agents: the marks of well-known monitors and bots, and how an agent is said in a sentence.

A mark is a part of the User-Agent header, in lower case.
"""

import re

MONITORS = (
    "uptimerobot", "pingdom", "statuscake", "betterstack", "better stack", "better uptime", "betteruptime",
    "uptime-kuma", "site24x7", "datadog", "checkly", "blackbox", "freshping", "hetrixtools", "nodeping", "updown.io",
    "newrelicpinger", "cronitor", "oneuptime", "hyperping", "oh dear", "sentryuptimebot", "ruxitsynthetic",
    "cloudwatchsynthetics", "googlestackdrivermonitoring", "gatus", "monit/", "check_http", "zabbix",
    "kube-probe", "elb-healthchecker", "googlehc", "google-cloud-health", "consul health check",
    "cloudflare-healthchecks", "azure traffic manager", "amazon-route53-health-check",
)  # fmt: skip
BOTS = (
    "googlebot", "adsbot-google", "googleother", "google-inspectiontool", "mediapartners-google", "bingbot",
    "duckduckbot", "baiduspider", "yandexbot", "applebot", "seznambot", "ahrefsbot", "semrushbot", "mj12bot", "dotbot",
    "petalbot", "gptbot", "oai-searchbot", "claudebot", "ccbot", "perplexitybot", "bytespider", "amazonbot",
    "meta-externalagent", "slackbot", "slack-imgproxy", "twitterbot", "facebookexternalhit", "linkedinbot",
    "discordbot", "telegrambot", "whatsapp", "skypeuripreview", "embedly", "pinterestbot", "redditbot",
)  # fmt: skip

_KNOWN = re.compile(rf"[^\s;,()+]*(?:{'|'.join(map(re.escape, MONITORS + BOTS))})[^\s;,()]*", re.IGNORECASE)
_LENGTH_MAX = 40  # of a name in a sentence; clients write what they like


def say_agent(agent: str) -> str:
    """Name a User-Agent in a word or two: "UptimeRobot/2.0", "curl/8.5.0", "a browser"; "" for none."""
    known = _KNOWN.search(agent)
    if known is not None:
        return known[0][:_LENGTH_MAX]
    if agent.startswith("Mozilla/"):
        return "a browser"  # or says so: what follows names half of all browsers
    return agent[:_LENGTH_MAX] if len(agent) <= _LENGTH_MAX else agent.split(maxsplit=1)[0][:_LENGTH_MAX]
