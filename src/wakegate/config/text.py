"""What a text setting may hold: paths of requests and of this machine, methods, agents, a probe, a cookie's name."""

import re
from dataclasses import dataclass
from pathlib import Path

from wakegate.config.kind import Text, Texts
from wakegate.config.show import UnfitError, show


@dataclass(frozen=True, slots=True, kw_only=True)
class PathText(Text):
    """A path on this machine; a relative one starts at the folder of the file."""

    def placed(self, value: object, *, folder: Path) -> str:
        """Return it below a folder, unless it is absolute."""
        return str(folder / str(value))


NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # RFC 9110; a cookie's name is one, too
PATH = r"/[!$&-:=@-Z_a-z~%]*"  # RFC 3986, and no ";" or "," because it is also the path of a cookie


def _path_prefix(text: str) -> str:
    if not re.fullmatch(PATH, text) or "//" in text or {".", ".."} & set(text.split("/")) or "," in text:
        raise UnfitError(f'{show(text)} is no path; write "/" or "/shop"')
    return text.rstrip("/") or "/"


def _request_path(text: str) -> str:
    if not text.startswith("/") or not text.isprintable() or set(text) & set("?# "):
        raise UnfitError(f'{show(text)} is no path of a request; write "/healthz", without a query')
    return text


def _ignored_path(text: str) -> str:
    if "*" in text[:-1]:
        raise UnfitError(f'{show(text)}: "*" may only end a path; write "/static/*"')
    return _request_path(text)


def _probe(text: str) -> str:
    if text == "tcp" or (text.startswith("/") and text.isascii() and text.isprintable() and not set(text) & set("# ")):
        return text
    raise UnfitError(f'{show(text)} is no probe; write "tcp" (it accepts connections) or a path such as "/healthz"')


def _method(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise UnfitError(f'{show(text)} is no method; write "GET"')
    return text.upper()


def _agent(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise UnfitError(f'{show(text)} is no part of a user agent; write "curl", "monitors" or "bots"')
    return text


def _cookie(text: str) -> str:
    if text and not re.fullmatch(NAME, text):
        raise UnfitError(f'{show(text)} is no name of a cookie; write letters, digits, - and _, or "" for no sessions')
    return text


def _folder(text: str) -> str:
    if not text or "\0" in text:
        raise UnfitError(f'{show(text)} is no folder; write "." or "/srv/shop"')
    return at_home(text)


def _file(text: str) -> str:
    if not text or "\0" in text:
        raise UnfitError(f'{show(text)} is no file; write "compose.yaml" or "/srv/shop/compose.yaml"')
    return at_home(text)


def at_home(text: str) -> str:
    """Return a path with ~ and ~name replaced by the folder of their user."""
    try:
        return str(Path(text).expanduser())
    except RuntimeError as error:
        raise UnfitError(f"{show(text)}: this machine has no such user; write the whole path") from error


PATH_PREFIX = Text(says="path prefix", check=_path_prefix, pattern=f"^{PATH}$")
REQUEST_PATHS = Texts(
    of=Text(says="path prefix", check=_request_path, pattern="^/[^?#\\s]*$"), says="list of path prefixes"
)
IGNORED_PATHS = Texts(of=Text(says="path", check=_ignored_path, pattern="^/[^?#*\\s]*\\*?$"), says="list of paths")
PROBE = Text(says='`"tcp"` or a path', check=_probe, pattern="^(tcp|/[^#\\s]*)$")
METHODS = Texts(of=Text(says="method", check=_method, pattern=f"^{NAME}$"), says="list of methods")
AGENTS = Texts(of=Text(says="part of a user agent", check=_agent, pattern="\\S"), says="list of parts of user agents")
COOKIE = Text(says="cookie name", check=_cookie, pattern=f"^({NAME})?$")
FOLDER = PathText(says="folder", check=_folder)
FILE = PathText(says="file", check=_file)
