"""The requests of the bench: what a browser sends to a page that it has been to before."""

from bench.peers import BenchError, Peer

NAVIGATION = {
    "Host": "localhost",
    "Connection": "keep-alive",
    "Cache-Control": "max-age=0",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Dest": "document",
    "Referer": "http://localhost/",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
}
_ONLY_PAGES = {"Cache-Control", "Upgrade-Insecure-Requests", "Sec-Fetch-User"}
_LOADED = {name: value for name, value in NAVIGATION.items() if name not in _ONLY_PAGES}
STYLE = {**_LOADED, "Accept": "text/css,*/*;q=0.1", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "style"}
SCRIPT = {**_LOADED, "Accept": "*/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
IMAGE = {
    **_LOADED,
    "Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "Sec-Fetch-Mode": "no-cors",
    "Sec-Fetch-Dest": "image",
}
FETCH = {**_LOADED, "Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


def request(headers: dict[str, str], path: str = "/", **more: str) -> bytes:
    """Return a request head."""
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**headers, **more}.items()), "", ""]
    return "\r\n".join(lines).encode()


def visit(**more: str) -> list[bytes]:
    """Return the requests of a page and what it loads; seven, so that 64 clients in step do not repeat themselves."""
    parts = [
        (NAVIGATION, "/"),
        (STYLE, "/style.css"),
        (SCRIPT, "/app.js"),
        *((IMAGE, f"/image-{number}.webp") for number in range(3)),
        (FETCH, "/cart"),
    ]
    return [request(headers, path, **more) for headers, path in parts]


def session(gateway: Peer) -> str:
    """Return the cookie of a real session, after the visit that makes it durable."""
    answer = gateway.get(request(NAVIGATION)).decode()
    for line in answer.split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            cookie = value.partition(";")[0]
            gateway.get(request(NAVIGATION, Cookie=cookie))
            return cookie
    raise BenchError(f"the gateway set no session cookie:\n{answer}")
