"""Connections to a target that are open and idle, and how a new one is made."""

import asyncio
from typing import TYPE_CHECKING

from wakegate.local.lane import Target
from wakegate.local.request.forward import UpstreamConnection

if TYPE_CHECKING:
    from wakegate.local.request.exchange import Exchange

IDLE_TIMEOUT_S = 60.0  # the app, or something between, may have forgotten one that is idle for longer


def take(target: Target, *, now_s: float, used_within_s: float | None) -> UpstreamConnection | None:
    """Take the connection that was used last; with `used_within_s` only one that was used so shortly ago."""
    idle = target.idle
    while idle:
        upstream: UpstreamConnection = idle[-1]
        if upstream.is_lost or upstream.transport.is_closing():
            idle.pop()
        elif now_s - upstream.since_s >= IDLE_TIMEOUT_S:
            idle.pop().close()
        elif used_within_s is not None and now_s - upstream.since_s >= used_within_s:
            return None  # too old for this request, and so are those below it; the next one may take it
        else:
            idle.pop()
            return upstream
    return None


async def connect(exchange: "Exchange", target: Target, *, timeout_s: float) -> None:
    """Make a connection for an exchange, or tell it why there is none."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            _, upstream = await loop.create_connection(lambda: UpstreamConnection(target), target.host, target.port)
    except TimeoutError:
        exchange.unreachable(f"no connection after {timeout_s:g} s")
    except OSError as error:
        exchange.unreachable(error.strerror or str(error))
    else:
        exchange.connected(upstream)


async def connect_or_cut(exchange: "Exchange", target: Target, *, timeout_s: float) -> None:
    """Connect; a bug on the way ends the client's connection, as nothing else would end this exchange."""
    try:
        await connect(exchange, target, timeout_s=timeout_s)
    except BaseException:
        exchange.client.abort()
        raise


def shut(target: Target) -> None:
    """Close the idle connections of a target that drains or is gone."""
    idle, target.idle = target.idle, []
    for upstream in idle:
        upstream.close()
