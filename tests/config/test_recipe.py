"""What a folder holds, and what would run it; that the commands do run is tested where they can be."""

import json
from pathlib import Path

import pytest

from wakegate.config.recipe import (
    from_config_ru,
    from_go_mod,
    from_index_html,
    from_package_json,
    from_procfile,
    text_of,
    words,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("gunicorn app:app -b 0.0.0.0:$PORT", ("gunicorn", "app:app", "-b", "0.0.0.0:{port}")),
        ("node 'my server.js' ${PORT}", ("node", "my server.js", "{port}")),
        ("rackup -p ${PORT:-5000}", ("rackup", "-p", "{port}")),
        ("a && b -p $PORT", ("sh", "-c", "a && b -p $PORT")),
        ("NODE_ENV=production node a.js", ("sh", "-c", "NODE_ENV=production node a.js")),
        ("java $JAVA_OPTS -jar a.jar", ("sh", "-c", "java $JAVA_OPTS -jar a.jar")),
        ("run $PORTAL", ("sh", "-c", "run $PORTAL")),
        ("unbalanced 'quote", ("sh", "-c", "unbalanced 'quote")),
    ],
)
def test_a_line_for_a_shell_becomes_a_command_without_one_where_it_can(line: str, command: tuple[str, ...]) -> None:
    """Without a shell between, SIGTERM goes to the app alone; what needs one keeps it, and the port is in PORT."""
    assert words(line) == command


def test_the_web_process_of_a_procfile_is_run_and_the_others_are_named(folder: Path) -> None:
    """A worker that is silently not run is missed much later."""
    (folder / "Procfile").write_text("# comment: x\nweb: bundle exec puma -p $PORT\nworker: sidekiq\nclock: tick\n")
    recipe = from_procfile(folder)
    assert recipe is not None
    assert recipe.command == ("bundle", "exec", "puma", "-p", "{port}")
    assert recipe.notes == ("Not run, as only web answers requests: worker, clock.",)
    (folder / "Procfile").write_text("worker: sidekiq\n")
    assert from_procfile(folder) is None


@pytest.mark.parametrize(
    ("lock", "tool"), [("", "npm"), ("yarn.lock", "yarn"), ("pnpm-lock.yaml", "pnpm"), ("bun.lock", "bun")]
)
def test_a_start_script_is_run_by_the_tool_that_its_lock_file_is_of(folder: Path, lock: str, tool: str) -> None:
    """Another tool would install other versions."""
    (folder / "package.json").write_text(json.dumps({"scripts": {"start": "node ."}}))
    if lock:
        (folder / lock).touch()
    recipe = from_package_json(folder)
    assert recipe is not None
    assert recipe.command == (tool, "run", "start")


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"scripts": []}', '{"scripts": {"build": "x"}}', "[" * 100_000])
def test_a_package_without_a_start_script_is_none(folder: Path, text: str) -> None:
    """Also one that is no JSON."""
    (folder / "package.json").write_text(text)
    assert from_package_json(folder) is None


def test_a_go_module_is_run_where_its_main_package_is(folder: Path) -> None:
    """Here, or below cmd/."""
    assert from_go_mod(folder) is None
    (folder / "go.mod").touch()
    (folder / "cmd" / "server").mkdir(parents=True)
    (folder / "cmd" / "server" / "main.go").touch()
    recipe = from_go_mod(folder)
    assert recipe is not None
    assert recipe.command == ("go", "run", "./cmd/server")
    (folder / "main.go").touch()
    recipe = from_go_mod(folder)
    assert recipe is not None
    assert recipe.command == ("go", "run", ".")


@pytest.mark.parametrize(
    ("gemfile", "command"),
    [
        ("", ("rackup", "--host", "127.0.0.1", "--port", "{port}")),
        ("gem 'rack'", ("bundle", "exec", "rackup", "--host", "127.0.0.1", "--port", "{port}")),
        ('gem "puma", "~> 6"', ("bundle", "exec", "puma", "-b", "tcp://127.0.0.1:{port}")),
    ],
)
def test_a_rack_app_is_run_by_what_its_gemfile_has(folder: Path, gemfile: str, command: tuple[str, ...]) -> None:
    """Rails sites are rack apps, too."""
    (folder / "config.ru").touch()
    if gemfile:
        (folder / "Gemfile").write_text(gemfile)
    recipe = from_config_ru(folder)
    assert recipe is not None
    assert recipe.command == command


def test_a_folder_that_is_served_does_not_hold_the_state(folder: Path) -> None:
    """Everybody could fetch the key that signs sessions."""
    (folder / "index.html").touch()
    recipe = from_index_html(folder)
    assert recipe is not None
    assert recipe.state_dir.startswith("~/.local/state/wakegate/")
    (folder / "b").mkdir()
    (folder / "b" / "index.html").touch()
    other = from_index_html(folder / "b")
    assert other is not None
    assert other.state_dir != recipe.state_dir


def test_what_cannot_be_read_is_not_there(folder: Path) -> None:
    """A folder of that name, a binary file: `init` goes on to the next sign."""
    (folder / "Procfile").mkdir()
    (folder / "Gemfile").write_bytes(b"\x00\x01")
    assert [text_of(folder / name) for name in ("Procfile", "Gemfile", "nope")] == ["", "", ""]
