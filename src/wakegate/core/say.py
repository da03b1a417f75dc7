"""How durations, sizes, counts and places are said to people: "0.84 s", "5m 08s", "12 MB", "3 requests"."""

from math import inf

UNIX_PREFIX = "unix:"  # in front of the path of a Unix socket, where an address is written

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def say_duration(seconds: float) -> str:
    """Say a duration the way people do: two figures are enough at every scale. Total: what is below 0 is "0 s"."""
    seconds = max(0.0, seconds)
    if 0.00005 <= seconds < 0.00995:
        return f"{seconds * 1000:.1f}".removesuffix(".0") + " ms"
    if seconds < 9.995:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    if seconds == inf:
        return "∞"
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return _pair(whole, MINUTE_S, "m", 1, "s")
    if whole < DAY_S:
        return _pair(whole, HOUR_S, "h", MINUTE_S, "m")
    return _pair(whole, DAY_S, "d", HOUR_S, "h")


def say_bytes(count: int) -> str:
    """Say a size in powers of 1,000, as disks and downloads do."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 9.95 else f"{size:.1f} {unit}"


def say_count(count: int, noun: str) -> str:
    """Say how many there are of something whose plural ends in s: "1 request", "10,000 requests"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def say_address(host: str, port: int) -> str:
    """Say where something listens, with an IPv6 address in brackets: "127.0.0.1:80", "[::1]:80"."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def say_place(url: str, *, host: str, path: str) -> str:
    """Say where a service is found behind a gateway's URL; over a Unix socket what to ask for stands behind it."""
    if url.startswith(UNIX_PREFIX):
        return f"{url} · http://{host or 'localhost'}{path}" if host or path.strip("/") else url
    if not host:
        return url + path
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{host}:{rest.rpartition(':')[2]}{path}"


def _pair(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = whole % large // small
    if not rest:
        return f"{whole // large}{large_unit}"
    figures = "02d" if small_unit == "s" else "d"  # "5m 08s" as on a clock, but "3d 4h"
    return f"{whole // large}{large_unit} {rest:{figures}}{small_unit}"
