"""A function's own time: `python -m bench.handler MODULE COUNT`, with the function's environment.

Prints the median processor time, in microseconds, that the handler's thread spends on a warm request: what it waits
for, the app or AWS, is not its own.
"""

import importlib
import json
import sys
import time
from statistics import median
from typing import Any

WARM_UP = 20


class Context:
    """What Lambda says about the invocation."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return a function timeout of 180 s."""
        return 180_000


def event(cookie: str) -> dict[str, Any]:
    """Return a browser's request for a page, as an HTTP API writes it."""
    headers = {
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "accept-encoding": "gzip, deflate, br",
        "accept-language": "en-US,en;q=0.5",
        "host": "abc.execute-api.eu-central-1.amazonaws.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    http = {"method": "GET", "path": "/prod/", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "bench"}
    context = {"domainName": headers["host"], "stage": "prod", "requestId": "bench=", "http": http, "apiId": "abc"}
    found = {"version": "2.0", "routeKey": "ANY /{proxy+}", "rawPath": "/prod/", "rawQueryString": "q=1"}
    more = {"requestContext": context, "headers": headers, "isBase64Encoded": False}
    return {**found, **more, "cookies": [cookie] if cookie else []}


def main() -> None:
    """Measure, and print it."""
    handle = importlib.import_module(sys.argv[1]).lambda_handler
    took_us, cookie = list[float](), ""
    for _ in range(WARM_UP + int(sys.argv[2])):
        given = event(cookie)
        began_s = time.thread_time()
        answer = handle(given, Context())
        took_us.append((time.thread_time() - began_s) * 1e6)
        assert answer["statusCode"] == 200, answer
        cookie = (answer.get("cookies") or [cookie])[0].partition(";")[0]
    print(json.dumps(median(took_us[WARM_UP:])))


if __name__ == "__main__":
    main()
