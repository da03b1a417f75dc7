"""What the settings of containers may hold: images, names, volumes, labels, users, networks."""

import re
from dataclasses import dataclass
from pathlib import Path

from wakegate.config.kind import Environment, Text, Texts
from wakegate.config.show import UnfitError, show
from wakegate.config.text import at_home

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
SERVICE = r"[A-Za-z0-9._-]+"
PROJECT = r"[a-z0-9][a-z0-9_-]*"
_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9]+:[0-9a-f]{{32,}})?", re.ASCII
)
VOLUME = re.compile(r"(?:(?P<source>[^:]+):)?(?P<target>/[^:]*)(?::(?P<options>[^:]+))?")
VOLUME_OPTIONS = {"ro", "rw", "z", "Z", "nocopy"}
OWN_LABELS = "wakegate."


@dataclass(frozen=True, slots=True, kw_only=True)
class Volumes(Texts):
    """Volumes as Docker's -v has them; a source with a slash is a path, which may be relative."""

    def placed(self, value: object, *, folder: Path) -> tuple[str, ...]:
        """Return them with relative sources below a folder."""
        assert isinstance(value, tuple)
        return tuple(_placed(volume, folder=folder) for volume in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels(Environment):
    """A table of labels."""

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        """Return pairs of name and value; those by which a gateway knows its containers are its own."""
        if not isinstance(value, dict):
            raise UnfitError(f'{show(value)} is no table; write {{ "com.example.team" = "shop" }}')
        for name, content in value.items():
            if not name.strip() or not name.isprintable() or "=" in name:
                raise UnfitError(f'{show(name)} is no name of a label; write letters, digits, ".", - and _')
            if name.startswith(OWN_LABELS):
                raise UnfitError(
                    f"{show(name)}: labels that begin with {OWN_LABELS} are the gateway's own; write another"
                )
            if not isinstance(content, str):
                raise UnfitError(f'{name} is no text; write "{name}" = "…", in quotes')
        return tuple(value.items())


def _image(text: str) -> str:
    if REFERENCE.fullmatch(text):
        return text
    if REFERENCE.fullmatch(text.lower()):
        raise UnfitError(f'{show(text)} is no image: names are in lower case; write "{text.lower()}"')
    raise UnfitError(f'{show(text)} is no image; write "nginx:1.27" or "registry.example:5000/shop/web:2"')


def _container(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise UnfitError(f'{show(text)} is no name of a container; write what "docker ps --all" shows under NAMES')
    return text


def _compose_service(text: str) -> str:
    if not re.fullmatch(SERVICE, text):
        raise UnfitError(f"{show(text)} is no name of a Compose service; write one that stands in its file")
    return text


def _compose_project(text: str) -> str:
    if not re.fullmatch(PROJECT, text):
        what = 'write what "docker compose ls --all" shows under NAME'
        raise UnfitError(f"{show(text)} is no name of a Compose project: small letters, digits, - and _; {what}")
    return text


def _volume(text: str) -> str:
    found = VOLUME.fullmatch(text)
    if not found or not text.isprintable():
        raise UnfitError(f'{show(text)} is no volume; write "./data:/var/lib/app", "name:/var/lib/app:ro"')
    source, options = found["source"], set((found["options"] or "rw").split(","))
    if not source and found["options"]:
        raise UnfitError(f'{show(text)}: a volume without a name is empty at first; write "name:{text}", or no option')
    if source and not _is_path(source) and not re.fullmatch(NAME, source):
        raise UnfitError(f'{show(text)}: {show(source)} is no name of a volume; a folder begins with "./", "/" or "~/"')
    if odd := sorted(options - VOLUME_OPTIONS):
        raise UnfitError(f'{show(text)}: unknown option "{odd[0]}"; write "ro" for read-only, or leave it out')
    return f"{at_home(source)}{text.removeprefix(source)}" if source and source.startswith("~") else text


def _user(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+(?::[\w.-]+)?\$?", text, re.ASCII):
        raise UnfitError(f'{show(text)} is no user; write "1000", "1000:1000" or "app"')
    return text


def _network(text: str) -> str:
    if text in ("host", "none") or text.startswith(("container:", "service:")):
        raise UnfitError(f"{show(text)}: a replica needs an address of its own; name a network, or leave it out")
    if text in ("bridge", "default"):
        raise UnfitError(f"{show(text)} is what there is without a network; leave it out")
    if not re.fullmatch(NAME, text):
        raise UnfitError(f'{show(text)} is no name of a network; write what "docker network ls" shows under NAME')
    return text


def _is_path(source: str) -> bool:
    return source.startswith(("/", "~", "./", "../")) or source in (".", "..")


def _placed(volume: str, *, folder: Path) -> str:
    found = VOLUME.fullmatch(volume)
    source = found["source"] if found else None
    if source is None or not _is_path(source):
        return volume
    return f"{folder / source}{volume.removeprefix(source)}"


IMAGE = Text(says="image", check=_image, pattern=r"^\S+$")
CONTAINER = Text(says="name of a container", check=_container, pattern=f"^{NAME}$")
COMPOSE_SERVICE = Text(says="name of a Compose service", check=_compose_service, pattern=f"^{SERVICE}$")
COMPOSE_PROJECT = Text(says="name of a Compose project", check=_compose_project, pattern=f"^{PROJECT}$")
VOLUMES = Volumes(of=Text(says="volume", check=_volume, pattern="^([^:]+:)?/[^:]*(:[^:]+)?$"), says="list of volumes")
LABELS = Labels()
USER = Text(says="user", check=_user, pattern=r"^\S+$")
NETWORK = Text(says="name of a network", check=_network, pattern=f"^{NAME}$")
