"""Clients of the deployed stack: one that asks once, one that comes back when it is told to, and a herd of those."""

import asyncio
import time
from collections import Counter
from urllib.parse import urljoin

import httpx

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
PATIENCE_S = 100.0


def ask(
    url: str, method: str = "GET", *, content: bytes | None = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send one request and follow nothing."""
    return httpx.request(method, url, content=content, headers=headers, timeout=PATIENCE_S, follow_redirects=False)


async def insist(client: httpx.AsyncClient, url: str) -> tuple[httpx.Response, list[int]]:
    """Ask until there is an answer that stands, as `curl -L --retry` does; return it and the statuses before it."""
    before, end_s = list[int](), time.monotonic() + PATIENCE_S
    while True:
        response = await client.get(url)
        if response.status_code not in (307, 503) or time.monotonic() > end_s:
            return response, before
        before.append(response.status_code)
        if response.status_code == 307:
            url = urljoin(url, response.headers["location"])
        else:
            await asyncio.sleep(float(response.headers.get("retry-after", 1)))


def insist_on(url: str) -> tuple[httpx.Response, list[int]]:
    """Do it for one."""

    async def run() -> tuple[httpx.Response, list[int]]:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            return await insist(client, url)

    return asyncio.run(run())


def herd(url: str, count: int) -> Counter[int]:
    """Let so many insist at once; return how often which status stood in the end."""

    async def run() -> Counter[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=PATIENCE_S) as client, asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(insist(client, f"{url}/?n={number}")) for number in range(count)]
        return Counter(task.result()[0].status_code for task in asked)

    return asyncio.run(run())
