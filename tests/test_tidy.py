"""The house rules that no linter knows: what is named how, what is tested, what must not be in any file."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "wakegate"
CODE = ("src", "tests", "bench", "docs", "examples")
LINES_MAX = 300

UNTESTED = {
    # file in src/wakegate: why it has no test file of its own name
    "__main__.py": "one line that calls the command line; every scenario starts the gateway by it",
    "ports.py": "Protocols only; each implementation is tested against them",
    "answer/reply.py": "a value without behaviour",
    "aws/cloud.py": "Protocols and values; each implementation is tested against them",
    "core/activity.py": "a value without behaviour",
    "core/errors.py": "classes with facts; what they say is read by the tests of those who raise and answer them",
    "core/notice.py": "a value without behaviour",
    "core/record.py": "a value without behaviour",
    "core/spec.py": "values without behaviour; their defaults are tested with config/settings.py",
    "core/status.py": "a value without behaviour",
    "dashboard/operations.py": "a Protocol only; the control socket is tested against it",
    "local/member.py": "values without behaviour",
    "local/lane.py": "Protocols, and a target that holds counts",
    "local/workers/papers.py": "values without behaviour",
    "local/workers/__main__.py": "a few lines that start a worker; every test of one runs them",
    "local/sleep/sleeper.py": "Protocols only; the service and its tests are what implements and what uses them",
}
NOT_A_NAME = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "manager.py", "misc.py", "base.py"}
FORBIDDEN = {
    "a note to do something later": re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"),
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(home|Users|root|work)/\w"),
    "an address of a person": re.compile(r"\b[\w.+-]+@(?!example\.|localhost\b)[\w-]+\.(com|org|net|io|dev|de|ch)\b"),
    "a name or address of a private network": re.compile(r"\b[\w-]+\.(internal|corp|intranet|lan)\b"),
}
UNREASONED = re.compile(r"#\s*(noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)*  \S)|type: ignore(?!\[[\w, -]+\]  # \S))")


def python_files(*tops: str) -> list[Path]:
    """Return the Python files below these folders."""
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py") if "results" not in path.parts)


def text_files() -> Iterator[Path]:
    """Return everything that a reader of the tree may open, but not this file, which has the forbidden words."""
    tops = [ROOT / top for top in (*CODE, ".ci")]
    for path in [*ROOT.iterdir(), *(path for top in tops for path in top.rglob("*"))]:
        is_cache = {"__pycache__", "results"} & set(path.parts)
        if path.is_file() and not is_cache and path != Path(__file__) and path.name != "LICENSE":
            yield path


def at(path: Path, number: int = 1) -> str:
    """Return a place as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{number}"


def docstring(path: Path) -> str:
    """Return what the file says it is for."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def test_every_file_says_what_it_is_for() -> None:
    """The first line is what a reader of `ls` goes by."""
    assert [at(path) for path in python_files(*CODE) if not docstring(path)] == []


def test_every_file_of_src_has_its_test_file() -> None:
    """`idle.py` is tested in `test_idle.py`; what is not is listed with its reason."""
    missing = []
    for path in python_files("src"):
        name = path.relative_to(SRC)
        test = ROOT / "tests" / name.parent / f"test_{name.name}"
        if name.name != "__init__.py" and str(name) not in UNTESTED and not test.exists():
            missing.append(f"{at(path)} has no {test.relative_to(ROOT)}")
    assert missing == []


def test_every_exception_is_still_one() -> None:
    """A list of exceptions that outlives its files hides the next one."""
    stale = [name for name in UNTESTED if not (SRC / name).exists()]
    tested = [name for name in UNTESTED if (ROOT / "tests" / Path(name).parent / f"test_{Path(name).name}").exists()]
    assert (stale, tested) == ([], [])


def test_a_long_file_says_why_it_is_not_two() -> None:
    """Over 300 lines two nouns usually share a file; where not, the docstring says "Over 300 lines because …"."""
    long = [path for path in python_files(*CODE) if len(path.read_text(encoding="utf-8").splitlines()) > LINES_MAX]
    assert [at(path) for path in long if f"Over {LINES_MAX} lines because" not in docstring(path)] == []


def test_no_file_is_named_after_nothing() -> None:
    """A drawer without a noun fills up with everything."""
    assert [at(path) for path in python_files(*CODE) if path.name in NOT_A_NAME] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_has(what: str) -> None:
    """The tree is read by strangers: nothing in it is half done, or about those who wrote it."""
    found = []
    for path in text_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{at(path, n)}: {line.strip()}" for n, line in enumerate(lines, 1) if FORBIDDEN[what].search(line)]
    assert found == []


def test_every_suppression_gives_its_reason() -> None:
    """A rule that is switched off without a reason is one that nobody dares to switch on again."""
    found = []
    for path in python_files(*CODE):
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [f"{at(path, n)}: {line.strip()}" for n, line in enumerate(lines, 1) if UNREASONED.search(line)]
    assert [place for place in found if not place.startswith("tests/test_tidy.py")] == []


def test_no_task_is_without_an_owner() -> None:
    """`asyncio.create_task` makes a task that nobody waits for: it may vanish, and its error with it."""
    bare = re.compile(r"asyncio\.(create_task|ensure_future)\(")
    assert [at(path) for path in python_files("src") if bare.search(path.read_text(encoding="utf-8"))] == []


def test_no_test_patches_what_it_tests() -> None:
    """A patched function tests the patch."""
    mock = re.compile(r"unittest\.mock|mock\.patch|from mock\b")
    files = [path for path in python_files("tests") if path != Path(__file__)]
    assert [at(path) for path in files if mock.search(path.read_text(encoding="utf-8"))] == []


def test_the_generated_pages_are_fresh() -> None:
    """Docs that are written by hand where code could write them are wrong within a month."""
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_names_only_targets_that_exist() -> None:
    """The first thing that a visitor tries must work."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    command = re.compile(r"(?:^ *|`|\$ )make ([a-z]+)", re.MULTILINE)
    named = {name for page in pages for name in command.findall(page.read_text(encoding="utf-8"))}
    assert named - targets == set()


def test_the_lock_has_all_that_is_declared() -> None:
    """A dependency that is not locked is another one tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    wanted = [Requirement(text) for text in (*declared, *project["build-system"]["requires"])]
    locked = pins()
    assert [str(one) for one in wanted if locked.get(canonicalize_name(one.name), "0") not in one.specifier] == []


def test_the_lock_holds_for_everybody() -> None:
    """Each version has hashes, so any mirror will do, and none is named."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text.partition("\n")[2])
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def pins() -> dict[str, str]:
    """Return the locked version of every package."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", text, re.MULTILINE))
