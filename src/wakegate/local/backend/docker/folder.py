"""The folder of a build, packed for the daemon: a tar without what .dockerignore leaves out."""

import re
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from wakegate.core.errors import WorkloadError

ALWAYS = ("Dockerfile", ".dockerignore")  # the daemon needs them, even where they are left out


class Ignored:
    """The rules of a .dockerignore: the last one that matches a path, or a folder above it, decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules: list[tuple[re.Pattern[str], bool]] = []
        for line in lines:
            rule = line.strip()
            if rule and not rule.startswith("#"):
                pattern = rule.removeprefix("!").strip().strip("/")
                self._rules.append((re.compile(_regex(pattern)), not rule.startswith("!")))

    def leaves_out(self, path: str) -> bool:
        """Say whether a path, relative to the folder, is left out."""
        verdict = False
        parts = PurePosixPath(path).parts
        paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        for pattern, is_out in self._rules:
            if is_out != verdict and any(map(pattern.fullmatch, paths)):
                verdict = is_out
        return verdict

    @property
    def has_exceptions(self) -> bool:
        """Whether something below a folder that is left out may be wanted all the same."""
        return any(not is_out for _, is_out in self._rules)


def pack(folder: Path) -> IO[bytes]:
    """Return the tar of a folder, at its beginning, in a file that is gone when it is closed; blocks.

    Raise `WorkloadError` where there is no Dockerfile, or something cannot be read.
    """
    if not (folder / "Dockerfile").is_file():
        raise WorkloadError(f"there is no Dockerfile in {folder}: write one, or set build to another folder")
    ignore = folder / ".dockerignore"
    packed = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        rules = Ignored(ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else ())
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, folder, "", rules=rules)
    except (OSError, UnicodeError) as error:
        packed.close()
        raise WorkloadError(f"{folder} cannot be packed for the build: {error}") from error
    except BaseException:
        packed.close()
        raise
    packed.seek(0)
    return packed


def _add(tar: tarfile.TarFile, folder: Path, inside: str, *, rules: Ignored) -> None:
    for path in sorted(folder.iterdir()):
        name = f"{inside}/{path.name}".lstrip("/")
        is_out = name not in ALWAYS and rules.leaves_out(name)
        is_folder = path.is_dir() and not path.is_symlink()
        if not is_out and not path.is_socket():  # a socket cannot be packed
            tar.add(path, arcname=name, recursive=False, filter=_unowned)
        if is_folder and (not is_out or rules.has_exceptions):
            _add(tar, path, name, rules=rules)


def _unowned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0  # as the docker command does: an image must not depend on who builds it
    entry.uname = entry.gname = ""
    return entry


def _regex(pattern: str) -> str:
    """Translate a pattern of .dockerignore: `*` and `?` stay within one name, `**` does not."""
    regex, place = "", 0
    while place < len(pattern):
        if pattern.startswith("**/", place):
            regex, place = regex + "(?:.*/)?", place + 3
        elif pattern.startswith("**", place):
            regex, place = regex + ".*", place + 2
        else:
            found = re.match(r"\[\^?[^]]+]|\\?.", pattern[place:], re.DOTALL)
            assert found is not None, "any character matches"
            regex, place = regex + _one(found[0]), place + len(found[0])
    return regex


def _one(token: str) -> str:
    if len(token) > 1:
        return token if token.startswith("[") else re.escape(token[1:])
    return {"*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token)
