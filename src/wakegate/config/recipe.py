"""What a folder seems to hold, and what would run it: what `wakegate init` goes by. This file: by a command."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from wakegate.config.command import PORT_VARIABLE

LISTEN_PORT = 8080  # the gateway's own, by default
READ_MAX = 2**20  # no Procfile is larger; what is, is not looked at
SHELL_NEEDED = re.compile(r"[$`|&;<>()*?~]|^\w+=")
LOCK_FILES = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lockb": "bun", "bun.lock": "bun"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A command, a build or a Compose service, and what it was made of; notes are for the user to read."""

    found: str
    command: tuple[str, ...] = ()
    build: str = ""
    compose: str = ""
    compose_service: str = ""
    notes: tuple[str, ...] = ()
    port: int = 0
    state_dir: str = ""
    listen_port: int = LISTEN_PORT  # another one where what runs takes the usual one


def from_procfile(folder: Path) -> Recipe | None:
    """Take the web process; the others are named, as nobody else starts them."""
    lines = [line.partition(":") for line in text_of(folder / "Procfile").splitlines()]
    processes = {name.strip(): command.strip() for name, colon, command in lines if colon and not name.startswith("#")}
    web = processes.pop("web", "")
    if not web:
        return None
    others = (f"Not run, as only web answers requests: {', '.join(processes)}.",) if processes else ()
    return Recipe(found="the web process of Procfile", command=words(web), notes=others)


def from_package_json(folder: Path) -> Recipe | None:
    """Run the start script with the tool whose lock file is here."""
    try:
        package = json.loads(text_of(folder / "package.json"))
    except (ValueError, RecursionError):
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict) or not isinstance(scripts.get("start"), str):
        return None
    tool = next((tool for file, tool in LOCK_FILES.items() if (folder / file).exists()), "npm")
    note = "It must listen on process.env.PORT."
    return Recipe(found="the start script of package.json", command=(tool, "run", "start"), notes=(note,))


def from_go_mod(folder: Path) -> Recipe | None:
    """Run the main package here, or the first below cmd/."""
    if not (folder / "go.mod").is_file():
        return None
    mains = sorted(path.parent.name for path in folder.glob("cmd/*/main.go"))
    package = f"./cmd/{mains[0]}" if mains and not (folder / "main.go").exists() else "."
    notes = ("It must listen on the port of the variable PORT.", "A built binary wakes faster than go run.")
    return Recipe(found="go.mod", command=("go", "run", package), notes=notes)


def from_config_ru(folder: Path) -> Recipe | None:
    """Run a Rack app, by puma where the Gemfile has it."""
    if not (folder / "config.ru").is_file():
        return None
    gems = text_of(folder / "Gemfile")
    bundle = ("bundle", "exec") if gems else ()
    if re.search(r"""gem\s*\(?\s*["'](puma|rails)["']""", gems):
        return Recipe(found="config.ru and puma", command=(*bundle, "puma", "-b", "tcp://127.0.0.1:{port}"))
    return Recipe(found="config.ru", command=(*bundle, "rackup", "--host", "127.0.0.1", "--port", "{port}"))


def from_index_html(folder: Path) -> Recipe | None:
    """Serve the folder; the state must not be in it, as it holds the key that signs sessions."""
    if not (folder / "index.html").is_file():
        return None
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.absolute().name) or "site"
    return Recipe(
        found="index.html",
        command=("python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1"),
        notes=("Everything in this folder is served, also files that begin with a dot.",),
        state_dir=f"~/.local/state/wakegate/{name}-{crc32(str(folder.absolute()).encode(errors='replace')):08x}",
    )


def text_of(file: Path) -> str:
    """Return a file's text, nothing where there is none that can be read."""
    try:
        with file.open("rb") as stream:
            text = stream.read(READ_MAX).decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "" if "\0" in text else text


def words(line: str) -> tuple[str, ...]:
    """Return the words of a command line with {port} for $PORT; by a shell where it needs one."""
    try:
        split = tuple(shlex.split(PORT_VARIABLE.sub("{port}", line)))
    except ValueError:
        split = ()
    if not split or SHELL_NEEDED.search(PORT_VARIABLE.sub("", line)):
        return "sh", "-c", line  # which finds the port in PORT
    return split


Recogniser = Callable[[Path], Recipe | None]
