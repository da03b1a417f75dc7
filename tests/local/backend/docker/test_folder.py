"""What of a folder goes to the daemon: .dockerignore as Docker reads it, and a tar that depends on nobody's user."""

import tarfile
from pathlib import Path

import pytest

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.folder import Ignored, pack


@pytest.mark.parametrize(
    ("lines", "path", "is_out"),
    [
        ((), "a", False),
        (("a",), "a", True),
        (("a",), "b/a", False),
        (("a",), "a/b", True),
        (("/a/",), "a/b/c", True),
        (("*.pyc",), "x.pyc", True),
        (("*.pyc",), "d/x.pyc", False),
        (("**/*.pyc",), "x.pyc", True),
        (("**/*.pyc",), "d/e/x.pyc", True),
        (("a/**",), "a/b/c", True),
        (("*/temp*",), "some/temporary.txt", True),
        (("*/*/temp*",), "some/temporary.txt", False),
        (("temp?",), "tempa", True),
        (("temp?",), "temp", False),
        (("[ab].txt",), "b.txt", True),
        (("[ab].txt",), "c.txt", False),
        (("*.md", "!README.md"), "README.md", False),
        (("*.md", "!README.md"), "OTHER.md", True),
        (("!README.md", "*.md"), "README.md", True),
        (("docs", "!docs/kept"), "docs/kept", False),
        (("# a", "", "  b  "), "b", True),
        (("a.c",), "abc", False),
    ],
)
def test_the_last_rule_that_matches_decides(lines: tuple[str, ...], path: str, is_out: bool) -> None:
    """A secret that is packed against the rules ends up in an image; a file that is missing breaks the build."""
    assert Ignored(lines).leaves_out(path) is is_out


def test_the_tar_has_what_is_not_left_out(tmp_path: Path) -> None:
    """With the Dockerfile in any case; owned by nobody, so that the same folder makes the same image everywhere."""
    for name in ("Dockerfile", "app.py", "secret", "docs/a", "docs/kept", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (tmp_path / "link").symlink_to("app.py")
    (tmp_path / ".dockerignore").write_text("secret\nDockerfile\ndocs\n!docs/kept\n.git\n")
    with pack(tmp_path) as packed, tarfile.open(fileobj=packed) as tar:
        entries = {entry.name: entry for entry in tar}
    assert sorted(entries) == [".dockerignore", "Dockerfile", "app.py", "docs/kept", "link"]
    assert {(entry.uid, entry.gid, entry.uname) for entry in entries.values()} == {(0, 0, "")}
    assert entries["link"].issym()


def test_a_folder_without_a_dockerfile_is_said(tmp_path: Path) -> None:
    """The daemon would speak of a missing file in a tar that the user never saw."""
    with pytest.raises(WorkloadError, match="there is no Dockerfile in"):
        pack(tmp_path)


def test_an_ignore_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    """A mistake of the user never ends in a traceback."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".dockerignore").write_bytes(b"\xff\xfe")
    with pytest.raises(WorkloadError, match="cannot be packed for the build"):
        pack(tmp_path)
